import { expect, test } from "vitest";
import { lastRevisionAt, nextRevision, revisionAt, SLOTS, timeOfRevision } from "./revision.ts";

const NOON = Date.UTC(2026, 10, 22, 12);

test("a revision tells its time and its slot", () => {
  const revision = nextRevision(0, NOON, 7);
  expect(revision % SLOTS).toBe(7);
  expect(timeOfRevision(revision)).toBe(NOON);
  expect(Number.isSafeInteger(revision)).toBe(true);
});

test("revisions rise within one millisecond, and where the wall clock jumps back", () => {
  const first = nextRevision(0, NOON, 7);
  const second = nextRevision(first, NOON, 7);
  const third = nextRevision(second, NOON - 3_600_000, 7);
  expect(second).toBeGreaterThan(first);
  expect(third).toBeGreaterThan(second);
});

test("revisions stay integers beyond the year 2090", () => {
  expect(Number.isSafeInteger(revisionAt(Date.UTC(2090, 0, 1)) + SLOTS)).toBe(true);
});

test("the last revision at a time has all of its quarter millisecond before it, and nothing of the next", () => {
  const first = nextRevision(0, NOON, 7);
  const second = nextRevision(first, NOON, SLOTS - 1);
  expect(lastRevisionAt(NOON)).toBeGreaterThan(first);
  expect(lastRevisionAt(NOON)).toBeLessThan(second);
  expect(lastRevisionAt(NOON + 0.25)).toBe(second);
  expect(lastRevisionAt(timeOfRevision(second))).toBe(second);
});

test("before the first tick there is one revision", () => {
  expect(lastRevisionAt(0)).toBe(SLOTS - 1);
});
