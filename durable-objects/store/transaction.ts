import type { Cache } from "./cache.ts";
import type { SqlDatabase } from "./sql.ts";
import { type Change, Stored } from "./stored.ts";

/** Forbids a promise: work that awaits inside a transaction would let other writes in between. */
export type Synchronous<T> = T extends PromiseLike<unknown> ? never : T;

export interface ReadTransaction {
  /** Of the latest write that is visible here; 0 where nothing was ever written. */
  readonly revision: number;
  get(resource: string, name: string): Stored | undefined;
  /** By name, from the one after `after`. Kept in the cache: for callers that look at the objects. */
  list(resource: string, page?: Page): Stored[];
  /** As `list`, for callers that only pass the texts on. */
  texts(resource: string, page?: Page): NamedText[];
  /** Of all objects of a resource, in order. */
  names(resource: string): string[];
  count(resource: string, after?: string): number;
  /** The resources that have objects, with their numbers. */
  counts(): Map<string, number>;
}

export interface WriteTransaction extends ReadTransaction {
  /** Who history says wrote what is put and removed from now on: a user's name. `attempt` begins and ends with the same. */
  author: string;
  /** Creates what is not there; undefined where it is. `render` as with `put`. */
  create(resource: string, name: string, render: (revision: number) => string): Stored | undefined;
  /** Creates or replaces. `render` makes the text with the revision it is given. */
  put(resource: string, name: string, render: (revision: number) => string): Stored;
  /** Removes an object that exists; `render` makes its last state, which watchers are told. */
  remove(resource: string, name: string, render: (revision: number) => string): Stored;
  /** Runs a part that may fail alone: a throw undoes the puts and removes of this part, and is passed on. */
  attempt<T>(work: () => Synchronous<T>): T;
  /** For tables of other parts of the home (timers, cursors) that commit with the objects. `attempt` does not undo these. */
  exec: SqlDatabase["exec"];
}

export interface Page {
  after?: string;
  limit?: number;
}

export interface NamedText {
  name: string;
  revision: number;
  json: string;
}

type ObjectRow = { name: string; revision: number };
type TextRow = { name: string; revision: number; json: string };

const ALL = -1; // SQLite: LIMIT -1 is no limit.

export class Transaction implements WriteTransaction {
  readonly changes: Change[] = [];
  author = "";
  readonly exec: SqlDatabase["exec"];
  readonly #cache: Cache;
  readonly #next: (last: number) => number;
  #revision: number;

  constructor(database: SqlDatabase, cache: Cache, revision: number, next: (last: number) => number) {
    this.exec = (query, ...bindings) => database.exec(query, ...bindings);
    this.#cache = cache;
    this.#revision = revision;
    this.#next = next;
  }

  get revision(): number {
    return this.#revision;
  }

  get(resource: string, name: string): Stored | undefined {
    const cached = this.#cache.get(resource, name);
    if (cached) return cached;
    for (const row of this.exec<TextRow>(
      "SELECT o.name, o.revision, json FROM objects o JOIN history h ON h.revision = o.revision WHERE o.resource = ? AND o.name = ?",
      resource,
      name,
    )) {
      const stored = new Stored(resource, name, row.revision, row.json);
      this.#cache.set(stored);
      return stored;
    }
    return undefined;
  }

  list(resource: string, { after = "", limit = ALL }: Page = {}): Stored[] {
    const rows = [
      ...this.exec<ObjectRow>(
        "SELECT name, revision FROM objects WHERE resource = ? AND name > ? ORDER BY name LIMIT ?",
        resource,
        after,
        limit,
      ),
    ];
    const known = rows.map(({ name, revision }) => {
      const cached = this.#cache.get(resource, name);
      return cached?.revision === revision ? cached : undefined;
    });
    if (!known.includes(undefined)) return known as Stored[];
    return this.texts(resource, { after, limit }).map(({ name, revision, json }, i) => {
      const cached = known[i];
      if (cached) return cached;
      const stored = new Stored(resource, name, revision, json);
      this.#cache.set(stored);
      return stored;
    });
  }

  texts(resource: string, { after = "", limit = ALL }: Page = {}): NamedText[] {
    return [
      ...this.exec<TextRow>(
        `SELECT o.name, o.revision, json FROM objects o JOIN history h ON h.revision = o.revision
         WHERE o.resource = ? AND o.name > ? ORDER BY o.name LIMIT ?`,
        resource,
        after,
        limit,
      ),
    ];
  }

  names(resource: string): string[] {
    const rows = this.exec<{ name: string }>("SELECT name FROM objects WHERE resource = ? ORDER BY name", resource);
    return [...rows].map(({ name }) => name);
  }

  count(resource: string, after = ""): number {
    for (const { n } of this.exec<{ n: number }>(
      "SELECT COUNT(*) AS n FROM objects WHERE resource = ? AND name > ?",
      resource,
      after,
    )) {
      return n;
    }
    return 0;
  }

  counts(): Map<string, number> {
    const rows = this.exec<{ resource: string; n: number }>(
      "SELECT resource, COUNT(*) AS n FROM objects GROUP BY resource ORDER BY resource",
    );
    return new Map([...rows].map(({ resource, n }) => [resource, n]));
  }

  create(resource: string, name: string, render: (revision: number) => string): Stored | undefined {
    if (this.#cache.get(resource, name)) return undefined;
    const revision = this.#next(this.#revision);
    const stored = new Stored(resource, name, revision, render(revision));
    try {
      // SQLite looks for the name by itself: asking first would cost as much again.
      this.exec("INSERT INTO objects (resource, name, revision) VALUES (?, ?, ?)", resource, name, revision);
    } catch (error) {
      if (this.get(resource, name)) return undefined;
      throw error;
    }
    this.#record({ type: "ADDED", revision, stored, previous: undefined });
    this.#cache.set(stored);
    return stored;
  }

  put(resource: string, name: string, render: (revision: number) => string): Stored {
    const previous = this.get(resource, name);
    if (!previous) return this.create(resource, name, render) as Stored;
    const revision = this.#next(this.#revision);
    const stored = new Stored(resource, name, revision, render(revision));
    this.exec("UPDATE objects SET revision = ?3 WHERE resource = ?1 AND name = ?2", resource, name, revision);
    this.#record({ type: "MODIFIED", revision, stored, previous });
    this.#cache.set(stored);
    return stored;
  }

  remove(resource: string, name: string, render: (revision: number) => string): Stored {
    const previous = this.get(resource, name);
    if (!previous) throw new Error(`remove of ${resource} ${name}, which does not exist`);
    const revision = this.#next(this.#revision);
    const stored = new Stored(resource, name, revision, render(revision));
    this.exec("DELETE FROM objects WHERE resource = ? AND name = ?", resource, name);
    this.#record({ type: "DELETED", revision, stored, previous });
    this.#cache.delete(resource, name);
    return stored;
  }

  #record(change: Change): void {
    const { stored, previous, revision, type } = change;
    this.exec(
      "INSERT INTO history (revision, resource, name, json, previous, deleted, author) VALUES (?, ?, ?, ?, ?, ?, ?)",
      revision,
      stored.resource,
      stored.name,
      stored.json,
      previous?.revision ?? 0,
      type === "DELETED" ? 1 : 0,
      this.author,
    );
    this.#revision = revision;
    this.changes.push(change);
  }

  attempt<T>(work: () => Synchronous<T>): T {
    const mark = this.changes.length;
    const { author } = this;
    try {
      return work() as T;
    } catch (error) {
      while (this.changes.length > mark) this.#undo(this.changes.pop() as Change);
      throw error;
    } finally {
      this.author = author;
    }
  }

  /** The revision stays used: a gap in the sequence harms nobody, one number for two states would. */
  #undo({ stored: { resource, name }, previous, revision }: Change): void {
    if (previous) {
      this.exec(
        "INSERT OR REPLACE INTO objects (resource, name, revision) VALUES (?, ?, ?)",
        resource,
        name,
        previous.revision,
      );
      this.#cache.set(previous);
    } else {
      this.exec("DELETE FROM objects WHERE resource = ? AND name = ?", resource, name);
      this.#cache.delete(resource, name);
    }
    this.exec("DELETE FROM history WHERE revision = ?", revision);
  }
}
