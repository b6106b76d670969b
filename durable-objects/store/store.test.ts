import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nodeSql } from "../../test/support/node-sql.ts";
import type { Retention } from "./compaction.ts";
import { Store } from "./store.ts";

const text = (value: string) => (revision: number) =>
  JSON.stringify({ metadata: { resourceVersion: String(revision) }, value });

function storeOn(database = nodeSql(), options: { retention?: Retention; now?: () => number } = {}) {
  const deferred: (() => void)[] = [];
  const store = new Store({
    database,
    clock: { now: options.now ?? (() => 0), nextRevision: (last) => last + 1, timeOf: (revision) => revision },
    defer: (work) => deferred.push(work),
    ...(options.retention && { retention: options.retention }),
  });
  return { store, database, runDeferred: () => deferred.splice(0).forEach((work) => void work()) };
}

const valueIn = (json: string | undefined) => (json === undefined ? undefined : JSON.parse(json).value);

describe("a transaction", () => {
  test("sees its own writes, and carries the revision in the text", () => {
    const { store } = storeOn();
    store.write((tx) => {
      tx.put("configmaps", "a", text("one"));
      expect(tx.get("configmaps", "a")?.json).toBe('{"metadata":{"resourceVersion":"1"},"value":"one"}');
      expect(tx.revision).toBe(1);
    });
    expect(store.revision).toBe(1);
  });

  test("that throws leaves nothing behind and tells nobody", () => {
    const { store } = storeOn();
    const heard: unknown[] = [];
    store.onCommit((changes) => heard.push(...changes));
    store.write((tx) => tx.put("configmaps", "kept", text("before")));
    expect(() =>
      store.write((tx) => {
        tx.put("configmaps", "kept", text("after"));
        tx.put("configmaps", "new", text("after"));
        throw new Error("no");
      }),
    ).toThrow("no");
    expect(store.read((tx) => tx.list("configmaps").map((stored) => valueIn(stored.json)))).toEqual(["before"]);
    expect(heard).toHaveLength(1);
    expect(store.revision).toBe(1);
  });

  test("creates what is not there, and nothing where it is, known to the cache or not", () => {
    const { store, database } = storeOn();
    expect(store.write((tx) => tx.create("pods", "a", text("first"))?.revision)).toBe(1);
    expect(store.write((tx) => tx.create("pods", "a", text("second")))).toBeUndefined();
    const { store: later } = storeOn(database);
    later.write((tx) => {
      expect(tx.create("pods", "a", text("third"))).toBeUndefined();
      expect(tx.create("pods", "b", text("other"))?.revision).toBe(2);
    });
    expect(later.read((tx) => tx.list("pods").map(({ json }) => valueIn(json)))).toEqual(["first", "other"]);
    expect(later.changes(0)).toHaveLength(2);
  });

  test("tells why it could not create for another reason than that the object is there", () => {
    const { store, database } = storeOn();
    database.exec("DROP TABLE objects");
    expect(() => store.write((tx) => tx.create("pods", "a", text("one")))).toThrow("no such table");
  });

  test("may not await", () => {
    const { store } = storeOn();
    // @ts-expect-error a promise is not synchronous
    store.write(async (tx) => tx.revision);
  });

  test("only reads where it was begun to read", () => {
    const { store } = storeOn();
    // @ts-expect-error the type forbids it as well
    expect(() => store.read((tx) => tx.put("configmaps", "a", text("x")))).toThrow("a write in a read transaction");
  });

  test("does not begin inside another", () => {
    const { store } = storeOn();
    expect(() => store.write(() => store.write(() => 1))).toThrow("a write inside a write");
  });
});

describe("the queue", () => {
  test("commits work that arrives together in one transaction, and undoes the part that fails alone", async () => {
    const { store, runDeferred } = storeOn();
    const commits: number[] = [];
    store.onCommit((changes) => commits.push(changes.length));
    store.write((tx) => tx.put("pods", "old", text("old")));
    const good = store.enqueue((tx) => tx.put("pods", "a", text("a")).revision);
    const bad = store.enqueue((tx) => {
      tx.put("pods", "b", text("b"));
      tx.remove("pods", "old", text("old"));
      tx.put("pods", "a", text("changed"));
      throw new Error("refused");
    });
    const late = store.enqueue((tx) => tx.list("pods").map(({ name, json }) => [name, valueIn(json)]));
    runDeferred();
    await expect(bad).rejects.toThrow("refused");
    expect(await good).toBe(2);
    expect(await late).toEqual([
      ["a", "a"],
      ["old", "old"],
    ]);
    expect(commits).toEqual([1, 1]);
    expect(store.changes(0)?.map(({ type, stored }) => [type, stored.name])).toEqual([
      ["ADDED", "old"],
      ["ADDED", "a"],
    ]);
  });

  test("refuses work beyond its bound", async () => {
    const { store } = storeOn();
    const queued = Array.from({ length: 4096 }, () => store.enqueue(() => 1));
    expect(queued).toHaveLength(4096);
    await expect(store.enqueue(() => 1)).rejects.toMatchObject({ reason: "TooManyRequests" });
  });
});

describe("compaction", () => {
  const retention: Retention = { ageMilliseconds: 1_000_000, changesMax: 20, step: 8 };

  test("bounds history, answers no read from before its mark, and keeps within three rows written a change", () => {
    const { store, database } = storeOn(nodeSql(), { retention });
    const changes = 400;
    for (let i = 0; i < changes; i++) store.write((tx) => tx.put("leases", `n${i % 3}`, text(String(i))));
    expect(database.rowsWritten()).toBeLessThanOrEqual(3 * changes);
    const [{ n } = { n: 0 }] = database.exec<{ n: number }>("SELECT COUNT(*) AS n FROM history");
    expect(n).toBeLessThan(120);
    expect(store.compacted).toBeGreaterThan(300);
    expect(store.changes(store.compacted - 1)).toBeUndefined();
    expect(store.changes(store.compacted)).toHaveLength(changes - store.compacted);
    expect(() => store.getAt("leases", "n0", store.compacted - 1)).toThrow("too old");
    expect(valueIn(store.getAt("leases", "n0", store.compacted)?.json)).toBeDefined();
  });

  test("goes by age where changes are few", () => {
    let now = 0;
    const { store } = storeOn(nodeSql(), { retention: { ...retention, ageMilliseconds: 1000 }, now: () => now });
    for (let i = 0; i < 10; i++) store.write((tx) => tx.put("leases", "n", text(String(i))));
    expect(store.compacted).toBe(0);
    now = 5000;
    store.write((tx) => tx.put("leases", "n", text("late")));
    expect(store.compacted).toBe(8);
  });

  test("leaves an emptied home its newest revision, so that a restart does not go back", () => {
    const database = nodeSql();
    const { store } = storeOn(database, { retention: { ageMilliseconds: 0, changesMax: 0, step: 2 } });
    for (let i = 0; i < 9; i++) {
      store.write((tx) => tx.put("pods", "p", text("x")));
      store.write((tx) => tx.remove("pods", "p", text("x")));
    }
    const again = storeOn(database);
    expect(again.store.revision).toBe(18);
    expect(again.store.compacted).toBeGreaterThan(10);
  });
});

describe("history", () => {
  test("remembers who wrote, each part of a commit its own, and nobody for what names none", async () => {
    const { store, runDeferred } = storeOn();
    const as = (author: string, name: string, fails = false) =>
      store.enqueue((tx) => {
        tx.author = author;
        tx.put("pods", name, text(name));
        if (fails) throw new Error("refused");
      });
    const written = [as("anna", "a"), as("ben", "b", true), store.enqueue((tx) => void tx.put("pods", "c", text("c")))];
    runDeferred();
    await Promise.allSettled(written);
    store.write((tx) => {
      tx.author = "carl";
      tx.put("pods", "d", text("d"));
      expect(() =>
        tx.attempt(() => {
          tx.author = "dora";
          throw new Error("refused");
        }),
      ).toThrow("refused");
      tx.put("pods", "e", text("e"));
    });
    const authors = ["a", "b", "c", "d", "e"].map((name) => store.versions("pods", name, { limit: 9 })[0]?.author);
    expect(authors).toEqual(["anna", undefined, "", "carl", "carl"]);
  });

  test("tells an object's versions newest first, page by page, over its removal and its coming back", () => {
    const { store } = storeOn();
    const put = (value: string) => store.write((tx) => tx.put("pods", "p", text(value)));
    put("one");
    put("two");
    store.write((tx) => tx.put("pods", "other", text("x")));
    store.write((tx) => tx.remove("pods", "p", text("gone")));
    put("back");
    const told = (limit: number, before?: number) =>
      store
        .versions("pods", "p", { limit, ...(before !== undefined && { before }) })
        .map(({ revision, type, json, previousRevision }) => [revision, type, valueIn(json), previousRevision]);
    const all = [
      [5, "ADDED", "back", 0],
      [4, "DELETED", "gone", 2],
      [2, "MODIFIED", "two", 1],
      [1, "ADDED", "one", 0],
    ];
    expect(told(9)).toEqual(all);
    expect(told(2)).toEqual(all.slice(0, 2));
    for (const [i, [before]] of all.entries()) expect(told(9, before as number)).toEqual(all.slice(i + 1));
    store.write((tx) => tx.remove("pods", "p", text("gone again")));
    expect(told(1)).toEqual([[6, "DELETED", "gone again", 5]]);
    expect(store.versions("pods", "never", { limit: 9 })).toEqual([]);
  });

  test("tells no change after the revision that was asked for, from memory as from the database", () => {
    const database = nodeSql();
    const { store } = storeOn(database);
    for (let i = 0; i < 9; i++) store.write((tx) => tx.put(i % 2 ? "a" : "b", "n", text(String(i))));
    for (const each of [store, storeOn(database).store]) {
      const revisions = (upTo: number, limit?: number) =>
        each.changes(2, { upTo, resources: ["a"], ...(limit && { limit }) })?.map(({ revision }) => revision);
      expect(revisions(7)).toEqual([4, 6]);
      expect(revisions(6)).toEqual([4, 6]);
      expect(revisions(2)).toEqual([]);
      expect(revisions(9, 1)).toEqual([4]);
    }
  });

  test("that was begun before it had authors gets them, once", () => {
    const database = nodeSql();
    database.exec(`CREATE TABLE history (revision INTEGER PRIMARY KEY, resource TEXT NOT NULL, name TEXT NOT NULL,
      json TEXT NOT NULL, previous INTEGER NOT NULL, deleted INTEGER NOT NULL)`);
    database.exec(
      "CREATE TABLE objects (resource TEXT NOT NULL, name TEXT NOT NULL, revision INTEGER NOT NULL, PRIMARY KEY (resource, name)) WITHOUT ROWID",
    );
    database.exec("INSERT INTO history VALUES (7, 'pods', 'old', '{\"value\":\"old\"}', 0, 0)");
    database.exec("INSERT INTO objects VALUES ('pods', 'old', 7)");
    for (let i = 0; i < 2; i++) {
      const { store } = storeOn(database);
      store.write((tx) => {
        tx.author = "anna";
        tx.put("pods", "old", text(String(i)));
      });
    }
    const { store } = storeOn(database);
    expect(store.versions("pods", "old", { limit: 9 }).map(({ revision, author }) => [revision, author])).toEqual([
      [9, "anna"],
      [8, "anna"],
      [7, ""],
    ]);
  });
});

test("at most three rows are written for a change over thousands of mixed writes, failed parts apart, and history stays bounded", () => {
  const database = nodeSql();
  const retention: Retention = { ageMilliseconds: 1_000_000, changesMax: 500, step: 64 };
  let { store } = storeOn(database, { retention });
  let random = 7;
  const next = (below: number): number => {
    random = (random * 48271) % 2147483647;
    return random % below;
  };
  let changes = 0;
  let largest = 0;
  for (let i = 0; i < 4_000; i++) {
    if (i % 1_000 === 999) ({ store } = storeOn(database, { retention }));
    store.write((tx) => {
      for (let j = next(3); j >= 0; j--) {
        const name = `n${next(40)}`;
        if (next(3) === 0 && tx.get("leases", name)) tx.remove("leases", name, text("x"));
        else tx.put("leases", name, text("x"));
        changes++;
      }
    });
    if (i % 50) continue;
    const [{ n } = { n: 0 }] = database.exec<{ n: number }>("SELECT COUNT(*) AS n FROM history");
    largest = Math.max(largest, n);
  }
  // No table has an index beside its key (`objects` is WITHOUT ROWID): a row changed is a row written.
  expect([...database.exec("SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")]).toEqual([]);
  expect(changes).toBeGreaterThan(7_000);
  expect(database.rowsWritten()).toBeLessThanOrEqual(3 * changes);
  expect(largest).toBeLessThan(500 + 40 + 64 * 4);
});

test("a version stays readable for as long as its revision is not compacted, whatever happens after it (model)", () => {
  type Step = { name: string; op: "put" | "remove" | "fail" | "restart" };
  const step: fc.Arbitrary<Step> = fc.record({
    name: fc.constantFrom("a", "b", "c", "d"),
    op: fc.constantFrom("put", "put", "put", "remove", "fail", "restart"),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const database = nodeSql();
      const retention: Retention = { ageMilliseconds: 1_000_000, changesMax: 10, step: 4 };
      let { store } = storeOn(database, { retention });
      let model = new Map<string, string>();
      const past: { revision: number; objects: Map<string, string> }[] = [{ revision: 0, objects: model }];
      const log: { revision: number; type: string; name: string; previous: string | undefined }[] = [];
      steps.forEach(({ name, op }, i) => {
        if (op === "restart") ({ store } = storeOn(database, { retention }));
        if (op === "fail") {
          store.write((tx) => {
            expect(() =>
              tx.attempt(() => {
                tx.put("r", name, text("never"));
                if (tx.get("r", "a")) tx.remove("r", "a", text("never"));
                throw new Error("undo");
              }),
            ).toThrow("undo");
          });
        }
        if (op === "put" || (op === "remove" && model.has(name))) {
          const value = String(i);
          const previous = model.get(name);
          const { revision } = store.write((tx) =>
            op === "put" ? tx.put("r", name, text(value)) : tx.remove("r", name, text(value)),
          );
          model = new Map(model);
          if (op === "put") model.set(name, value);
          else model.delete(name);
          past.push({ revision, objects: model });
          log.push({
            revision,
            type: op === "remove" ? "DELETED" : previous === undefined ? "ADDED" : "MODIFIED",
            name,
            previous,
          });
        }
        const now = store.read((tx) => tx.texts("r").map((row) => [row.name, valueIn(row.json)]));
        expect(now).toEqual([...model].sort(([a], [b]) => (a < b ? -1 : 1)));
      });
      for (const { revision, objects } of past) {
        if (!store.reaches(revision)) continue;
        const sorted = [...objects].sort(([a], [b]) => (a < b ? -1 : 1));
        const view = store.view("r", revision);
        expect(view.texts({}).map((row) => [row.name, valueIn(row.json)])).toEqual(sorted);
        const page = view.texts({ after: "a", limit: 1 });
        const rest = sorted.filter(([name]) => name > "a");
        expect(page.map((row) => row.name)).toEqual(rest.slice(0, 1).map(([name]) => name));
        expect(view.count("a")).toBe(rest.length);
        for (const name of ["a", "b", "c", "d"]) {
          expect(valueIn(store.getAt("r", name, revision)?.json)).toBe(objects.get(name));
        }
        expect(
          store.changes(revision)?.map((change) => ({
            revision: change.revision,
            type: change.type,
            name: change.stored.name,
            previous: valueIn(change.previous?.json),
          })),
        ).toEqual(log.filter((entry) => entry.revision > revision));
      }
    }),
    { numRuns: 60 },
  );
});
