import type { SqlDatabase } from "../store/sql.ts";
import type { WriteTransaction } from "../store/transaction.ts";

/** When to look at an object again, and how often in a row that has failed. */
export interface Timer {
  /** Milliseconds since 1970. */
  dueAt: number;
  attempts: number;
}

/** Timers fired together; the rest waits for the next pass. */
const DUE_MAX = 500;

const TABLES = [
  "CREATE TABLE IF NOT EXISTS loop_cursor (id INTEGER PRIMARY KEY, revision INTEGER NOT NULL)",
  "CREATE TABLE IF NOT EXISTS timers (key TEXT PRIMARY KEY, due_at INTEGER NOT NULL, attempts INTEGER NOT NULL) WITHOUT ROWID",
];

/** What the loop remembers across restarts: how far it has read the history (one row), and the timers (a row each). */
export class Progress {
  readonly #timers = new Map<string, Timer>();
  readonly #changed = new Map<string, Timer | undefined>();
  #cursor: number | undefined;

  constructor(sql: SqlDatabase) {
    for (const table of TABLES) sql.exec(table);
    for (const row of sql.exec<{ revision: number }>("SELECT revision FROM loop_cursor WHERE id = 0"))
      this.#cursor = row.revision;
    for (const row of sql.exec<{ key: string; due_at: number; attempts: number }>(
      "SELECT key, due_at, attempts FROM timers",
    ))
      this.#timers.set(row.key, { dueAt: row.due_at, attempts: row.attempts });
  }

  /** The revision up to which all is done; undefined in a home that has never run. */
  get cursor(): number | undefined {
    return this.#cursor;
  }

  timer(key: string): Timer | undefined {
    return this.#timers.get(key);
  }

  setTimer(key: string, timer: Timer | undefined): void {
    const known = this.#timers.get(key);
    if (timer === undefined ? known === undefined : known?.dueAt === timer.dueAt && known.attempts === timer.attempts)
      return;
    if (timer) this.#timers.set(key, timer);
    else this.#timers.delete(key);
    this.#changed.set(key, timer);
  }

  nextDueAt(): number | undefined {
    let next: number | undefined;
    for (const { dueAt } of this.#timers.values()) if (next === undefined || dueAt < next) next = dueAt;
    return next;
  }

  /** Keys whose time has come, the earliest first; they stay until set anew. */
  due(now: number): string[] {
    return [...this.#timers]
      .filter(([, timer]) => timer.dueAt <= now)
      .sort((a, b) => a[1].dueAt - b[1].dueAt)
      .slice(0, DUE_MAX)
      .map(([key]) => key);
  }

  /** Writes the changed timers and, where given, the cursor. `committed` is to be called when that has committed. */
  save(tx: Pick<WriteTransaction, "exec">, cursor: number | undefined): { committed(): void } {
    for (const [key, timer] of this.#changed)
      if (timer)
        tx.exec(
          "INSERT INTO timers VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET due_at = excluded.due_at, attempts = excluded.attempts",
          key,
          timer.dueAt,
          timer.attempts,
        );
      else tx.exec("DELETE FROM timers WHERE key = ?", key);
    if (cursor !== undefined)
      tx.exec("INSERT INTO loop_cursor VALUES (0, ?) ON CONFLICT DO UPDATE SET revision = excluded.revision", cursor);
    return {
      committed: () => {
        this.#changed.clear();
        this.#cursor = cursor ?? this.#cursor;
      },
    };
  }
}
