import type { PodFacts } from "./pod-facts.ts";
import type { NodeState, Snapshot } from "./snapshot.ts";
import { type EvictingTaint, evictionTime } from "./taint-eviction.ts";

/** Upstream's quarantineTime of the pod garbage collector: a node that is missing may come back. */
export const QUARANTINE_MILLISECONDS = 40_000;
/** Asked again after so long, where a pod that was to go is still there. */
export const REPEAT_MILLISECONDS = 10_000;
const OUT_OF_SERVICE = "node.kubernetes.io/out-of-service";

/** A pod that has to go, and why, in upstream's words. */
export interface Eviction {
  pod: PodFacts;
  /** The event's reason, or the DisruptionTarget condition's. */
  reason: string;
  message: string;
  /** At once: nobody is left to stop its containers. */
  force: boolean;
}

export interface EvictionPlan {
  evictions: Eviction[];
  /** When to look again, in milliseconds since 1970; infinite: when something has changed. */
  nextAt: number;
}

/** What cannot be seen from the objects, and has to outlive the instance: since when (milliseconds since 1970). */
export interface EvictionMemory {
  /** Taints without timeAdded, by `node/key/value`. */
  taints: [string, number][];
  /** Nodes that are missing. */
  missing: [string, number][];
}

/** Decides which pods leave their nodes: for NoExecute taints, as their node is gone, or as it is out of service. */
export class PodEviction {
  readonly #taintsSeen: Map<string, number>;
  readonly #missingSince: Map<string, number>;
  /** When each pod was last told to go. */
  readonly #told = new Map<string, number>();
  /** Nodes with NoExecute taints: the others are not looked at. */
  readonly #tainted = new Set<string>();

  constructor(memory?: EvictionMemory) {
    this.#taintsSeen = new Map(memory?.taints);
    this.#missingSince = new Map(memory?.missing);
  }

  get memory(): EvictionMemory {
    return { taints: [...this.#taintsSeen], missing: [...this.#missingSince] };
  }

  /** A node has changed, or is gone. */
  noteNode(name: string, state: NodeState | undefined): void {
    const taints = state?.node?.taints ?? [];
    if (taints.some(({ effect }) => effect === "NoExecute")) this.#tainted.add(name);
    else this.#tainted.delete(name);
  }

  /** The pod is gone. */
  forgetPod(key: string): void {
    this.#told.delete(key);
  }

  plan(snapshot: Snapshot, now: number): EvictionPlan {
    const plan: EvictionPlan = { evictions: [], nextAt: Number.POSITIVE_INFINITY };
    this.#planTaints(snapshot, now, plan);
    this.#planMissing(snapshot, now, plan);
    return plan;
  }

  #planTaints(snapshot: Snapshot, now: number, plan: EvictionPlan): void {
    const seen = new Set<string>();
    for (const name of this.#tainted) {
      const state = snapshot.node(name);
      if (!state?.node) continue;
      const { taints, ready } = state.node;
      const evicting: EvictingTaint[] = [];
      for (const taint of taints) {
        if (taint.effect !== "NoExecute") continue;
        const key = `${name}/${taint.key}/${taint.value ?? ""}`;
        seen.add(key);
        const added = Date.parse(taint.timeAdded ?? "");
        const since = added || this.#taintsSeen.get(key) || now;
        if (!added) this.#taintsSeen.set(key, since);
        evicting.push({ taint, since });
      }
      const isOutOfService = !ready && taints.some(({ key }) => key === OUT_OF_SERVICE);
      for (const pod of [...state.pods.values(), ...state.finished.values()]) {
        if (pod.terminating) {
          if (isOutOfService) this.#evict(plan, now, now, collected(pod, ""));
          continue;
        }
        this.#evict(plan, now, evictionTime(pod, evicting), {
          pod,
          reason: "TaintManagerEviction",
          message: `Marking for deletion Pod ${pod.key}`,
          force: false,
        });
      }
    }
    for (const key of this.#taintsSeen.keys()) if (!seen.has(key)) this.#taintsSeen.delete(key);
  }

  #planMissing(snapshot: Snapshot, now: number, plan: EvictionPlan): void {
    const missing = new Set<string>();
    for (const { name, pods, finished } of snapshot.missing) {
      missing.add(name);
      const since = this.#missingSince.get(name) ?? now;
      this.#missingSince.set(name, since);
      for (const pod of [...pods.values(), ...finished.values()]) {
        this.#evict(plan, now, since + QUARANTINE_MILLISECONDS, collected(pod, "PodGC: node no longer exists"));
      }
    }
    for (const name of this.#missingSince.keys()) if (!missing.has(name)) this.#missingSince.delete(name);
  }

  #evict(plan: EvictionPlan, now: number, at: number, eviction: Eviction): void {
    const toldAt = this.#told.get(eviction.pod.key);
    const dueAt = toldAt === undefined ? at : Math.max(at, toldAt + REPEAT_MILLISECONDS);
    if (dueAt <= now) {
      this.#told.set(eviction.pod.key, now);
      plan.evictions.push(eviction);
      plan.nextAt = Math.min(plan.nextAt, now + REPEAT_MILLISECONDS);
    } else {
      plan.nextAt = Math.min(plan.nextAt, dueAt);
    }
  }
}

/** `message`: the condition's; upstream gives none to the pods of a node that is out of service. */
const collected = (pod: PodFacts, message: string): Eviction => ({
  pod,
  reason: "DeletionByPodGC",
  message,
  force: true,
});
