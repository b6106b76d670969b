import { SCORE_MAX, type SchedulerPlugin } from "../plugin.ts";

/** Prefers nodes whose CPU and memory would be used in like measure. Pods that request neither do not care. */
export const nodeResourcesBalancedAllocation: SchedulerPlugin = {
  name: "NodeResourcesBalancedAllocation",
  weight: 1,
  forPod({ requests }) {
    if (requests.milliCpu === 0 && requests.memory === 0) return undefined;
    return {
      score({ node: { allocatable }, used }) {
        if (allocatable.milliCpu === 0 || allocatable.memory === 0) return SCORE_MAX;
        const cpu = Math.min(1, (used.milliCpu + requests.milliCpu) / allocatable.milliCpu);
        const memory = Math.min(1, (used.memory + requests.memory) / allocatable.memory);
        // The standard deviation of two values is half their distance.
        return Math.floor((1 - Math.abs(cpu - memory) / 2) * SCORE_MAX);
      },
    };
  },
};
