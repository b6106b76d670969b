import fc from "fast-check";
import { expect, test } from "vitest";
import { node, pod, snapshotOf } from "../../test/support/scheduling-objects.ts";
import { pendingPod } from "./pod-facts.ts";
import { schedule } from "./schedule.ts";

// A model of its own: plain numbers, no increments, everything counted again for each question.
const EFFECTS = ["NoSchedule", "NoExecute", "PreferNoSchedule"];
const aTaint = fc.record({
  key: fc.constantFrom("k1", "k2"),
  value: fc.constantFrom("", "v"),
  effect: fc.constantFrom(...EFFECTS),
});
const aToleration = fc.record(
  {
    key: fc.constantFrom("k1", "k2"),
    operator: fc.constantFrom("Exists", "Equal"),
    value: fc.constantFrom("", "v"),
    effect: fc.constantFrom(...EFFECTS),
  },
  { requiredKeys: ["key", "operator"] },
);
const aNode = fc.record({
  cpu: fc.integer({ min: 0, max: 8 }),
  memory: fc.integer({ min: 0, max: 8 }),
  pods: fc.integer({ min: 0, max: 4 }),
  gpus: fc.integer({ min: 0, max: 2 }),
  disk: fc.constantFrom("ssd", "hdd"),
  taints: fc.array(aTaint, { maxLength: 2 }),
  unschedulable: fc.boolean(),
});
const aPod = fc.record({
  cpu: fc.integer({ min: 0, max: 4 }),
  memory: fc.integer({ min: 0, max: 4 }),
  gpus: fc.integer({ min: 0, max: 1 }),
  disk: fc.constantFrom("ssd", "hdd", undefined),
  hostPort: fc.constantFrom(0, 0, 80),
  priority: fc.integer({ min: 0, max: 2 }),
  tolerations: fc.array(aToleration, { maxLength: 2 }),
});
type ModelNode = typeof aNode extends fc.Arbitrary<infer T> ? T : never;
type ModelPod = typeof aPod extends fc.Arbitrary<infer T> ? T : never;

const sum = (numbers: number[]): number => numbers.reduce((a, b) => a + b, 0);

const tolerated = (taint: ModelNode["taints"][number], pod: ModelPod): boolean =>
  pod.tolerations.some(
    (one) =>
      one.key === taint.key &&
      (one.effect === undefined || one.effect === taint.effect) &&
      (one.operator === "Exists" || (one.value ?? "") === taint.value),
  );

/** May these pods be together on the node? */
function holds(node: ModelNode, pods: ModelPod[]): boolean {
  return (
    pods.length <= node.pods &&
    (["cpu", "memory", "gpus"] as const).every((what) => sum(pods.map((one) => one[what])) <= node[what]) &&
    pods.filter(({ hostPort }) => hostPort === 80).length <= 1 &&
    pods.every(
      (one) =>
        !node.unschedulable &&
        (one.disk === undefined || one.disk === node.disk) &&
        node.taints.every((taint) => taint.effect === "PreferNoSchedule" || tolerated(taint, one)),
    )
  );
}

const objectOfNode = (one: ModelNode, i: number) =>
  node(`n${i}`, {
    cpu: String(one.cpu),
    memory: `${one.memory}Gi`,
    pods: String(one.pods),
    allocatable: { "example.com/gpu": String(one.gpus) },
    labels: { disk: one.disk },
    taints: one.taints,
    unschedulable: one.unschedulable,
  });
const objectOfPod = (one: ModelPod, i: number) =>
  pod(`p${i}`, {
    requests: { cpu: `${one.cpu * 1000}m`, memory: `${one.memory}Gi`, "example.com/gpu": String(one.gpus) },
    hostPort: one.hostPort,
    priority: one.priority,
    tolerations: one.tolerations,
    ...(one.disk && { nodeSelector: { disk: one.disk } }),
  });

test("no node is ever overcommitted or given a pod that it refuses, and no pod is left over that would fit", () => {
  fc.assert(
    fc.property(
      fc.array(aNode, { maxLength: 6 }),
      fc.array(aPod, { maxLength: 20 }),
      fc.nat(),
      (nodes, pods, start) => {
        const snapshot = snapshotOf(nodes.map(objectOfNode));
        const wanted = pods.map((one, i) => pendingPod(objectOfPod(one, i)));
        const { placements, unschedulable } = schedule(snapshot, wanted, start);
        const modelOf = ({ name }: { name: string }): ModelPod => pods[Number(name.slice(1))]!;
        const onNode = nodes.map((_, i) =>
          placements.filter((one) => one.node === `n${i}`).map((one) => modelOf(one.pod)),
        );

        expect(placements.length + unschedulable.length).toBe(pods.length);
        nodes.forEach((one, i) => {
          // A node without pods may well be one that would refuse any.
          if (onNode[i]!.length > 0) expect(holds(one, onNode[i]!)).toBe(true);
        });
        for (const one of unschedulable) {
          expect(nodes.some((node, i) => holds(node, [...onNode[i]!, modelOf(one.pod)]))).toBe(false);
        }
        const priorities = placements.map((one) => one.pod.priority);
        expect(priorities).toEqual(priorities.toSorted((a, b) => b - a));
      },
    ),
    { numRuns: 300 },
  );
});

test("a failed search counts every node once for each of its reasons", () => {
  fc.assert(
    fc.property(fc.array(aNode, { minLength: 1, maxLength: 12 }), (nodes) => {
      const snapshot = snapshotOf(nodes.map(objectOfNode));
      const { unschedulable } = schedule(snapshot, [pendingPod(pod("p", { requests: { cpu: "100" } }))]);
      const [text] = unschedulable[0]!.message.split(". no new claims");
      const counts = [...text!.matchAll(/(\d+) (?!nodes)([^,]+)/g)];
      expect(text).toMatch(new RegExp(`^0/${nodes.length} nodes are available: `));
      const alone = counts.filter(([, , reason]) => reason !== "Too many pods").map(([, count]) => Number(count));
      expect(sum(alone)).toBe(nodes.length);
    }),
    { numRuns: 100 },
  );
});

test("what is placed and removed again leaves the snapshot as it was", () => {
  fc.assert(
    fc.property(fc.array(aNode, { minLength: 1, maxLength: 4 }), fc.array(aPod, { maxLength: 12 }), (nodes, pods) => {
      const snapshot = snapshotOf(nodes.map(objectOfNode));
      const state = () =>
        snapshot.nodes.map(({ name, used, scored, ports, pods }) => ({
          name,
          cpu: used.milliCpu,
          memory: used.memory,
          gpus: used.scalars.get("example.com/gpu") ?? 0,
          scored: { ...scored },
          ports: ports.size,
          pods: pods.size,
        }));
      const before = state();
      const { placements } = schedule(
        snapshot,
        pods.map((one, i) => pendingPod(objectOfPod(one, i))),
      );
      for (const one of placements) snapshot.remove(one.pod.key);
      expect(state()).toEqual(before);
    }),
    { numRuns: 100 },
  );
});

test("of thousands of nodes, every pod still gets one of those that are free", () => {
  const nodes = Array.from({ length: 3000 }, (_, i) => node(`n${i}`, { pods: i % 10 === 0 ? "1" : "0" }));
  const wanted = Array.from({ length: 301 }, (_, i) => pendingPod(pod(`p${i}`)));
  const { placements, unschedulable } = schedule(snapshotOf(nodes), wanted);
  expect(placements).toHaveLength(300);
  expect(unschedulable[0]!.message).toContain("0/3000 nodes are available: 3000 Too many pods.");
});
