import type { FeedEvent } from "../protocol.ts";
import { revisionAt } from "../revision.ts";
import type { HomeFeeds } from "./home-feeds.ts";
import type { Interests } from "./interests.ts";
import type { Leases } from "./leases.ts";

/** Between rounds of asking, while somebody waits; with every open home a little more, so that asking costs no more than committing. */
const ROUND_MILLISECONDS = 10;
const ROUND_MILLISECONDS_PER_HOME = 0.25;
/** A home that does not answer, or has no lease yet, is asked again with a delay that doubles from the first to the last. */
const RETRY_FIRST_MILLISECONDS = 10;
const RETRY_LAST_MILLISECONDS = 5_000;
/** Texts of events that wait for the frontier. Beyond it they are dropped, and watches read them from the homes' histories. */
const HELD_CHARS_MAX = 16 << 20;

interface Asked {
  isUnderWay: boolean;
  failures: number;
  /** Milliseconds since 1970. */
  notBefore: number;
}

export interface FrontierOptions {
  leases: Leases;
  feeds: Pick<HomeFeeds, "least" | "told" | "isBehind" | "hasUnknown">;
  interests: Interests;
  /** Milliseconds since 1970. */
  now(): number;
  later(milliseconds: number, work: () => void): () => void;
  /** Asks a home for a promise; rejects where it does not answer. Answers whether it has a lease that counts. */
  ask(home: string, atLeast: number): Promise<boolean>;
  /** Events that the frontier has passed, in the order of their revisions. */
  passed(events: FeedEvent[]): void;
  /** Events up to a revision may have been dropped. */
  overrun(upTo: number): void;
}

/**
 * The one order. Events wait until nothing that any home still has to tell can come before them: until the least that is told of the homes
 * that are open or being read has reached them. Homes without a lease do not count: they have told everything, and commit nothing at or
 * below what was announced, which is always at or above the frontier.
 *
 * Homes are asked only while somebody waits.
 */
export class Frontier {
  readonly #options: FrontierOptions;
  /** What an earlier instance's open homes have yet to tell may be below what was announced: then nothing has been passed. */
  #passed: number;
  #held: FeedEvent[] = [];
  #heldChars = 0;
  #heldUpTo = 0;
  readonly #waiting = new Set<{ target: number; resolve(): void }>();
  readonly #learning = new Set<{ version: number; resolve(): void }>();
  readonly #asked = new Map<string, Asked>();
  #roundAt = Number.NEGATIVE_INFINITY;
  /** When the next round is to begin; infinite where none is. */
  #nextRoundAt = Number.POSITIVE_INFINITY;
  #cancelRound: () => void = () => undefined;

  constructor(options: FrontierOptions) {
    this.#options = options;
    this.#passed = options.leases.size > 0 ? 0 : options.leases.announced;
  }

  /** Everything at or below it has been handed to `passed` (or reported as overrun), and nothing at or below it is still to come. */
  get revision(): number {
    return this.#passed;
  }

  /** Something that a watch wants was told. */
  hold(events: FeedEvent[]): void {
    for (const event of events) {
      this.#held.push(event);
      this.#heldChars += event.json.length + (event.previousJson?.length ?? 0);
      this.#heldUpTo = Math.max(this.#heldUpTo, event.revision);
    }
    if (this.#heldChars <= HELD_CHARS_MAX) return;
    this.clear();
    this.#options.overrun(this.#heldUpTo);
  }

  /** Nobody watches any more. */
  clear(): void {
    this.#held = [];
    this.#heldChars = 0;
  }

  /** Resolves when the frontier is at a revision or beyond. */
  async reach(target: number): Promise<void> {
    this.advance();
    if (target <= this.#passed) return;
    await new Promise<void>((resolve) => {
      this.#waiting.add({ target, resolve });
      this.advance();
    });
  }

  /** Resolves when every open home tells of everything that is of interest now. */
  async learn(): Promise<void> {
    const { interests } = this.#options;
    const { version } = interests;
    if (interests.isLearned(version)) return;
    await new Promise<void>((resolve) => {
      this.#learning.add({ version, resolve });
      this.advance();
    });
  }

  /** Something has been told, a home has come or gone: passes what can be passed, and has homes asked where that is not enough. */
  advance(): void {
    this.#pass();
    for (const learning of this.#learning) {
      if (!this.#options.interests.isLearned(learning.version)) continue;
      this.#learning.delete(learning);
      learning.resolve();
    }
    for (const home of this.#asked.keys()) if (!this.#options.leases.get(home)) this.#asked.delete(home);
    if (!this.#isWanted) return;
    const spacing = this.#spacing;
    // A clock that was set back must not put it off.
    this.#schedule(Math.min(this.#roundAt + spacing - this.#options.now(), spacing));
  }

  get #wanted(): number {
    let wanted = this.#held.length > 0 ? this.#heldUpTo : 0;
    for (const { target } of this.#waiting) wanted = Math.max(wanted, target);
    return wanted;
  }

  get #isWanted(): boolean {
    return this.#learning.size > 0 || this.#wanted > this.#passed || this.#options.feeds.hasUnknown;
  }

  get #spacing(): number {
    return ROUND_MILLISECONDS + ROUND_MILLISECONDS_PER_HOME * this.#options.leases.size;
  }

  #pass(): void {
    const { leases, feeds, passed } = this.#options;
    const wanted = this.#wanted;
    if (wanted <= this.#passed) return;
    const { least } = feeds;
    // Where no home is open nothing is to come at or below what is announced, however high that is.
    const to = least === Number.POSITIVE_INFINITY ? Math.max(wanted, leases.announced) : least;
    if (to <= this.#passed) return;
    leases.announce(to);
    this.#passed = to;
    const ready = this.#held.filter(({ revision }) => revision <= to);
    if (ready.length > 0) {
      this.#held = this.#held.filter(({ revision }) => revision > to);
      this.#heldChars = 0;
      for (const { json, previousJson } of this.#held) this.#heldChars += json.length + (previousJson?.length ?? 0);
      passed(ready.sort((a, b) => a.revision - b.revision));
    }
    for (const waiting of this.#waiting) {
      if (waiting.target > to) continue;
      this.#waiting.delete(waiting);
      waiting.resolve();
    }
  }

  #schedule(delay: number): void {
    const { now, later } = this.#options;
    const at = now() + Math.max(0, delay);
    if (this.#nextRoundAt <= at) return;
    this.#cancelRound();
    this.#nextRoundAt = at;
    this.#cancelRound = later(Math.max(0, delay), () => {
      this.#nextRoundAt = Number.POSITIVE_INFINITY;
      this.#round();
    });
  }

  #round(): void {
    const { leases, now } = this.#options;
    if (!this.#isWanted) return;
    this.#roundAt = now();
    const atLeast = Math.max(this.#wanted, revisionAt(this.#roundAt));
    let retry = Number.POSITIVE_INFINITY;
    for (const home of leases.homes) {
      if (!this.#lags(home)) continue;
      const asked = this.#asked.get(home);
      if (asked?.isUnderWay) continue;
      const wait = (asked?.notBefore ?? 0) - this.#roundAt;
      // More than a back-off can be: the clock was set back.
      if (wait > 0 && wait <= RETRY_LAST_MILLISECONDS) retry = Math.min(retry, wait);
      else void this.#ask(home, asked?.failures ?? 0, atLeast);
    }
    if (retry < Number.POSITIVE_INFINITY) this.#schedule(retry);
  }

  /** Somebody waits for what this home has to say. While it is read the reading says it. */
  #lags(home: string): boolean {
    const { feeds, interests } = this.#options;
    if (feeds.isBehind(home)) return false;
    const told = feeds.told(home);
    if (told === undefined || told < this.#wanted) return true;
    for (const { version } of this.#learning) if (!interests.hasLearned(home, version)) return true;
    return false;
  }

  async #ask(home: string, failures: number, atLeast: number): Promise<void> {
    const { leases, now, ask } = this.#options;
    const lent = leases.get(home);
    const asked: Asked = { isUnderWay: true, failures, notBefore: 0 };
    this.#asked.set(home, asked);
    const counts = await ask(home, atLeast).catch(() => false);
    asked.isUnderWay = false;
    asked.failures = counts ? 0 : failures + 1;
    const delay = RETRY_FIRST_MILLISECONDS * 2 ** Math.min(failures, 16);
    if (!counts) asked.notBefore = now() + Math.min(delay, RETRY_LAST_MILLISECONDS);
    // A new lease is another chance.
    if (leases.get(home) !== lent) this.#asked.delete(home);
    this.advance();
  }
}
