import type { PendingPod } from "./pod-facts.ts";
import type { NodeFacts, NodeState } from "./snapshot.ts";

/** Why a node does not fit, in upstream's words: one or more reasons, each counted over the nodes. */
export interface Unfit {
  reasons: string[];
  /** Could removing pods from the node help (upstream: Unschedulable), or not (UnschedulableAndUnresolvable)? */
  resolvable: boolean;
}

export type Verdict = null | Unfit;
export const FITS: Verdict = null;

/** Verdicts without numbers in them are made once, not once a node. */
export const unfit = (reason: string, resolvable = false): Unfit => ({ reasons: [reason], resolvable });

/** A node that exists: what plugins are asked about. */
export type Candidate = NodeState & { node: NodeFacts };

/** What a plugin has to say of one pod (and all that are equal to it). What can be decided once is decided in `forPod`. */
export interface PodDecision {
  filter?(candidate: Candidate): Verdict;
  /**
   * 0 to 100, more is better; `fixed` scores are of any size, do not depend on the pods on the node, and are brought to 0 to 100
   * over all nodes that fit: `highest` gets 100, or, where less is better, what has none gets 100 (`lowest`).
   */
  score?(candidate: Candidate): number;
  fixed?: "highest" | "lowest";
  /** The only nodes that come into question (a pod for one node does not look at thousands). */
  only?: Set<string>;
  /** The pod can be placed nowhere, whatever the nodes are. */
  never?: string;
}

export interface SchedulerPlugin {
  /** As upstream names it. */
  name: string;
  /** Upstream's weight of the score. */
  weight?: number;
  /** Nothing: has no say about this pod. */
  forPod(pod: PendingPod): PodDecision | undefined;
}

export const SCORE_MAX = 100;
