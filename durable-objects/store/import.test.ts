import { describe, expect, test } from "vitest";
import { nodeSql } from "../../test/support/node-sql.ts";
import { importVersions, isUntouched } from "./import.ts";
import { lazyTables } from "./lazy-tables.ts";
import type { SqlDatabase } from "./sql.ts";
import { Store } from "./store.ts";

const storeOn = (database: SqlDatabase): Store =>
  new Store({
    database,
    clock: { now: () => 0, nextRevision: (last) => last + 1, timeOf: () => 0 },
    defer: (work) => work(),
  });
const version = (name: string, revision: number) => ({ resource: "things", name, revision, json: `{"n":"${name}"}` });

describe("what is imported", () => {
  test("is a store at the revision of the import, also after restarts", () => {
    const database = nodeSql();
    importVersions(database, 100, [version("b", 7), version("a", 90)]);
    importVersions(database, 100, [version("c", 8)]);
    for (let start = 0; start < 2; start++) {
      const store = storeOn(database);
      expect([store.revision, store.compacted]).toEqual([100, 100]);
      expect(store.read((tx) => tx.texts("things")).map(({ name, revision }) => [name, revision])).toEqual([
        ["a", 90],
        ["b", 7],
        ["c", 8],
      ]);
    }
  });

  test("can be read as of its revision when it has been changed since", () => {
    const database = nodeSql();
    importVersions(database, 100, [version("a", 7), version("b", 8)]);
    const store = storeOn(database);
    store.write((tx) => {
      tx.put("things", "a", () => "new");
      tx.remove("things", "b", () => "gone");
      tx.put("things", "c", () => "new");
    });
    const then = store.view("things", 100).texts({});
    expect(then.map(({ name, json }) => [name, json])).toEqual([
      ["a", '{"n":"a"}'],
      ["b", '{"n":"b"}'],
    ]);
    expect(store.changes(100)?.map(({ type, revision }) => [type, revision])).toEqual([
      ["MODIFIED", 101],
      ["DELETED", 102],
      ["ADDED", 103],
    ]);
    expect(store.versions("things", "a", { limit: 10 }).map(({ revision, author }) => [revision, author])).toEqual([
      [101, ""],
      [7, ""],
    ]);
  });

  test("may be nothing: the home is at the revision all the same", () => {
    const database = nodeSql();
    importVersions(database, 100, []);
    const store = storeOn(database);
    expect([store.revision, store.reaches(99)]).toEqual([100, false]);
    expect(store.write((tx) => tx.put("things", "a", () => "{}")).revision).toBe(101);
  });

  test("is not there twice: neither an object nor a revision", () => {
    const database = nodeSql();
    importVersions(database, 100, [version("a", 7)]);
    expect(() => importVersions(database, 100, [version("a", 8)])).toThrow("UNIQUE");
    expect(() => importVersions(database, 100, [version("b", 7)])).toThrow("UNIQUE");
  });
});

describe("a database is untouched", () => {
  test("with nothing in it, and with tables alone", () => {
    const database = nodeSql();
    expect(isUntouched(database)).toBe(true);
    storeOn(database);
    expect(isUntouched(database)).toBe(true);
    expect(isUntouched(lazyTables(nodeSql()))).toBe(true);
  });

  test("but not with a row, whosever it is", () => {
    const database = nodeSql();
    database.exec("CREATE TABLE other (id INTEGER)");
    database.exec("INSERT INTO other VALUES (1)");
    expect(isUntouched(database)).toBe(false);
  });

  test("and not once something was written, or imported", () => {
    const written = nodeSql();
    storeOn(written).write((tx) => void tx.put("things", "a", () => "{}"));
    expect(isUntouched(written)).toBe(false);
    const imported = nodeSql();
    importVersions(imported, 5, []);
    expect(isUntouched(imported)).toBe(false);
  });
});
