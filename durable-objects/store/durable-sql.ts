import type { SqlDatabase, SqlRow, SqlValue } from "./sql.ts";

/** SQLite of a Durable Object. */
export const durableSql = (storage: DurableObjectStorage): SqlDatabase => ({
  exec: <Row extends SqlRow>(query: string, ...bindings: SqlValue[]) => storage.sql.exec<Row>(query, ...bindings),
  transaction: (work) => storage.transactionSync(work),
});
