import { describe, expect, test } from "vitest";
import { Network, SimulatedHome, seeded, sourceOf } from "../../test/support/simulated-homes.ts";
import type { RequestOptions } from "../protocol.ts";
import { servedOf } from "../verbs/served.ts";
import { HomeFeeds } from "./home-feeds.ts";
import { Watchers } from "./watchers.ts";

const PODS = servedOf({ group: "", version: "v1", resource: "pods" });
const SAFE = 7_777;

function worldOf(seed: number, names = ["a", "b"]) {
  const random = seeded(seed);
  const network = new Network(random);
  const homes = new Map(names.map((name) => [name, new SimulatedHome()]));
  const source = sourceOf(homes, network, () => false);
  const watchers = new Watchers({
    source,
    homes: async () => {
      await network.pass();
      return [...homes.keys()];
    },
    startOf: (revision) => () => revision,
    safeRevision: () => SAFE,
    random,
  });
  const feeds = new HomeFeeds({
    source,
    interests: () => ["pods"],
    emit: (home, events) => watchers.emit(home, events),
    lost: (home) => watchers.lost(home),
    sleep: () => network.pass(),
  });
  const settle = async (): Promise<void> => {
    do await network.step();
    while (!network.isIdle);
  };
  const push = (name: string): void => {
    const home = homes.get(name)!;
    feeds.push(name, home.told, home.revision, home.after(home.told, ["pods"]));
    home.told = home.revision;
  };
  return { network, homes, watchers, settle, push, random };
}

/** Opens a watch; `lines` reads what has come so far. */
function open({ watchers, settle }: ReturnType<typeof worldOf>, options: RequestOptions) {
  const reader = watchers.open(PODS, options).getReader();
  const events: any[] = [];
  let ended = false;
  const decoder = new TextDecoder();
  void (async () => {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      for (const line of decoder.decode(value).split("\n").slice(0, -1)) events.push(JSON.parse(line));
    }
    ended = true;
  })();
  return {
    read: async () => {
      await settle();
      return events.splice(0);
    },
    get ended() {
      return ended;
    },
    cancel: () => reader.cancel(),
  };
}

const brief = (events: any[]): string[] =>
  events.map(({ type, object }) =>
    `${type} ${object.metadata.name ?? ""} ${object.metadata.resourceVersion ?? ""}`.trim(),
  );

describe("a watch across namespaces", () => {
  test("from a revision tells of each home what came after it, then what happens", async () => {
    const world = worldOf(1);
    const [a, b] = [world.homes.get("a")!, world.homes.get("b")!];
    a.commit("pods", "old");
    a.commit("pods", "new");
    b.commit("pods", "old");
    const watch = open(world, { resourceVersion: "10" });
    expect(brief(await watch.read())).toEqual(["ADDED new 20"]);
    b.told = b.revision;
    b.commit("pods", "old");
    world.push("b");
    expect(brief(await watch.read())).toEqual(["MODIFIED old 20"]);
    await watch.cancel();
    expect([...world.watchers.resources]).toEqual([]);
  });

  test("without a revision begins with what there is", async () => {
    const world = worldOf(1);
    world.homes.get("a")!.commit("pods", "x");
    world.homes.get("b")!.commit("pods", "y");
    world.homes.get("b")!.commit("pods", "y", undefined, true);
    const watch = open(world, {});
    expect(brief(await watch.read())).toEqual(["ADDED x 10"]);
    await watch.cancel();
  });

  test("that asks for initial events is told when it has them all", async () => {
    const world = worldOf(1);
    world.homes.get("a")!.commit("pods", "x");
    const watch = open(world, {
      sendInitialEvents: true,
      resourceVersionMatch: "NotOlderThan",
      allowWatchBookmarks: true,
    });
    const [added, bookmark] = await watch.read();
    expect(added.object.metadata.name).toBe("x");
    expect(bookmark).toEqual({
      type: "BOOKMARK",
      object: {
        kind: "Pod",
        apiVersion: "v1",
        metadata: {
          resourceVersion: String(SAFE),
          creationTimestamp: null,
          annotations: { "k8s.io/initial-events-end": "true" },
        },
      },
    });
    await watch.cancel();
  });

  test("with a selector tells of an object that leaves it as deleted, as it was last seen", async () => {
    const world = worldOf(1);
    const home = world.homes.get("a")!;
    const watch = open(world, { fieldSelector: "spec.nodeName=n1" });
    await watch.read();
    for (const node of [undefined, "n1", "n1", "n2"]) home.commit("pods", "x", node);
    world.push("a");
    const events = await watch.read();
    expect(brief(events)).toEqual(["ADDED x 20", "MODIFIED x 30", "DELETED x 40"]);
    expect(events[2].object.spec.nodeName).toBe("n1");
    await watch.cancel();
  });

  test("is joined by namespaces that are new", async () => {
    const world = worldOf(1);
    const watch = open(world, {});
    await watch.read();
    world.homes.set("c", new SimulatedHome());
    world.homes.get("c")!.commit("pods", "x");
    world.push("c");
    expect(brief(await watch.read())).toEqual(["ADDED x 10"]);
    await watch.cancel();
  });

  test("from a revision that history has forgotten ends with 410 Expired", async () => {
    const world = worldOf(1);
    const home = world.homes.get("a")!;
    home.commit("pods", "x");
    home.compacted = 10;
    const watch = open(world, { resourceVersion: "5" });
    expect(await watch.read()).toMatchObject([
      { type: "ERROR", object: { kind: "Status", code: 410, reason: "Expired" } },
    ]);
    expect(watch.ended).toBe(true);
  });

  test("refuses what it cannot understand before it begins", () => {
    const { watchers } = worldOf(1);
    expect(() => watchers.open(PODS, { resourceVersion: "x" })).toThrow('Invalid value: "x"');
    expect(() => watchers.open(PODS, { fieldSelector: "spec.colour=red" })).toThrow("field label not supported");
    expect([...watchers.resources]).toEqual([]);
  });

  test("whose reader does not read ends instead of filling the memory", async () => {
    const world = worldOf(1);
    const home = world.homes.get("a")!;
    const reader = world.watchers.open(PODS, {}).getReader();
    await world.settle();
    const json = JSON.stringify({ metadata: { name: "big" }, filler: "x".repeat(1 << 20) });
    for (let i = 1; i <= 12; i++) {
      world.watchers.emit("a", [
        { type: "MODIFIED", revision: home.revision + i, resource: "pods", name: "big", json },
      ]);
    }
    expect([...world.watchers.resources]).toEqual([]);
    await reader.cancel();
  });
});

test("whenever it begins, a watch tells each change of each home once, and in order", async () => {
  for (let seed = 0; seed < 200; seed++) {
    const world = worldOf(seed);
    const { homes, random, network } = world;
    const names = [...homes.keys()];
    const act = async (steps: number) => {
      for (let step = 0; step < steps; step++) {
        const name = names[Math.floor(random() * names.length)]!;
        const home = homes.get(name)!;
        if (random() < 0.5) home.commit("pods", `${name}${Math.floor(random() * 3)}`, undefined, random() < 0.3);
        if (random() < 0.4) world.push(name);
        if (random() < 0.1) home.told = 0;
        if (random() < 0.7) await network.step();
      }
    };
    await act(15);
    const since = Math.floor((random() * Math.max(...[...homes.values()].map((home) => home.revision))) / 10) * 10;
    const reader = open(world, { resourceVersion: String(Math.max(1, since)) });
    await act(25);
    for (const name of names) {
      homes.get(name)!.told = 0;
      world.push(name);
    }
    const events = await reader.read();
    for (const name of names) {
      const told = events.filter(({ object }) => object.metadata.name.startsWith(name));
      const expected = homes.get(name)!.after(Math.max(1, since), ["pods"]);
      expect(brief(told), `seed ${seed}`).toEqual(expected.map((one) => `${one.type} ${one.name} ${one.revision}`));
    }
    await reader.cancel();
  }
});
