import { describe, expect, test } from "vitest";
import { fakeTimeline } from "../test/support/fake-timeline.ts";
import { testHome } from "../test/support/home.ts";
import { revisionAt, SLOTS } from "./revision.ts";

const pod = (name: string) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name },
  spec: { containers: [{ name: "c", image: "b" }] },
});
const secret = (name: string) => ({ apiVersion: "v1", kind: "Secret", metadata: { name } });

const revisionOf = ({ body }: { body: any }): number => Number(body.metadata.resourceVersion);

describe("what the Timeline is told", () => {
  test("is what it is interested in, without a gap, and that nothing before it is still to come", async () => {
    const timeline = fakeTimeline(["pods"]);
    const { ask, settle, platform } = testHome({ timeline });
    const first = revisionOf(await ask("create", "pods", { object: pod("a") }));
    await settle();
    expect(timeline.opens).toEqual([{ home: "default", revision: 0 }]);
    expect(timeline.pushes).toMatchObject([
      { continues: 0, events: [{ type: "ADDED", resource: "pods", name: "a", revision: first }] },
    ]);
    expect(timeline.pushes[0]!.upTo).toBeGreaterThanOrEqual(first);
    await ask("create", "secrets", { object: secret("s") });
    await settle();
    expect(timeline.pushes).toHaveLength(1);
    platform.time += 10;
    const second = revisionOf(await ask("create", "pods", { object: pod("b") }));
    await settle();
    const { continues, upTo, events } = timeline.pushes[1]!;
    expect(continues).toBe(timeline.pushes[0]!.upTo);
    expect(events).toMatchObject([{ type: "ADDED", resource: "pods", name: "b", revision: second }]);
    const third = revisionOf(await ask("create", "pods", { object: pod("c") }));
    expect(third, "what was promised is kept, also within one tick of the clock").toBeGreaterThan(upTo);
  });

  test("is told again after a failure, together with what was committed meanwhile", async () => {
    const timeline = fakeTimeline(["pods"]);
    const { ask, settle } = testHome({ timeline });
    await ask("create", "pods", { object: pod("a") });
    await settle();
    timeline.failNext(3);
    await ask("create", "pods", { object: pod("b") });
    await ask("delete", "pods/a");
    for (let i = 0; i < 10; i++) await settle(200);
    const events = timeline.pushes.slice(1).flatMap((push) => push.events);
    expect(events.map(({ type, name }) => [type, name])).toEqual([
      ["ADDED", "b"],
      ["DELETED", "a"],
    ]);
    expect(JSON.parse(events[1]!.previousJson!).metadata.name).toBe("a");
  });

  test("is that there is something, by the instance that comes after one that was lost", async () => {
    const lost = fakeTimeline(["pods"]);
    const { ask, platform, settle } = testHome({ timeline: lost });
    const created = ask("create", "pods", { object: pod("a") });
    await settle();
    lost.failNext(1_000);
    const revision = revisionOf(await created);
    await ask("create", "pods", { object: pod("b") });
    expect(platform.alarmAt).toBeGreaterThan(platform.time);
    platform.dropTimers();
    const timeline = fakeTimeline(["pods"]);
    const next = testHome({ timeline, platform });
    void next.home.alarm();
    await next.settle();
    expect(timeline.opens).toEqual([{ home: "default", revision: next.home.store.revision }]);
    expect(next.home.store.revision).toBeGreaterThan(revision);
  });
});

describe("a promise", () => {
  test("holds for an instance without a lease, and for the lease that comes after", async () => {
    const timeline = fakeTimeline(["pods"]);
    const { ask, home, platform } = testHome({ timeline });
    const far = revisionAt(platform.time + 3_600_000);
    expect(home.feed.promise({ lease: 5, atLeast: far, interests: [] })).toMatchObject({
      lease: 0,
      opening: false,
      revision: 0,
      part: { upTo: far },
    });
    expect(revisionOf(await ask("create", "pods", { object: pod("a") }))).toBeGreaterThan(far);
  });

  test("tells what has not been told, also of what nobody was interested in until now", async () => {
    const timeline = fakeTimeline();
    const { ask, home, settle } = testHome({ timeline });
    const revision = revisionOf(await ask("create", "pods", { object: pod("a") }));
    await settle();
    expect(timeline.pushes).toEqual([]);
    const { lease, part } = home.feed.promise({ lease: 1, atLeast: 0, interests: ["pods"] });
    expect(lease).toBe(1);
    expect(part).toMatchObject({ continues: 0, upTo: revision, events: [{ name: "a" }] });
  });

  test("says that a lease is on its way", async () => {
    const timeline = fakeTimeline();
    const { home } = testHome({ timeline });
    void home.lease.open();
    expect(home.feed.promise({ lease: 1, atLeast: 0, interests: [] })).toMatchObject({ lease: 0, opening: true });
  });
});

describe("a lease", () => {
  test("is asked for by the first write, and keeps revisions above its floor in its slot", async () => {
    const timeline = fakeTimeline();
    const { ask, platform } = testHome({ timeline });
    await ask("list", "pods");
    expect(timeline.opens).toEqual([]);
    timeline.floor = revisionAt(platform.time + 60_000);
    const revision = revisionOf(await ask("create", "pods", { object: pod("a") }));
    expect(revision).toBeGreaterThan(timeline.floor);
    expect(revision % SLOTS).toBe(1);
  });

  test("is given back by a home that has nothing to do, with all that is still to be told", async () => {
    const timeline = fakeTimeline(["pods"]);
    const { ask, settle, home } = testHome({ timeline });
    await ask("create", "pods", { object: pod("a") });
    await settle(2_000);
    expect(timeline.closes).toEqual([]);
    await settle(10_000);
    expect(timeline.closes).toMatchObject([{ lease: 1, part: { events: [] } }]);
    expect(home.lease.isOpen).toBe(false);
    await ask("create", "pods", { object: pod("b") });
    expect(timeline.opens).toHaveLength(2);
  });

  test("is given back when its slot is needed elsewhere, and only the one that is meant", async () => {
    const timeline = fakeTimeline(["pods"]);
    const { ask, settle, home } = testHome({ timeline });
    await ask("create", "pods", { object: pod("a") });
    home.lease.close(7);
    expect(home.lease.isOpen).toBe(true);
    home.lease.close(1);
    await settle();
    expect(timeline.closes).toMatchObject([{ lease: 1, part: { upTo: home.store.revision } }]);
    expect((await ask("create", "pods", { object: pod("b") })).code).toBe(201);
  });

  test("that cannot be had refuses what waits to be written, and is had as soon as it can", async () => {
    const timeline = fakeTimeline();
    const { ask, home, settle } = testHome({ timeline });
    timeline.failNext(6);
    const refused = ask("create", "pods", { object: pod("a") });
    for (let i = 0; i < 10; i++) await settle(1_000);
    expect(await refused).toMatchObject({ code: 503, body: { reason: "ServiceUnavailable" } });
    expect(home.store.revision).toBe(0);
    expect((await ask("create", "pods", { object: pod("a") })).code).toBe(201);
  });

  test("is above every revision that the home was read at, whichever instance it is lent to", async () => {
    const timeline = fakeTimeline();
    const first = testHome({ timeline });
    const revision = revisionOf(await first.ask("create", "pods", { object: pod("a") }));
    const elsewhere = revision + 40_000_000;
    const options = { resourceVersion: String(elsewhere), resourceVersionMatch: "Exact" };
    expect((await first.ask("list", "pods", { options })).body.metadata.resourceVersion).toBe(String(elsewhere));
    const { platform } = first;
    platform.dropTimers();
    const next = testHome({ timeline, platform });
    expect(revisionOf(await next.ask("create", "pods", { object: pod("b") }))).toBeGreaterThan(elsewhere);
  });

  test("is not moved by a revision that nobody can have handed out", async () => {
    const { ask, home } = testHome({ timeline: fakeTimeline([], () => 1_000) });
    const options = { resourceVersion: "1001" };
    expect(await ask("get", "pods/a", { options })).toMatchObject({
      code: 504,
      body: { message: "Too large resource version: 1001, current: 0" },
    });
    expect(home.lease.floor).toBe(0);
  });

  test("that the Timeline cannot be asked for keeps a home from being read beyond what it has", async () => {
    const timeline = fakeTimeline();
    const { ask, settle } = testHome({ timeline });
    timeline.failNext(6);
    const refused = ask("list", "pods", { options: { at: 5 } });
    for (let i = 0; i < 10; i++) await settle(1_000);
    expect(await refused).toMatchObject({ code: 503 });
    expect(await ask("list", "pods", { options: { at: 5 } })).toMatchObject({ code: 200 });
  });

  test("is what a commit needs: without one it is a programmer's error", () => {
    const { home } = testHome();
    expect(() => home.lease.next(0)).toThrow("without a lease");
  });
});

describe("what the Timeline reads", () => {
  test("is the history of what it names, and a snapshot", async () => {
    const { ask, home } = testHome();
    await ask("create", "pods", { object: pod("a") });
    const since = home.store.revision;
    await ask("create", "secrets", { object: secret("s") });
    await ask("create", "pods", { object: pod("b") });
    await ask("delete", "pods/a");
    const { events, upTo, expired, more } = home.feed.changesSince(since, ["pods"]);
    expect([events.map(({ type, name }) => `${type} ${name}`), upTo, expired, more]).toEqual([
      ["ADDED b", "DELETED a"],
      home.store.revision,
      false,
      undefined,
    ]);
    const snapshot = home.feed.snapshot(["pods", "secrets"]);
    expect(snapshot.revision).toBe(home.store.revision);
    expect(snapshot.objects.map(({ resource, json }) => [resource, JSON.parse(json).metadata.name])).toEqual([
      ["pods", "b"],
      ["secrets", "s"],
    ]);
  });

  test("comes in parts where it is too much for one message, all of one revision", async () => {
    const { ask, home } = testHome();
    const data = { filler: "x".repeat(900_000) };
    for (let i = 0; i < 12; i++) {
      await ask("create", "configmaps", {
        object: { apiVersion: "v1", kind: "ConfigMap", metadata: { name: `c${10 + i}` }, data },
      });
    }
    const first = home.feed.snapshot(["configmaps", "pods"]);
    expect(first.next).toBeDefined();
    await ask("delete", "configmaps/c21");
    await ask("create", "pods", { object: pod("late") });
    const second = home.feed.snapshot(["configmaps", "pods"], first.next);
    expect([second.revision, second.next]).toEqual([first.revision, undefined]);
    expect([...first.objects, ...second.objects].map(({ json }) => JSON.parse(json).metadata.name)).toEqual(
      Array.from({ length: 12 }, (_, i) => `c${10 + i}`),
    );
    const changes = home.feed.changesSince(0, ["configmaps"]);
    expect([changes.more, changes.events.length]).toEqual([true, 10]);
  });
});
