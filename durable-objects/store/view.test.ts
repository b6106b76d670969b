import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nodeSql } from "../../test/support/node-sql.ts";
import type { SqlDatabase, SqlRow, SqlValue } from "./sql.ts";
import { Store } from "./store.ts";
import { ReadSize } from "./view.ts";

const text = (value: string) => (revision: number) => JSON.stringify({ revision, value });

function storeOn(database: SqlDatabase = nodeSql(), changesMax = 1_000_000) {
  let now = 0;
  const store = new Store({
    database,
    clock: { now: () => now, nextRevision: (last) => last + 1, timeOf: (revision) => revision },
    defer: () => {},
    retention: { ageMilliseconds: Number.MAX_SAFE_INTEGER, changesMax, step: 4 },
  });
  return {
    store,
    put: (name: string, value = name) => store.write((tx) => tx.put("r", name, text(value))).revision,
    remove: (name: string) => store.write((tx) => tx.remove("r", name, text(name))).revision,
    pass: (milliseconds: number) => {
      now += milliseconds;
    },
  };
}

const decoder = new TextDecoder();
const valuesOf = (pieces: Iterable<{ bytes: Uint8Array }>): string[] => {
  const joined = [...pieces].map(({ bytes }) => decoder.decode(bytes)).join("");
  return JSON.parse(`[${joined}]`).map(({ value }: { value: string }) => value);
};

/** As a Durable Object's SQLite: no value is larger than so many bytes. */
function limited(bytesMax: number): SqlDatabase & { refused: number } {
  const database = nodeSql();
  const it = {
    refused: 0,
    exec<Row extends SqlRow>(query: string, ...bindings: SqlValue[]): Iterable<Row> {
      const rows = [...database.exec<Row>(query, ...bindings)];
      for (const value of rows.flatMap((row) => Object.values(row))) {
        if (!(value instanceof Uint8Array) || value.byteLength <= bytesMax) continue;
        it.refused++;
        throw new Error("string or blob too big: SQLITE_TOOBIG");
      }
      return rows;
    },
    transaction: <T>(work: () => T) => database.transaction(work),
  };
  return it;
}

describe("a view", () => {
  test("shows what was there at its revision, while objects are changed, removed and made", () => {
    const { store, put, remove } = storeOn();
    for (const name of ["a", "b", "c", "e"]) put(name);
    const view = store.view("r", store.revision);
    put("b", "changed");
    remove("c");
    put("c", "made anew");
    put("d", "made since");
    remove("e");
    expect(view.texts({}).map(({ json }) => JSON.parse(json).value)).toEqual(["a", "b", "c", "e"]);
    expect(view.texts({ after: "a", limit: 2 }).map(({ name }) => name)).toEqual(["b", "c"]);
    expect([view.count(""), view.count("b"), view.count("e")]).toEqual([4, 2, 0]);
    expect(valuesOf(view.pieces({}))).toEqual(["a", "b", "c", "e"]);
    expect(valuesOf(view.pieces({ after: "b", limit: 1 }))).toEqual(["c"]);
  });

  test("shows no write of those that come one by one between its reads", () => {
    const { store, put } = storeOn();
    for (const name of ["a", "b", "c"]) put(name);
    const view = store.view("r", store.revision);
    for (const name of ["a", "b", "c"]) {
      put(name, "changed");
      expect(valuesOf(view.pieces({}))).toEqual(["a", "b", "c"]);
    }
  });

  test("of what nobody has written yet shows nothing", () => {
    const { store } = storeOn();
    const view = store.view("r", 5);
    expect([view.texts({}), [...view.pieces({})], [...view.pages({})], view.count("")]).toEqual([[], [], [], 0]);
  });

  test("reads in pieces of bounded size, whatever the objects' sizes", () => {
    const { store, put } = storeOn();
    const names = Array.from({ length: 700 }, (_, i) => `n${String(i).padStart(4, "0")}`);
    for (const [i, name] of names.entries()) put(name, name + "x".repeat(i % 100 === 99 ? 400_000 : 2_000));
    const view = store.view("r", store.revision);
    const pieces = [...view.pieces({})];
    expect(valuesOf(pieces).map((value) => value.slice(0, 5))).toEqual(names);
    expect(pieces.reduce((sum, { count }) => sum + count, 0)).toBe(700);
    // A quarter of what a Durable Object lets a value have, and what a surprise may add to it.
    expect(Math.max(...pieces.map(({ bytes }) => bytes.length))).toBeLessThan(2 << 20);
    const pages = [...view.pages({})];
    expect(pages.flat().map(({ name }) => name)).toEqual(names);
    expect(Math.max(...pages.map((page) => page.reduce((sum, { json }) => sum + json.length, 0)))).toBeLessThan(
      2 << 20,
    );
  });

  test("reads fewer at a time where SQLite refuses the value, and passes on what is refused of one alone", () => {
    const database = limited(10_000);
    const { store, put } = storeOn(database);
    for (let i = 0; i < 40; i++) put(`n${i}`, "x".repeat(1_000));
    expect(valuesOf(store.view("r", store.revision).pieces({}))).toHaveLength(40);
    expect(database.refused).toBeGreaterThan(0);
    put("huge", "x".repeat(20_000));
    expect(() => [...store.view("r", store.revision).pieces({})]).toThrow("SQLITE_TOOBIG");
  });

  test("throws once its revision is compacted, and never tells a short list for a whole one", () => {
    const { store, put } = storeOn(nodeSql(), 8);
    for (let i = 0; i < 300; i++) put(`n${String(i).padStart(3, "0")}`);
    const view = store.view("r", store.revision);
    const pieces = view.pieces({});
    expect(pieces.next().value?.count).toBeGreaterThan(0);
    for (let i = 0; i < 100; i++) put("n299", String(i));
    expect(store.reaches(view.revision)).toBe(false);
    expect(() => pieces.next()).toThrow("too old");
    expect(() => view.count("")).toThrow("too old");
  });

  test("is waited for by compaction while it is held, but not for ever", () => {
    const { store, put, pass } = storeOn(nodeSql(), 8);
    put("a", "first");
    const { revision } = store;
    const release = store.hold(revision);
    for (let i = 0; i < 100; i++) put("a", String(i));
    expect(store.reaches(revision)).toBe(true);
    release();
    for (let i = 0; i < 100; i++) put("a", String(i));
    expect(store.reaches(revision)).toBe(false);

    const forgotten = store.revision;
    store.hold(forgotten);
    for (let i = 0; i < 100; i++) put("a", String(i));
    expect(store.reaches(forgotten)).toBe(true);
    pass(60_000);
    for (let i = 0; i < 100; i++) put("a", String(i));
    expect(store.reaches(forgotten)).toBe(false);
  });

  test("of any kept revision, read bit by bit between random writes, is what a model says (model)", () => {
    const names = Array.from({ length: 12 }, (_, i) => `n${String(i).padStart(2, "0")}`);
    const step = fc.record({
      op: fc.constantFrom("put", "put", "put", "remove", "open", "read", "read"),
      name: fc.constantFrom(...names),
      pick: fc.nat(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const { store, put, remove } = storeOn(nodeSql(), 30);
        let model = new Map<string, string>();
        const past = [{ revision: 0, model }];
        const readers: { view: ReturnType<Store["view"]>; want: string[]; after: string; got: string[] }[] = [];
        for (const [i, { op, name, pick }] of steps.entries()) {
          if (op === "put" || (op === "remove" && model.has(name))) {
            const revision = op === "put" ? put(name, String(i)) : remove(name);
            model = new Map(model);
            if (op === "put") model.set(name, String(i));
            else model.delete(name);
            past.push({ revision, model });
          }
          if (op === "open") {
            const { revision, model: then } = past[pick % past.length]!;
            const want = [...then].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);
            readers.push({ view: store.view("r", revision), want, after: "", got: [] });
          }
          const reader = readers[pick % Math.max(readers.length, 1)];
          if (op !== "read" || !reader) continue;
          const { view } = reader;
          if (!store.reaches(view.revision)) {
            expect(() => view.texts({})).toThrow("too old");
            continue;
          }
          const limit = 1 + (pick % 4);
          const rest = reader.want.length - reader.got.length;
          expect(view.count(reader.after)).toBe(rest);
          expect(valuesOf(view.pieces({ after: reader.after }))).toEqual(reader.want.slice(reader.got.length));
          const page = view.texts({ after: reader.after, limit });
          expect(page).toHaveLength(Math.min(limit, rest));
          reader.got.push(...page.map(({ json }) => JSON.parse(json).value));
          reader.after = page.at(-1)?.name ?? reader.after;
          expect(reader.got).toEqual(reader.want.slice(0, reader.got.length));
        }
      }),
      { numRuns: 100 },
    );
  });
});

test("how much is read at a time follows the objects' size, down to one and within a bound", () => {
  const size = new ReadSize();
  for (let i = 0; i < 10; i++) size.took(size.rows, size.rows * 10);
  expect(size.rows).toBe(1024);
  size.took(size.rows, size.rows * 2048);
  expect(size.rows).toBe(256);
  size.took(size.rows, size.rows * (3 << 20));
  expect(size.rows).toBe(1);
  size.took(1, 100);
  expect(size.rows).toBe(2);
});
