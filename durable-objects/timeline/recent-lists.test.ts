import { expect, test } from "vitest";
import { revisionAt } from "../revision.ts";
import { RecentLists } from "./recent-lists.ts";

const NOW = Date.UTC(2026, 0, 1);
const second = revisionAt(Date.UTC(2025, 0, 1) + 1000);

test("a watch from a list starts where each of its homes was read", () => {
  const lists = new RecentLists(() => NOW);
  const revision = lists.add(lists.safeRevision(), new Map([["a", 5]]));
  expect(lists.startOf(revision)("a")).toBe(5);
});

test("no two lists have one revision, so that none is taken for another", () => {
  const lists = new RecentLists(() => NOW);
  const revisions = [1, 2, 3].map((at) => lists.add(lists.safeRevision(), new Map([["a", at]])));
  expect(revisions.map((revision) => lists.startOf(revision)("a"))).toEqual([1, 2, 3]);
  expect(revisions.toSorted((a, b) => a - b)).toEqual(revisions);
});

test("a watch from elsewhere, or of a namespace the list did not have, starts earlier, so that it misses nothing", () => {
  const lists = new RecentLists(() => NOW);
  const revision = lists.add(lists.safeRevision(), new Map([["a", 5]]));
  expect(lists.startOf(revision)("new")).toBe(revision - second);
  expect(lists.startOf(revision + 7)("a")).toBe(revision + 7 - second);
  expect(lists.startOf(3)("a")).toBe(0);
});

test("only so many lists are remembered", () => {
  const lists = new RecentLists(() => NOW);
  const first = lists.add(lists.safeRevision(), new Map([["a", 5]]));
  for (let i = 0; i < 256; i++) lists.add(lists.safeRevision(), new Map());
  expect(lists.startOf(first)("a")).toBe(first - second);
});
