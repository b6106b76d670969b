import { expect, test } from "vitest";
import type { FeedEvent } from "../protocol.ts";
import { RecentEvents } from "./recent-events.ts";

const event = (revision: number, resource = "pods", chars = 0): FeedEvent => ({
  type: "MODIFIED",
  revision,
  resource,
  name: "x",
  json: "x".repeat(chars),
});
const revisions = (events: Iterable<FeedEvent>): number[] => [...events].map(({ revision }) => revision);

test("tells what follows a revision, of one resource", () => {
  const recent = new RecentEvents(5);
  recent.add([event(10), event(20, "secrets"), event(30)]);
  recent.add([event(40)]);
  expect(recent.from).toBe(5);
  expect(revisions(recent.after(5, "pods"))).toEqual([10, 30, 40]);
  expect(revisions(recent.after(10, "pods"))).toEqual([30, 40]);
  expect(revisions(recent.after(20, "pods"))).toEqual([30, 40]);
  expect(revisions(recent.after(40, "pods"))).toEqual([]);
});

test("forgets the oldest where they are too many, and says so", () => {
  const recent = new RecentEvents(0);
  for (let i = 1; i <= 20_000; i++) recent.add([event(i)]);
  expect(recent.from).toBe(20_000 - 8_192);
  expect(revisions(recent.after(recent.from, "pods"))).toHaveLength(8_192);
});

test("forgets the oldest where they are too large", () => {
  const recent = new RecentEvents(0);
  for (let i = 1; i <= 40; i++) recent.add([event(i, "pods", 1 << 20)]);
  expect(recent.from).toBe(24);
  expect(revisions(recent.after(24, "pods"))[0]).toBe(25);
});

test("begins anew above what may have been missed", () => {
  const recent = new RecentEvents(0);
  recent.add([event(10)]);
  recent.restart(50);
  expect(recent.from).toBe(50);
  expect(revisions(recent.after(0, "pods"))).toEqual([]);
  recent.restart(40);
  expect(recent.from).toBe(50);
  recent.add([event(60)]);
  expect(revisions(recent.after(50, "pods"))).toEqual([60]);
});

test("is never complete from earlier than where it began anew", () => {
  const recent = new RecentEvents(0);
  recent.restart(100_000);
  for (let i = 1; i <= 10_000; i++) recent.add([event(i)]);
  expect(recent.from).toBe(100_000);
});
