import type { PendingPod } from "./pod-facts.ts";
import { byPriority } from "./schedule.ts";

/** Upstream's podInitialBackoffSeconds and podMaxBackoffSeconds: how soon a pod that did not fit is tried again. */
const BACKOFF_FIRST_MILLISECONDS = 1_000;
const BACKOFF_LAST_MILLISECONDS = 10_000;
/** Upstream's podMaxInUnschedulablePodsDuration: without any change it is tried again after so long. */
const UNSCHEDULABLE_MILLISECONDS = 300_000;
/** Those that are due at nearly the same time are woken together: each waking looks at all that wait. */
const GRAIN_MILLISECONDS = 100;

interface Waiting {
  pod: PendingPod;
  attempts: number;
  /** Not before. */
  backoffUntil: number;
  /** Milliseconds since 1970. */
  dueAt: number;
}

/** Pods that want a node: those to be placed now, and those that have to wait for a change, or for the end of their back-off. */
export class SchedulingQueue {
  readonly #active = new Map<string, { pod: PendingPod; attempts: number }>();
  /** Of the active, the last is next; undefined where pods have come since it was sorted. */
  #order: PendingPod[] | undefined;
  readonly #waiting = new Map<string, Waiting>();
  /** The least dueAt of those that wait, or less. */
  #nextDueAt = Number.POSITIVE_INFINITY;
  /** A change is still to be told to those that wait: many changes are told at once. */
  #hasChanged = false;

  get hasActive(): boolean {
    return this.#active.size > 0;
  }

  get size(): number {
    return this.#active.size + this.#waiting.size;
  }

  /** A pod is new or has changed. One that waits goes on waiting unless the change could matter. */
  set(pod: PendingPod): void {
    const waiting = this.#waiting.get(pod.key);
    if (waiting && isSame(waiting.pod, pod)) {
      waiting.pod = pod;
      return;
    }
    const active = this.#active.get(pod.key);
    if (active && isSame(active.pod, pod)) return;
    this.#waiting.delete(pod.key);
    this.#activate(pod, 0);
  }

  delete(key: string): void {
    this.#active.delete(key);
    this.#waiting.delete(key);
  }

  /** The next pods to place, by priority. They are not in the queue any more: `park` or `retry` those that found no place. */
  take(max: number): { pod: PendingPod; attempts: number }[] {
    this.#order ??= [...this.#active.values()].map(({ pod }) => pod).sort((a, b) => byPriority(b, a));
    const taken: { pod: PendingPod; attempts: number }[] = [];
    while (taken.length < max) {
      const pod = this.#order.pop();
      if (!pod) break;
      const active = this.#active.get(pod.key);
      if (active?.pod !== pod) continue;
      this.#active.delete(pod.key);
      taken.push(active);
    }
    return taken;
  }

  /** It fits nowhere now: tried again when something has changed, at the earliest after its back-off. */
  park(pod: PendingPod, attempts: number, now: number): void {
    this.#wait(pod, attempts + 1, now, now + UNSCHEDULABLE_MILLISECONDS);
  }

  /** It could not be bound: tried again after its back-off. */
  retry(pod: PendingPod, attempts: number, now: number): void {
    this.#wait(pod, attempts + 1, now, 0);
  }

  /** Nodes or pods have changed so that pods may fit that did not: those that wait are due when their back-off is over. */
  changed(): void {
    this.#hasChanged = true;
  }

  /** Makes those active that are due. */
  wake(now: number): void {
    if (now < this.nextDueAt) return;
    this.#nextDueAt = Number.POSITIVE_INFINITY;
    for (const [key, { pod, attempts, dueAt }] of this.#waiting) {
      if (dueAt <= now) {
        this.#waiting.delete(key);
        this.#activate(pod, attempts);
      } else {
        this.#nextDueAt = Math.min(this.#nextDueAt, dueAt);
      }
    }
  }

  /** When `wake` has something to do, in milliseconds since 1970; infinite for never. */
  get nextDueAt(): number {
    if (this.#hasChanged) {
      this.#hasChanged = false;
      for (const waiting of this.#waiting.values()) {
        waiting.dueAt = Math.min(waiting.dueAt, waiting.backoffUntil);
        this.#nextDueAt = Math.min(this.#nextDueAt, waiting.dueAt);
      }
    }
    return this.#waiting.size > 0 ? this.#nextDueAt : Number.POSITIVE_INFINITY;
  }

  #activate(pod: PendingPod, attempts: number): void {
    this.#active.set(pod.key, { pod, attempts });
    this.#order = undefined;
  }

  #wait(pod: PendingPod, attempts: number, now: number, notDueBefore: number): void {
    const backoff = Math.min(BACKOFF_FIRST_MILLISECONDS * 2 ** Math.min(attempts - 1, 16), BACKOFF_LAST_MILLISECONDS);
    const backoffUntil = Math.ceil((now + backoff) / GRAIN_MILLISECONDS) * GRAIN_MILLISECONDS;
    const dueAt = Math.max(backoffUntil, notDueBefore);
    this.#waiting.set(pod.key, { pod, attempts, backoffUntil, dueAt });
    this.#nextDueAt = Math.min(this.#nextDueAt, dueAt);
  }
}

const isSame = (a: PendingPod, b: PendingPod): boolean =>
  a.uid === b.uid && a.signature === b.signature && a.priority === b.priority;
