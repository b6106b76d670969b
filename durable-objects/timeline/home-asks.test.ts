import { beforeEach, expect, test } from "vitest";
import { FakeHome } from "../../test/support/fake-homes.ts";
import { nodeSql } from "../../test/support/node-sql.ts";
import type { FeedPart } from "../protocol.ts";
import { HomeAsks } from "./home-asks.ts";
import { Interests } from "./interests.ts";
import { Leases } from "./leases.ts";
import { TimelineRecords } from "./timeline-records.ts";

const START = Date.UTC(2026, 0, 1);
let home: FakeHome;
let leases: Leases;
let interests: Interests;
let asks: HomeAsks;
let taken: FeedPart[];
let vanished: [string, number][];

beforeEach(() => {
  home = new FakeHome("a", () => START);
  leases = new Leases(new TimelineRecords(nodeSql()), () => START);
  interests = new Interests(() => 0);
  taken = [];
  vanished = [];
  asks = new HomeAsks({
    home: () => home,
    once: (call) => call(),
    leases,
    interests,
    feeds: { take: (_, part) => void taken.push(part) },
    vanished: (...what) => void vanished.push(what),
  });
});

const lend = () => ({ ...leases.lend("a", 0), interests: [] });

test("takes the part of the instance that holds the lease, and learns what it tells of", async () => {
  home.took(lend());
  interests.opened("a");
  interests.watch("secrets");
  const promised = await asks.ask("a", 500_000_000_000_000);
  expect(promised.part.upTo).toBe(500_000_000_000_000);
  expect(taken).toEqual([promised.part]);
  expect(interests.completeFrom("secrets")).toBe(500_000_000_000_000);
});

test("has read what does not fit into the home's answer", async () => {
  home.took(lend());
  home.commit("x");
  const revision = home.commit("y");
  const part = home.part.bind(home);
  home.part = () => ({ ...part(), upTo: revision - 1, events: [] });
  await asks.ask("a", revision + 5);
  expect(taken).toEqual([
    { continues: 0, upTo: revision - 1, events: [] },
    { continues: revision + 5, upTo: revision + 5, events: [] },
  ]);
});

test("does not take a part that comes when the lease has been lent anew: the instance that promised may be gone", async () => {
  home.took(lend());
  home.after = () => void lend();
  await asks.ask("a", 500_000_000_000_000);
  expect(taken).toEqual([]);
  expect(vanished).toEqual([]);
});

test("notices that the instance with the lease is gone", async () => {
  home.took(lend());
  const revision = home.commit("x");
  home.crash();
  await asks.ask("a", 1);
  expect(taken).toEqual([]);
  expect(vanished).toEqual([["a", revision]]);
});

test("waits where a lease may be on its way", async () => {
  lend();
  home.opening = true;
  await asks.ask("a", 1);
  expect([...taken, ...vanished]).toEqual([]);
});

test("does not believe that an instance is gone where the home has got another lease since", async () => {
  lend();
  home.after = () => void lend();
  await asks.ask("a", 1);
  expect(vanished).toEqual([]);
});

test("has an instance give back a lease that has ended without its knowing", async () => {
  const first = lend();
  home.took(first);
  lend();
  await asks.ask("a", 1);
  expect([...taken, ...vanished]).toEqual([]);
  expect(home.asked).toEqual(["promise", `recall ${first.number}`]);
  expect(home.lease).toBeUndefined();
});

test("recalls a lease, and notices that it was given back even if nobody says so", async () => {
  const lease = lend();
  home.took(lease);
  const revision = home.commit("x");
  await asks.recall("a", lease.number);
  expect(home.asked).toEqual([`recall ${lease.number}`, "promise"]);
  expect(vanished).toEqual([["a", revision]]);
});

test("of a home without a lease hears where it is, and no more", async () => {
  expect((await asks.ask("a", 700)).part.upTo).toBe(700);
  expect([...taken, ...vanished]).toEqual([]);
});

test("tells who asks that there was no answer", async () => {
  home.before = () => {
    throw new Error("no answer");
  };
  await expect(asks.ask("a", 1)).rejects.toThrow("no answer");
  await asks.recall("a", 1);
});
