import { type EvictionMemory, PodEviction } from "./pod-eviction.ts";
import { isSchedulable, type PendingPod, pendingPod, podFacts } from "./pod-facts.ts";
import { SchedulingQueue } from "./scheduling-queue.ts";
import { nodeFacts, Snapshot } from "./snapshot.ts";
import { UnreadyNodes } from "./unready-nodes.ts";

/** A change to a pod or node, as it is told. */
export interface ObjectChange {
  type: "ADDED" | "MODIFIED" | "DELETED";
  /** `pods` or `nodes`. */
  resource: string;
  object: any;
}

/** All that the Scheduler knows: made from events alone, and from what it has decided itself. */
export class SchedulerState {
  readonly snapshot = new Snapshot();
  readonly queue = new SchedulingQueue();
  readonly unready = new UnreadyNodes();
  readonly eviction: PodEviction;
  /** Uid of every pod there is, by key. */
  readonly #pods = new Map<string, string>();
  /** Pods that were placed, and whose binding has not been told yet: key → uid. */
  readonly #assumed = new Map<string, string>();

  constructor(memory?: EvictionMemory) {
    this.eviction = new PodEviction(memory);
  }

  apply({ type, resource, object }: ObjectChange): void {
    if (resource === "nodes") this.#applyNode(type, object);
    else if (resource === "pods") this.#applyPod(type, object);
  }

  /** Placed, and counted in the snapshot, until the binding is told or refused. */
  assume(pod: PendingPod): void {
    this.#assumed.set(pod.key, pod.uid);
  }

  /** The binding was refused, or nobody knows whether it came about: tried again where the pod still is to be placed. */
  refused(pod: PendingPod, attempts: number, now: number): void {
    if (this.#assumed.get(pod.key) !== pod.uid) return;
    this.#assumed.delete(pod.key);
    this.snapshot.remove(pod.key);
    this.queue.changed();
    if (this.#pods.get(pod.key) === pod.uid) this.queue.retry(pod, attempts, now);
  }

  #applyNode(type: string, node: any): void {
    const { name } = node.metadata;
    if (type === "DELETED") {
      this.snapshot.removeNode(name);
      this.eviction.noteNode(name, undefined);
      this.unready.delete(name);
      return;
    }
    const before = this.snapshot.node(name)?.node;
    const facts = nodeFacts(node);
    const isSame = before?.fingerprint === facts.fingerprint;
    // Heartbeats change nothing that pods are placed by.
    if (isSame && before.ready === facts.ready) return;
    this.snapshot.setNode(facts);
    // Of one that is seen for the first time nobody knows whether its pods have been marked.
    if (facts.ready) this.unready.delete(name);
    else if (before?.ready !== false) this.unready.add(name);
    this.eviction.noteNode(name, this.snapshot.node(name));
    if (!isSame) this.queue.changed();
  }

  #applyPod(type: string, pod: any): void {
    const { namespace, name, uid } = pod.metadata;
    const key = `${namespace}/${name}`;
    if (this.#assumed.has(key) && (type === "DELETED" || pod.spec.nodeName || this.#assumed.get(key) !== uid)) {
      this.#assumed.delete(key);
      if (!pod.spec.nodeName) this.#free(key);
    }
    if (type === "DELETED") {
      this.#pods.delete(key);
      this.queue.delete(key);
      this.eviction.forgetPod(key);
      this.#free(key);
      return;
    }
    this.#pods.set(key, uid);
    if (pod.spec.nodeName) {
      this.queue.delete(key);
      const facts = podFacts(pod);
      const wasRunning = this.snapshot.placeOf(key)?.facts.finished === false;
      this.snapshot.place(facts, pod.spec.nodeName);
      if (wasRunning && facts.finished) this.queue.changed();
    } else if (!isSchedulable(pod)) {
      this.queue.delete(key);
      // It cannot be bound any more: what was assumed of it is over.
      if (this.#assumed.delete(key)) this.#free(key);
    } else if (!this.#assumed.has(key)) {
      this.queue.set(pendingPod(pod));
    }
  }

  /** The pod takes nothing any more: there may be room for others. */
  #free(key: string): void {
    if (this.snapshot.remove(key)) this.queue.changed();
  }
}
