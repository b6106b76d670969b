import type { FeedEvent } from "../protocol.ts";
import { type HomeSource, readChanges } from "./home-source.ts";

/** Pushes of a home that wait while its history is read. Beyond it they are dropped: the history has them, too. */
const PUSHES_WAITING_MAX = 256;
/** Reading a home that does not answer: the delay doubles from the first to the last. */
const RETRIES_MAX = 20;
const RETRY_FIRST_MILLISECONDS = 20;
const RETRY_LAST_MILLISECONDS = 10_000;

interface Push {
  continues: number;
  upTo: number;
  events: FeedEvent[];
}

interface Feed {
  /** Everything up to this revision has been emitted; undefined: nothing is known of the home. */
  revision: number | undefined;
  reading: boolean;
  waiting: Push[];
  /** Pushes were dropped: read again. */
  behind: boolean;
}

export interface HomeFeedsOptions {
  source: HomeSource;
  /** Which resources homes are asked for. */
  interests(): string[];
  /** The home's next changes: in order, each once, none missing. */
  emit(home: string, events: FeedEvent[]): void;
  /** What happened in the home cannot be told any more: whoever follows it has to look at all of it again. */
  lost(home: string): void;
  sleep(milliseconds: number): Promise<void>;
}

/** Turns pushes that may be lost, repeated or late into each home's changes, in order and without gaps. */
export class HomeFeeds {
  readonly #options: HomeFeedsOptions;
  readonly #feeds = new Map<string, Feed>();
  #reading = 0;

  constructor(options: HomeFeedsOptions) {
    this.#options = options;
  }

  /** Up to where each home has been emitted. */
  *revisions(): Iterable<[string, number]> {
    for (const [home, { revision }] of this.#feeds) if (revision !== undefined) yield [home, revision];
  }

  /** A home's history is being read. */
  get isReading(): boolean {
    return this.#reading > 0;
  }

  isKnown(home: string): boolean {
    return this.#feeds.get(home)?.revision !== undefined;
  }

  /** Everybody who has to hear of a home not known yet knows it up to this revision. */
  startAt(home: string, revision: number): void {
    const feed = this.#feedOf(home);
    feed.revision ??= revision;
  }

  /** Emits at once where nothing is missing; otherwise after the home's history has been read. */
  push(home: string, continues: number, upTo: number, events: FeedEvent[]): void {
    const feed = this.#feedOf(home);
    if (feed.reading) {
      if (feed.waiting.length < PUSHES_WAITING_MAX) feed.waiting.push({ continues, upTo, events });
      else feed.behind = true;
    } else if (!this.#apply(home, feed, { continues, upTo, events })) {
      this.#reading++;
      void this.#catchUp(home, feed, upTo)
        .catch((error: unknown) => {
          // A bug: nobody knows what was told.
          console.error(`the changes of ${home || "the cluster"} could not be told`, error);
          feed.waiting.length = 0;
          feed.reading = false;
          this.#options.lost(home);
        })
        .finally(() => this.#reading--);
    }
  }

  /** False where there is a gap before the push. */
  #apply(home: string, feed: Feed, { continues, upTo, events }: Push): boolean {
    const known = feed.revision;
    if (known !== undefined && upTo <= known) return true;
    // A home that does not know what it has told (0) may have told too little.
    if (known === undefined || continues === 0 || continues > known) return false;
    feed.revision = upTo;
    const news = events.filter(({ revision }) => revision > known);
    if (news.length > 0) this.#options.emit(home, news);
    return true;
  }

  async #catchUp(home: string, feed: Feed, upTo: number): Promise<void> {
    feed.reading = true;
    do {
      feed.behind = false;
      const read = await this.#read(home, feed);
      const known = feed.revision ?? 0;
      feed.revision = Math.max(known, read?.upTo ?? upTo);
      if (!read || read.expired) this.#options.lost(home);
      const news = read?.events.filter(({ revision }) => revision > known) ?? [];
      if (news.length > 0) this.#options.emit(home, news);
      while (feed.waiting.length > 0 && this.#apply(home, feed, feed.waiting[0]!)) feed.waiting.shift();
      // What still does not follow is in the history that is read next.
      if (feed.waiting.length > 0) feed.behind = true;
      feed.waiting.length = 0;
    } while (feed.behind);
    // At once: a push that came in between would wait for ever.
    feed.reading = false;
  }

  async #read(home: string, feed: Feed): Promise<{ upTo: number; events: FeedEvent[]; expired: boolean } | undefined> {
    let delay = RETRY_FIRST_MILLISECONDS;
    for (let attempt = 0; attempt < RETRIES_MAX; attempt++) {
      try {
        return await readChanges(this.#options.source, home, feed.revision ?? 0, this.#options.interests());
      } catch {
        await this.#options.sleep(delay);
        delay = Math.min(delay * 2, RETRY_LAST_MILLISECONDS);
      }
    }
    return undefined;
  }

  #feedOf(home: string): Feed {
    let feed = this.#feeds.get(home);
    if (!feed) {
      feed = { revision: undefined, reading: false, waiting: [], behind: false };
      this.#feeds.set(home, feed);
    }
    return feed;
  }
}
