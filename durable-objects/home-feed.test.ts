import { describe, expect, test } from "vitest";
import { testHome } from "../test/support/home.ts";
import type { FeedEvent } from "./protocol.ts";

interface Push {
  continues: number;
  upTo: number;
  events: FeedEvent[];
}

/** A Timeline that answers as it is told, and remembers what it was told. */
function fakeTimeline(interests: string[]) {
  const pushes: Push[] = [];
  let failing = 0;
  return {
    pushes,
    failNext: (times: number) => {
      failing = times;
    },
    push: async (_home: string, continues: number, upTo: number, events: FeedEvent[]) => {
      if (failing-- > 0) throw new Error("not now");
      pushes.push({ continues, upTo, events });
      return { interests };
    },
  };
}

const pod = (name: string) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name },
  spec: { containers: [{ name: "c", image: "b" }] },
});
const secret = (name: string) => ({ apiVersion: "v1", kind: "Secret", metadata: { name } });

describe("what the Timeline is told", () => {
  test("is at first that there is something, then what it is interested in, without a gap", async () => {
    const timeline = fakeTimeline(["pods"]);
    const { ask, settle } = testHome({ timeline });
    const first = (await ask("create", "pods", { object: pod("a") })).body;
    await settle();
    expect(timeline.pushes).toEqual([{ continues: 0, upTo: Number(first.metadata.resourceVersion), events: [] }]);
    await ask("create", "secrets", { object: secret("s") });
    await settle();
    expect(timeline.pushes).toHaveLength(1);
    const second = (await ask("create", "pods", { object: pod("b") })).body;
    await settle();
    expect(timeline.pushes[1]).toMatchObject({
      continues: Number(first.metadata.resourceVersion),
      upTo: Number(second.metadata.resourceVersion),
      events: [{ type: "ADDED", resource: "pods", name: "b" }],
    });
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

  test("is told by the instance that comes after one that was lost", async () => {
    const lost = fakeTimeline([]);
    lost.failNext(1_000);
    const { ask, platform, settle } = testHome({ timeline: lost });
    await ask("create", "pods", { object: pod("a") });
    await settle();
    expect(platform.alarmAt).toBeGreaterThan(platform.time);
    platform.dropTimers();
    const timeline = fakeTimeline(["pods"]);
    const next = testHome({ timeline, platform });
    void next.home.alarm();
    await next.settle();
    expect(timeline.pushes).toMatchObject([{ continues: 0, events: [] }]);
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
