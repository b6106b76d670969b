import { ApiError } from "../../api/status.ts";
import type { FeedEvent, RequestOptions } from "../protocol.ts";
import { revisionAt, timeOfRevision } from "../revision.ts";
import { statusOf } from "../verbs/answer.ts";
import type { Served } from "../verbs/served.ts";
import type { Frontier } from "./frontier.ts";
import { HistoryPages } from "./history-pages.ts";
import { HOMES_AT_ONCE, type HomeSource, readObjects } from "./home-source.ts";
import type { Interests } from "./interests.ts";
import { readAhead } from "./read-ahead.ts";
import type { RecentEvents } from "./recent-events.ts";
import { WatchFilter, watchLine } from "./watch-filter.ts";
import { WatchStream } from "./watch-stream.ts";

/** Watches that cross namespaces, all together. */
const WATCHERS_MAX = 5_000;
const BOOKMARK_MILLISECONDS = 60_000;
/** A bookmark tells what was so not longer ago than this; the homes are asked otherwise. */
const BOOKMARK_AGE_MILLISECONDS = 10_000;
/** A watch without timeoutSeconds ends after 30 to 60 minutes, as upstream's do. */
const TIMEOUT_SECONDS_MIN = 1_800;
const TIMEOUT_SECONDS_MAX = 24 * 3_600;
/** Text that one watch is sent at once of what is at hand. */
const WRITE_CHARS = 1 << 20;
/** Watches that read from homes at the same time: each may have a page of their histories in memory. */
const READERS_MAX = 4;
/** Objects that are read ahead for a watch that begins with the state. */
const AHEAD_CHARS_MAX = 8 << 20;

const encoder = new TextEncoder();

interface Watcher {
  readonly served: Served;
  readonly filter: WatchFilter;
  readonly stream: WatchStream;
  /** Everything up to here was told. Of one that is live: everything up to the frontier. */
  position: number;
  isLive: boolean;
}

/** How a watch begins, as its options say; the caller has checked them. */
export interface WatchStart {
  /** With the state at this revision; then what comes after it. */
  state: boolean;
  revision: number;
  /** It shows the state at this revision, or what happened up to it, and then nothing more: the past does not change. */
  past: number | undefined;
}

export interface WatchersOptions {
  /** Asks as long as there is hope; throws ApiError. */
  source: HomeSource;
  frontier: Pick<Frontier, "revision" | "reach" | "learn" | "clear">;
  recent: RecentEvents;
  interests: Interests;
  /** Homes that may have changed after a revision. */
  changedSince(revision: number): Promise<string[]>;
  /** Namespaces that were there at a revision, sorted. */
  namespacesAt(revision: number): Promise<string[]>;
  /** Milliseconds since 1970. */
  now(): number;
  later(milliseconds: number, work: () => void): () => void;
  /** At least 0, below 1. */
  random(): number;
}

/**
 * Watches of one resource in all namespaces. Each is a position in the one order, and either live (told what the frontier passes at that
 * moment) or behind: then it reads what comes after its position, from what is kept of the latest events or else from the homes' histories,
 * as fast as its reader takes it, until nothing is left and it is live from the same moment on.
 */
export class Watchers {
  readonly #options: WatchersOptions;
  readonly #live = new Map<string, Set<Watcher>>();
  readonly #all = new Set<Watcher>();
  readonly #queue: (() => void)[] = [];
  #reading = 0;

  constructor(options: WatchersOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#all.size;
  }

  /** @throws ApiError where a selector cannot be understood, or there are too many. */
  open(served: Served, options: RequestOptions, start: WatchStart): ReadableStream<Uint8Array> {
    const filter = new WatchFilter(served, options);
    if (this.#all.size >= WATCHERS_MAX) {
      throw new ApiError("TooManyRequests", "too many watches across namespaces", { retryAfterSeconds: 5 });
    }
    const { later, random, interests } = this.#options;
    const cancels: (() => void)[] = [];
    const stream = new WatchStream(() => {
      this.#remove(watcher);
      for (const cancel of cancels) cancel();
    });
    const watcher: Watcher = { served, filter, stream, position: start.revision, isLive: false };
    this.#all.add(watcher);
    interests.watch(served.resource);
    const seconds = options.timeoutSeconds || TIMEOUT_SECONDS_MIN * (1 + random());
    cancels.push(later(Math.min(seconds, TIMEOUT_SECONDS_MAX) * 1000, () => stream.close()));
    this.#run(watcher, async () => {
      if (start.state) await this.#tellState(watcher, start.revision);
      if (options.sendInitialEvents) this.#write(watcher, bookmark(watcher, true));
      if (start.past === undefined) await this.#catchUp(watcher);
      else await this.#tellHistory(watcher, start.past);
    });
    if (options.allowWatchBookmarks) {
      const tick = (): void => {
        cancels[1] = later(BOOKMARK_MILLISECONDS, () => {
          tick();
          if (start.past === undefined) void this.#bookmark(watcher);
        });
      };
      tick();
    }
    return stream.readable;
  }

  /** Ends the watches of these resources: they are served otherwise than when these began. */
  end(resources: readonly string[]): void {
    if (resources.length === 0) return;
    for (const { served, stream } of [...this.#all]) if (resources.includes(served.resource)) stream.close();
  }

  /** The frontier has passed these, which are in order. */
  tell(events: readonly FeedEvent[]): void {
    const byResource = new Map<string, FeedEvent[]>();
    for (const event of events) {
      if (!this.#live.has(event.resource)) continue;
      const own = byResource.get(event.resource);
      if (own) own.push(event);
      else byResource.set(event.resource, [event]);
    }
    for (const [resource, own] of byResource) {
      // What those without selectors are told is written and encoded once.
      const shared = new Map<Served, Uint8Array>();
      for (const watcher of [...this.#live.get(resource)!]) {
        const { filter, served, stream } = watcher;
        if (!filter.isEverything) stream.write(encoder.encode(linesOf(watcher, own)));
        else {
          let bytes = shared.get(served);
          if (!bytes) {
            bytes = encoder.encode(linesOf(watcher, own));
            shared.set(served, bytes);
          }
          // A stream takes its bytes away from whoever else has them.
          stream.write(bytes.slice());
        }
        if (stream.isFull) this.#fallBehind(watcher, this.#options.frontier.revision);
      }
    }
  }

  /** What the frontier has passed is not known whole: all read it. */
  overrun(): void {
    // The first one that begins to read may move it.
    const { revision } = this.#options.frontier;
    for (const watchers of this.#live.values())
      for (const watcher of [...watchers]) this.#fallBehind(watcher, revision);
  }

  /** It was told what the frontier has passed so far, and reads on from there. */
  #fallBehind(watcher: Watcher, told: number): void {
    watcher.position = Math.max(watcher.position, told);
    watcher.isLive = false;
    const { resource } = watcher.served;
    const live = this.#live.get(resource);
    live?.delete(watcher);
    if (live?.size === 0) this.#live.delete(resource);
    if (watcher.stream.isOpen) this.#run(watcher, () => this.#catchUp(watcher));
  }

  #run(watcher: Watcher, work: () => Promise<void>): void {
    void work().catch((error: unknown) => {
      // A watch has begun: its error travels in the stream.
      this.#write(watcher, watchLine("ERROR", JSON.stringify(statusOf(error))));
      watcher.stream.close();
    });
  }

  #write({ stream }: Watcher, lines: string): void {
    if (lines !== "") stream.write(encoder.encode(lines));
  }

  /** The state at a revision, by namespace and name. */
  async #tellState(watcher: Watcher, revision: number): Promise<void> {
    const { source, namespacesAt } = this.#options;
    const { served, filter, stream } = watcher;
    const begin = async (home: string) => {
      const pages = readObjects(source, home, [served.resource], revision);
      return { first: await pages.next(), pages };
    };
    const homes = readAhead(await namespacesAt(revision), begin, {
      width: HOMES_AT_ONCE,
      sizeMax: AHEAD_CHARS_MAX,
      sizeOf: ({ first }) => (first.done ? 0 : first.value.objects.reduce((sum, { json }) => sum + json.length, 0)),
    });
    for await (const { first, pages } of homes) {
      for (let page = first; !page.done && stream.isOpen; page = await pages.next()) {
        this.#write(watcher, page.value.objects.map((object) => filter.stateLine(object)).join(""));
        await stream.ready();
      }
      if (!stream.isOpen) return;
    }
  }

  async #catchUp(watcher: Watcher): Promise<void> {
    const { frontier, recent, interests } = this.#options;
    const { resource } = watcher.served;
    // What it has seen may be ahead of what the frontier has passed: then it waits for the others.
    await frontier.reach(watcher.position);
    while (watcher.stream.isOpen) {
      const completeFrom = interests.completeFrom(resource);
      if (completeFrom === undefined) await frontier.learn();
      else if (watcher.position >= Math.max(completeFrom, recent.from)) {
        // From here to the end without waiting: nothing can pass the frontier between the last event and its being live.
        if (this.#tellRecent(watcher)) return;
      } else {
        await frontier.reach(Math.max(completeFrom, recent.from));
        await this.#tellHistory(watcher, frontier.revision);
      }
      await watcher.stream.ready();
    }
  }

  /** Some of what is at hand after its position; true where that was all: the watch is live. */
  #tellRecent(watcher: Watcher): boolean {
    const { recent, frontier } = this.#options;
    const { filter, served, stream } = watcher;
    let lines = "";
    for (const event of recent.after(watcher.position, served.resource)) {
      if (lines.length > WRITE_CHARS) {
        this.#write(watcher, lines);
        return false;
      }
      lines += filter.line(event);
      watcher.position = event.revision;
    }
    watcher.position = Math.max(watcher.position, frontier.revision);
    this.#write(watcher, lines);
    if (stream.isFull) return false;
    watcher.isLive = true;
    const live = this.#live.get(served.resource);
    if (live) live.add(watcher);
    else this.#live.set(served.resource, new Set([watcher]));
    return true;
  }

  /** From the homes: what lies after its position up to a revision that the frontier has passed. */
  async #tellHistory(watcher: Watcher, upTo: number): Promise<void> {
    const { source, changedSince } = this.#options;
    const { served, stream } = watcher;
    if (watcher.position >= upTo) return;
    const homes = await changedSince(watcher.position);
    const pages = new HistoryPages(source, served.resource, homes, { after: watcher.position, upTo });
    while (!pages.isDone && stream.isOpen) {
      await this.#inTurn(async () => {
        if (stream.isOpen) this.#write(watcher, linesOf(watcher, await pages.next()));
      });
      watcher.position = pages.revision;
      await stream.ready();
    }
  }

  /** Runs work when few others do. */
  async #inTurn(work: () => Promise<void>): Promise<void> {
    if (this.#reading >= READERS_MAX) await new Promise<void>((resolve) => this.#queue.push(resolve));
    else this.#reading++;
    try {
      await work();
    } finally {
      // The place is handed on, or given up.
      const next = this.#queue.shift();
      if (next) next();
      else this.#reading--;
    }
  }

  /** Tells how far the frontier is, where nothing that it has passed is still to be told. */
  async #bookmark(watcher: Watcher): Promise<void> {
    const { frontier, now } = this.#options;
    if (now() - timeOfRevision(frontier.revision) > BOOKMARK_AGE_MILLISECONDS) await frontier.reach(revisionAt(now()));
    if (!watcher.isLive) return;
    watcher.position = Math.max(watcher.position, frontier.revision);
    this.#write(watcher, bookmark(watcher, false));
  }

  #remove(watcher: Watcher): void {
    if (!this.#all.delete(watcher)) return;
    const { frontier, recent, interests } = this.#options;
    const { resource } = watcher.served;
    watcher.isLive = false;
    const live = this.#live.get(resource);
    live?.delete(watcher);
    if (live?.size === 0) this.#live.delete(resource);
    interests.unwatch(resource);
    if (this.#all.size > 0) return;
    // Nothing is kept for nobody.
    frontier.clear();
    recent.restart(frontier.revision);
  }
}

const linesOf = ({ filter }: Watcher, events: readonly FeedEvent[]): string => {
  let lines = "";
  for (const event of events) lines += filter.line(event);
  return lines;
};

function bookmark({ served: { info, apiVersion }, position }: Watcher, isInitialEnd: boolean): string {
  const metadata = {
    resourceVersion: String(position),
    creationTimestamp: null,
    ...(isInitialEnd && { annotations: { "k8s.io/initial-events-end": "true" } }),
  };
  return watchLine("BOOKMARK", JSON.stringify({ kind: info.kind, apiVersion, metadata }));
}
