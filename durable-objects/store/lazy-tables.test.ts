import { expect, test } from "vitest";
import { nodeSql } from "../../test/support/node-sql.ts";
import { lazyTables } from "./lazy-tables.ts";
import type { SqlDatabase } from "./sql.ts";

const TABLE = "CREATE TABLE IF NOT EXISTS things (name TEXT PRIMARY KEY)";
const tablesOf = (database: SqlDatabase) =>
  [...database.exec<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table'")].map(({ name }) => name);

test("what is only read makes no tables", () => {
  const database = nodeSql();
  const lazy = lazyTables(database);
  lazy.exec(TABLE);
  expect([...lazy.exec("SELECT * FROM things")]).toEqual([]);
  expect([...lazy.exec("DELETE FROM things")]).toEqual([]);
  lazy.transaction(() => lazy.exec("UPDATE things SET name = 'b'"));
  expect(tablesOf(database)).toEqual([]);
});

test("the first row makes all tables, and is read", () => {
  const database = nodeSql();
  const lazy = lazyTables(database);
  lazy.exec(TABLE);
  lazy.exec("CREATE TABLE IF NOT EXISTS others (name TEXT PRIMARY KEY)");
  lazy.exec("INSERT INTO things VALUES (?)", "a");
  expect([...lazy.exec("SELECT name FROM things")]).toEqual([{ name: "a" }]);
  expect(tablesOf(database)).toEqual(["things", "others"]);
});

test("tables that are rolled back with their first row are made again", () => {
  const database = nodeSql();
  const lazy = lazyTables(database);
  lazy.exec(TABLE);
  const fail = () =>
    lazy.transaction(() => {
      lazy.exec("INSERT INTO things VALUES ('a')");
      throw new Error("undone");
    });
  expect(fail).toThrow("undone");
  expect(tablesOf(database)).toEqual([]);
  expect([...lazy.exec("SELECT * FROM things")]).toEqual([]);
  lazy.exec("INSERT INTO things VALUES ('b')");
  expect([...lazy.exec("SELECT name FROM things")]).toEqual([{ name: "b" }]);
});

test("a database that has tables gets those that a later version adds", () => {
  const database = nodeSql();
  database.exec(TABLE);
  const lazy = lazyTables(database);
  lazy.exec("CREATE TABLE IF NOT EXISTS added (name TEXT PRIMARY KEY)");
  expect([...lazy.exec("SELECT * FROM added")]).toEqual([]);
});
