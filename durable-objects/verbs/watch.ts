import { ApiError } from "../../api/status.ts";
import type { RequestOptions, WatchAnswer } from "../protocol.ts";
import { type Change, Stored } from "../store/stored.ts";
import { ReadSize } from "../store/view.ts";
import { statusOf } from "./answer.ts";
import { withRevision } from "./object-text.ts";
import { checkListOptions, checkReadable, currentVersion, parseResourceVersion } from "./resource-version.ts";
import type { HomeScope } from "./scope.ts";
import { type Selection, selectionOf, selects } from "./selection.ts";
import type { Served } from "./served.ts";

/** Bytes that a slow reader may leave unread; what comes after is read from history when it asks for more. */
const UNREAD_BYTES_MAX = 1 << 20;
const WATCHERS_MAX = 10_000;
const BOOKMARK_MILLISECONDS = 50_000;
/** Watches without timeoutSeconds end after this long, as upstream ends them after 30 to 60 minutes. */
const TIMEOUT_SECONDS = 3_600;
/** A client may ask for less, not for more than this. */
const TIMEOUT_SECONDS_MAX = 24 * 3_600;

const encoder = new TextEncoder();

/** A commit's changes to one resource: what everybody is told of them in the same words is made once. */
class News {
  readonly changes: readonly Change[];
  readonly #bytes = new Map<Served, Uint8Array>();

  constructor(changes: readonly Change[]) {
    this.changes = changes;
  }

  get first(): number {
    return (this.changes[0] as Change).revision;
  }

  get last(): number {
    return (this.changes.at(-1) as Change).revision;
  }

  /** What a watcher without selectors is told; not to be given away: a stream takes its chunks' memory. */
  bytes(served: Served): Uint8Array {
    let bytes = this.#bytes.get(served);
    if (!bytes) {
      bytes = encoder.encode(this.changes.map(({ type, stored }) => frame(type, served.present(stored.json))).join(""));
      this.#bytes.set(served, bytes);
    }
    return bytes;
  }
}

/** All watches of one home. A watcher hears only of what is committed, in order. */
export class Watches {
  readonly #scope: HomeScope;
  readonly #byResource = new Map<string, Set<Watcher>>();
  /** What is committed and not on the disk yet. A stream that has begun is not held back by the platform: what it tells must be there for good. */
  readonly #pending: (readonly Change[])[] = [];
  #count = 0;

  constructor(scope: HomeScope) {
    this.#scope = scope;
    scope.store.onCommit((changes) => {
      if (this.#count === 0) return;
      this.#pending.push(changes);
      scope.onDisk(() => this.#tell(this.#pending.shift() ?? []));
    });
  }

  /** Watchers have been told, or may read, everything up to here. */
  get tellable(): number {
    const next = this.#pending[0]?.[0];
    return next ? next.revision - 1 : this.#scope.store.revision;
  }

  get count(): number {
    return this.#count;
  }

  /** @throws ApiError for options that no watch can have. */
  open(served: Served, options: RequestOptions, name = ""): WatchAnswer {
    checkListOptions(options, true);
    const ofName = name ? { ...options, fieldSelector: `metadata.name=${name}` } : options;
    const selection = selectionOf(ofName, served.rules, this.#scope.namespace);
    const revision = parseResourceVersion(options.resourceVersion);
    if (this.#count >= WATCHERS_MAX)
      throw new ApiError("TooManyRequests", "too many watches of this namespace", { retryAfterSeconds: 5 });
    const watcher = new Watcher(this.#scope, served, selection, options, revision, {
      tellable: () => this.tellable,
      ended: () => this.#remove(watcher),
    });
    this.#count++;
    const watchers = this.#byResource.get(served.resource);
    if (watchers) watchers.add(watcher);
    else this.#byResource.set(served.resource, new Set([watcher]));
    return { code: 200, events: watcher.stream };
  }

  /** Ends the watches of these resources. */
  end(resources: Iterable<string>): void {
    for (const resource of resources)
      for (const watcher of [...(this.#byResource.get(resource) ?? [])]) watcher.close();
  }

  #remove(watcher: Watcher): void {
    const watchers = this.#byResource.get(watcher.resource);
    if (watchers?.delete(watcher)) this.#count--;
    if (watchers?.size === 0) this.#byResource.delete(watcher.resource);
  }

  #tell(changes: readonly Change[]): void {
    if (this.#count === 0) return;
    for (const [resource, watchers] of this.#byResource) {
      const own = changes.filter(({ stored }) => stored.resource === resource);
      if (own.length === 0) continue;
      const news = new News(own);
      for (const watcher of [...watchers]) watcher.tell(news);
    }
  }
}

interface WatcherContext {
  tellable(): number;
  ended(): void;
}

/** One client's watch: first the state or the history that it asked for, then what is committed. */
class Watcher {
  readonly resource: string;
  readonly stream: ReadableStream<Uint8Array>;
  readonly #scope: HomeScope;
  readonly #served: Served;
  readonly #selection: Selection;
  readonly #options: RequestOptions;
  readonly #watches: WatcherContext;
  /** The home was here when the client was answered, which the platform lets it be only once that is on the disk. */
  readonly #opened: number;
  /** A watch of the past hears of nothing after it. */
  readonly #upTo: number;
  readonly #cancels: (() => void)[] = [];
  #controller!: ReadableByteStreamController;
  /** What is yet to be told before live changes follow; undefined once it has caught up. */
  #past: Generator<string, void> | undefined;
  /** What the client knows it has seen everything up to. */
  #revision: number;
  #bookmarkDue = false;
  #ended = false;

  constructor(
    scope: HomeScope,
    served: Served,
    selection: Selection,
    options: RequestOptions,
    revision: number,
    watches: WatcherContext,
  ) {
    this.resource = served.resource;
    this.#scope = scope;
    this.#served = served;
    this.#selection = selection;
    this.#options = options;
    this.#watches = watches;
    this.#opened = scope.store.revision;
    this.#upTo = options.at ?? Number.MAX_SAFE_INTEGER;
    this.#revision = revision;
    this.#past = this.#tellPast(revision);
    this.stream = new ReadableStream({
      type: "bytes",
      start: (controller) => {
        this.#controller = controller as ReadableByteStreamController;
      },
      pull: () => this.#pull(),
      cancel: () => this.#end(),
    });
    const seconds = Math.min(options.timeoutSeconds || TIMEOUT_SECONDS, TIMEOUT_SECONDS_MAX);
    this.#cancels.push(scope.later(seconds * 1000, () => this.close()));
    if (options.allowWatchBookmarks) this.#scheduleBookmark();
  }

  tell(news: News): void {
    // Until it has caught up, it reads from history what comes meanwhile.
    if (this.#past || this.#ended || news.last > this.#upTo) return;
    // A client may know revisions of other homes, whose clocks are ahead: what is not newer than they are is no news to it.
    if (this.#seesAll && news.first > this.#revision) this.#enqueue(news.bytes(this.#served).slice());
    else this.#send(this.#frames(news.changes));
    this.#revision = Math.max(this.#revision, news.last);
    if (this.#isSlow) this.#past = this.#tellChanges();
  }

  get #seesAll(): boolean {
    return this.#selection.name === undefined && this.#selection.matches === undefined;
  }

  #frames(changes: readonly Change[]): string {
    let text = "";
    for (const change of changes) if (change.revision > this.#revision) text += this.#frame(change);
    return text;
  }

  /** What it may be told of: from when it was opened, everything. */
  get #newest(): number {
    return Math.max(this.#watches.tellable(), this.#opened);
  }

  get #isSlow(): boolean {
    return !this.#ended && -(this.#controller.desiredSize ?? 0) > UNREAD_BYTES_MAX;
  }

  #pull(): void {
    while (this.#past && !this.#ended) {
      let next: IteratorResult<string, void>;
      try {
        next = this.#past.next();
      } catch (error) {
        // Once a watch has begun, a refusal is told as an event.
        this.#send(`{"type":"ERROR","object":${JSON.stringify(statusOf(error))}}\n`);
        this.close();
        return;
      }
      if (next.done) this.#caughtUp();
      else if (next.value !== "") {
        this.#send(next.value);
        return;
      }
    }
  }

  #caughtUp(): void {
    this.#past = undefined;
    if (this.#bookmarkDue) this.#sendBookmark();
  }

  *#tellPast(asked: number): Generator<string, void> {
    const { sendInitialEvents, allowWatchBookmarks, at } = this.#options;
    const awaited = sendInitialEvents ? asked : 0;
    checkReadable(awaited, { at }, this.#scope);
    this.#scope.raiseFloor(at ?? awaited);
    if (sendInitialEvents ?? asked === 0) {
      this.#revision = at ?? Math.max(this.#newest, awaited);
      yield* this.#tellState(this.#revision);
      if (sendInitialEvents && allowWatchBookmarks)
        yield this.#bookmark(currentVersion(this.#revision), { "k8s.io/initial-events-end": "true" });
    } else if (asked === 0) this.#revision = at ?? this.#opened;
    yield* this.#tellChanges();
  }

  *#tellState(revision: number): Generator<string, void> {
    const { store } = this.#scope;
    const release = store.hold(revision);
    try {
      for (const page of store.view(this.resource, revision).pages({})) {
        let text = "";
        for (const { name, revision: version, json } of page) {
          if (selects(this.#selection, new Stored(this.resource, name, version, json)))
            text += this.#line("ADDED", json);
        }
        yield text;
      }
    } finally {
      release();
    }
  }

  *#tellChanges(): Generator<string, void> {
    const { store } = this.#scope;
    const size = new ReadSize();
    for (;;) {
      const end = Math.min(this.#newest, this.#upTo);
      if (this.#revision >= end) return;
      const limit = size.rows;
      const changes = store.changes(this.#revision, { limit, resources: [this.resource], upTo: end });
      if (!changes) {
        throw new ApiError("Expired", `too old resource version: ${this.#revision} (${store.compacted})`);
      }
      const text = this.#frames(changes);
      this.#revision = changes.length < limit ? end : changes.at(-1)!.revision;
      size.took(
        limit,
        changes.reduce((chars, { stored }) => chars + stored.json.length, 0),
      );
      yield text;
    }
  }

  /** What this watcher is told of a change; nothing where it concerns neither what it saw nor what it should see. */
  #frame({ type, stored, previous, revision }: Change): string {
    const saw = previous !== undefined && selects(this.#selection, previous);
    if (type === "DELETED") return saw ? this.#line("DELETED", stored.json) : "";
    if (selects(this.#selection, stored)) return this.#line(saw ? "MODIFIED" : "ADDED", stored.json);
    return saw ? this.#line("DELETED", withRevision(previous.json, revision)) : "";
  }

  #line(type: string, json: string): string {
    return frame(type, this.#served.present(json));
  }

  #scheduleBookmark(): void {
    const cancel = this.#scope.later(BOOKMARK_MILLISECONDS, () => {
      if (this.#ended) return;
      this.#cancels.splice(this.#cancels.indexOf(cancel), 1);
      if (this.#past) this.#bookmarkDue = true;
      else this.#sendBookmark();
      this.#scheduleBookmark();
    });
    this.#cancels.push(cancel);
  }

  #sendBookmark(): void {
    this.#bookmarkDue = false;
    const newest = Math.min(currentVersion(this.#newest), this.#upTo);
    this.#send(this.#bookmark(Math.max(this.#revision, newest)));
  }

  #bookmark(revision: number, annotations?: Record<string, string>): string {
    const { info, apiVersion } = this.#served;
    const metadata = {
      resourceVersion: String(revision),
      creationTimestamp: null,
      ...(annotations && { annotations }),
    };
    return frame("BOOKMARK", JSON.stringify({ kind: info.kind, apiVersion, metadata }));
  }

  #send(text: string): void {
    if (text !== "") this.#enqueue(encoder.encode(text) as Uint8Array<ArrayBuffer>);
  }

  /** The stream takes the bytes' memory. */
  #enqueue(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#ended) return;
    try {
      this.#controller.enqueue(bytes);
    } catch {
      // The reader has gone, and the platform has not said so before.
      this.#end();
    }
  }

  close(): void {
    if (this.#ended) return;
    this.#end();
    this.#controller.close();
    // A byte stream with a pending read closes only when that read is answered.
    this.#controller.byobRequest?.respond(0);
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#past?.return();
    this.#past = undefined;
    for (const cancel of this.#cancels) cancel();
    this.#watches.ended();
  }
}

const frame = (type: string, json: string): string => `{"type":"${type}","object":${json}}\n`;
