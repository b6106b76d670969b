import { expect, test } from "vitest";
import { nodeSql } from "../../test/support/node-sql.ts";
import type { Promised } from "../protocol.ts";
import { revisionAt } from "../revision.ts";
import { Cuts } from "./cuts.ts";
import { Leases } from "./leases.ts";
import { TimelineRecords } from "./timeline-records.ts";

const START = Date.UTC(2026, 0, 1);
const NOW = revisionAt(START);

function world() {
  const leases = new Leases(new TimelineRecords(nodeSql()), () => START);
  const revisions = new Map<string, number | Error>();
  const asked: { home: string; atLeast: number }[] = [];
  const gates: (() => void)[] = [];
  let isGated = false;
  const cuts = new Cuts({
    leases,
    now: () => START,
    ask: async (home, atLeast) => {
      asked.push({ home, atLeast });
      if (isGated) await new Promise<void>((resolve) => gates.push(resolve));
      const revision = revisions.get(home) ?? 0;
      if (typeof revision !== "number") throw revision;
      return {
        lease: 1,
        opening: false,
        revision,
        compacted: 0,
        part: { continues: 0, upTo: 0, events: [] },
      } as Promised;
    },
  });
  const gate = (): void => {
    isGated = true;
  };
  return { cuts, leases, revisions, asked, gate, gates };
}

test("is at or above the clock and everything announced, and is announced itself", async () => {
  const { cuts, leases } = world();
  expect(await cuts.cut()).toBe(NOW);
  leases.announce(NOW + 99);
  expect(await cuts.cut()).toBe(NOW + 99);
  expect(leases.announced).toBe(NOW + 99);
});

test("is at or above the last commit of every open home, also of one whose clock is ahead", async () => {
  const { cuts, leases, revisions, asked } = world();
  leases.lend("a", 0);
  leases.lend("b", 0);
  revisions.set("b", NOW + 5_000);
  expect(await cuts.cut()).toBe(NOW + 5_000);
  expect(leases.announced).toBe(NOW + 5_000);
  expect(asked).toEqual([
    { home: "a", atLeast: NOW },
    { home: "b", atLeast: NOW },
  ]);
});

test("asks anew for who came after the homes were asked, and once for all of them", async () => {
  const { cuts, leases, revisions, asked, gate, gates } = world();
  leases.lend("a", 0);
  gate();
  const first = cuts.cut();
  await new Promise((resolve) => setImmediate(resolve));
  const later = [cuts.cut(), cuts.cut()];
  gates.shift()!();
  await first;
  // Acknowledged after the first was made, before the others came to be asked.
  revisions.set("a", NOW + 7_000);
  await new Promise((resolve) => setImmediate(resolve));
  gates.shift()!();
  expect(await Promise.all(later)).toEqual([NOW + 7_000, NOW + 7_000]);
  expect(asked).toHaveLength(2);
});

test("fails where a home does not answer, and is tried again", async () => {
  const { cuts, leases, revisions } = world();
  leases.lend("a", 0);
  revisions.set("a", new Error("no answer"));
  await expect(cuts.cut()).rejects.toThrow("no answer");
  revisions.set("a", 0);
  expect(await cuts.cut()).toBeGreaterThan(0);
});
