import { describe, expect, test } from "vitest";
import { node, type PodOptions, pending, pod, snapshotOf } from "../../test/support/scheduling-objects.ts";
import { schedule } from "./schedule.ts";

const placesOf = (nodes: any[], pods: any[], wanted: ReturnType<typeof pending>[]) => {
  const { placements, unschedulable } = schedule(snapshotOf(nodes, pods), wanted);
  return {
    ...Object.fromEntries(placements.map((one) => [one.pod.name, one.node])),
    ...Object.fromEntries(unschedulable.map((one) => [one.pod.name, one.message])),
  };
};

/** Where one pod ends up, or why nowhere. */
const placeOf = (nodes: any[], options: PodOptions, pods: any[] = []): string | undefined =>
  placesOf(nodes, pods, [pending("wanted", options)])["wanted"];

const NOT_HELPFUL = (n: number, of = n) =>
  `no new claims to deallocate, preemption: 0/${of} nodes are available: ${n} Preemption is not helpful for scheduling.`;
const NO_VICTIMS = (n: number, of = n) =>
  `no new claims to deallocate, preemption: 0/${of} nodes are available: ${n} No preemption victims found for incoming pod.`;
const GPU = "example.com/gpu";
const required = (...nodeSelectorTerms: unknown[]) => ({
  requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms },
});
const named = (...names: string[]) =>
  required({ matchFields: [{ key: "metadata.name", operator: "In", values: names }] });

describe("a pod that fits nowhere is told why, in upstream's words", () => {
  const cases: { name: string; nodes: any[]; pods?: any[]; options: PodOptions; message: string }[] = [
    { name: "no nodes", nodes: [], options: {}, message: "no nodes available to schedule pods" },
    {
      name: "a node that is full",
      nodes: [node("a")],
      pods: [pod("old", { nodeName: "a", requests: { cpu: "3" } })],
      options: { requests: { cpu: "2" } },
      message: `0/1 nodes are available: 1 Insufficient cpu. ${NO_VICTIMS(1)}`,
    },
    {
      name: "a node that is too small, whatever is on it",
      nodes: [node("a")],
      options: { requests: { cpu: "5" } },
      message: `0/1 nodes are available: 1 Insufficient cpu. ${NOT_HELPFUL(1)}`,
    },
    {
      name: "several resources of one node",
      nodes: [node("a")],
      options: { requests: { cpu: "5", memory: "9Gi", "ephemeral-storage": "1Gi", [GPU]: "1" } },
      message: `0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient ephemeral-storage, 1 Insufficient example.com/gpu, 1 Insufficient memory. ${NOT_HELPFUL(1)}`,
    },
    {
      name: "as many pods as the node takes",
      nodes: [node("a", { pods: "1" })],
      pods: [pod("old", { nodeName: "a" })],
      options: {},
      message: `0/1 nodes are available: 1 Too many pods. ${NO_VICTIMS(1)}`,
    },
    {
      name: "taints, and full nodes",
      nodes: [
        node("a", { taints: [{ key: "k", value: "v", effect: "NoSchedule" }] }),
        node("b", { taints: [{ key: "k", effect: "NoExecute" }] }),
        node("c"),
      ],
      pods: [pod("old", { nodeName: "c", requests: { cpu: "4" } })],
      options: { requests: { cpu: "1" } },
      message:
        "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint(s). no new claims to deallocate, preemption: " +
        "0/3 nodes are available: 1 No preemption victims found for incoming pod, 2 Preemption is not helpful for scheduling.",
    },
    {
      name: "cordoned nodes",
      nodes: [node("a", { unschedulable: true })],
      options: {},
      message: `0/1 nodes are available: 1 node(s) were unschedulable. ${NOT_HELPFUL(1)}`,
    },
    {
      name: "a node selector",
      nodes: [node("a", { labels: { disk: "hdd" } })],
      options: { nodeSelector: { disk: "ssd" } },
      message: `0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector. ${NOT_HELPFUL(1)}`,
    },
    {
      name: "a host port that is taken",
      nodes: [node("a")],
      pods: [pod("old", { nodeName: "a", hostPort: 80 })],
      options: { hostPort: 80 },
      message: `0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports. ${NO_VICTIMS(1)}`,
    },
    {
      name: "the one node that a daemon's pod names",
      nodes: [node("a"), node("b"), node("c")],
      pods: [pod("old", { nodeName: "b", requests: { cpu: "4" } })],
      options: { requests: { cpu: "1" }, nodeAffinity: named("b") },
      message:
        "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) didn't satisfy plugin(s) [NodeAffinity]. no new claims to deallocate, " +
        "preemption: 0/3 nodes are available: 1 No preemption victims found for incoming pod, 2 Preemption is not helpful for scheduling.",
    },
    {
      name: "names of nodes that exclude each other",
      nodes: [node("a"), node("b")],
      options: {
        nodeAffinity: required({
          matchFields: [
            { key: "metadata.name", operator: "In", values: ["a"] },
            { key: "metadata.name", operator: "In", values: ["b"] },
          ],
        }),
      },
      message: `0/2 nodes are available: pod affinity terms conflict. ${NOT_HELPFUL(2)}`,
    },
    {
      name: "a pod that never preempts",
      nodes: [node("a", { unschedulable: true })],
      options: { spec: { preemptionPolicy: "Never" } },
      message:
        "0/1 nodes are available: 1 node(s) were unschedulable. no new claims to deallocate, preemption: not eligible due to preemptionPolicy=Never.",
    },
    {
      name: "counts are sorted as text",
      nodes: [
        ...Array.from({ length: 10 }, (_, i) => node(`full-${i}`, { cpu: "0" })),
        node("a", { unschedulable: true }),
        node("b", { unschedulable: true }),
      ],
      options: { requests: { cpu: "1" } },
      message: `0/12 nodes are available: 10 Insufficient cpu, 2 node(s) were unschedulable. ${NOT_HELPFUL(12)}`,
    },
  ];
  test.each(cases)("$name", ({ nodes, pods = [], options, message }) => {
    expect(placeOf(nodes, options, pods)).toBe(message);
  });
});

describe("each filter lets through what fits", () => {
  const cases: { name: string; nodes: any[]; pods?: any[]; options: PodOptions; place: string }[] = [
    {
      name: "a request that fits exactly",
      nodes: [node("a")],
      pods: [pod("old", { nodeName: "a", requests: { cpu: "3500m" } })],
      options: { requests: { cpu: "500m", memory: "8Gi" } },
      place: "a",
    },
    {
      name: "finished pods take nothing",
      nodes: [node("a", { pods: "1" })],
      pods: [pod("old", { nodeName: "a", requests: { cpu: "4" }, phase: "Succeeded", hostPort: 80 })],
      options: { requests: { cpu: "4" }, hostPort: 80 },
      place: "a",
    },
    {
      name: "a toleration of one key with any value",
      nodes: [node("a", { taints: [{ key: "k", value: "v", effect: "NoSchedule" }] })],
      options: { tolerations: [{ key: "k", operator: "Exists" }] },
      place: "a",
    },
    {
      name: "a toleration of the cordon",
      nodes: [
        node("a", { unschedulable: true, taints: [{ key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" }] }),
      ],
      options: { tolerations: [{ key: "node.kubernetes.io/unschedulable", operator: "Exists", effect: "NoSchedule" }] },
      place: "a",
    },
    {
      name: "PreferNoSchedule is avoided, not refused",
      nodes: [node("a", { taints: [{ key: "k", effect: "PreferNoSchedule" }] }), node("b", { cpu: "1" })],
      options: {},
      place: "b",
    },
    {
      name: "the same host port on another address",
      nodes: [node("a")],
      pods: [pod("old", { nodeName: "a", hostPort: 80, hostIp: "10.0.0.1" })],
      options: { hostPort: 80, hostIp: "10.0.0.2" },
      place: "a",
    },
    {
      name: "an affinity with several operators",
      nodes: [node("a", { labels: { gen: "3", zone: "x" } }), node("b", { labels: { gen: "5", zone: "y" } })],
      options: {
        nodeAffinity: required({
          matchExpressions: [
            { key: "gen", operator: "Gt", values: ["4"] },
            { key: "zone", operator: "NotIn", values: ["x"] },
            { key: "old", operator: "DoesNotExist" },
          ],
        }),
      },
      place: "b",
    },
    {
      name: "a preferred affinity outweighs an emptier node",
      nodes: [node("a", { labels: { disk: "ssd" } }), node("b")],
      pods: [pod("old", { nodeName: "a", requests: { cpu: "2" } })],
      options: {
        nodeAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [
            { weight: 1, preference: { matchExpressions: [{ key: "disk", operator: "In", values: ["ssd"] }] } },
          ],
        },
      },
      place: "a",
    },
    {
      name: "the emptier node",
      nodes: [node("a"), node("b")],
      pods: [pod("old", { nodeName: "a", requests: { cpu: "2", memory: "4Gi" } })],
      options: { requests: { cpu: "1", memory: "2Gi" } },
      place: "b",
    },
    { name: "a named node of many", nodes: [node("a"), node("b")], options: { nodeAffinity: named("b") }, place: "b" },
  ];
  test.each(cases)("$name", ({ nodes, pods = [], options, place }) => {
    expect(placeOf(nodes, options, pods)).toBe(place);
  });
});

test("a required term without requirements matches no node", () => {
  expect(placeOf([node("a")], { nodeAffinity: required({}) })).toContain("didn't match Pod's node affinity/selector");
});

test("equal pods take turns on equal nodes, also when they request nothing", () => {
  const nodes = ["a", "b", "c"].map((name) => node(name));
  const places = placesOf(
    nodes,
    [],
    Array.from({ length: 9 }, (_, i) => pending(`p${i}`)),
  );
  const counts = Map.groupBy(Object.values(places), (place) => place);
  expect([...counts.values()].map((all) => all.length)).toEqual([3, 3, 3]);
});

test("the higher priority is placed first, then who has waited longest", () => {
  const one = { requests: { cpu: "4" } };
  const places = placesOf(
    [node("a"), node("b")],
    [],
    [
      pending("late", { ...one, created: "2026-01-01T00:00:02Z" }),
      pending("early", { ...one, created: "2026-01-01T00:00:01Z" }),
      pending("important", { ...one, priority: 10, created: "2026-01-01T00:00:03Z" }),
    ],
  );
  expect(Object.keys(places).filter((name) => places[name]!.length === 1)).toEqual(["important", "early"]);
  expect(places["late"]).toContain("2 Insufficient cpu");
});

test("placements are counted at once: the next pod finds less room", () => {
  const snapshot = snapshotOf([node("a")]);
  const first = schedule(snapshot, [pending("p1", { requests: { cpu: "3" } })]);
  const second = schedule(snapshot, [pending("p2", { requests: { cpu: "3" } })]);
  expect(first.placements).toHaveLength(1);
  expect(second.unschedulable).toHaveLength(1);
  snapshot.remove("default/p1");
  expect(schedule(snapshot, [pending("p2", { requests: { cpu: "3" } })]).placements).toHaveLength(1);
});
