import { describe, expect, test } from "vitest";
import { Network, SimulatedHome, seeded, sourceOf } from "../../test/support/simulated-homes.ts";
import type { Delivery, Subscription } from "../protocol.ts";
import { HomeFeeds } from "./home-feeds.ts";
import { Subscribers } from "./subscribers.ts";

const SEEDS = 250;
const HOMES = ["a", "b", "c"];
const ALL: Subscription = { class: "SCHEDULER", name: "all", resources: [{ resource: "pods" }] };
const ofNode = (node: string): Subscription => ({
  class: "NODE_LINK",
  name: node,
  resources: [{ resource: "pods", nodeName: node }],
});

/** What a subscriber knows, and whether it was ever told wrongly. */
class Pupil {
  readonly knows = new Map<string, string>();
  readonly seen = new Map<string, number>();
  synced = false;
  wrong: string[] = [];

  take({ reset, synced, events }: Delivery): void {
    if (reset) {
      this.knows.clear();
      this.seen.clear();
      this.synced = false;
    }
    for (const { type, namespace, name, revision, json } of events) {
      const key = `${namespace}/${name}`;
      if (revision < (this.seen.get(key) ?? 0)) this.wrong.push(`${key} went back to ${revision}`);
      this.seen.set(key, revision);
      if (type === "DELETED") this.knows.delete(key);
      else this.knows.set(key, json);
    }
    if (synced) this.synced = true;
  }
}

interface World {
  network: Network;
  homes: Map<string, SimulatedHome>;
  pupils: Map<string, Pupil>;
  deliveries: { to: string; delivery: Delivery }[];
  stale: Map<string, boolean>;
  random: () => number;
  subscribers: Subscribers;
  feeds: HomeFeeds;
}

/** A cluster with one Timeline, whose instance can be made anew. */
function worldOf(seed: number, failures: { homes?: number; deliveries?: number } = {}) {
  const random = seeded(seed);
  const network = new Network(random);
  const homes = new Map(HOMES.map((name) => [name, new SimulatedHome()]));
  const world = { network, homes, random, pupils: new Map(), deliveries: [], stale: new Map() } as unknown as World;
  const source = sourceOf(homes, network, () => random() < (failures.homes ?? 0));
  const start = (): void => {
    // What an instance that is gone still has under way goes nowhere.
    const isCurrent = () => world.subscribers === subscribers;
    const pass = async () => {
      await network.pass();
      if (!isCurrent()) await new Promise(() => undefined);
    };
    const options = { source, sleep: pass };
    const subscribers: Subscribers = new Subscribers({
      ...options,
      homes: async () => {
        await pass();
        // What an earlier instance lent leases to is heard of before anything is read.
        for (const home of homes.keys()) if (feeds.told(home) === undefined) push(world, home);
        await feeds.known();
        return [...homes.keys()];
      },
      deliver: async ({ name }, delivery) => {
        await pass();
        if (random() < (failures.deliveries ?? 0)) throw new Error("not delivered");
        world.deliveries.push({ to: name, delivery });
        const pupil = world.pupils.get(name) ?? new Pupil();
        world.pupils.set(name, pupil);
        pupil.take(delivery);
        await network.pass();
        if (random() < (failures.deliveries ?? 0)) throw new Error("nobody knows whether it was delivered");
      },
      remember: ({ name }, isStale) => isCurrent() && world.stale.set(name, isStale),
      quiet: () => undefined,
      log: () => undefined,
    });
    const feeds: HomeFeeds = new HomeFeeds({
      ...options,
      interests: { resources: ["pods"], version: 0 },
      emit: (home, events) => subscribers.emit(home, events),
      advanced: () => undefined,
      lost: (home) => subscribers.lost(home),
    });
    world.subscribers = subscribers;
    const isFirst = world.feeds === undefined;
    world.feeds = feeds;
    for (const home of homes.keys()) {
      if (isFirst) open(world, home);
      else feeds.survived(home);
    }
  };
  start();
  return { world, start };
}

const settle = async (world: World): Promise<void> => {
  for (let i = 0; i < 20_000; i++) {
    await world.network.step();
    if (world.network.isIdle) return;
  }
  throw new Error("does not come to rest");
};

/** A fresh instance of the home gets a lease: before it commits anything. */
const open = ({ feeds, homes }: World, name: string): void => {
  const home = homes.get(name)!;
  home.told = home.revision;
  feeds.open(name, home.revision, home.revision);
};

const push = ({ feeds, homes }: World, name: string): void => {
  const home = homes.get(name)!;
  const events = home.after(home.told, ["pods"]);
  feeds.take(name, { continues: home.told, upTo: home.revision, events });
  home.told = home.revision;
};

/** What a subscriber should know in the end. */
const truth = ({ homes }: World, nodeName?: string): Map<string, string> =>
  new Map(
    [...homes]
      .flatMap(([home, { objects }]) =>
        [...objects.values()].map(({ name, json }): [string, string] => [`${home}/${name}`, json]),
      )
      .filter(([, json]) => nodeName === undefined || JSON.parse(json).spec.nodeName === nodeName),
  );

const sorted = (map: Map<string, string>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1));

describe("a subscriber", () => {
  test("is told everything there is, then what happens", async () => {
    const { world } = worldOf(1);
    world.homes.get("a")!.commit("pods", "x");
    world.subscribers.add(ALL, false);
    await settle(world);
    expect(world.deliveries[0]!.delivery.reset).toBe(true);
    expect(world.deliveries.at(-1)!.delivery.synced).toBe(true);
    const before = world.deliveries.length;
    world.homes.get("a")!.commit("pods", "y");
    push(world, "a");
    await settle(world);
    expect(world.deliveries.slice(before).map((one) => one.delivery)).toEqual([
      { events: [expect.objectContaining({ type: "ADDED", name: "y", namespace: "a", resource: "pods" })] },
    ]);
    expect(world.stale.get("all")).toBe(false);
  });

  test("of a node's pods is told that one comes, changes, and leaves", async () => {
    const { world } = worldOf(1);
    const home = world.homes.get("a")!;
    world.subscribers.add(ofNode("n1"), false);
    await settle(world);
    const before = world.deliveries.length;
    const told = async (nodeName: string | undefined, isDeletion = false) => {
      home.commit("pods", "x", nodeName, isDeletion);
      push(world, "a");
      await settle(world);
      return world.deliveries.slice(before).flatMap((one) => one.delivery.events.map((event) => event.type));
    };
    expect(await told(undefined)).toEqual([]);
    expect(await told("n1")).toEqual(["ADDED"]);
    expect(await told("n1")).toEqual(["ADDED", "MODIFIED"]);
    expect(await told("n1", true)).toEqual(["ADDED", "MODIFIED", "DELETED"]);
    expect(await told("n2")).toEqual(["ADDED", "MODIFIED", "DELETED"]);
  });

  test("that was up to date before a restart is not told everything again", async () => {
    const { world, start } = worldOf(1);
    world.subscribers.add(ALL, false);
    await settle(world);
    start();
    world.subscribers.add(ALL, true);
    push(world, "b");
    const before = world.deliveries.length;
    world.homes.get("b")!.commit("pods", "x");
    push(world, "b");
    await settle(world);
    const told = world.deliveries.slice(before).map((one) => one.delivery);
    expect(told.some((one) => one.reset)).toBe(false);
    expect(world.pupils.get("all")!.knows.size).toBe(1);
  });

  test("that registers again is told nothing while it is still being told something from before", async () => {
    const under: (() => void)[] = [];
    const told: Delivery[] = [];
    const subscribers = new Subscribers({
      source: sourceOf(new Map(), new Network(seeded(1)), () => false),
      homes: async () => [],
      deliver: async (_, delivery) => {
        told.push(delivery);
        await new Promise<void>((resolve) => under.push(resolve));
      },
      remember: () => undefined,
      quiet: () => undefined,
      sleep: async () => undefined,
      log: () => undefined,
    });
    const rest = () => new Promise((resolve) => setImmediate(resolve));
    subscribers.add(ALL, false);
    await rest();
    subscribers.add(ALL, false);
    await rest();
    expect(told).toHaveLength(1);
    under[0]!();
    await rest();
    expect(told).toHaveLength(2);
    expect(told[1]).toMatchObject({ reset: true });
  });

  test("that is removed hears no more", async () => {
    const { world } = worldOf(1);
    world.subscribers.add(ALL, false);
    await settle(world);
    const before = world.deliveries.length;
    world.subscribers.remove(ALL);
    world.homes.get("a")!.commit("pods", "x");
    push(world, "a");
    await settle(world);
    expect(world.deliveries).toHaveLength(before);
    expect(world.subscribers.isQuiet).toBe(true);
  });
});

test("whatever fails, crashes or comes late: nobody's objects go back, and in the end all know the truth", async () => {
  for (let seed = 0; seed < SEEDS; seed++) {
    const { world, start } = worldOf(seed, { homes: 0.05, deliveries: 0.1 });
    const { random, homes } = world;
    const subscriptions = [ALL, ofNode("n1"), ofNode("n2")];
    const pick = <T>(items: T[]): T => items[Math.floor(random() * items.length)]!;
    const registered = new Set<Subscription>();
    for (let step = 0; step < 120; step++) {
      const dice = random();
      const name = pick([...homes.keys()]);
      const home = homes.get(name)!;
      if (dice < 0.4)
        home.commit("pods", `p${Math.floor(random() * 5)}`, pick(["n1", "n2", undefined]), random() < 0.3);
      else if (dice < 0.6) push(world, name);
      else if (dice < 0.63) open(world, name);
      else if (dice < 0.65) home.compacted = home.revision;
      else if (dice < 0.68 && homes.size < 6) {
        homes.set(`new-${step}`, new SimulatedHome());
        open(world, `new-${step}`);
      } else if (dice < 0.73) {
        const subscription = pick(subscriptions);
        registered.add(subscription);
        world.subscribers.add(subscription, false);
      } else if (dice < 0.74) {
        // A crash: nobody knows how far anything got, so everybody is told everything.
        start();
        for (const subscription of registered) world.subscribers.add(subscription, false);
      }
      if (random() < 0.8) await world.network.step();
    }
    for (const subscription of subscriptions)
      if (!registered.has(subscription)) world.subscribers.add(subscription, false);
    for (const name of homes.keys()) push(world, name);
    await settle(world);
    for (const { name, class: kind } of subscriptions) {
      const pupil = world.pupils.get(name)!;
      expect(pupil.wrong, `seed ${seed}`).toEqual([]);
      expect(pupil.synced, `seed ${seed}`).toBe(true);
      expect(sorted(pupil.knows), `seed ${seed}, ${name}`).toEqual(
        sorted(truth(world, kind === "NODE_LINK" ? name : undefined)),
      );
    }
    expect(world.subscribers.isQuiet, `seed ${seed}`).toBe(true);
  }
});
