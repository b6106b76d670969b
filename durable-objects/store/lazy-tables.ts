import type { SqlDatabase, SqlRow, SqlValue } from "./sql.ts";

const TABLES = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf\\_%' ESCAPE '\\' LIMIT 1";

/**
 * An empty database whose tables are made when the first row is written: what is only ever read leaves nothing behind. Until then
 * reads find nothing (also where a count would be 0).
 */
export function lazyTables(database: SqlDatabase): SqlDatabase {
  let isEmpty = true;
  for (const _ of database.exec(TABLES)) isEmpty = false;
  const tables: string[] = [];
  const makeTables = (): void => {
    for (const table of tables) database.exec(table);
    isEmpty = false;
  };
  return {
    exec<Row extends SqlRow>(query: string, ...bindings: SqlValue[]): Iterable<Row> {
      if (!isEmpty) return database.exec<Row>(query, ...bindings);
      if (/^\s*create/i.test(query)) {
        if (!tables.includes(query)) tables.push(query);
        return [];
      }
      if (!/^\s*(insert|replace)/i.test(query)) return [];
      makeTables();
      return database.exec<Row>(query, ...bindings);
    },
    transaction(work) {
      const wasEmpty = isEmpty;
      try {
        return database.transaction(work);
      } catch (error) {
        // The tables are rolled back with what they were made for.
        isEmpty = wasEmpty;
        throw error;
      }
    },
  };
}
