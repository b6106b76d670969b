import { ApiError } from "../../api/status.ts";
import type { FeedEvent, RequestOptions } from "../protocol.ts";
import { statusOf } from "../verbs/answer.ts";
import { checkListOptions, parseResourceVersion } from "../verbs/resource-version.ts";
import type { Served } from "../verbs/served.ts";
import { forEachBounded, type HomeSource, readChanges, readObjects } from "./home-source.ts";
import { Joining } from "./joining.ts";
import { type WatchFilter, watchFilter, watchLine } from "./watch-filter.ts";
import { WatchStream } from "./watch-stream.ts";

/** Watches that cross namespaces, all together. */
const WATCHERS_MAX = 5_000;
const BOOKMARK_MILLISECONDS = 60_000;
/** A watch without timeoutSeconds ends after 30 to 60 minutes, as upstream's do. */
const TIMEOUT_SECONDS_MIN = 1_800;
const TIMEOUT_SECONDS_MAX = 24 * 3_600;

/** Begin with all there is, or with what happened after a revision. */
type Start = "state" | number;

interface Watcher {
  resource: string;
  filter: WatchFilter;
  joining: Joining;
  stream: WatchStream;
}

export interface WatchersOptions {
  source: HomeSource;
  homes(): Promise<string[]>;
  /** Where to start in each home, for a watch from a revision. */
  startOf(revision: number): (home: string) => number;
  /** A revision from which nothing is missed that is still to come. */
  safeRevision(): number;
  /** At least 0, below 1. */
  random(): number;
}

/** Watches of one resource in all namespaces: each home's events in its order, duplicates dropped. */
export class Watchers {
  readonly #options: WatchersOptions;
  readonly #byResource = new Map<string, Set<Watcher>>();
  /** Homes that know that a resource is watched; those that wake later are told when they first push. */
  readonly #told = new Map<string, Set<string>>();
  #count = 0;

  constructor(options: WatchersOptions) {
    this.#options = options;
  }

  /** What is watched now: homes have to tell of it. */
  get resources(): Iterable<string> {
    return this.#byResource.keys();
  }

  /** @throws ApiError where the options are wrong. */
  open(served: Served, options: RequestOptions): ReadableStream<Uint8Array> {
    checkListOptions(options, true);
    const revision = parseResourceVersion(options.resourceVersion, served.groupResource);
    const filter = watchFilter(served, options);
    if (this.#count >= WATCHERS_MAX) {
      throw new ApiError("TooManyRequests", "too many watches across namespaces", { retryAfterSeconds: 5 });
    }

    const timers: ReturnType<typeof setTimeout>[] = [];
    const stream = new WatchStream(() => {
      this.#remove(watcher);
      for (const timer of timers) clearTimeout(timer);
    });
    const watcher: Watcher = { resource: served.resource, filter, joining: new Joining(), stream };
    this.#add(watcher);
    const seconds = options.timeoutSeconds || TIMEOUT_SECONDS_MIN * (1 + this.#options.random());
    timers.push(setTimeout(() => stream.close(), Math.min(seconds, TIMEOUT_SECONDS_MAX) * 1000));

    const start: Start =
      (options.sendInitialEvents ?? revision === 0) ? "state" : revision > 0 ? revision : this.#options.safeRevision();
    void this.#attach(watcher, start).then(
      () => {
        if (!stream.isOpen) return;
        if (options.sendInitialEvents) stream.write(this.#bookmark(served, true));
        if (!options.allowWatchBookmarks) return;
        timers.push(setInterval(() => stream.write(this.#bookmark(served, false)), BOOKMARK_MILLISECONDS));
      },
      (error) => fail(watcher, error),
    );
    return stream.readable;
  }

  /** A home's next changes. */
  emit(home: string, events: FeedEvent[]): void {
    const lines = new Map<Watcher, string>();
    for (const event of events) {
      for (const watcher of this.#byResource.get(event.resource) ?? []) {
        if (!watcher.joining.admits(home, event)) continue;
        lines.set(watcher, (lines.get(watcher) ?? "") + watcher.filter(event));
      }
    }
    for (const [watcher, text] of lines) watcher.stream.write(text);
  }

  /** The least revision of a home that its changes have to be told from; infinite where nobody has to be told. */
  baseOf(home: string): number {
    let base = Number.POSITIVE_INFINITY;
    for (const watchers of this.#byResource.values()) {
      for (const { joining } of watchers) base = Math.min(base, joining.baseOf(home));
    }
    return base;
  }

  /** What happened in a home is not known any more: clients have to list again. */
  lost(home: string): void {
    for (const watchers of [...this.#byResource.values()]) {
      for (const watcher of [...watchers]) {
        if (!watcher.joining.isAhead(home)) fail(watcher, expired());
      }
    }
  }

  async #attach(watcher: Watcher, start: Start): Promise<void> {
    const { resource, joining, stream, filter } = watcher;
    const { source } = this.#options;
    const send = (events: FeedEvent[]): void => {
      let lines = "";
      for (const event of events) lines += filter(event);
      stream.write(lines);
    };
    const startOf = start === "state" ? undefined : this.#options.startOf(start);
    const told = this.#told.get(resource);
    const homes = joining.listed(await this.#options.homes());
    await forEachBounded(homes, async (home) => {
      if (!stream.isOpen) return;
      joining.begin(home);
      if (told && !told.has(home)) {
        await source.setInterests(home, [resource]);
        told.add(home);
      }
      if (startOf) {
        const { upTo, events, expired: isTooOld } = await readChanges(source, home, startOf(home), [resource]);
        if (isTooOld) throw expired();
        send(events);
        send(joining.end(home, upTo));
        await stream.ready();
        return;
      }
      let floor = 0;
      for await (const { revision, events } of readObjects(source, home, [resource])) {
        floor = revision;
        send(events);
        await stream.ready();
      }
      send(joining.end(home, floor));
    });
  }

  #bookmark({ info, apiVersion }: Served, isInitialEnd: boolean): string {
    const metadata = {
      resourceVersion: String(this.#options.safeRevision()),
      creationTimestamp: null,
      ...(isInitialEnd && { annotations: { "k8s.io/initial-events-end": "true" } }),
    };
    return watchLine("BOOKMARK", JSON.stringify({ kind: info.kind, apiVersion, metadata }));
  }

  #add(watcher: Watcher): void {
    const watchers = this.#byResource.get(watcher.resource) ?? new Set();
    watchers.add(watcher);
    this.#byResource.set(watcher.resource, watchers);
    if (!this.#told.has(watcher.resource)) this.#told.set(watcher.resource, new Set());
    this.#count++;
  }

  #remove(watcher: Watcher): void {
    const watchers = this.#byResource.get(watcher.resource);
    if (!watchers?.delete(watcher)) return;
    if (watchers.size === 0) {
      this.#byResource.delete(watcher.resource);
      this.#told.delete(watcher.resource);
    }
    this.#count--;
  }
}

/** The error travels in the stream, which has begun. */
function fail({ stream }: Watcher, error: unknown): void {
  stream.write(watchLine("ERROR", JSON.stringify(statusOf(error))));
  stream.close();
}

const expired = (): ApiError => new ApiError("Expired", "The resourceVersion for the provided watch is too old.");
