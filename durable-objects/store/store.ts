import { ApiError } from "../../api/status.ts";
import { Cache } from "./cache.ts";
import { Compaction, RETENTION, type Retention } from "./compaction.ts";
import { readAt, readChanges, readVersions, type Version } from "./history.ts";
import { changesAfter, RecentChanges } from "./recent-changes.ts";
import type { SqlDatabase } from "./sql.ts";
import type { Change } from "./stored.ts";
import {
  type NamedText,
  type ReadTransaction,
  type Synchronous,
  Transaction,
  type WriteTransaction,
} from "./transaction.ts";
import { View } from "./view.ts";

/** What a store takes its revisions from. `revision.ts` has the one that homes use. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** A revision greater than `last`. */
  nextRevision(last: number): number;
  /** Milliseconds since 1970 at which a revision was handed out. */
  timeOf(revision: number): number;
}

export interface StoreOptions {
  database: SqlDatabase;
  clock: Clock;
  /** Runs the queue's work after what has arrived by now (`setTimeout(…, 0)`); told a failure, it refuses all that waits. */
  defer(work: (failure?: unknown) => void): void;
  retention?: Retention;
}

/** JSON text held parsed or ready to hand out, per home. */
const CACHE_CHARS = 4 << 20;
/** Writes waiting for one commit; more are told to come back. */
const QUEUE_MAX = 4096;
/** Changes in one read of history. */
export const CHANGES_MAX = 1000;

export const TABLES = [
  "CREATE TABLE IF NOT EXISTS objects (resource TEXT NOT NULL, name TEXT NOT NULL, revision INTEGER NOT NULL, PRIMARY KEY (resource, name)) WITHOUT ROWID",
  `CREATE TABLE IF NOT EXISTS history (revision INTEGER PRIMARY KEY, resource TEXT NOT NULL, name TEXT NOT NULL,
    previous INTEGER NOT NULL, deleted INTEGER NOT NULL, author TEXT NOT NULL DEFAULT '', json TEXT NOT NULL)`,
  "CREATE TABLE IF NOT EXISTS compaction (id INTEGER PRIMARY KEY, compacted INTEGER NOT NULL, done INTEGER NOT NULL)",
];

/** History did not always say who wrote. */
const LACKS_AUTHOR =
  "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'history' AND instr(sql, 'author') = 0";
const ADD_AUTHOR = "ALTER TABLE history ADD COLUMN author TEXT NOT NULL DEFAULT ''";

interface Queued {
  work(tx: WriteTransaction): unknown;
  resolve(value: any): void;
  reject(error: unknown): void;
}

/**
 * The objects of one home with their history. `history` holds every version once, by revision; `objects` says which
 * of them is current. So a create or update writes two rows, and the old version is deleted later (`Compaction`): three.
 */
export class Store {
  readonly database: SqlDatabase;
  readonly #clock: Clock;
  readonly #defer: StoreOptions["defer"];
  readonly #cache = new Cache(CACHE_CHARS);
  readonly #compaction: Compaction;
  readonly #listeners: ((changes: readonly Change[]) => void)[] = [];
  #queue: Queued[] = [];
  #revision = 0;
  #recent: RecentChanges;
  /** The transaction that is under way. */
  #writing: Transaction | undefined;

  constructor({ database, clock, defer, retention = RETENTION }: StoreOptions) {
    this.database = database;
    this.#clock = clock;
    this.#defer = defer;
    for (const table of TABLES) database.exec(table);
    for (const _ of [...database.exec(LACKS_AUTHOR)]) database.exec(ADD_AUTHOR);
    this.#compaction = new Compaction(database, retention, (revision) => clock.timeOf(revision));
    for (const { last } of database.exec<{ last: number | null }>("SELECT MAX(revision) AS last FROM history")) {
      // What was imported is as of a revision that may be later than all of its versions.
      this.#revision = Math.max(last ?? 0, this.#compaction.compacted);
    }
    this.#recent = new RecentChanges(this.#revision);
  }

  /** Of the last commit. */
  get revision(): number {
    return this.#revision;
  }

  /** Nothing before this revision can be told any more. */
  get compacted(): number {
    return this.#compaction.compacted;
  }

  /** Called after each commit with its changes, in order. Listeners may not throw. */
  onCommit(listener: (changes: readonly Change[]) => void): void {
    this.#listeners.push(listener);
  }

  read<T>(work: (tx: ReadTransaction) => Synchronous<T>): T {
    return work(new Transaction(this.database, this.#cache, this.#revision, () => this.#refuse())) as T;
  }

  #refuse(): never {
    throw new Error("a write in a read transaction");
  }

  /** Runs `work` in a transaction of its own; a throw leaves nothing behind. */
  write<T>(work: (tx: WriteTransaction) => Synchronous<T>): T {
    if (this.#writing) throw new Error("a write inside a write");
    const tx = new Transaction(this.database, this.#cache, this.#revision, (last) => this.#clock.nextRevision(last));
    let result: T;
    this.#writing = tx;
    try {
      result = this.database.transaction(() => {
        const value = work(tx) as T;
        if (tx.changes.length > 0) this.#compaction.afterChanges(tx.changes.length, this.#clock.now());
        return value;
      });
    } catch (error) {
      this.#cache.clear(); // It may hold what was rolled back.
      throw error;
    } finally {
      this.#writing = undefined;
    }
    const last = tx.changes.at(-1);
    if (last) {
      this.#revision = last.revision;
      this.#recent.add(tx.changes);
      for (const listener of this.#listeners) listener(tx.changes);
    }
    return result;
  }

  /**
   * Runs `work` in one transaction with all work that arrives meanwhile, and resolves once that has committed.
   * A throw undoes this work's own puts and removes alone.
   */
  enqueue<T>(work: (tx: WriteTransaction) => Synchronous<T>): Promise<T> {
    if (this.#queue.length >= QUEUE_MAX) {
      return Promise.reject(
        new ApiError("TooManyRequests", "The server is busy, please try again later.", { retryAfterSeconds: 1 }),
      );
    }
    return new Promise<T>((resolve, reject) => {
      this.#queue.push({ work, resolve, reject });
      if (this.#queue.length === 1) this.#defer((failure) => this.#flush(failure));
    });
  }

  #flush(failure: unknown): void {
    const queue = this.#queue;
    this.#queue = [];
    if (failure !== undefined) {
      for (const { reject } of queue) reject(failure);
      return;
    }
    const settle: (() => void)[] = [];
    try {
      this.write((tx) => {
        for (const { work, resolve, reject } of queue) {
          try {
            const value = tx.attempt(() => work(tx) as Synchronous<unknown>);
            settle.push(() => resolve(value));
          } catch (error) {
            settle.push(() => reject(error));
          }
        }
      });
    } catch (error) {
      for (const { reject } of queue) reject(error);
      return;
    }
    for (const answer of settle) answer();
  }

  /** Whether all that happened after a revision can still be told. */
  reaches(revision: number): boolean {
    return revision >= this.compacted;
  }

  /**
   * At most `limit` changes after a revision, and none after `upTo`, oldest first; `undefined` where history does not reach back that far.
   * Fewer than `limit`: there are no more.
   */
  changes(
    after: number,
    options: { limit?: number; resources?: readonly string[]; upTo?: number } = {},
  ): Change[] | undefined {
    if (!this.reaches(after)) return undefined;
    const limit = Math.min(options.limit ?? CHANGES_MAX, CHANGES_MAX);
    const recent = this.#recent.after(after);
    if (!recent) return readChanges(this.database, after, { ...options, limit });
    const { resources, upTo = Number.MAX_SAFE_INTEGER } = options;
    const all = this.#writing ? [...recent, ...changesAfter(this.#writing.changes, after)] : recent;
    const wanted: Change[] = [];
    for (const change of all) {
      if (change.revision > upTo || wanted.length === limit) break;
      if (!resources || resources.includes(change.stored.resource)) wanted.push(change);
    }
    return wanted;
  }

  /** An object as it was; throws where the revision is compacted (`reaches`). */
  getAt(resource: string, name: string, revision: number): NamedText | undefined {
    this.#assertReaches(revision);
    return readAt(this.database, resource, name, revision);
  }

  /** The versions of an object before a revision (its newest, where none is given), newest first, as far back as history has them. */
  versions(resource: string, name: string, { limit, before }: { limit: number; before?: number }): Version[] {
    const options = { limit, before: before ?? Number.MAX_SAFE_INTEGER, after: this.compacted };
    return readVersions(this.database, resource, name, options);
  }

  /** Resources that have objects, by name; with `past`, also those of which history alone tells. */
  resources({ past = false }: { past?: boolean } = {}): string[] {
    const now = "SELECT DISTINCT resource FROM objects";
    const query = past
      ? `${now} UNION SELECT DISTINCT resource FROM history ORDER BY resource`
      : `${now} ORDER BY resource`;
    return [...this.database.exec<{ resource: string }>(query)].map(({ resource }) => resource);
  }

  /** A resource as it was at a revision at or below which nothing is committed any more. Its reads throw once that is compacted. */
  view(resource: string, revision: number): View {
    return new View({
      database: this.database,
      resource,
      revision,
      newest: () => this.#revision,
      assertReachable: () => this.#assertReaches(revision),
    });
  }

  /** Somebody is reading at this revision: compaction waits for a while. @returns what ends that */
  hold(revision: number): () => void {
    return this.#compaction.hold(revision, this.#clock.now());
  }

  #assertReaches(revision: number): void {
    if (!this.reaches(revision)) {
      throw new ApiError("Expired", "The resourceVersion for the provided list is too old.");
    }
  }
}
