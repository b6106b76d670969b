import { expect, test } from "vitest";
import { changesAfter, RecentChanges } from "./recent-changes.ts";
import { type Change, Stored } from "./stored.ts";

const change = (revision: number, chars = 2): Change => ({
  type: "ADDED",
  revision,
  stored: new Stored("configmaps", `c${revision}`, revision, "x".repeat(chars)),
  previous: undefined,
});

const revisions = (changes: readonly Change[] | undefined) => changes?.map(({ revision }) => revision);

test("what came after a revision is told in order", () => {
  const recent = new RecentChanges(10);
  recent.add([change(11), change(12)]);
  recent.add([change(15)]);
  expect(revisions(recent.after(10))).toEqual([11, 12, 15]);
  expect(revisions(recent.after(12))).toEqual([15]);
  expect(revisions(recent.after(15))).toEqual([]);
});

test("what was before is not known here", () => {
  expect(new RecentChanges(10).after(9)).toBeUndefined();
  expect(new RecentChanges(10).after(10)).toEqual([]);
});

test("the oldest are forgotten when there are many, or when they are large", () => {
  const many = new RecentChanges(0);
  many.add(Array.from({ length: 600 }, (_, index) => change(index + 1)));
  expect(many.after(87)).toBeUndefined();
  expect(many.after(88)).toHaveLength(512);
  const large = new RecentChanges(0);
  large.add([change(1, 600_000), change(2, 600_000)]);
  expect(large.after(0)).toBeUndefined();
  expect(revisions(large.after(1))).toEqual([2]);
});

test("a revision between two changes has the later one after it", () => {
  expect(revisions(changesAfter([change(1), change(5)], 3))).toEqual([5]);
});
