import { type Candidate, FITS, SCORE_MAX, type SchedulerPlugin, type Verdict } from "../plugin.ts";
import type { PendingPod } from "../pod-facts.ts";

/** What the pod requests has to be free on the node; the emptier node is preferred (LeastAllocated). */
export const nodeResourcesFit: SchedulerPlugin = {
  name: "NodeResourcesFit",
  weight: 1,
  forPod(pod) {
    const scalars = [...pod.requests.scalars].filter(([, amount]) => amount > 0);
    return {
      filter: (candidate) => (fits(pod, scalars, candidate) ? FITS : explain(pod, scalars, candidate)),
      score({ node: { allocatable }, scored }) {
        const cpu = leastAllocated(scored.milliCpu + pod.scored.milliCpu, allocatable.milliCpu);
        const memory = leastAllocated(scored.memory + pod.scored.memory, allocatable.memory);
        const counted = (allocatable.milliCpu > 0 ? 1 : 0) + (allocatable.memory > 0 ? 1 : 0);
        return counted === 0 ? 0 : Math.floor((cpu + memory) / counted);
      },
    };
  },
};

const leastAllocated = (requested: number, capacity: number): number =>
  requested >= capacity ? 0 : Math.floor(((capacity - requested) * SCORE_MAX) / capacity);

/** A request of nothing fits also where more is used than there is. */
const lacks = (requested: number, capacity: number, used: number): boolean =>
  requested > 0 && requested > capacity - used;

function fits({ requests }: PendingPod, scalars: [string, number][], { node, used, pods }: Candidate): boolean {
  const { allocatable } = node;
  if (pods.size + 1 > node.podsMax) return false;
  if (lacks(requests.milliCpu, allocatable.milliCpu, used.milliCpu)) return false;
  if (lacks(requests.memory, allocatable.memory, used.memory)) return false;
  if (lacks(requests.ephemeralStorage, allocatable.ephemeralStorage, used.ephemeralStorage)) return false;
  for (const [name, amount] of scalars) {
    if (lacks(amount, allocatable.scalars.get(name) ?? 0, used.scalars.get(name) ?? 0)) return false;
  }
  return true;
}

/** All that is missing, and whether emptying the node would help. */
function explain({ requests }: PendingPod, scalars: [string, number][], { node, used, pods }: Candidate): Verdict {
  const { allocatable } = node;
  const reasons: string[] = [];
  let resolvable = true;
  const check = (name: string, requested: number, capacity: number, taken: number): void => {
    if (!lacks(requested, capacity, taken)) return;
    reasons.push(`Insufficient ${name}`);
    if (requested > capacity) resolvable = false;
  };
  if (pods.size + 1 > node.podsMax) reasons.push("Too many pods");
  check("cpu", requests.milliCpu, allocatable.milliCpu, used.milliCpu);
  check("memory", requests.memory, allocatable.memory, used.memory);
  check("ephemeral-storage", requests.ephemeralStorage, allocatable.ephemeralStorage, used.ephemeralStorage);
  for (const [name, amount] of scalars) {
    check(name, amount, allocatable.scalars.get(name) ?? 0, used.scalars.get(name) ?? 0);
  }
  return { reasons, resolvable };
}
