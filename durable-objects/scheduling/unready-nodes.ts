import type { Snapshot } from "./snapshot.ts";

/** A namespace whose home could not be told is told again, with a delay that doubles from the first to the last. */
const RETRY_FIRST_MILLISECONDS = 500;
const RETRY_LAST_MILLISECONDS = 30_000;

/** A node that has stopped being ready, and how often its pods' homes have been told in vain. */
export interface UnreadyNode {
  name: string;
  attempts: number;
}

/** Nodes that have stopped being ready, until the homes of their pods have been told (upstream's MarkPodsNotReady). */
export class UnreadyNodes {
  /** By node: never more than there are. */
  readonly #waiting = new Map<string, { attempts: number; dueAt: number }>();

  add(name: string): void {
    this.#waiting.set(name, { attempts: 0, dueAt: 0 });
  }

  /** It is ready again, or gone. */
  delete(name: string): void {
    this.#waiting.delete(name);
  }

  /** Those that are due. They are not waiting any more: `retry` where somebody could not be told. */
  take(now: number): UnreadyNode[] {
    const taken: UnreadyNode[] = [];
    for (const [name, { attempts, dueAt }] of this.#waiting) {
      if (dueAt > now) continue;
      this.#waiting.delete(name);
      taken.push({ name, attempts });
    }
    return taken;
  }

  retry({ name, attempts }: UnreadyNode, snapshot: Snapshot, now: number): void {
    // It may have come back meanwhile, or have gone down once more.
    if (snapshot.node(name)?.node?.ready !== false || this.#waiting.has(name)) return;
    const delay = Math.min(RETRY_FIRST_MILLISECONDS * 2 ** Math.min(attempts, 16), RETRY_LAST_MILLISECONDS);
    this.#waiting.set(name, { attempts: attempts + 1, dueAt: now + delay });
  }

  /** Milliseconds since 1970; infinite for never. */
  get nextDueAt(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { dueAt } of this.#waiting.values()) next = Math.min(next, dueAt);
    return next;
  }
}

/** The namespaces that have running pods on a node which still is not ready. */
export function namespacesOn(name: string, snapshot: Snapshot): Set<string> {
  const state = snapshot.node(name);
  return new Set(state?.node?.ready === false ? [...state.pods.values()].map(({ namespace }) => namespace) : []);
}
