import { ApiError } from "../../api/status.ts";
import { Cache } from "./cache.ts";
import { Compaction, RETENTION, type Retention } from "./compaction.ts";
import { listAt, readAt, readChanges } from "./history.ts";
import { changesAfter, RecentChanges } from "./recent-changes.ts";
import type { SqlDatabase } from "./sql.ts";
import type { Change } from "./stored.ts";
import {
  type NamedText,
  type Page,
  type ReadTransaction,
  type Synchronous,
  Transaction,
  type WriteTransaction,
} from "./transaction.ts";

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
  /** Runs the queue's work after what has arrived by now (`setTimeout(…, 0)`). */
  defer(work: () => void): void;
  retention?: Retention;
}

/** JSON text held parsed or ready to hand out, per home. */
const CACHE_CHARS = 4 << 20;
/** Writes waiting for one commit; more are told to come back. */
const QUEUE_MAX = 4096;
/** Changes in one read of history. */
export const CHANGES_MAX = 1000;

const TABLES = [
  "CREATE TABLE IF NOT EXISTS objects (resource TEXT NOT NULL, name TEXT NOT NULL, revision INTEGER NOT NULL, PRIMARY KEY (resource, name)) WITHOUT ROWID",
  `CREATE TABLE IF NOT EXISTS history (revision INTEGER PRIMARY KEY, resource TEXT NOT NULL, name TEXT NOT NULL,
    json TEXT NOT NULL, previous INTEGER NOT NULL, deleted INTEGER NOT NULL)`,
  "CREATE TABLE IF NOT EXISTS compaction (id INTEGER PRIMARY KEY, compacted INTEGER NOT NULL, done INTEGER NOT NULL)",
];

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
    for (const { last } of database.exec<{ last: number | null }>("SELECT MAX(revision) AS last FROM history")) {
      this.#revision = last ?? 0;
    }
    this.#recent = new RecentChanges(this.#revision);
    this.#compaction = new Compaction(database, retention, (revision) => clock.timeOf(revision));
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
      if (this.#queue.length === 1) this.#defer(() => this.#flush());
    });
  }

  #flush(): void {
    const queue = this.#queue;
    this.#queue = [];
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

  /** At most `limit` changes after a revision, oldest first; `undefined` where history does not reach back that far. */
  changes(after: number, options: { limit?: number; resources?: readonly string[] } = {}): Change[] | undefined {
    if (!this.reaches(after)) return undefined;
    const limit = Math.min(options.limit ?? CHANGES_MAX, CHANGES_MAX);
    const recent = this.#recent.after(after);
    if (!recent) return readChanges(this.database, after, { ...options, limit });
    const { resources } = options;
    const all = this.#writing ? [...recent, ...changesAfter(this.#writing.changes, after)] : recent;
    return (resources ? all.filter(({ stored }) => resources.includes(stored.resource)) : all).slice(0, limit);
  }

  /** An object as it was; throws where the revision is compacted (`reaches`). */
  getAt(resource: string, name: string, revision: number): NamedText | undefined {
    this.#assertReaches(revision);
    return readAt(this.database, resource, name, revision);
  }

  /** A page of a resource as it was, and how many objects follow it; throws where the revision is compacted. */
  listAt(resource: string, revision: number, page: Page): { texts: NamedText[]; remaining: number } {
    this.#assertReaches(revision);
    return listAt(this.database, resource, revision, page);
  }

  #assertReaches(revision: number): void {
    if (!this.reaches(revision)) throw new Error(`revision ${revision} is compacted`);
  }
}
