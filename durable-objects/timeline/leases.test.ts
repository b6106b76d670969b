import { expect, test } from "vitest";
import { nodeSql } from "../../test/support/node-sql.ts";
import { revisionAt, SLOTS } from "../revision.ts";
import { Leases } from "./leases.ts";
import { TimelineRecords } from "./timeline-records.ts";

const START = Date.UTC(2026, 0, 1);

function world() {
  const database = nodeSql();
  let now = START;
  return {
    database,
    make: () => new Leases(new TimelineRecords(database), () => now),
    pass: (milliseconds: number) => {
      now += milliseconds;
    },
  };
}

test("a lease's floor is at or above everything announced and told", () => {
  const leases = world().make();
  leases.announce(1_000);
  expect(leases.lend("a", 0).floor).toBeGreaterThan(1_000);
  expect(leases.lend("b", 5_000_000).floor).toBeGreaterThan(5_000_000);
  expect(leases.announced).toBeGreaterThan(5_000_000);
});

test("what was announced is below what the next instance begins with, however it ended", () => {
  const { make } = world();
  const first = make();
  const revision = revisionAt(START);
  for (let i = 0; i < 50; i++) {
    first.announce(revision + i * 1_000_000);
    expect(make().announced).toBeGreaterThanOrEqual(first.announced);
  }
});

test("announcing costs a row in seconds, not one each time", () => {
  const { database, make } = world();
  const leases = make();
  leases.announce(revisionAt(START));
  const before = database.rowsWritten();
  for (let millisecond = 0; millisecond < 1_000; millisecond++) leases.announce(revisionAt(START + millisecond));
  expect(database.rowsWritten()).toBe(before);
});

test("what is no revision is not announced", () => {
  const leases = world().make();
  expect(() => leases.announce(Number.POSITIVE_INFINITY)).toThrow("is no revision");
  expect(() => leases.announce(2 ** 53)).toThrow("is no revision");
});

test("a lease number is never used twice, not by the next instance either", () => {
  const { make } = world();
  const numbers = new Set<number>();
  for (let instance = 0; instance < 20; instance++) {
    const leases = make();
    for (const home of ["a", "a", "b"]) numbers.add(leases.lend(home, 0).number);
    leases.end("b", 0);
  }
  expect(numbers.size).toBe(60);
  expect(Math.min(...numbers)).toBeGreaterThan(0);
});

test("leases outlive the instance; what has ended does not", () => {
  const { make } = world();
  const first = make();
  const a = first.lend("a", 0);
  first.lend("b", 0);
  first.end("b", 10);
  const next = make();
  expect(next.homes).toEqual(["a"]);
  expect(next.get("a")).toMatchObject({ slot: a.slot, number: a.number });
});

test("no two open homes have one slot; a home that opens again keeps its own", () => {
  const leases = world().make();
  const slots = new Map<string, number>();
  for (let i = 0; i < SLOTS; i++) slots.set(`home-${i}`, leases.lend(`home-${i}`, 0).slot);
  expect(new Set(slots.values()).size).toBe(SLOTS);
  expect(leases.hasFreeSlot).toBe(false);
  expect(leases.lend("home-7", 0).slot).toBe(slots.get("home-7"));
  expect(() => leases.lend("one too many", 0)).toThrow("all slots are lent");
  leases.end("home-3", 99_000_000_000_000);
  const next = leases.lend("one more", 0);
  expect(next.slot).toBe(slots.get("home-3"));
  expect(next.floor).toBeGreaterThan(99_000_000_000_000);
});

test("a home that is not open cannot end", () => {
  const leases = world().make();
  leases.end("a", 1_000);
  expect(leases.announced).toBe(0);
});

test("silent homes are found, also after the clock was set back", () => {
  const { make, pass } = world();
  const leases = make();
  leases.lend("a", 0);
  pass(1_000);
  leases.lend("b", 0);
  expect(leases.leastHeard).toBe("a");
  pass(14_500);
  expect(leases.silentFor(15_000)).toEqual(["a"]);
  leases.hear("a");
  expect(leases.silentFor(15_000)).toEqual([]);
  expect(leases.leastHeard).toBe("b");
  pass(-3_600_000);
  expect(leases.silentFor(15_000)).toEqual(["a", "b"]);
});

test("who may have changed since is known from when the instance began", () => {
  const { make } = world();
  make().announce(1_000);
  const leases = make();
  const begun = leases.announced;
  expect(leases.changedSince(begun - 1)).toBeUndefined();
  expect(leases.changedSince(begun)).toEqual([]);
  leases.lend("a", 0);
  leases.lend("b", 0);
  const last = leases.announced + 10;
  leases.end("a", last);
  expect(leases.changedSince(begun)).toEqual(["b", "a"]);
  expect(leases.changedSince(last)).toEqual(["b"]);
});

test("only so many homes that closed are remembered; of what is older nothing is said", () => {
  const leases = world().make();
  for (let i = 0; i < 4_097; i++) {
    leases.lend(`home-${i}`, 0);
    leases.end(`home-${i}`, leases.announced);
  }
  expect(leases.changedSince(0)).toBeUndefined();
  expect(leases.changedSince(leases.announced)).toEqual([]);
});
