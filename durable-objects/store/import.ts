import type { SqlDatabase } from "./sql.ts";
import { TABLES } from "./store.ts";

/** A version that another store had. */
export interface ImportedVersion {
  resource: string;
  name: string;
  revision: number;
  json: string;
}

/** Whether nothing was ever stored: there may be tables, but no rows in them. */
export function isUntouched(database: SqlDatabase): boolean {
  for (const name of tablesOf(database)) {
    for (const _ of database.exec(`SELECT 1 FROM "${name}" LIMIT 1`)) return false;
  }
  return true;
}

function tablesOf(database: SqlDatabase): string[] {
  const rows = database.exec<{ name: string }>(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf\\_%' ESCAPE '\\'",
  );
  return Array.from(rows, ({ name }) => name);
}

/**
 * Makes a database that no store has been opened on yet that of a store at `revision`, whose history begins there. To be called within a
 * transaction, as often as there are versions. Throws where one is there already.
 */
export function importVersions(database: SqlDatabase, revision: number, versions: readonly ImportedVersion[]): void {
  for (const table of TABLES) database.exec(table);
  // All before it is unknown here: whoever asks for that is told so.
  database.exec(
    "INSERT INTO compaction (id, compacted, done) VALUES (1, ?1, ?1) ON CONFLICT (id) DO UPDATE SET compacted = ?1, done = ?1",
    revision,
  );
  for (const version of versions) {
    database.exec(
      "INSERT INTO history (revision, resource, name, json, previous, deleted) VALUES (?, ?, ?, ?, 0, 0)",
      version.revision,
      version.resource,
      version.name,
      version.json,
    );
    database.exec(
      "INSERT INTO objects (resource, name, revision) VALUES (?, ?, ?)",
      version.resource,
      version.name,
      version.revision,
    );
  }
}
