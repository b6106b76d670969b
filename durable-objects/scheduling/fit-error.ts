import type { Unfit } from "./plugin.ts";

export const NO_NODES = "no nodes available to schedule pods";

/** Why a pod fits nowhere: the verdict of each node (equal verdicts of many nodes are the same object or equal texts). */
export interface Diagnosis {
  nodesTotal: number;
  verdicts: Iterable<Unfit>;
  /** Nodes not looked at, as another is named by the pod. */
  absent?: { count: number; reason: string };
  /** The pod fits nowhere, whatever the nodes are. */
  never?: string;
  /** The pod's preemptionPolicy. */
  preemptionPolicy?: string | undefined;
}

const NOT_HELPFUL = "Preemption is not helpful for scheduling";
const NO_VICTIMS = "No preemption victims found for incoming pod";

/**
 * The message of a FailedScheduling event and of the PodScheduled condition, as upstream's FitError prints it after the post
 * filters of the default plugins (DynamicResources, DefaultPreemption).
 */
export function fitError({ nodesTotal, verdicts, absent, never, preemptionPolicy }: Diagnosis): string {
  if (nodesTotal === 0) return NO_NODES;
  const reasons = new Map<string, number>();
  const preemption = new Map<string, number>();
  const count = (histogram: Map<string, number>, reason: string, nodes = 1): void => {
    if (nodes > 0) histogram.set(reason, (histogram.get(reason) ?? 0) + nodes);
  };
  for (const verdict of verdicts) {
    for (const reason of verdict.reasons) count(reasons, reason);
    count(preemption, verdict.resolvable ? NO_VICTIMS : NOT_HELPFUL);
  }
  if (absent) {
    count(reasons, absent.reason, absent.count);
    count(preemption, NOT_HELPFUL, absent.count);
  }
  if (never) count(preemption, NOT_HELPFUL, nodesTotal);

  const available = `0/${nodesTotal} nodes are available`;
  const preempted =
    preemptionPolicy === "Never"
      ? "not eligible due to preemptionPolicy=Never."
      : `${available}: ${print(preemption)}.`;
  return `${available}: ${never ?? print(reasons)}. no new claims to deallocate, preemption: ${preempted}`;
}

/** `2 Insufficient cpu, 3 …`, sorted as text (so that 10 comes before 2), as upstream does. */
const print = (histogram: Map<string, number>): string =>
  [...histogram]
    .map(([reason, nodes]) => `${nodes} ${reason}`)
    .sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
    .join(", ");
