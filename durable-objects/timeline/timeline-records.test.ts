import { expect, test } from "vitest";
import { nodeSql } from "../../test/support/node-sql.ts";
import type { Subscription } from "../protocol.ts";
import { TimelineRecords } from "./timeline-records.ts";

const LINK: Subscription = { class: "NODE_LINK", name: "c/n1", resources: [{ resource: "pods", nodeName: "n1" }] };

test("subscriptions outlive the instance, with what they have yet to be told", () => {
  const database = nodeSql();
  const records = new TimelineRecords(database);
  records.saveSubscription(LINK);
  expect(new TimelineRecords(database).subscriptions()).toEqual([{ subscription: LINK, stale: true }]);
  records.setStale(LINK, false);
  expect(new TimelineRecords(database).subscriptions()).toEqual([{ subscription: LINK, stale: false }]);
  expect(records.hasSubscription(LINK)).toBe(true);
  records.deleteSubscription(LINK);
  expect(records.hasSubscription(LINK)).toBe(false);
});

test("a stored staleness is changed by an instance that has read it", () => {
  const database = nodeSql();
  new TimelineRecords(database).saveSubscription(LINK);
  const next = new TimelineRecords(database);
  next.subscriptions();
  next.setStale(LINK, false);
  expect(new TimelineRecords(database).subscriptions()[0]!.stale).toBe(false);
});

test("leases and the mark outlive the instance", () => {
  const database = nodeSql();
  const records = new TimelineRecords(database);
  expect(records.high).toBe(0);
  records.setHigh(7);
  records.setHigh(9);
  records.saveLease({ home: "", slot: 3, number: 11 });
  records.saveLease({ home: "a", slot: 4, number: 12 });
  records.saveLease({ home: "a", slot: 4, number: 13 });
  const next = new TimelineRecords(database);
  expect(next.high).toBe(9);
  expect(next.leases()).toEqual([
    { home: "", slot: 3, number: 11 },
    { home: "a", slot: 4, number: 13 },
  ]);
  next.deleteLease("");
  expect(new TimelineRecords(database).leases()).toMatchObject([{ home: "a" }]);
});

test("an instance finds out that the one before it was lost at work", () => {
  const database = nodeSql();
  const records = new TimelineRecords(database);
  expect(records.isBusy).toBe(false);
  records.setBusy(true);
  records.setBusy(true);
  expect(new TimelineRecords(database).isBusy).toBe(true);
  records.setBusy(false);
  expect(records.isBusy).toBe(false);
});
