import { HomeLease } from "./home-lease.ts";
import type { FeedEvent, FeedPart, HomeTimelineRpc, Lease, Promised, TimelineFeedRpc } from "./protocol.ts";
import { revisionAt } from "./revision.ts";
import type { Store } from "./store/store.ts";
import type { Change } from "./store/stored.ts";

/** Events in one part, and what an RPC message may hold of them. */
const PART_EVENTS_MAX = 500;
const ANSWER_CHARS_MAX = 8 << 20;
const READ_ITEMS = 500;
/** A push that failed is repeated with a delay that doubles from the first to the last. */
const RETRY_FIRST_MILLISECONDS = 100;
const RETRY_LAST_MILLISECONDS = 10_000;

export interface HomeFeedOptions {
  store: Store;
  /** Empty for the ClusterHome. */
  namespace: string;
  timeline: TimelineFeedRpc;
  /** Milliseconds since 1970. */
  now(): number;
  later(milliseconds: number, work: () => void): void;
}

/**
 * Tells the Timeline what a home commits: in order, one push under way at a time, all that was committed meanwhile in the next.
 * What a push should say is read from history: nothing is queued here, and nothing is lost when the process ends.
 */
export class HomeFeed {
  readonly lease: HomeLease;
  readonly #store: Store;
  readonly #namespace: string;
  readonly #timeline: TimelineFeedRpc;
  readonly #options: HomeFeedOptions;
  /** The Timeline has, or gets by itself, everything of interest up to here; undefined: this instance has had no lease yet. */
  #told: number | undefined;
  #interests: ReadonlySet<string> = new Set();
  /** There is something of interest after `#told`. */
  #news = false;
  #pushing = false;
  #failures = 0;

  constructor(options: HomeFeedOptions) {
    const { store, namespace, timeline, now, later } = options;
    this.#options = options;
    this.#store = store;
    this.#namespace = namespace;
    this.#timeline = timeline;
    this.lease = new HomeLease({
      namespace,
      timeline,
      now,
      later,
      revision: () => store.revision,
      opened: (lease, revision) => this.#opened(lease, revision),
      isTold: () => !this.isBehind,
      lastPart: () => this.#lastPart(),
    });
    store.onCommit((changes) => this.#committed(changes));
  }

  /** Something is not told yet. */
  get isBehind(): boolean {
    return this.#news || this.#pushing;
  }

  /** This instance may be the successor of one that did not get to tell all: the Timeline learns how far the home has come when it opens. */
  wake(): void {
    if (this.#told === undefined && this.#store.revision > 0) {
      this.#news = true;
      void this.lease.open()?.catch(() => undefined);
    }
    this.#push();
  }

  #opened({ interests }: Lease, revision: number): void {
    this.#told = revision;
    this.#news = false;
    this.#interests = new Set(interests);
  }

  #committed(changes: readonly Change[]): void {
    this.lease.committed();
    const interests = this.#interests;
    if (!changes.some(({ stored }) => interests.has(stored.resource))) return;
    this.#news = true;
    if (!this.#pushing) this.#options.later(0, () => this.#push());
  }

  #push(): void {
    if (this.#pushing || !this.#news || !this.lease.isOpen) return;
    this.#pushing = true;
    this.#news = false;
    // What is told is told as a promise as well: the others' events need not wait for another one.
    this.lease.raiseFloor(revisionAt(this.#options.now()));
    const part = this.#part();
    const isWhole = part.upTo >= this.#store.revision;
    const { number } = this.lease;
    // May answer in this very call (a test's does), or fail in it (a platform's stub).
    void Promise.resolve()
      .then(() => this.#timeline.push(this.#namespace, number, part))
      .then(
        ({ interests }) => this.#accepted(interests, part.upTo, isWhole),
        () => this.#failed(),
      );
  }

  #accepted(interests: readonly string[], upTo: number, isWhole: boolean): void {
    this.#pushing = false;
    this.#failures = 0;
    this.#told = Math.max(this.#told ?? 0, upTo);
    this.#interestedIn(interests);
    this.#news ||= !isWhole && this.lease.isOpen;
    this.#push();
  }

  #failed(): void {
    const delay = Math.min(RETRY_FIRST_MILLISECONDS * 2 ** Math.min(this.#failures++, 30), RETRY_LAST_MILLISECONDS);
    // A lease that was given back meanwhile took with it all that was to be told.
    this.#news ||= this.lease.isOpen;
    this.#options.later(delay, () => {
      this.#pushing = false;
      this.#push();
    });
  }

  #interestedIn(interests: readonly string[]): void {
    this.#interests = new Set([...this.#interests, ...interests]);
  }

  /** What is to be told next. */
  #part(): FeedPart {
    const upTo = Math.max(this.#store.revision, this.lease.floor);
    const continues = this.#told;
    // The Timeline reads by itself what an instance that knows nothing, or has fallen too far behind, cannot tell.
    if (continues === undefined) return { continues: upTo, upTo, events: [] };
    const changes = this.#store.changes(continues, { limit: PART_EVENTS_MAX, resources: [...this.#interests] });
    if (!changes) return { continues: upTo, upTo, events: [] };
    const events: FeedEvent[] = [];
    let chars = 0;
    for (const change of changes) {
      events.push(feedEvent(change));
      chars += charsOf(change);
      if (chars > ANSWER_CHARS_MAX) break;
    }
    const more = changes.length === PART_EVENTS_MAX || events.length < changes.length;
    return { continues, upTo: more ? events.at(-1)!.revision : upTo, events };
  }

  /** With nothing after it: what does not fit is the Timeline's to read. */
  #lastPart(): FeedPart {
    const part = this.#part();
    const upTo = Math.max(this.#store.revision, this.lease.floor);
    const last = part.upTo === upTo ? part : { continues: upTo, upTo, events: [] };
    this.#told = upTo;
    this.#news = false;
    return last;
  }

  promise({ atLeast, interests }: Parameters<HomeTimelineRpc["promise"]>[0]): Promised {
    this.lease.raiseFloor(atLeast);
    this.#interestedIn(interests);
    return {
      lease: this.lease.number,
      opening: this.lease.isOpening,
      revision: this.#store.revision,
      compacted: this.#store.compacted,
      part: this.#part(),
    };
  }

  changesSince(
    revision: number,
    resources: readonly string[],
    limit: { upTo?: number; chars?: number } = {},
  ): { upTo: number; events: FeedEvent[]; expired: boolean; more?: boolean } {
    const events: FeedEvent[] = [];
    const charsMax = Math.min(limit.chars ?? ANSWER_CHARS_MAX, ANSWER_CHARS_MAX);
    const upTo = Math.min(limit.upTo ?? Number.POSITIVE_INFINITY, Math.max(this.#store.revision, revision));
    let chars = 0;
    for (let after = revision; ; ) {
      const changes = this.#store.changes(after, { limit: READ_ITEMS, resources });
      if (!changes) return { upTo: this.#store.revision, events: [], expired: true };
      for (const change of changes) {
        if (change.revision > upTo) return { upTo, events, expired: false };
        events.push(feedEvent(change));
        chars += charsOf(change);
        after = change.revision;
        if (chars > charsMax) return { upTo: after, events, expired: false, more: true };
      }
      if (changes.length < READ_ITEMS) return { upTo, events, expired: false };
    }
  }

  /** `from` is `<revision> <resource> <name>` of the last object of the page before. */
  snapshot(
    resources: readonly string[],
    from?: string,
    at?: number,
  ): { revision: number; objects: { resource: string; json: string }[]; next?: string } {
    if (at !== undefined) this.lease.raiseFloor(at);
    const [page, lastResource, lastName] = from?.split(" ") ?? [];
    const revision = page === undefined ? (at ?? this.#store.revision) : Number(page);
    const objects: { resource: string; json: string }[] = [];
    let chars = 0;
    for (const resource of resources.slice(Math.max(0, resources.indexOf(lastResource ?? "")))) {
      let after = resource === lastResource ? (lastName ?? "") : "";
      for (;;) {
        const limits = { after, limit: READ_ITEMS };
        const texts =
          revision >= this.#store.revision
            ? this.#store.read((tx) => tx.texts(resource, limits))
            : this.#store.view(resource, revision).texts(limits);
        for (const { name, json } of texts) {
          objects.push({ resource, json });
          chars += json.length;
          after = name;
          if (chars > ANSWER_CHARS_MAX) return { revision, objects, next: `${revision} ${resource} ${name}` };
        }
        if (texts.length < READ_ITEMS) break;
      }
    }
    return { revision, objects };
  }
}

const charsOf = ({ stored, previous }: Change): number => stored.json.length + (previous?.json.length ?? 0);

const feedEvent = ({ type, revision, stored, previous }: Change): FeedEvent => ({
  type,
  revision,
  resource: stored.resource,
  name: stored.name,
  json: stored.json,
  ...(previous && { previousJson: previous.json }),
});
