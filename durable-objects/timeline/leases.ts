import { revisionAt, SLOTS } from "../revision.ts";
import type { TimelineRecords } from "./timeline-records.ts";

/** How far the durable mark is written ahead of what is announced: one row in so long, however much is announced. */
const AHEAD_MILLISECONDS = 2_000;
const AHEAD_REVISIONS = revisionAt(Date.UTC(2025, 0, 1) + AHEAD_MILLISECONDS);
/** Homes that have closed and whose last revisions are remembered. */
const CLOSED_MAX = 4_096;

/** What is lent to an open home. */
export interface Lent {
  slot: number;
  number: number;
  /** When it was last heard of, in milliseconds since 1970. */
  heardAt: number;
}

/**
 * Who may commit, and above what. The one rule: no home that is not counted in the frontier ever commits at or below anything that was
 * announced. So a new lease's floor is at or above all of it, and `high`, which the next instance begins from, is written before anything
 * above it is announced (the platform lets nothing leave an object before its writes are durable).
 */
export class Leases {
  readonly #records: TimelineRecords;
  readonly #now: () => number;
  readonly #open = new Map<string, Lent>();
  readonly #usedSlots = new Set<number>();
  #nextSlot = 0;
  #announced: number;
  #high: number;
  /** Last revisions of homes that closed, oldest closing first; what closed earlier has nothing after `#closedSince`. */
  readonly #closed = new Map<string, number>();
  #closedSince: number;

  constructor(records: TimelineRecords, now: () => number) {
    this.#records = records;
    this.#now = now;
    this.#high = records.high;
    this.#announced = this.#high;
    this.#closedSince = this.#announced;
    for (const { home, slot, number } of records.leases()) {
      this.#open.set(home, { slot, number, heardAt: now() });
      this.#usedSlots.add(slot);
    }
  }

  /** The highest revision that was ever let out: of a list, a bookmark, an event, a floor, a home that opened or closed. */
  get announced(): number {
    return this.#announced;
  }

  /** Call before the revision is let out. */
  announce(revision: number): void {
    if (revision <= this.#announced) return;
    if (!Number.isSafeInteger(revision)) throw new Error(`${revision} is no revision`);
    // Well before it is needed: what leaves in a stream that has begun is not held back by the platform for the disk.
    if (revision > this.#high - AHEAD_REVISIONS / 2) {
      this.#high = Math.min(revision + AHEAD_REVISIONS, Number.MAX_SAFE_INTEGER);
      this.#records.setHigh(this.#high);
    }
    this.#announced = revision;
  }

  get(home: string): Readonly<Lent> | undefined {
    return this.#open.get(home);
  }

  /** Homes that hold a lease, as far as is known here. */
  get homes(): string[] {
    return [...this.#open.keys()];
  }

  get size(): number {
    return this.#open.size;
  }

  get hasFreeSlot(): boolean {
    return this.#usedSlots.size < SLOTS;
  }

  /**
   * Lends a new lease; what the home held before has ended with it. Numbers are revisions that were never announced before, so that none
   * is ever used twice, not by another instance of the Timeline either. Nobody else's slot is given: the slot's last holder has closed, and
   * what it committed is at or below what was announced.
   */
  lend(home: string, told: number): { number: number; slot: number; floor: number } {
    const floor = Math.max(this.#announced, told) + 1;
    this.announce(floor);
    const slot = this.#open.get(home)?.slot ?? this.#freeSlot();
    const lent = { slot, number: floor, heardAt: this.#now() };
    this.#usedSlots.add(slot);
    this.#open.set(home, lent);
    this.#closed.delete(home);
    this.#records.saveLease({ home, slot, number: lent.number });
    return { number: lent.number, slot, floor };
  }

  #freeSlot(): number {
    if (!this.hasFreeSlot) throw new Error("all slots are lent");
    while (this.#usedSlots.has(this.#nextSlot)) this.#nextSlot = (this.#nextSlot + 1) % SLOTS;
    return this.#nextSlot;
  }

  /** Nothing is committed any more under the home's lease; `revision` is at or above what was. */
  end(home: string, revision: number): void {
    const lent = this.#open.get(home);
    if (!lent) return;
    // Before the slot can be lent again, and before anybody reckons that a home without a lease has nothing above.
    this.announce(revision);
    this.#open.delete(home);
    this.#usedSlots.delete(lent.slot);
    this.#records.deleteLease(home);
    this.#closed.set(home, revision);
    if (this.#closed.size <= CLOSED_MAX) return;
    for (const [oldest, last] of this.#closed) {
      this.#closed.delete(oldest);
      this.#closedSince = Math.max(this.#closedSince, last);
      return;
    }
  }

  /** The home has shown that it holds its lease. */
  hear(home: string): void {
    const lent = this.#open.get(home);
    if (lent) lent.heardAt = this.#now();
  }

  /** Homes of which nothing was heard for so long. */
  silentFor(milliseconds: number): string[] {
    const now = this.#now();
    // A clock that was set back must not make a home heard of for ever.
    return this.homes.filter((home) => Math.abs(now - this.#open.get(home)!.heardAt) >= milliseconds);
  }

  get leastHeard(): string | undefined {
    let least: string | undefined;
    for (const [home, { heardAt }] of this.#open) {
      if (least === undefined || heardAt < this.#open.get(least)!.heardAt) least = home;
    }
    return least;
  }

  /**
   * Homes that may have committed something after a revision; undefined where that is too long ago to be known. A home commits only under a
   * lease: those that held none since this instance began have nothing above what was announced then.
   */
  changedSince(revision: number): string[] | undefined {
    if (revision < this.#closedSince) return undefined;
    const closed = [...this.#closed].filter(([, last]) => last > revision).map(([home]) => home);
    return [...this.homes, ...closed];
  }
}
