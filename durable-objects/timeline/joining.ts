import type { FeedEvent } from "../protocol.ts";

/**
 * Joins what is read of the homes to what they tell: somebody who is about to know all of them has to hear each change after
 * a home was read, none from before, and none twice. One of these per reading.
 */
export class Joining {
  #listing = true;
  /** Homes still to be read: what happens there meanwhile will be in what is read. */
  readonly #ahead = new Set<string>();
  /** Homes being read, and what they tell meanwhile. */
  readonly #buffers = new Map<string, FeedEvent[]>();
  /** Where each home was when it was read. */
  readonly #floors = new Map<string, number>();

  /** The homes have been listed; answers which to read: also those that showed up meanwhile. */
  listed(homes: Iterable<string>): string[] {
    for (const home of homes) this.#ahead.add(home);
    this.#listing = false;
    return [...this.#ahead];
  }

  /** Call before the home is asked. */
  begin(home: string): void {
    this.#ahead.delete(home);
    this.#buffers.set(home, []);
  }

  /** Everything up to this revision has been read. Answers what the home told beyond it meanwhile. */
  end(home: string, revision: number): FeedEvent[] {
    const meanwhile = this.#buffers.get(home) ?? [];
    this.#buffers.delete(home);
    this.#floors.set(home, revision);
    return meanwhile.filter((event) => this.admits(home, event));
  }

  /** Still to be read: nothing has to be known of it. */
  isAhead(home: string): boolean {
    return this.#listing || this.#ahead.has(home);
  }

  /** Is this home's next event to be told now? (Ask once an event: what is not may be kept for `end`.) */
  admits(home: string, event: FeedEvent): boolean {
    if (this.#listing) {
      this.#ahead.add(home);
      return false;
    }
    if (this.#ahead.has(home)) return false;
    const buffer = this.#buffers.get(home);
    if (buffer) {
      buffer.push(event);
      return false;
    }
    return event.revision > this.floorOf(home);
  }

  /** Where the home was when it was read; 0 where it was not. */
  floorOf(home: string): number {
    return this.#floors.get(home) ?? 0;
  }
}
