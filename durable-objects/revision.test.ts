import { expect, test } from "vitest";
import { nextRevision, revisionAt, SLOTS, slotOf, timeOfRevision } from "./revision.ts";

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

test("a home's slot is stable and within bounds", () => {
  expect(slotOf("default/kube-system")).toBe(slotOf("default/kube-system"));
  expect(slotOf("default/kube-system")).toBeLessThan(SLOTS);
  expect(slotOf("")).toBeGreaterThanOrEqual(0);
});
