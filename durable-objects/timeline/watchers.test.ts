import { describe, expect, test } from "vitest";
import { TimelineWorld } from "../../test/support/timeline-world.ts";
import { revisionAt } from "../revision.ts";

const bookmarks = { allowWatchBookmarks: true };

async function openWorld(...names: string[]): Promise<TimelineWorld> {
  const world = new TimelineWorld(...names);
  await world.pass(10_000);
  for (const name of names) await world.open(name);
  return world;
}

describe("a watch across namespaces", () => {
  test("without a revision begins with what there is, then tells what happens, in one order", async () => {
    const world = await openWorld("a", "b");
    const x = world.home("a").commit("x");
    world.home("b").commit("gone");
    world.home("b").commit("gone", { isDeletion: true });
    const watch = await world.watch();
    expect(await watch.brief()).toEqual([`ADDED x ${x}`]);
    const y = world.home("b").commit("y");
    await world.push("b");
    await world.pass(50);
    const x2 = world.home("a").commit("x");
    await world.push("a");
    await world.pass(50);
    expect(await watch.brief()).toEqual([`ADDED y ${y}`, `MODIFIED x ${x2}`]);
    await watch.cancel();
  });

  test("from a revision tells what came after it in all homes, in the order of the revisions", async () => {
    const world = await openWorld("a", "b");
    const told: string[] = [];
    let since = 0;
    for (let i = 0; i < 12; i++) {
      await world.pass(7);
      const name = i % 3 === 0 ? "b" : "a";
      const revision = world.home(name).commit(`${name}${i}`);
      if (i === 4) since = revision;
      if (i > 4) told.push(`ADDED ${name}${i} ${revision}`);
    }
    const watch = await world.watch({ resourceVersion: String(since) });
    await world.pass(100);
    expect(await watch.brief()).toEqual(told);
  });

  test("tells an event only when no other home can have one before it", async () => {
    const world = await openWorld("a", "b");
    const watch = await world.watch();
    await watch.events();
    const b = world.home("b");
    const gates: (() => void)[] = [];
    b.before = () => new Promise<void>((resolve) => void gates.push(resolve));
    const first = b.commit("first");
    await world.pass(5);
    const second = world.home("a").commit("second");
    await world.push("a");
    await world.pass(200);
    expect(await watch.brief()).toEqual([]);
    b.before = () => undefined;
    for (const open of gates) open();
    await world.pass(50);
    expect(await watch.brief()).toEqual([`ADDED first ${first}`, `ADDED second ${second}`]);
  });

  test("is not held up by homes that are closed", async () => {
    const world = await openWorld("a", "b");
    const watch = await world.watch();
    await watch.events();
    await world.close("b");
    const x = world.home("a").commit("x");
    await world.push("a");
    expect(await watch.brief()).toEqual([`ADDED x ${x}`]);
    expect(world.home("b").asked.filter((method) => method === "promise").length).toBeLessThanOrEqual(2);
  });

  test("hears of namespaces that are new, and of homes whose clocks are behind or ahead", async () => {
    const world = await openWorld("a");
    const watch = await world.watch();
    await watch.events();
    world.create("c");
    await world.open("c");
    const now = world.now;
    world.now = now + 600_000;
    const ahead = world.home("c").commit("ahead");
    world.now = now;
    await world.push("c");
    await world.pass(50);
    const after = world.home("a").commit("after");
    expect(after).toBeGreaterThan(ahead);
    await world.push("a");
    await world.pass(50);
    expect(await watch.brief()).toEqual([`ADDED ahead ${ahead}`, `ADDED after ${after}`]);
  });

  test("that asks for initial events is told when it has them all, at the revision that they are of", async () => {
    const world = await openWorld("a");
    world.home("a").commit("x");
    world.home("a").pageObjects = 1;
    world.home("a").commit("y");
    const watch = await world.watch({ ...bookmarks, sendInitialEvents: true, resourceVersionMatch: "NotOlderThan" });
    const [x, y, bookmark, ...rest] = await watch.events();
    expect([x.object.metadata.name, y.object.metadata.name, rest]).toEqual(["x", "y", []]);
    expect(bookmark).toMatchObject({
      type: "BOOKMARK",
      object: {
        kind: "Pod",
        apiVersion: "v1",
        metadata: { creationTimestamp: null, annotations: { "k8s.io/initial-events-end": "true" } },
      },
    });
    const revision = Number(bookmark.object.metadata.resourceVersion);
    expect(revision).toBeGreaterThanOrEqual(world.home("a").revision);
    expect(world.home("a").commit("z")).toBeGreaterThan(revision);
  });

  test("that wants no initial events begins with what happens next", async () => {
    const world = await openWorld("a");
    world.home("a").commit("x");
    const watch = await world.watch({ sendInitialEvents: false, resourceVersionMatch: "NotOlderThan" });
    expect(await watch.events()).toEqual([]);
    const y = world.home("a").commit("y");
    await world.push("a");
    await world.pass(50);
    expect(await watch.brief()).toEqual([`ADDED y ${y}`]);
  });

  test("with a selector tells of an object that leaves it as deleted, as it was last seen", async () => {
    const world = await openWorld("a");
    const watch = await world.watch({ labelSelector: "team=red" });
    const home = world.home("a");
    const revisions = ["", "red", "red", "blue"].map((team) => home.commit("x", { labels: { team } }));
    await world.push("a");
    const events = await watch.events();
    expect(events.map(({ type, object }) => [type, Number(object.metadata.resourceVersion)])).toEqual([
      ["ADDED", revisions[1]],
      ["MODIFIED", revisions[2]],
      ["DELETED", revisions[3]],
    ]);
    expect(events[2].object.metadata.labels.team).toBe("red");
  });

  test("of what nobody watched before has the homes learn of it, and misses nothing", async () => {
    const world = await openWorld("a", "b");
    const secret = { resource: "secrets" };
    const before = world.home("a").commit("before", secret);
    const pod = await world.watch();
    await pod.events();
    const watch = await world.watch({ resourceVersion: String(before - 1) }, "secrets");
    const after = world.home("a").commit("after", secret);
    await world.push("a");
    await world.pass(100);
    expect(await watch.brief()).toEqual([`ADDED before ${before}`, `ADDED after ${after}`]);
    const live = world.home("b").commit("live", secret);
    await world.push("b");
    await world.pass(100);
    expect(await watch.brief()).toEqual([`ADDED live ${live}`]);
    expect(await pod.brief()).toEqual([]);
  });

  test("sends bookmarks at the frontier while it has told everything", async () => {
    const world = await openWorld("a");
    const watch = await world.watch(bookmarks);
    await watch.events();
    const x = world.home("a").commit("x");
    await world.push("a");
    await world.pass(61_000);
    const [event, bookmark] = await watch.events();
    expect(event.object.metadata.name).toBe("x");
    const revision = Number(bookmark.object.metadata.resourceVersion);
    expect(bookmark.type).toBe("BOOKMARK");
    expect(revision).toBeGreaterThan(x);
    expect(revision).toBeGreaterThanOrEqual(revisionAt(world.now - 15_000));
    expect(world.home("a").commit("y")).toBeGreaterThan(revision);
  });

  test("ends when its time is over, and leaves nothing behind", async () => {
    const world = await openWorld("a");
    const watch = await world.watch({ timeoutSeconds: 5 });
    await world.pass(4_900);
    expect(watch.ended).toBe(false);
    await world.pass(200);
    expect(watch.ended).toBe(true);
    world.home("a").asked.length = 0;
    world.home("a").commit("x");
    await world.push("a");
    await world.pass(1_000);
    expect(world.home("a").asked).toEqual([]);
  });

  test("from a revision that history has forgotten ends with 410 Expired", async () => {
    const world = await openWorld("a");
    const x = world.home("a").commit("x");
    await world.push("a");
    world.home("a").compacted = x + 1;
    const watch = await world.watch({ resourceVersion: String(x - 1) });
    await world.pass(100);
    expect(await watch.events()).toMatchObject([
      {
        type: "ERROR",
        object: {
          kind: "Status",
          code: 410,
          reason: "Expired",
          message: "The resourceVersion for the provided watch is too old.",
        },
      },
    ]);
    expect(watch.ended).toBe(true);
  });

  test("whose state has been compacted while it was read ends with 410 Expired", async () => {
    const world = await openWorld("a");
    const home = world.home("a");
    home.commit("x");
    home.before = (method) => {
      if (method !== "snapshot") return;
      home.compacted = Number.MAX_SAFE_INTEGER;
      throw new Error("history does not reach back that far");
    };
    const watch = await world.watch();
    await world.pass(100);
    expect(await watch.events()).toMatchObject([{ type: "ERROR", object: { code: 410, reason: "Expired" } }]);
    expect(watch.ended).toBe(true);
  });

  test("whose state cannot be read ends with 503, after some tries", async () => {
    const world = await openWorld("a");
    world.home("a").before = (method) => {
      if (method === "snapshot") throw new Error("no answer");
    };
    world.home("a").asked.length = 0;
    const watch = await world.watch();
    await world.pass(10_000);
    expect(await watch.events()).toMatchObject([{ type: "ERROR", object: { code: 503 } }]);
    expect(world.home("a").asked.filter((method) => method === "snapshot")).toHaveLength(5);
  });

  test("from a revision of long ago reads the homes that there were since, the gone ones as well", async () => {
    const world = await openWorld("a");
    const x = world.home("a").commit("x");
    await world.close("a");
    await world.restart();
    world.clusterHome.asked.length = 0;
    const watch = await world.watch({ resourceVersion: String(x - 1) });
    await world.pass(100);
    expect(await watch.brief()).toEqual([`ADDED x ${x}`]);
    expect(world.clusterHome.asked).toContain("listNamespaces");
  });

  test("that follows a list at once asks closed homes nothing", async () => {
    const world = await openWorld("a", "b");
    world.home("a").commit("x");
    for (const name of ["a", "b"]) await world.close(name);
    const cut = (await world.timeline.cut()) as { revision: number };
    world.home("a").asked.length = 0;
    world.clusterHome.asked.length = 0;
    const watch = await world.watch({ resourceVersion: String(cut.revision) });
    await world.pass(100);
    expect(await watch.brief()).toEqual([]);
    expect([...world.home("a").asked, ...world.clusterHome.asked]).toEqual([]);
    const lease = await world.open("a");
    expect(lease.floor).toBeGreaterThan(cut.revision);
  });

  test("in the past shows what there was, and then nothing more", async () => {
    const world = await openWorld("a");
    const x = world.home("a").commit("x");
    await world.pass(10);
    const at = revisionAt(world.now);
    await world.pass(10);
    const y = world.home("a").commit("y");
    await world.push("a");
    const state = await world.watch({ at });
    const changes = await world.watch({ at: y, resourceVersion: String(x) });
    await world.pass(100);
    expect(await state.brief()).toEqual([`ADDED x ${x}`]);
    expect(await changes.brief()).toEqual([`ADDED y ${y}`]);
    world.home("a").commit("z");
    await world.push("a");
    await world.pass(100);
    expect([...(await state.brief()), ...(await changes.brief())]).toEqual([]);
    expect(state.ended).toBe(false);
  });

  test("in a past that history does not reach back to is 410", async () => {
    const world = await openWorld("a");
    world.home("a").commit("x");
    world.home("a").compacted = world.home("a").revision + 1;
    const { answer } = await world.watch({ at: world.home("a").revision });
    expect(answer.code).toBe(410);
  });

  test.each([
    [{ resourceVersion: "x" }, 400],
    [{ fieldSelector: "spec.colour=red" }, 400],
    [{ sendInitialEvents: true }, 422],
    [{ resourceVersion: String(revisionAt(Date.UTC(2026, 0, 2))) }, 504],
  ])("refuses what it cannot understand before it begins: %j", async (options, code) => {
    const world = await openWorld("a");
    expect((await world.watch(options)).answer.code).toBe(code);
  });

  test("from a revision of a home whose clock is ahead is no invention: the homes are asked", async () => {
    const world = await openWorld("a");
    const now = world.now;
    world.now = now + 600_000;
    const ahead = world.home("a").commit("ahead");
    world.now = now;
    const watch = await world.watch({ resourceVersion: String(ahead) });
    expect(watch.answer.code).toBe(200);
  });

  test("whose reader does not read is told the rest from history, when it reads", async () => {
    const world = await openWorld("a");
    const answer = await world.timeline.watch({
      user: { name: "admin", groups: [] },
      target: { group: "", version: "v1", resource: "pods", namespace: "", name: "", subresource: "" },
      options: {},
    });
    await world.pass(50);
    if (!("events" in answer)) throw new Error("refused");
    const expected: string[] = [];
    for (let i = 0; i < 40; i++) {
      world.home("a").commit(`large${i}`, { labels: { filler: "x".repeat(1 << 19) } });
      expected.push(`large${i}`);
      await world.push("a");
      await world.pass(20);
    }
    const reader = answer.events.getReader();
    const decoder = new TextDecoder();
    let text = "";
    while (text.split("\n").length <= 40) {
      const { value } = await reader.read();
      text += decoder.decode(value, { stream: true });
      await world.pass(20);
    }
    const names = text
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line).object.metadata.name);
    expect(names).toEqual(expected);
    const last = world.home("a").commit("live");
    await world.push("a");
    const { value } = await reader.read();
    expect(JSON.parse(decoder.decode(value)).object.metadata.resourceVersion).toBe(String(last));
    await reader.cancel();
  });
});
