import type { FeedEvent } from "../protocol.ts";

/** What is kept of what the frontier has passed, so that a watch that begins or falls behind a little need not ask the homes. */
const EVENTS_MAX = 8_192;
const CHARS_MAX = 16 << 20;

/** The latest events of all homes in the order of their revisions. */
export class RecentEvents {
  #events: FeedEvent[] = [];
  #begin = 0;
  #chars = 0;
  #from: number;

  /** Complete from that revision on. */
  constructor(from: number) {
    this.#from = from;
  }

  /** Everything that was handed over after this revision is here. */
  get from(): number {
    return this.#from;
  }

  /** What follows what is here. */
  add(events: readonly FeedEvent[]): void {
    for (const event of events) {
      this.#events.push(event);
      this.#chars += charsOf(event);
    }
    while (this.#events.length - this.#begin > EVENTS_MAX || this.#chars > CHARS_MAX) {
      const event = this.#events[this.#begin++]!;
      this.#chars -= charsOf(event);
      // Not below where it began anew: what the frontier passes after that may have been missed in part.
      this.#from = Math.max(this.#from, event.revision);
    }
    if (this.#begin > EVENTS_MAX) {
      this.#events = this.#events.slice(this.#begin);
      this.#begin = 0;
    }
  }

  /** What happened up to a revision is not known whole. */
  restart(from: number): void {
    this.#events = [];
    this.#begin = 0;
    this.#chars = 0;
    this.#from = Math.max(this.#from, from);
  }

  /** Those of a resource after a revision that is at or above `from`. */
  *after(revision: number, resource: string): Iterable<FeedEvent> {
    let low = this.#begin;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#events[middle]!.revision <= revision) low = middle + 1;
      else high = middle;
    }
    for (let i = low; i < this.#events.length; i++) {
      if (this.#events[i]!.resource === resource) yield this.#events[i]!;
    }
  }
}

const charsOf = ({ json, previousJson }: FeedEvent): number => json.length + (previousJson?.length ?? 0);
