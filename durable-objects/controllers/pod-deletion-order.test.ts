import { expect, test } from "vitest";
import { NOON } from "../../test/support/view-of.ts";
import { pod } from "../../test/support/workload-objects.ts";
import { deletionOrder } from "./pod-deletion-order.ts";

const COST = "controller.kubernetes.io/pod-deletion-cost";

test.each([
  ["one that is not placed", pod("b"), pod("a", { node: "n1" })],
  ["a pending one", pod("b", { node: "n1", phase: "Pending" }), pod("a", { node: "n1", phase: "Running" })],
  ["one that is not ready", pod("b", { node: "n1", unready: true }), pod("a", { node: "n1", ready: 5 })],
  [
    "a cheap one",
    pod("b", { node: "n1", ready: 5, annotations: { [COST]: "-10" } }),
    pod("a", { node: "n1", ready: 5 }),
  ],
  ["one that became ready lately", pod("b", { node: "n1", ready: 10 }), pod("a", { node: "n1", ready: 1_000 })],
  [
    "one that restarts",
    pod("b", { node: "n1", ready: 5, restarts: 4 }),
    pod("a", { node: "n1", ready: 5, restarts: 0 }),
  ],
  ["a young one", pod("b", { node: "n1", ready: 5, age: 10 }), pod("a", { node: "n1", ready: 5, age: 10_000 })],
])("%s goes first", (_, first, second) => {
  expect(deletionOrder([second, first], [], NOON).map(({ metadata }) => metadata.name)).toEqual(["b", "a"]);
  expect(deletionOrder([first, second], [], NOON).map(({ metadata }) => metadata.name)).toEqual(["b", "a"]);
});

test("one on a crowded node goes first, whoever of the application crowds it", () => {
  const pods = [pod("a", { node: "n1", ready: 5 }), pod("b", { node: "n2", ready: 5 })];
  const related = [...pods, pod("sibling", { node: "n2", ready: 5 })];
  expect(deletionOrder(pods, related, NOON)[0]?.metadata.name).toBe("b");
});

test("of pods that restart alike, the one whose sidecar restarts goes first; other init containers do not count", () => {
  const withInit = (name: string, restartCount: number, restartPolicy?: "Always") => {
    const made = pod(name, { node: "n1", ready: 5, age: 100 });
    made.spec.initContainers = [{ name: "init", image: "i", ...(restartPolicy && { restartPolicy }) }];
    const status = { name: "init", restartCount, ready: true, image: "i", imageID: "" };
    made.status = { ...made.status, initContainerStatuses: [status] };
    return made;
  };
  const first = (...pods: ReturnType<typeof withInit>[]) => deletionOrder(pods, [], NOON)[0]?.metadata.name;
  const since = (each: ReturnType<typeof withInit>) => each.status?.conditions;
  const [calm, restless] = [withInit("a", 0, "Always"), withInit("b", 3, "Always")];
  expect(since(calm)).toEqual(since(restless));
  expect(first(calm, restless)).toBe("b");
  expect(first(withInit("a", 0), withInit("b", 3))).toBe("a");
});

test("ages of one magnitude do not count, the uid decides", () => {
  const older = pod("a", { node: "n1", ready: 5_000 });
  const younger = pod("b", { node: "n1", ready: 4_900 });
  expect(deletionOrder([younger, older], [], NOON)[0]?.metadata.name).toBe("a");
});

test.each(["", "cheap", "1e3", "99999999999", "007"])("a deletion cost of %j counts as none", (cost) => {
  const pods = [
    pod("a", { node: "n1", ready: 5, annotations: { [COST]: cost } }),
    pod("b", { node: "n1", ready: 5, annotations: { [COST]: "-1" } }),
  ];
  expect(deletionOrder(pods, [], NOON)[0]?.metadata.name).toBe("b");
});
