import { describe, expect, test } from "vitest";
import { ADMIN, targetOf } from "../../test/support/home.ts";
import { TimelineWorld } from "../../test/support/timeline-world.ts";
import { revisionAt } from "../revision.ts";

const list = async ({ timeline }: TimelineWorld, options = {}) => {
  const { code, body } = await timeline.handle({ verb: "list", user: ADMIN, target: targetOf("pods", ""), options });
  return { code, list: JSON.parse(typeof body === "string" ? body : await new Response(body).text()) };
};
const namesOf = ({ list: { items } }: { list: any }): string[] => items.map(({ metadata }: any) => metadata.name);
const rows = ({ database }: TimelineWorld, table: string) => [...database.exec(`SELECT * FROM ${table}`)];

async function settled(...names: string[]): Promise<TimelineWorld> {
  const world = new TimelineWorld(...names);
  await world.pass(10_000);
  return world;
}

describe("a lease", () => {
  test("has a floor above every list, also of an instance before", async () => {
    const world = await settled("a");
    for (let i = 0; i < 5; i++) {
      const { list: all } = await list(world);
      if (i % 2 === 0) await world.restart();
      const lease = await world.open("a");
      expect(lease.floor).toBeGreaterThan(Number(all.metadata.resourceVersion));
      await world.close("a");
      await world.pass(100);
    }
  });

  test("that was lent on an old asking is noticed, and the instance that lives asks again", async () => {
    const world = await settled("a");
    const first = await world.open("a");
    const x = world.home("a").commit("x");
    // The same asking once more, whose answer goes nowhere.
    await world.timeline.open("a", 0);
    await expect(world.push("a")).rejects.toThrow("the lease has ended");
    await world.pass(100);
    expect(world.home("a").asked).toContain(`recall ${first.number}`);
    expect(world.home("a").lease).toBeUndefined();
    await world.open("a");
    const watch = await world.watch({ resourceVersion: String(x - 1) });
    await world.pass(100);
    expect(await watch.brief()).toEqual([`ADDED x ${x}`]);
  });

  test("whose home was lost is taken back, with what it had not told", async () => {
    const world = await settled("a", "b");
    await world.open("a");
    await world.open("b");
    const watch = await world.watch();
    await watch.events();
    const x = world.home("a").commit("x");
    world.home("a").crash();
    await world.pass(25_000);
    expect(rows(world, "lease")).toMatchObject([{ home: "b" }]);
    expect(await watch.brief()).toEqual([`ADDED x ${x}`]);
  });

  test("whose closing was lost is taken back", async () => {
    const world = await settled("a");
    await world.open("a");
    world.home("a").lease = undefined;
    await world.pass(25_000);
    expect(rows(world, "lease")).toEqual([]);
    expect(rows(world, "busy")).toEqual([]);
  });

  test("is left to a home whose asking is on its way", async () => {
    const world = await settled("a");
    await world.timeline.open("a", 0);
    world.home("a").opening = true;
    await world.pass(25_000);
    expect(rows(world, "lease")).toMatchObject([{ home: "a" }]);
  });

  test("that has ended is not closed a second time", async () => {
    const world = await settled("a");
    const first = await world.open("a");
    await world.close("a");
    await world.open("a");
    await world.timeline.close("a", first.number, { continues: 0, upTo: 0, events: [] });
    expect(rows(world, "lease")).toMatchObject([{ home: "a" }]);
  });

  test("is recalled from who was heard of least recently, where all slots are lent", async () => {
    const world = new TimelineWorld();
    for (let i = 0; i < 1_024; i++) {
      world.create(`home-${i}`);
      await world.open(`home-${i}`);
      world.now += 1;
    }
    world.create("late");
    const opening = world.open("late");
    await world.pass(10);
    const oldest = world.home("home-0");
    expect(oldest.asked[0]).toMatch(/^recall /);
    // Its closing is lost: that it holds nothing is noticed.
    const lease = await opening;
    expect(lease.floor).toBeGreaterThan(0);
    expect(rows(world, "lease")).toHaveLength(1_024);
    expect(rows(world, "lease").some(({ home }) => home === "home-0")).toBe(false);
  });
});

describe("a list", () => {
  test("has everything that was acknowledged before, also of homes whose clocks are ahead, and of lost ones", async () => {
    const world = await settled("a", "b", "c");
    for (const name of ["a", "b", "c"]) await world.open(name);
    const now = world.now;
    world.now = now + 300_000;
    world.home("a").commit("ahead");
    world.now = now;
    world.home("b").commit("lost");
    world.home("b").crash();
    world.home("c").commit("closed");
    await world.close("c");
    expect(namesOf(await list(world))).toEqual(["ahead", "lost", "closed"]);
  });

  test("fails with 503 where a home does not answer", async () => {
    const world = await settled("a");
    await world.open("a");
    world.home("a").before = () => {
      throw new Error("no answer");
    };
    const answer = list(world);
    await world.pass(10_000);
    expect(await answer).toMatchObject({ code: 503, list: { reason: "ServiceUnavailable" } });
  });

  test("is refused as the ClusterHome refuses it; other verbs are not served", async () => {
    const world = await settled("a");
    world.clusterHome.authorize = async () => ({ code: 403, body: '{"kind":"Status","code":403}' });
    expect((await list(world)).code).toBe(403);
    const target = targetOf("pods", "");
    expect((await world.timeline.handle({ verb: "get", user: ADMIN, target, options: {} })).code).toBe(405);
    expect((await world.watch()).answer.code).toBe(403);
  });
});

describe("a cut", () => {
  test("names all homes, and is below whatever is committed afterwards", async () => {
    const world = await settled("b", "a");
    await world.open("a");
    const x = world.home("a").commit("x");
    const cut = (await world.timeline.cut()) as { revision: number; homes: string[] };
    expect(cut.homes).toEqual(["", "a", "b"]);
    expect(cut.revision).toBeGreaterThanOrEqual(x);
    expect(world.home("a").commit("y")).toBeGreaterThan(cut.revision);
    expect((await world.open("b")).floor).toBeGreaterThan(cut.revision);
  });

  test("of the past is one that every home's history reaches back to, and promises not to change", async () => {
    const world = await settled("a");
    await world.open("a");
    const x = world.home("a").commit("x");
    world.now += 10;
    expect(await world.timeline.cut(x + 1_000)).toMatchObject({ revision: x + 1_000 });
    expect(world.home("a").commit("y")).toBeGreaterThan(x + 1_000);
    world.home("a").compacted = x + 1;
    expect(await world.timeline.cut(x)).toEqual({ expired: true });
    world.home("a").compacted = 0;
    world.clusterHome.compacted = x + 1;
    expect(await world.timeline.cut(x)).toEqual({ expired: true });
  });

  test("of what nobody has reached yet is refused", async () => {
    const world = await settled();
    await expect(world.timeline.cut(revisionAt(world.now + 3_600_000))).rejects.toThrow("Too large resource version");
  });

  test("is above what the cluster was made from", async () => {
    const world = await settled("a");
    const revision = revisionAt(world.now + 5_000_000);
    await world.timeline.startAbove(revision);
    await world.restart();
    expect((await world.open("a")).floor).toBeGreaterThan(revision);
  });
});

describe("durable subscribers", () => {
  const told = ({ deliveries }: TimelineWorld) =>
    deliveries.flatMap(({ delivery }) => delivery.events.map(({ type, name }) => `${type} ${name}`));
  const resets = ({ deliveries }: TimelineWorld) => deliveries.filter(({ delivery }) => delivery.reset).length;

  test("the Scheduler is told from the beginning", async () => {
    const world = await settled("a");
    expect(world.deliveries[0]).toMatchObject({ to: { class: "SCHEDULER", name: "c" }, delivery: { reset: true } });
    await world.open("a");
    world.home("a").commit("x");
    await world.push("a");
    expect(told(world)).toEqual(["ADDED x"]);
  });

  test("are not told everything again by the next instance after all was told and closed", async () => {
    const world = await settled("a");
    await world.open("a");
    world.home("a").commit("x");
    await world.push("a");
    await world.close("a");
    await world.pass(1_000);
    expect(rows(world, "busy")).toEqual([]);
    const before = resets(world);
    await world.restart();
    await world.open("a");
    world.home("a").commit("x");
    await world.push("a");
    expect(resets(world)).toBe(before);
    expect(told(world)).toEqual(["ADDED x", "MODIFIED x"]);
  });

  test("are told everything again by the next instance where a home was open, once that home has been heard of", async () => {
    const world = await settled("a");
    await world.open("a");
    world.home("a").commit("x");
    const [before, deliveries] = [resets(world), world.deliveries.length];
    const gates: (() => void)[] = [];
    world.home("a").before = () => new Promise<void>((resolve) => void gates.push(resolve));
    await world.restart();
    await world.pass(1_000);
    expect(resets(world)).toBe(before + 1);
    expect(told(world)).toEqual([]);
    expect(world.home("a").asked.at(-1)).toBe("promise");
    // It commits before it answers, and what it tells the instance that is gone is lost.
    world.home("a").commit("y");
    world.home("a").tell();
    world.home("a").before = () => undefined;
    for (const open of gates) open();
    await world.pass(1_000);
    expect(told(world)).toEqual(["ADDED x", "ADDED y"]);
    world.home("a").commit("z");
    await world.push("a");
    expect(told(world)).toEqual(["ADDED x", "ADDED y", "ADDED z"]);
    expect(world.deliveries.slice(deliveries).some(({ delivery }) => delivery.synced)).toBe(true);
  });

  test("outlive a restart, until they unsubscribe", async () => {
    const world = await settled("a");
    const link = { class: "NODE_LINK", name: "c/n1", resources: [{ resource: "secrets" }] } as const;
    await world.timeline.subscribe({ ...link, resources: [...link.resources] });
    await world.pass(1_000);
    await world.open("a");
    expect(world.home("a").lease!.interests).toContain("secrets");
    await world.restart();
    await world.pass(1_000);
    expect(world.deliveries.filter(({ to }) => to.class === "NODE_LINK").length).toBeGreaterThan(1);
    await world.timeline.unsubscribe(link);
    await world.restart();
    const before = world.deliveries.filter(({ to }) => to.class === "NODE_LINK").length;
    await world.pass(1_000);
    expect(world.deliveries.filter(({ to }) => to.class === "NODE_LINK")).toHaveLength(before);
  });
});

test("a quiet cluster asks nobody, writes nothing and wakes nobody", async () => {
  const world = await settled("a");
  await world.open("a");
  world.home("a").commit("x");
  await world.push("a");
  await world.close("a");
  await world.pass(20_000);
  const written = world.database.rowsWritten();
  const asked = world.home("a").asked.length;
  expect(world.alarmAt).toBeUndefined();
  await world.pass(3_600_000);
  expect(world.alarmAt).toBeUndefined();
  expect(world.database.rowsWritten()).toBe(written);
  expect(world.home("a").asked.length).toBe(asked);
});

test("an open and a close of a home cost a row each, and a commit none", async () => {
  const world = await settled("a", "b");
  await world.open("b");
  const before = world.database.rowsWritten();
  await world.open("a");
  for (let i = 0; i < 100; i++) {
    world.home("a").commit(`x${i}`);
    await world.push("a");
  }
  await world.close("a");
  expect(world.database.rowsWritten() - before).toBeLessThanOrEqual(3);
});
