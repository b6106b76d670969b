import { describe, expect, test } from "vitest";
import { node, pod, snapshotOf } from "../../test/support/scheduling-objects.ts";
import { PodEviction, QUARANTINE_MILLISECONDS, REPEAT_MILLISECONDS } from "./pod-eviction.ts";
import { podFacts } from "./pod-facts.ts";
import { nodeFacts } from "./snapshot.ts";
import { evictionTime } from "./taint-eviction.ts";

const ADDED = "2026-01-02T00:00:00Z";
const T0 = Date.parse(ADDED);
const UNREACHABLE = { key: "node.kubernetes.io/unreachable", effect: "NoExecute", timeAdded: ADDED };
const tolerating = (tolerationSeconds?: number) => ({
  tolerations: [
    {
      key: UNREACHABLE.key,
      operator: "Exists",
      effect: "NoExecute",
      ...(tolerationSeconds !== undefined && { tolerationSeconds }),
    },
  ],
});

describe("a pod leaves for a NoExecute taint", () => {
  const taint = { taint: UNREACHABLE, since: T0 };
  const cases: { name: string; options: object; taints?: any[]; at: number }[] = [
    { name: "at once where it does not tolerate it", options: {}, at: 0 },
    { name: "never where it tolerates it without end", options: tolerating(), at: Number.POSITIVE_INFINITY },
    { name: "when its tolerationSeconds are over", options: tolerating(300), at: T0 + 300_000 },
    { name: "as soon as it can where they are negative", options: tolerating(-5), at: T0 },
    {
      name: "at once where it tolerates one of two",
      options: tolerating(300),
      taints: [taint, { taint: { key: "other", effect: "NoExecute" }, since: T0 }],
      at: 0,
    },
    {
      name: "after the shortest of its tolerations",
      options: {
        tolerations: [...tolerating(300).tolerations, ...tolerating(30).tolerations, ...tolerating().tolerations],
      },
      at: T0 + 30_000,
    },
    {
      name: "counted from its coming, where it came later",
      options: { ...tolerating(10), created: "2026-01-02T00:01:00Z" },
      at: T0 + 70_000,
    },
  ];
  test.each(cases)("$name", ({ options, taints = [taint], at }) => {
    expect(evictionTime(podFacts(pod("p", { nodeName: "a", ...options })), taints)).toBe(at);
  });
});

/** A snapshot, and the evictions that are due in it. */
function evictor(nodes: any[], pods: any[]) {
  const snapshot = snapshotOf(nodes, pods);
  const eviction = new PodEviction();
  for (const one of nodes) eviction.noteNode(one.metadata.name, snapshot.node(one.metadata.name));
  const due = (now: number) => {
    const { evictions, nextAt } = eviction.plan(snapshot, now);
    return { pods: evictions.map((one) => one.pod.name), nextAt, evictions };
  };
  return { snapshot, eviction, due };
}

test("the eviction is told when it is due, in upstream's words, and again only where nothing came of it", () => {
  const { due } = evictor([node("a", { taints: [UNREACHABLE] })], [pod("p", { nodeName: "a", ...tolerating(300) })]);
  expect(due(T0)).toMatchObject({ pods: [], nextAt: T0 + 300_000 });
  const [told] = due(T0 + 300_000).evictions;
  expect(told).toMatchObject({
    reason: "TaintManagerEviction",
    message: "Marking for deletion Pod default/p",
    force: false,
  });
  expect(due(T0 + 300_001).pods).toEqual([]);
  expect(due(T0 + 300_000 + REPEAT_MILLISECONDS).pods).toEqual(["p"]);
});

test("a pod that is being deleted already, or whose node has lost the taint, stays", () => {
  const { due, snapshot, eviction } = evictor(
    [node("a", { taints: [UNREACHABLE] })],
    [pod("going", { nodeName: "a", deleting: true }), pod("p", { nodeName: "a", ...tolerating(5) })],
  );
  expect(due(T0).pods).toEqual([]);
  snapshot.setNode(nodeFacts(node("a")));
  eviction.noteNode("a", snapshot.node("a"));
  expect(due(T0 + 10_000)).toMatchObject({ pods: [], nextAt: Number.POSITIVE_INFINITY });
});

test("a taint without a time counts from when it was first seen", () => {
  const { due } = evictor(
    [node("a", { taints: [{ key: UNREACHABLE.key, effect: "NoExecute" }] })],
    [pod("p", { nodeName: "a", ...tolerating(5) })],
  );
  expect(due(T0)).toMatchObject({ pods: [], nextAt: T0 + 5000 });
  expect(due(T0 + 4000)).toMatchObject({ pods: [], nextAt: T0 + 5000 });
  expect(due(T0 + 5000).pods).toEqual(["p"]);
});

test("pods of a node that is gone are collected after the quarantine, finished and terminating ones too", () => {
  const { due, snapshot } = evictor(
    [node("a"), node("b")],
    [
      pod("p", { nodeName: "a" }),
      pod("done", { nodeName: "a", phase: "Failed" }),
      pod("going", { nodeName: "a", deleting: true }),
      pod("other", { nodeName: "b" }),
    ],
  );
  expect(due(T0).pods).toEqual([]);
  snapshot.removeNode("a");
  expect(due(T0)).toMatchObject({ pods: [], nextAt: T0 + QUARANTINE_MILLISECONDS });
  const { evictions } = due(T0 + QUARANTINE_MILLISECONDS);
  expect(evictions.map((one) => one.pod.name).toSorted()).toEqual(["done", "going", "p"]);
  expect(evictions[0]).toMatchObject({
    force: true,
    reason: "DeletionByPodGC",
    message: "PodGC: node no longer exists",
  });
});

test("a node that comes back in time keeps its pods", () => {
  const { due, snapshot } = evictor([node("a")], [pod("p", { nodeName: "a" })]);
  snapshot.removeNode("a");
  due(T0);
  snapshot.setNode(nodeFacts(node("a")));
  expect(due(T0 + 2 * QUARANTINE_MILLISECONDS).pods).toEqual([]);
  snapshot.removeNode("a");
  expect(due(T0 + 2 * QUARANTINE_MILLISECONDS).pods).toEqual([]);
});

test("a successor goes on where the one before it was lost", () => {
  const { eviction, snapshot, due } = evictor([node("a")], [pod("p", { nodeName: "a" })]);
  snapshot.removeNode("a");
  due(T0);
  const successor = new PodEviction(eviction.memory);
  expect(successor.plan(snapshot, T0 + QUARANTINE_MILLISECONDS).evictions).toHaveLength(1);
  expect(new PodEviction().plan(snapshot, T0 + QUARANTINE_MILLISECONDS).evictions).toEqual([]);
});

test("of a node that is out of service, terminating pods go at once; of one that is merely silent they wait for it", () => {
  const outOfService = { key: "node.kubernetes.io/out-of-service", value: "nodeshutdown", effect: "NoExecute" };
  const pods = [pod("going", { nodeName: "a", deleting: true })];
  const out = evictor([node("a", { ready: false, taints: [outOfService] })], pods).due(T0);
  expect(out.evictions).toMatchObject([{ force: true, pod: { name: "going" }, message: "" }]);
  expect(evictor([node("a", { ready: false, taints: [UNREACHABLE] })], pods).due(T0).pods).toEqual([]);
  expect(evictor([node("a", { taints: [outOfService] })], pods).due(T0).pods).toEqual([]);
});
