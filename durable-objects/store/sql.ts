/** A value SQLite binds. Integers beyond 53 bits would be rounded: the store never makes one. */
export type SqlValue = string | number | null;
/** What SQLite returns; a BLOB is an ArrayBuffer, on node:sqlite a Uint8Array: `new Uint8Array(blob)` reads both. */
export type SqlRow = Record<string, SqlValue | ArrayBuffer>;

/** What the store needs of SQLite; `durable-sql.ts` gives it on a Durable Object, `node-sql.ts` on node:sqlite in tests. */
export interface SqlDatabase {
  /** Runs one statement. Rows are read lazily: iterate before the next write to the same tables. */
  exec<Row extends SqlRow = SqlRow>(query: string, ...bindings: SqlValue[]): Iterable<Row>;
  /** Runs `work` in one transaction; a throw rolls all of it back. Not re-entrant. */
  transaction<T>(work: () => T): T;
}
