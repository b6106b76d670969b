import { describe, expect, test } from "vitest";
import { nodeSql } from "../../test/support/node-sql.ts";
import type { FeedEvent } from "../protocol.ts";
import { revisionAt } from "../revision.ts";
import { Frontier } from "./frontier.ts";
import { Interests } from "./interests.ts";
import { Leases } from "./leases.ts";
import { TimelineRecords } from "./timeline-records.ts";

const START = Date.UTC(2026, 0, 1);
const LATER = revisionAt(START) + 1_000_000;

/** A frontier over homes whose words the test puts into their mouths. */
function world({ leases: survivors = [] as string[] } = {}) {
  let now = START;
  const timers: { at: number; work(): void }[] = [];
  const records = new TimelineRecords(nodeSql());
  for (const [slot, home] of survivors.entries()) records.saveLease({ home, slot, number: slot + 1 });
  const leases = new Leases(records, () => now);
  const told = new Map<string, number | undefined>();
  const reading = new Set<string>();
  const interests = new Interests(() => Math.max(0, ...[...told.values()].map((revision) => revision ?? 0)));
  const asked: { home: string; atLeast: number; answer(counts: boolean | Error): Promise<void> }[] = [];
  const passed: number[] = [];
  const overrun: number[] = [];
  for (const home of survivors) {
    told.set(home, undefined);
    interests.survived(home);
  }
  const frontier: Frontier = new Frontier({
    leases,
    feeds: {
      get least() {
        return Math.min(...[...told.values()].map((revision) => revision ?? 0));
      },
      get hasUnknown() {
        return [...told.values()].includes(undefined);
      },
      told: (home) => told.get(home),
      isBehind: (home) => reading.has(home),
    },
    interests,
    now: () => now,
    later: (milliseconds, work) => {
      const timer = { at: now + milliseconds, work };
      timers.push(timer);
      return () => void timers.splice(timers.indexOf(timer), timers.includes(timer) ? 1 : 0);
    },
    ask: (home, atLeast) =>
      new Promise((resolve, reject) => {
        const answer = async (counts: boolean | Error): Promise<void> => {
          if (typeof counts === "boolean") resolve(counts);
          else reject(counts);
          await new Promise((done) => setImmediate(done));
        };
        asked.push({ home, atLeast, answer });
      }),
    passed: (events) => passed.push(...events.map(({ revision }) => revision)),
    overrun: (upTo) => overrun.push(upTo),
  });
  const open = (home: string, revision: number): void => {
    leases.lend(home, revision);
    told.set(home, revision);
    interests.opened(home);
  };
  const tell = (home: string, upTo: number, ...revisions: number[]): void => {
    told.set(home, upTo);
    if (revisions.length > 0) frontier.hold(revisions.map((revision) => eventOf(revision)));
    frontier.advance();
  };
  const pass = async (milliseconds: number): Promise<void> => {
    const until = now + milliseconds;
    for (;;) {
      const next = timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      timers.splice(timers.indexOf(next), 1);
      now = Math.max(now, next.at);
      next.work();
      await new Promise((done) => setImmediate(done));
    }
    now = until;
  };
  const jump = (milliseconds: number): void => {
    now += milliseconds;
  };
  return { frontier, leases, interests, told, reading, asked, passed, overrun, timers, open, tell, pass, jump };
}

const eventOf = (revision: number, chars = 0): FeedEvent => ({
  type: "MODIFIED",
  revision,
  resource: "pods",
  name: "x",
  json: "x".repeat(chars),
});

/** Whether it has resolved by now. */
async function isDone(promise: Promise<void>): Promise<boolean> {
  return await Promise.race([
    promise.then(() => true),
    new Promise<boolean>((done) => setImmediate(() => done(false))),
  ]);
}

describe("the frontier", () => {
  test("lets events pass in the order of their revisions, once no home can come before them", () => {
    const { open, tell, passed, frontier } = world();
    open("a", LATER);
    open("b", LATER);
    tell("a", LATER + 300, LATER + 100, LATER + 300);
    expect(passed).toEqual([]);
    tell("b", LATER + 200, LATER + 200);
    expect(passed).toEqual([LATER + 100, LATER + 200]);
    expect(frontier.revision).toBe(LATER + 200);
    tell("b", LATER + 400);
    expect(passed).toEqual([LATER + 100, LATER + 200, LATER + 300]);
  });

  test("announces what it lets pass, so that no home opens below it", () => {
    const { open, tell, leases } = world();
    open("a", LATER);
    tell("a", LATER + 5_000_000, LATER + 5_000_000);
    expect(leases.announced).toBeGreaterThanOrEqual(LATER + 5_000_000);
  });

  test("asks a silent home, and waits for it alone", async () => {
    const { open, tell, asked, passed, pass } = world();
    open("a", LATER);
    open("b", LATER);
    tell("a", LATER + 100, LATER + 100);
    await pass(0);
    expect(asked).toMatchObject([{ home: "b" }]);
    expect(asked[0]!.atLeast).toBeGreaterThanOrEqual(LATER + 100);
    expect(passed).toEqual([]);
    tell("b", LATER + 100);
    expect(passed).toEqual([LATER + 100]);
  });

  test("asks nobody where nobody waits", async () => {
    const { open, tell, asked, timers, pass } = world();
    open("a", LATER);
    open("b", LATER);
    tell("a", LATER + 100);
    await pass(60_000);
    expect(asked).toEqual([]);
    expect(timers).toEqual([]);
  });

  test("asks a home once at a time, and again with longer and longer delays where it does not answer", async () => {
    const { open, frontier, asked, pass } = world();
    open("a", LATER);
    void frontier.reach(LATER + 100);
    await pass(10_000);
    expect(asked).toHaveLength(1);
    await asked[0]!.answer(new Error("no answer"));
    await pass(100);
    expect(asked).toHaveLength(2);
    let delay = 0;
    for (let i = 1; i < 12; i++) {
      await asked[i]!.answer(false);
      delay = 0;
      for (; asked.length === i + 1; delay += 10) await pass(10);
    }
    expect(delay).toBeGreaterThanOrEqual(4_990);
    expect(delay).toBeLessThanOrEqual(5_020);
  });

  test("is not stopped by a clock that is set back", async () => {
    const { open, frontier, asked, pass, jump } = world();
    open("a", LATER);
    void frontier.reach(LATER + 100);
    await pass(0);
    jump(-3_600_000);
    await asked[0]!.answer(false);
    await pass(6_000);
    expect(asked).toHaveLength(2);
  });

  test("does not ask a home that is being read: the reading tells what is needed", async () => {
    const { open, frontier, asked, reading, pass } = world();
    open("a", LATER);
    reading.add("a");
    void frontier.reach(LATER + 100);
    await pass(1_000);
    expect(asked).toEqual([]);
  });

  test("is where it is wanted at once where no home is open", async () => {
    const { frontier, leases } = world();
    await frontier.reach(LATER);
    expect(frontier.revision).toBe(LATER);
    expect(leases.announced).toBe(LATER);
  });

  test("of a home whose clock is far ahead waits for the others to promise as much", async () => {
    const { open, tell, asked, passed, pass } = world();
    const ahead = LATER + revisionAt(START) / 10;
    open("a", LATER);
    open("b", LATER);
    tell("a", ahead, ahead);
    await pass(0);
    expect(asked).toMatchObject([{ home: "b", atLeast: ahead }]);
    tell("b", ahead);
    expect(passed).toEqual([ahead]);
  });

  test("counts nothing as passed of an earlier instance whose homes are still open", async () => {
    const { frontier, leases, asked, told, pass } = world({ leases: ["a"] });
    leases.announce(LATER);
    expect(frontier.revision).toBe(0);
    frontier.advance();
    await pass(0);
    expect(asked).toMatchObject([{ home: "a" }]);
    told.set("a", LATER - 500);
    const reached = frontier.reach(LATER - 500);
    expect(await isDone(reached)).toBe(true);
    expect(frontier.revision).toBe(LATER - 500);
  });

  test("drops what waits too long to be kept, and says up to where", () => {
    const { open, frontier, overrun, tell, passed } = world();
    open("a", LATER);
    open("b", LATER);
    for (let i = 1; i <= 17; i++) frontier.hold([eventOf(LATER + i, 1 << 20)]);
    expect(overrun).toEqual([LATER + 17]);
    tell("b", LATER + 100);
    tell("a", LATER + 100, LATER + 50);
    expect(passed).toEqual([LATER + 50]);
  });

  test("has homes learn what is of interest, and resolves when all have", async () => {
    const { open, frontier, interests, asked, pass } = world();
    open("a", LATER);
    interests.watch("secrets");
    open("b", LATER);
    const learned = frontier.learn();
    await pass(0);
    expect(asked).toMatchObject([{ home: "a" }]);
    expect(await isDone(learned)).toBe(false);
    interests.learned("a", interests.version, LATER);
    await asked[0]!.answer(true);
    expect(await isDone(learned)).toBe(true);
  });

  test("does not wait for a home that closes instead of answering", async () => {
    const { open, frontier, leases, told, interests, pass } = world();
    open("a", LATER);
    const reached = frontier.reach(LATER + 100);
    await pass(0);
    expect(await isDone(reached)).toBe(false);
    leases.end("a", LATER);
    told.delete("a");
    interests.ended("a");
    frontier.advance();
    expect(await isDone(reached)).toBe(true);
  });
});
