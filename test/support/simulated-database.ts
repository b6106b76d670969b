import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { SqlDatabase, SqlRow, SqlValue } from "../../durable-objects/store/sql.ts";

/** A committed version as the store writes it down. */
export type HistoryRow = { revision: number; resource: string; name: string; json: string; deleted: number };

export interface DatabaseEvents {
  /** Something was written since the last `sync`. */
  dirty(): void;
  /** What a transaction added to the history. */
  committed(rows: HistoryRow[]): void;
}

const HISTORY = "SELECT 1 FROM sqlite_master WHERE name = 'history'";
const HISTORY_AFTER =
  "SELECT revision, resource, name, json, deleted FROM history WHERE revision > ? ORDER BY revision";

/**
 * SQLite that outlives whoever writes to it: what was written since the last `sync` is lost with its writer (`lose`), the rest stays.
 * One transaction lasts from sync to sync; the writer's own are savepoints in it.
 */
export class SimulatedDatabase implements SqlDatabase {
  readonly #database = new DatabaseSync(":memory:");
  readonly #prepared = new Map<string, StatementSync>();
  readonly #events: DatabaseEvents;
  #isDirty = false;
  #hasHistory = false;
  /** Up to where the history has been told of. */
  #told = 0;
  #toldAndSynced = 0;
  rowsWritten = 0;

  constructor(events: DatabaseEvents) {
    this.#events = events;
  }

  get isDirty(): boolean {
    return this.#isDirty;
  }

  exec<Row extends SqlRow = SqlRow>(query: string, ...bindings: SqlValue[]): Iterable<Row> {
    if (/^\s*(select|with|pragma)/i.test(query)) return this.#prepare(query).all(...bindings) as Row[];
    this.#begin();
    const statement = this.#prepare(query);
    if (/\breturning\b/i.test(query)) {
      const rows = statement.all(...bindings) as Row[];
      this.rowsWritten += rows.length;
      return rows;
    }
    this.rowsWritten += Number(statement.run(...bindings).changes);
    return [];
  }

  transaction<T>(work: () => T): T {
    this.#begin();
    this.#database.exec("SAVEPOINT work");
    let result: T;
    try {
      result = work();
      this.#database.exec("RELEASE work");
    } catch (error) {
      this.#database.exec("ROLLBACK TO work");
      this.#database.exec("RELEASE work");
      throw error;
    }
    this.#tellHistory();
    return result;
  }

  /** All that was written is there for good. */
  sync(): void {
    if (!this.#isDirty) return;
    this.#database.exec("COMMIT");
    this.#isDirty = false;
    this.#toldAndSynced = this.#told;
  }

  /** All that was written since the last `sync` never was. */
  lose(): void {
    if (!this.#isDirty) return;
    this.#database.exec("ROLLBACK");
    this.#isDirty = false;
    this.#told = this.#toldAndSynced;
    this.#hasHistory = false;
  }

  close(): void {
    this.#database.close();
  }

  #begin(): void {
    if (this.#isDirty) return;
    this.#database.exec("BEGIN");
    this.#isDirty = true;
    this.#events.dirty();
  }

  #tellHistory(): void {
    this.#hasHistory ||= this.#prepare(HISTORY).get() !== undefined;
    if (!this.#hasHistory) return;
    const rows = this.#prepare(HISTORY_AFTER).all(this.#told) as HistoryRow[];
    if (rows.length === 0) return;
    this.#told = rows.at(-1)!.revision;
    this.#events.committed(rows);
  }

  #prepare(query: string): StatementSync {
    let statement = this.#prepared.get(query);
    if (!statement) {
      statement = this.#database.prepare(query);
      this.#prepared.set(query, statement);
    }
    return statement;
  }
}
