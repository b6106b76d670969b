import type { PodFacts } from "./pod-facts.ts";
import { type Taint, tolerates } from "./tolerations.ts";

/** A taint that pods are evicted for, and since when it counts (milliseconds since 1970). */
export interface EvictingTaint {
  taint: Taint;
  since: number;
}

/**
 * When a pod has to leave its node for its NoExecute taints, in milliseconds since 1970: at once (0) where it does not tolerate
 * one of them, else when the shortest tolerationSeconds are over; infinite for never.
 */
export function evictionTime(pod: PodFacts, taints: readonly EvictingTaint[]): number {
  let earliest = Number.POSITIVE_INFINITY;
  for (const { taint, since } of taints) {
    const tolerations = pod.tolerations.filter((toleration) => tolerates(toleration, taint));
    if (tolerations.length === 0) return 0;
    for (const { tolerationSeconds } of tolerations) {
      if (tolerationSeconds === undefined || tolerationSeconds === null) continue;
      // A pod that came later than the taint has the whole of its time.
      const start = Math.max(since, pod.since);
      earliest = Math.min(earliest, start + Math.max(0, tolerationSeconds) * 1000);
    }
  }
  return earliest;
}
