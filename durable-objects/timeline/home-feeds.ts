import type { FeedEvent, FeedPart } from "../protocol.ts";
import { type HomeSource, PAGES_MAX } from "./home-source.ts";

/** Parts of a home that wait while its history is read. Beyond it they are dropped: the history has them, too. */
const PARTS_WAITING_MAX = 256;
/** Reading a home that does not answer: the delay doubles from the first to the last. */
const RETRIES_MAX = 20;
const RETRY_FIRST_MILLISECONDS = 20;
const RETRY_LAST_MILLISECONDS = 10_000;

interface Feed {
  /**
   * Everything that the home committed up to here has been emitted, and it commits nothing more there; undefined: it held its lease before
   * this instance began, and has not been heard of since.
   */
  told: number | undefined;
  isOpen: boolean;
  reading: boolean;
  /** There is a gap that a reading has to close which begins from now on. */
  mustRead: boolean;
  /** Came during a reading. */
  waiting: FeedPart[];
  /** Came before the reading that is under way, which closes the gaps before them. */
  settling: FeedPart[];
}

export interface HomeFeedsOptions {
  source: HomeSource;
  /** Which resources homes are asked for; the version tells whether they have become more. */
  interests: { readonly resources: string[]; readonly version: number };
  /** The home's next changes: in order, each once, none missing. */
  emit(home: string, events: FeedEvent[]): void;
  /** More has been told, or a home counts no more. */
  advanced(): void;
  /** What happened in the home up to a revision cannot be told any more: whoever follows it has to look at all of it again. */
  lost(home: string, upTo: number): void;
  sleep(milliseconds: number): Promise<void>;
}

/**
 * Turns parts that may be lost, repeated or late into each home's changes, in order and without gaps. The caller has compared leases: only
 * parts of the home's present lease are taken, since a part is a promise as well, and only the present instance keeps it. Readings need no
 * lease: what is in a home's history is there for good, and whatever it commits later is above.
 */
export class HomeFeeds {
  readonly #options: HomeFeedsOptions;
  /** Homes that are open, or being read. */
  readonly #feeds = new Map<string, Feed>();
  #reading = 0;
  #unknown = 0;
  #highestTold = 0;
  readonly #whenKnown: (() => void)[] = [];

  constructor(options: HomeFeedsOptions) {
    this.#options = options;
  }

  /** A home's history is being read. */
  get isReading(): boolean {
    return this.#reading > 0;
  }

  /** The home's history is being read. */
  isBehind(home: string): boolean {
    return this.#feeds.get(home)?.reading ?? false;
  }

  told(home: string): number | undefined {
    return this.#feeds.get(home)?.told;
  }

  /** Nothing was ever told above it. */
  get highestTold(): number {
    return this.#highestTold;
  }

  /** Of all homes that may still tell something: nothing at or below it is still to come. Infinite where there is none. */
  get least(): number {
    let least = Number.POSITIVE_INFINITY;
    for (const { told } of this.#feeds.values()) least = Math.min(least, told ?? 0);
    return least;
  }

  /** The home holds a lease that an earlier instance lent. */
  survived(home: string): void {
    this.#feeds.set(home, newFeed(undefined));
    this.#unknown++;
  }

  /** A home that survived an earlier instance has not been heard of. */
  get hasUnknown(): boolean {
    return this.#unknown > 0;
  }

  /**
   * Resolves when every home that survived an earlier instance has been heard of. Nobody may read homes before: of what such a home told the
   * earlier instance nothing is known, so that its first word here is where its feed begins; what was read before it would be followed by a gap.
   */
  async known(): Promise<void> {
    if (this.#unknown > 0) await new Promise<void>((resolve) => this.#whenKnown.push(resolve));
  }

  /**
   * The home gets a new lease; answers up to where it has told.
   *
   * Of a home that neither holds a lease nor is being read all has been told: it committed nothing above what was announced when its last
   * lease ended, and commits nothing at or below what is announced from now on. (Its own word, `revision`, may come late, and be too low:
   * what was told long ago would be told again.) Otherwise what it has told stays as it is, and the rest is read: the floor that goes with the
   * lease says nothing then, as this asking may be an old one that comes late, while the instance with the earlier lease still commits below
   * the new floor.
   */
  open(home: string, revision: number, announced: number): number {
    const feed = this.#feeds.get(home) ?? newFeed(Math.max(revision, announced));
    this.#feeds.set(home, feed);
    feed.isOpen = true;
    // Promises of an instance that may be gone. What they told of is in its history.
    feed.waiting.length = 0;
    feed.settling.length = 0;
    if (feed.told === undefined) this.#know(feed, revision);
    this.#raise(feed, feed.told!);
    if (feed.told! < revision || feed.reading) this.#mustRead(home, feed);
    return feed.told!;
  }

  /** A part under the home's present lease. */
  take(home: string, part: FeedPart): void {
    const feed = this.#feeds.get(home);
    if (!feed) throw new Error(`nothing was lent to the home of ${home || "the cluster"}`);
    this.#take(home, feed, part);
    this.#options.advanced();
  }

  #take(home: string, feed: Feed, part: FeedPart): void {
    if (feed.told === undefined) this.#know(feed, part.upTo);
    else if (feed.reading) {
      if (feed.waiting.length < PARTS_WAITING_MAX) feed.waiting.push(part);
      else feed.mustRead = true;
    } else if (!this.#apply(home, feed, part)) {
      feed.waiting.push(part);
      this.#mustRead(home, feed);
    }
  }

  /** The home has closed; the part is all that was still to be told. It counts until everything has arrived. */
  close(home: string, part: FeedPart): void {
    const feed = this.#feeds.get(home);
    if (!feed) return;
    this.#take(home, feed, part);
    // What waits for a reading waits no more for this one: the reading that is under way may have begun before the last commit.
    if (feed.reading && feed.waiting.length > 0) feed.mustRead = true;
    feed.isOpen = false;
    this.#forget(home, feed);
  }

  /** The instance that held the home's lease is gone; the last commit was at `revision`. */
  vanish(home: string, revision: number): void {
    const feed = this.#feeds.get(home);
    if (!feed) return;
    feed.isOpen = false;
    if (feed.told === undefined) this.#know(feed, revision);
    else if (feed.told < revision || feed.reading) this.#mustRead(home, feed);
    this.#forget(home, feed);
  }

  #forget(home: string, feed: Feed): void {
    if (feed.isOpen || feed.reading) return;
    this.#feeds.delete(home);
    this.#options.advanced();
  }

  #know(feed: Feed, revision: number): void {
    feed.told = revision;
    this.#raise(feed, revision);
    if (--this.#unknown === 0) for (const resolve of this.#whenKnown.splice(0)) resolve();
  }

  #raise(feed: Feed, revision: number): void {
    feed.told = Math.max(feed.told ?? 0, revision);
    this.#highestTold = Math.max(this.#highestTold, feed.told);
  }

  /** False where there is a gap before the part. */
  #apply(home: string, feed: Feed, { continues, upTo, events }: FeedPart): boolean {
    const told = feed.told!;
    if (upTo <= told) return true;
    if (continues > told) return false;
    this.#tell(home, feed, events, upTo);
    return true;
  }

  #tell(home: string, feed: Feed, events: FeedEvent[], upTo: number): void {
    const told = feed.told!;
    this.#raise(feed, upTo);
    const news = events.filter(({ revision }) => revision > told);
    if (news.length > 0) this.#options.emit(home, news);
  }

  #mustRead(home: string, feed: Feed): void {
    feed.mustRead = true;
    if (feed.reading) return;
    feed.reading = true;
    this.#reading++;
    void this.#catchUp(home, feed).catch((error: unknown) => {
      // A bug: nobody knows what was told.
      console.error(`the changes of ${home || "the cluster"} could not be told`, error);
      this.#options.lost(home, feed.told ?? 0);
      this.#endReading(home, feed);
    });
  }

  #endReading(home: string, feed: Feed): void {
    feed.reading = false;
    this.#reading--;
    this.#forget(home, feed);
    this.#options.advanced();
  }

  async #catchUp(home: string, feed: Feed): Promise<void> {
    while (feed.mustRead) {
      feed.mustRead = false;
      feed.settling = feed.waiting;
      feed.waiting = [];
      const { isWhole, end } = await this.#read(home, feed);
      let upTo = Math.max(feed.told!, end);
      // They were made before the reading, which therefore has what they tell and what was missing before them.
      for (const part of feed.settling.splice(0)) upTo = Math.max(upTo, part.upTo);
      // Before it counts as told: nobody may go on as if nothing were missing.
      if (!isWhole) this.#options.lost(home, upTo);
      this.#raise(feed, upTo);
      for (const part of feed.waiting.splice(0)) {
        if (this.#apply(home, feed, part)) continue;
        feed.waiting.push(part);
        feed.mustRead = true;
      }
      this.#options.advanced();
    }
    // At once: a part that came in between would wait for ever.
    this.#endReading(home, feed);
  }

  /** Emits what the history has after what was told. Not whole where some of it, up to the end, cannot be known any more. */
  async #read(home: string, feed: Feed): Promise<{ isWhole: boolean; end: number }> {
    const { source, interests, sleep } = this.#options;
    let delay = RETRY_FIRST_MILLISECONDS;
    let failures = 0;
    for (let page = 0; page < PAGES_MAX; ) {
      const { version } = interests;
      try {
        const { events, upTo, expired, more } = await source.changesSince(home, feed.told!, interests.resources);
        // More has become of interest meanwhile, which is not in the answer.
        if (version !== interests.version) continue;
        page++;
        if (expired) return { isWhole: false, end: upTo };
        this.#tell(home, feed, events, upTo);
        if (!more) return { isWhole: true, end: upTo };
        this.#options.advanced();
      } catch {
        if (++failures > RETRIES_MAX) return { isWhole: false, end: 0 };
        await sleep(delay);
        delay = Math.min(delay * 2, RETRY_LAST_MILLISECONDS);
      }
    }
    return { isWhole: false, end: 0 };
  }
}

const newFeed = (told: number | undefined): Feed => ({
  told,
  isOpen: true,
  reading: false,
  mustRead: false,
  waiting: [],
  settling: [],
});
