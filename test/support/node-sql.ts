import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { SqlDatabase, SqlRow, SqlValue } from "../../durable-objects/store/sql.ts";

/** The store's SQLite on node:sqlite, in memory unless a file is named. `rowsWritten` counts as a Durable Object bills. */
export function nodeSql(file = ":memory:"): SqlDatabase & { rowsWritten(): number; close(): void } {
  const database = new DatabaseSync(file);
  const prepared = new Map<string, StatementSync>();
  const prepare = (query: string): StatementSync => {
    let statement = prepared.get(query);
    if (!statement) {
      statement = database.prepare(query);
      prepared.set(query, statement);
    }
    return statement;
  };
  let written = 0;
  return {
    exec<Row extends SqlRow>(query: string, ...bindings: SqlValue[]): Iterable<Row> {
      if (/^\s*(select|with)/i.test(query)) return prepare(query).all(...bindings) as Row[];
      if (/^\s*create/i.test(query)) {
        database.exec(query);
        return [];
      }
      written += Number(prepare(query).run(...bindings).changes);
      return [];
    },
    transaction<T>(work: () => T): T {
      database.exec("BEGIN");
      try {
        const result = work();
        database.exec("COMMIT");
        return result;
      } catch (error) {
        database.exec("ROLLBACK");
        throw error;
      }
    },
    rowsWritten: () => written,
    close: () => database.close(),
  };
}
