import { describe, expect, test } from "vitest";
import type { Operation } from "./linearizability.ts";
import { type RecordedChange, RecordedHistory } from "./recorded-history.ts";

const change = (revision: number, type: RecordedChange["type"], key: string, value: string): RecordedChange => {
  const [namespace, name] = key.split("/") as [string, string];
  return { type, namespace, name, revision, value };
};
const write = (verb: "create" | "update", key: string, value: string, more: Partial<Operation> = {}): Operation => ({
  key,
  action: { verb, value },
  invoked: 1,
  responded: 2,
  ...more,
});
const ok = (revision?: number): Partial<Operation> => ({ outcome: { result: "ok", ...(revision && { revision }) } });
const LOST = { responded: Number.POSITIVE_INFINITY };

const CHANGES = [
  change(1, "ADDED", "a/x", "1"),
  change(2, "ADDED", "b/x", "1"),
  change(3, "MODIFIED", "a/x", "2"),
  change(4, "DELETED", "a/x", "2"),
  change(5, "ADDED", "a/x", "3"),
];
const WRITES: Operation[] = [
  write("create", "a/x", "1", ok(1)),
  write("create", "b/x", "1", ok(2)),
  write("update", "a/x", "2", LOST),
  { key: "a/x", action: { verb: "delete" }, invoked: 3, responded: 4, ...ok() },
  write("create", "a/x", "3", { invoked: 9, responded: 10, ...ok(5) }),
  write("update", "a/x", "4", { outcome: { result: "conflict" } }),
  write("update", "a/x", "5", LOST),
  { key: "a/x", action: { verb: "get" }, invoked: 5, responded: 6, outcome: { result: "absent" } },
];
const history = new RecordedHistory(CHANGES);
const item = (revision: number, key: string, value: string) => {
  const { type: _, ...rest } = change(revision, "ADDED", key, value);
  return rest;
};

test("a history that can have happened is not complained about, in whatever order it was heard", () => {
  expect(new RecordedHistory(CHANGES.toReversed()).complaints()).toEqual([]);
});

test("the state is that of a revision", () => {
  expect([...history.stateAt(3).values()]).toEqual([item(3, "a/x", "2"), item(2, "b/x", "1")]);
  expect([...history.stateAt(4, "a").values()]).toEqual([]);
});

describe("a history is complained about", () => {
  const cases: Record<string, [RecordedChange[], string]> = {
    "where two changes have one revision": [[...CHANGES, change(5, "ADDED", "b/y", "1")], "has the revision of"],
    "where an object is made twice": [[...CHANGES, change(6, "ADDED", "a/x", "4")], "follows ADDED a/x"],
    "where nothing is changed": [[...CHANGES, change(6, "MODIFIED", "b/y", "4")], "follows nothing"],
    "where nothing is deleted": [[...CHANGES, change(6, "DELETED", "b/y", "4")], "follows nothing"],
  };
  for (const [name, [changes, why]] of Object.entries(cases))
    test(name, () => expect(new RecordedHistory(changes).complaints()).toEqual([expect.stringContaining(why)]));
});

describe("writes", () => {
  test("that are in the history are not complained about, unanswered ones in it or not", () => {
    expect(history.complaintsAboutWrites(WRITES)).toEqual([]);
  });

  const cases: Record<string, [RecordedChange[], Operation[], string]> = {
    "an acknowledged one that is lost": [CHANGES.slice(0, 4), WRITES, "acknowledged, and not there"],
    "an acknowledged one that became another's": [
      CHANGES.with(4, change(5, "ADDED", "a/x", "1")),
      WRITES.filter(({ action }) => !("value" in action && action.value === "1")).concat(
        write("create", "a/x", "1"),
        write("create", "b/x", "1"),
      ),
      "acknowledged, and not there",
    ],
    "a version that nobody sent": [[...CHANGES, change(6, "MODIFIED", "a/x", "half")], WRITES, "nobody sent it"],
    "a refused one": [[...CHANGES, change(6, "MODIFIED", "a/x", "4")], WRITES, "was refused (conflict)"],
    "one that was written twice": [
      [...CHANGES, change(6, "MODIFIED", "a/x", "5"), change(7, "MODIFIED", "a/x", "5")],
      WRITES,
      "written twice",
    ],
    "an update that became a create": [[...CHANGES, change(6, "ADDED", "a/x", "5")], WRITES, "nobody sent it"],
    "a lost deletion": [CHANGES.filter(({ type }) => type !== "DELETED"), WRITES, "was deleted 0 times"],
    "one deletion that happened twice": [[...CHANGES, change(6, "DELETED", "a/x", "3")], WRITES, "was deleted 2 times"],
    "a deletion by nobody": [[...CHANGES, change(6, "DELETED", "b/x", "1")], WRITES, "nobody deleted it"],
  };
  for (const [name, [changes, writes, why]] of Object.entries(cases))
    test(`are complained about: ${name}`, () => {
      expect(new RecordedHistory(changes).complaintsAboutWrites(writes)).toContainEqual(expect.stringContaining(why));
    });

  test("of others are none of our business", () => {
    const others = [...CHANGES, change(6, "ADDED", "b/theirs", "1"), change(7, "DELETED", "b/theirs", "1")];
    expect(new RecordedHistory(others).complaintsAboutWrites(WRITES, (key) => key.endsWith("/x"))).toEqual([]);
  });
});

describe("a list", () => {
  const list = { revision: 3, items: [item(2, "b/x", "1"), item(3, "a/x", "2")], asked: { invoked: 7, responded: 8 } };

  test("that is the state at its revision is not complained about", () => {
    expect(history.complaintsAboutList(list, WRITES)).toEqual([]);
    expect(history.complaintsAboutList({ revision: 4, namespace: "a", items: [] })).toEqual([]);
  });

  const cases: Record<string, [Partial<typeof list> & { namespace?: string }, string]> = {
    "that lacks an object": [{ items: list.items.slice(1) }, "lacks b/x"],
    "that has an object twice": [{ items: [...list.items, list.items[0]!] }, "not nothing"],
    "that has a deleted object": [{ revision: 4 }, "not nothing"],
    "that has an old version": [{ items: [list.items[0]!, item(1, "a/x", "1")] }, 'not a/x "2" at 3'],
    "that has another namespace's object": [{ namespace: "a" }, "not nothing"],
    "that has what was asked for only after its end": [
      { revision: 5, items: [item(2, "b/x", "1"), item(5, "a/x", "3")] },
      "after it was answered",
    ],
    "that lacks what was acknowledged before it was asked for": [
      { revision: 1, items: [item(1, "a/x", "1")] },
      "before it was asked for",
    ],
  };
  for (const [name, [more, why]] of Object.entries(cases))
    test(`${name} is complained about`, () => {
      expect(history.complaintsAboutList({ ...list, ...more }, WRITES)).toContainEqual(expect.stringContaining(why));
    });
});

describe("a watch", () => {
  const watch = { from: 1, upTo: 5, changes: CHANGES.slice(1) };

  test("that told every change once and in order is not complained about", () => {
    expect(history.complaintsAboutWatch(watch)).toEqual([]);
    const ofA = CHANGES.filter(({ namespace }) => namespace === "a");
    expect(history.complaintsAboutWatch({ namespace: "a", from: 0, upTo: 4, changes: ofA })).toEqual([]);
  });

  const cases: Record<string, [Partial<typeof watch> & { namespace?: string }, string]> = {
    "that missed a change": [{ changes: watch.changes.toSpliced(1, 1) }, "change 2 is DELETED"],
    "that missed the last": [{ changes: watch.changes.slice(0, -1) }, "change 4 is missing"],
    "that told a change twice": [
      { changes: watch.changes.toSpliced(1, 0, watch.changes[0]!) },
      "change 2 is ADDED b/x",
    ],
    "that told two changes in another order": [
      { changes: watch.changes.with(0, CHANGES[2]!).with(1, CHANGES[1]!) },
      "change 1 is MODIFIED",
    ],
    "that told what it knew": [{ changes: CHANGES }, 'change 1 is ADDED a/x "1"'],
    "that told what never was": [{ changes: [...watch.changes, change(5, "MODIFIED", "a/x", "9")] }, "not the end"],
    "that told another type": [
      { changes: watch.changes.with(3, change(5, "MODIFIED", "a/x", "3")) },
      "change 4 is MODIFIED",
    ],
    "that told of another namespace": [{ namespace: "a" }, "change 1 is ADDED b/x"],
  };
  for (const [name, [more, why]] of Object.entries(cases))
    test(`${name} is complained about`, () => {
      expect(history.complaintsAboutWatch({ ...watch, ...more })).toEqual([expect.stringContaining(why)]);
    });
});
