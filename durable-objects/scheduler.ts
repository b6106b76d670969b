import { DurableObject } from "cloudflare:workers";
import type {
  Delivery,
  NamespacedFeedEvent,
  NamespaceHomeInternalRpc,
  SubscriberRpc,
  TimelineRpc,
} from "./protocol.ts";
import type { Eviction, EvictionMemory } from "./scheduling/pod-eviction.ts";
import type { PendingPod } from "./scheduling/pod-facts.ts";
import { type Placement, schedule, type Unschedulable } from "./scheduling/schedule.ts";
import { SchedulerState } from "./scheduling/scheduler-state.ts";
import { namespacesOn, type UnreadyNode } from "./scheduling/unready-nodes.ts";
import { forEachBounded } from "./timeline/home-source.ts";

interface SchedulerEnv {
  NAMESPACE_HOME: DurableObjectNamespace;
  TIMELINE: DurableObjectNamespace;
}

/** Pods placed before the placements are bound, and bound in one call. */
const BATCH_MAX = 500;
const EVICTIONS_MAX = 200;
/** Wakes an instance that was lost in the middle of its work; also bounds how long a timer waits in memory alone. */
const GUARD_MILLISECONDS = 5_000;
const TIMER_MILLISECONDS_MAX = 60_000;
const MEMORY = "eviction-memory";

/**
 * Assigns the pods of a cluster to its nodes, and evicts those that may not stay where they are. Everything it knows it was told
 * by the Timeline; everything it decides is checked again by the pods' home. A fresh instance asks to be told everything; only since when nodes are
 * missing is stored.
 */
export class Scheduler extends DurableObject<SchedulerEnv> implements SubscriberRpc {
  readonly #cluster: string;
  #state = new SchedulerState();
  /** Told from the beginning, and told all. */
  #begun = false;
  #synced = false;
  #running = false;
  #next = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerAt = Number.POSITIVE_INFINITY;
  #evictionAt = Number.POSITIVE_INFINITY;
  /** What is stored of the eviction's memory. */
  #memorized = "";
  /** When the durable alarm goes off, if it is known to be set. */
  #guardAt: number | undefined;

  constructor(state: DurableObjectState, env: SchedulerEnv) {
    super(state, env);
    const cluster = state.id.name;
    if (!cluster) throw new Error("a Scheduler is addressed by its cluster's name");
    this.#cluster = cluster;
  }

  async deliver({ reset, synced, events }: Delivery): Promise<void> {
    if (reset) {
      this.#state = new SchedulerState(this.#begun ? this.#state.eviction.memory : this.#recall());
      this.#begun = true;
      this.#synced = false;
    }
    if (!this.#begun) return this.#askAnew();
    for (const event of events) this.#apply(event);
    if (synced) this.#synced = true;
    // Once this has been answered nobody tells it again: should this instance be lost before it has looked, the alarm looks.
    this.#guard(Date.now());
    this.#lookSoon();
  }

  #apply({ type, resource, namespace, name, json }: NamespacedFeedEvent): void {
    try {
      this.#state.apply({ type, resource, object: JSON.parse(json) });
    } catch (error) {
      // One object that cannot be understood must not keep all others from being told.
      console.error(`the scheduler cannot understand ${resource} ${namespace}/${name}`, error);
    }
  }

  /** A guard for what timers in memory would have done, had the instance lived. */
  override async alarm(): Promise<void> {
    this.#guardAt = undefined;
    if (!this.#begun) return this.#askAnew();
    // What is under way may be lost with this instance.
    if (this.#running) this.#guard(Date.now());
    else await this.#look();
  }

  async #askAnew(): Promise<void> {
    const { TIMELINE } = this.env;
    const timeline = TIMELINE.get(TIMELINE.idFromName(this.#cluster)) as unknown as TimelineRpc;
    await timeline.subscribe({
      class: "SCHEDULER",
      name: this.#cluster,
      resources: [{ resource: "pods" }, { resource: "nodes" }],
    });
  }

  #lookSoon(): void {
    if (!this.#synced || this.#running) return;
    // What arrives together is decided together.
    this.#setTimer(Date.now());
  }

  #setTimer(at: number): void {
    if (at >= this.#timerAt) return;
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    this.#timerAt = at;
    this.#timer = setTimeout(
      () => this.ctx.waitUntil(this.#look()),
      Math.min(Math.max(0, at - Date.now()), TIMER_MILLISECONDS_MAX),
    );
  }

  /** The alarm goes off when the work is due, or, where it is now, a while later. */
  #guard(at: number): void {
    const guardAt = Math.max(at, Date.now() + GUARD_MILLISECONDS);
    if (this.#guardAt !== undefined && this.#guardAt <= guardAt) return;
    this.#guardAt = guardAt;
    this.ctx.waitUntil(this.ctx.storage.setAlarm(guardAt));
  }

  /** Never rejects. */
  async #look(): Promise<void> {
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#timerAt = Number.POSITIVE_INFINITY;
    if (this.#running || !this.#synced) return;
    this.#running = true;
    try {
      await this.#run();
    } catch (error) {
      console.error("scheduling failed", error);
    }
    this.#running = false;
    this.#rest();
  }

  /** Until nothing is left that is due now. */
  async #run(): Promise<void> {
    for (;;) {
      const state = this.#state;
      const now = Date.now();
      state.queue.wake(now);
      const { evictions, nextAt } = state.eviction.plan(state.snapshot, now);
      const taken = state.queue.take(BATCH_MAX);
      const unready = state.unready.take(now);
      this.#evictionAt = nextAt;
      this.#memorize(state);
      if (!this.#synced || (taken.length === 0 && evictions.length === 0 && unready.length === 0)) return;
      await Promise.all([
        this.#place(state, taken),
        this.#evict(evictions),
        forEachBounded(unready, (node) => this.#markNotReady(state, node)),
      ]);
    }
  }

  #recall(): EvictionMemory | undefined {
    this.#memorized = this.ctx.storage.kv.get<string>(MEMORY) ?? "";
    return this.#memorized === "" ? undefined : JSON.parse(this.#memorized);
  }

  /** A node that is missing, or tainted, does not begin to be so anew with each instance. */
  #memorize(state: SchedulerState): void {
    const { taints, missing } = state.eviction.memory;
    const text = taints.length + missing.length === 0 ? "" : JSON.stringify({ taints, missing });
    if (text === this.#memorized) return;
    this.#memorized = text;
    this.ctx.storage.kv.put(MEMORY, text);
  }

  /** Sleeps until something is due. */
  #rest(): void {
    if (!this.#synced) return;
    const { queue, unready } = this.#state;
    const at = queue.hasActive ? Date.now() : Math.min(queue.nextDueAt, this.#evictionAt, unready.nextDueAt);
    if (at === Number.POSITIVE_INFINITY) return;
    this.#setTimer(at);
    this.#guard(at);
  }

  async #place(state: SchedulerState, taken: { pod: PendingPod; attempts: number }[]): Promise<void> {
    if (taken.length === 0) return;
    const attempts = new Map(taken.map((one) => [one.pod, one.attempts]));
    const { placements, unschedulable, next } = schedule(state.snapshot, [...attempts.keys()], this.#next);
    this.#next = next;
    for (const { pod } of placements) state.assume(pod);
    for (const { pod } of unschedulable) state.queue.park(pod, attempts.get(pod)!, Date.now());

    const byNamespace = Map.groupBy([...placements, ...unschedulable], ({ pod }) => pod.namespace);
    await forEachBounded(byNamespace, async ([namespace, decisions]) => {
      const bindings = decisions.filter((one): one is Placement => "node" in one);
      const verdicts = decisions.filter((one): one is Unschedulable => "message" in one);
      await Promise.all([this.#bind(state, namespace, bindings, attempts), this.#mark(namespace, verdicts)]);
    });
  }

  async #bind(
    state: SchedulerState,
    namespace: string,
    bindings: Placement[],
    attempts: ReadonlyMap<PendingPod, number>,
  ): Promise<void> {
    if (bindings.length === 0) return;
    let answers: string[] = [];
    try {
      answers = await this.#home(namespace).bind(
        bindings.map(({ pod, node }) => ({ name: pod.name, uid: pod.uid, node })),
      );
    } catch (error) {
      console.error(`could not bind pods of ${namespace}`, error);
    }
    bindings.forEach(({ pod }, i) => {
      if (answers[i] !== "") state.refused(pod, attempts.get(pod)!, Date.now());
    });
  }

  async #mark(namespace: string, verdicts: Unschedulable[]): Promise<void> {
    if (verdicts.length === 0) return;
    try {
      await this.#home(namespace).markUnschedulable(
        verdicts.map(({ pod, message }) => ({ name: pod.name, uid: pod.uid, message })),
      );
    } catch (error) {
      // Told again when they are tried again.
      console.error(`could not mark pods of ${namespace} as unschedulable`, error);
    }
  }

  async #evict(evictions: Eviction[]): Promise<void> {
    const byNamespace = Map.groupBy(evictions, ({ pod }) => pod.namespace);
    await forEachBounded(byNamespace, async ([namespace, all]) => {
      for (let at = 0; at < all.length; at += EVICTIONS_MAX) {
        const pods = all.slice(at, at + EVICTIONS_MAX).map(({ pod, reason, message, force }) => ({
          name: pod.name,
          uid: pod.uid,
          reason,
          message,
          force,
        }));
        try {
          await this.#home(namespace).evict(pods);
        } catch (error) {
          // Those that are still there after a while are told again.
          console.error(`could not evict pods of ${namespace}`, error);
        }
      }
    });
  }

  async #markNotReady(state: SchedulerState, node: UnreadyNode): Promise<void> {
    await forEachBounded(namespacesOn(node.name, state.snapshot), async (namespace) => {
      try {
        await this.#home(namespace).nodeNotReady(node.name);
      } catch (error) {
        console.error(`could not mark the pods of node ${node.name} in ${namespace} as not ready`, error);
        state.unready.retry(node, state.snapshot, Date.now());
      }
    });
  }

  #home(namespace: string): NamespaceHomeInternalRpc {
    const { NAMESPACE_HOME } = this.env;
    const id = NAMESPACE_HOME.idFromName(`${this.#cluster}/${namespace}`);
    return NAMESPACE_HOME.get(id) as unknown as NamespaceHomeInternalRpc;
  }
}
