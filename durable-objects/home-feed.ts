import type { FeedEvent, TimelineFeedRpc } from "./protocol.ts";
import type { Store } from "./store/store.ts";
import type { Change } from "./store/stored.ts";

/** Events in one push, and what an RPC message may hold of them. */
const PUSH_EVENTS_MAX = 500;
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
  later(milliseconds: number, work: () => void): void;
}

/**
 * Tells the Timeline what a home commits: in order, one push under way at a time, all that was committed meanwhile in the next.
 * What a push should say is read from history: nothing is queued here, and nothing is lost when the process ends.
 */
export class HomeFeed {
  readonly #store: Store;
  readonly #namespace: string;
  readonly #timeline: TimelineFeedRpc;
  readonly #later: HomeFeedOptions["later"];
  /** The Timeline has been told everything of interest up to here; 0: unknown, this instance has just woken. */
  #told = 0;
  /** Unknown until the Timeline has answered once. */
  #interests: ReadonlySet<string> | undefined;
  /** There is something of interest after `#told`, or it is not known whether there is. */
  #news = false;
  #pushing = false;
  #failures = 0;

  constructor({ store, namespace, timeline, later }: HomeFeedOptions) {
    this.#store = store;
    this.#namespace = namespace;
    this.#timeline = timeline;
    this.#later = later;
    store.onCommit((changes) => this.#committed(changes));
  }

  /** Something is not told yet. */
  get isBehind(): boolean {
    return this.#news || this.#pushing;
  }

  /** This instance may be the successor of one that did not get to tell all. */
  wake(): void {
    if (this.#told === 0 && this.#store.revision > 0) this.#news = true;
    this.#push();
  }

  #committed(changes: readonly Change[]): void {
    const interests = this.#interests;
    if (!interests || changes.some(({ stored }) => interests.has(stored.resource))) {
      this.#news = true;
      if (!this.#pushing) this.#later(0, () => this.#push());
    }
  }

  #push(): void {
    if (this.#pushing || !this.#news) return;
    this.#pushing = true;
    this.#news = false;
    const continues = this.#told;
    const { events, upTo, more } = this.#eventsToTell();
    // May answer in this very call (a test's does), or fail in it (a platform's stub).
    void Promise.resolve()
      .then(() => this.#timeline.push(this.#namespace, continues, upTo, events))
      .then(
        ({ interests }) => this.#accepted(interests, upTo, more),
        () => this.#failed(),
      );
  }

  #eventsToTell(): { events: FeedEvent[]; upTo: number; more: boolean } {
    const upTo = this.#store.revision;
    // Unknown interests, or too far behind: the Timeline reads the rest from history itself.
    if (this.#told === 0 || !this.#interests) return { events: [], upTo, more: false };
    const changes = this.#store.changes(this.#told, { limit: PUSH_EVENTS_MAX, resources: [...this.#interests] });
    if (!changes) {
      this.#told = 0;
      return { events: [], upTo, more: false };
    }
    const events: FeedEvent[] = [];
    let chars = 0;
    for (const change of changes) {
      events.push(feedEvent(change));
      chars += charsOf(change);
      if (chars > ANSWER_CHARS_MAX) break;
    }
    const more = changes.length === PUSH_EVENTS_MAX || events.length < changes.length;
    return { events, upTo: more ? events.at(-1)!.revision : upTo, more };
  }

  #accepted(interests: readonly string[], upTo: number, more: boolean): void {
    this.#pushing = false;
    this.#failures = 0;
    this.#told = Math.max(this.#told, upTo);
    this.setInterests(interests);
    if (more) this.#news = true;
    this.#push();
  }

  #failed(): void {
    const delay = Math.min(RETRY_FIRST_MILLISECONDS * 2 ** Math.min(this.#failures++, 30), RETRY_LAST_MILLISECONDS);
    this.#news = true;
    this.#later(delay, () => {
      this.#pushing = false;
      this.#push();
    });
  }

  /** @returns the revision that the home is at: what is committed after it is told. */
  setInterests(interests: readonly string[]): { revision: number } {
    this.#interests = new Set([...(this.#interests ?? []), ...interests]);
    return { revision: this.#store.revision };
  }

  changesSince(
    revision: number,
    resources: readonly string[],
  ): { upTo: number; events: FeedEvent[]; expired: boolean; more?: boolean } {
    const events: FeedEvent[] = [];
    let chars = 0;
    for (let after = revision; ; ) {
      const changes = this.#store.changes(after, { limit: READ_ITEMS, resources });
      if (!changes) return { upTo: this.#store.revision, events: [], expired: true };
      for (const change of changes) {
        events.push(feedEvent(change));
        chars += charsOf(change);
        after = change.revision;
        if (chars > ANSWER_CHARS_MAX) return { upTo: after, events, expired: false, more: true };
      }
      if (changes.length < READ_ITEMS)
        return { upTo: Math.max(this.#store.revision, revision), events, expired: false };
    }
  }

  /** `from` is `<revision> <resource> <name>` of the last object of the page before. */
  snapshot(
    resources: readonly string[],
    from?: string,
  ): { revision: number; objects: { resource: string; json: string }[]; next?: string } {
    const [at, lastResource, lastName] = from?.split(" ") ?? [];
    const revision = at === undefined ? this.#store.revision : Number(at);
    const objects: { resource: string; json: string }[] = [];
    let chars = 0;
    for (const resource of resources.slice(Math.max(0, resources.indexOf(lastResource ?? "")))) {
      let after = resource === lastResource ? (lastName ?? "") : "";
      for (;;) {
        const page = { after, limit: READ_ITEMS };
        const texts =
          revision === this.#store.revision
            ? this.#store.read((tx) => tx.texts(resource, page))
            : this.#store.listAt(resource, revision, page).texts;
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
