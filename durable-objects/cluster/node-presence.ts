import type { Presence } from "../controllers/node-lifecycle.ts";
import type { SqlDatabase } from "../store/sql.ts";

/** Whether each node's link is up, as its NodeLink last told. Kept over restarts: a NodeLink tells only what changes. */
export class NodePresence {
  readonly #database: SqlDatabase;
  readonly #nodes = new Map<string, Presence>();

  constructor(database: SqlDatabase) {
    this.#database = database;
    database.exec(
      "CREATE TABLE IF NOT EXISTS node_presence (name TEXT PRIMARY KEY, connected INTEGER NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID",
    );
    for (const row of database.exec<{ name: string; connected: number; at: number }>("SELECT * FROM node_presence")) {
      this.#nodes.set(row.name, { connected: row.connected === 1, at: row.at });
    }
  }

  of(node: string): Presence | undefined {
    return this.#nodes.get(node);
  }

  /** Answers whether that is news. A silence lasts from when it began, however often it is told. */
  set(node: string, connected: boolean, at: number): boolean {
    const known = this.#nodes.get(node);
    if (known?.connected === connected) return false;
    this.#nodes.set(node, { connected, at });
    this.#database.exec(
      "INSERT INTO node_presence (name, connected, at) VALUES (?1, ?2, ?3) ON CONFLICT (name) DO UPDATE SET connected = ?2, at = ?3",
      node,
      connected ? 1 : 0,
      at,
    );
    return true;
  }

  forget(node: string): void {
    if (this.#nodes.get(node)?.connected !== false) return;
    this.#nodes.delete(node);
    this.#database.exec("DELETE FROM node_presence WHERE name = ?", node);
  }
}
