import { describe, expect, test } from "vitest";
import { Network, SimulatedHome, seeded, sourceOf } from "../../test/support/simulated-homes.ts";
import type { FeedEvent } from "../protocol.ts";
import { HomeFeeds } from "./home-feeds.ts";

const RESOURCES = ["pods"];
const SEEDS = 300;

function feedsOf(home: SimulatedHome, network: Network, fails = () => false) {
  const told: (FeedEvent | "lost")[] = [];
  const feeds = new HomeFeeds({
    source: sourceOf(new Map([["a", home]]), network, fails),
    interests: () => RESOURCES,
    emit: (_, events) => told.push(...events),
    lost: () => told.push("lost"),
    sleep: () => network.pass(),
  });
  return { feeds, told };
}

const settle = async (network: Network): Promise<void> => {
  do await network.step();
  while (!network.isIdle);
};

describe("a home's pushes", () => {
  test("that continue what is known are emitted at once", () => {
    const home = new SimulatedHome();
    const { feeds, told } = feedsOf(home, new Network(seeded(1)));
    feeds.startAt("a", 5);
    home.commit("pods", "x");
    feeds.push("a", 5, home.revision, home.after(0, RESOURCES));
    expect(told).toMatchObject([{ revision: 10 }]);
    expect([...feeds.revisions()]).toEqual([["a", 10]]);
  });

  test("that leave a gap wait until it is read", async () => {
    const home = new SimulatedHome();
    const network = new Network(seeded(1));
    const { feeds, told } = feedsOf(home, network);
    feeds.startAt("a", 5);
    home.commit("pods", "x");
    home.commit("pods", "y");
    feeds.push("a", 10, 20, home.after(10, RESOURCES));
    expect(told).toEqual([]);
    expect(feeds.isReading).toBe(true);
    await settle(network);
    expect(told).toMatchObject([{ revision: 10 }, { revision: 20 }]);
    expect(feeds.isReading).toBe(false);
  });

  test("that come again are dropped, those that overlap are cut", () => {
    const home = new SimulatedHome();
    const { feeds, told } = feedsOf(home, new Network(seeded(1)));
    feeds.startAt("a", 5);
    home.commit("pods", "x");
    feeds.push("a", 5, 10, home.after(5, RESOURCES));
    feeds.push("a", 5, 10, home.after(5, RESOURCES));
    home.commit("pods", "x");
    feeds.push("a", 5, 20, home.after(5, RESOURCES));
    expect(told).toMatchObject([{ revision: 10 }, { revision: 20 }]);
  });

  test("whose history is gone are told as lost, and what follows is told again", async () => {
    const home = new SimulatedHome();
    const network = new Network(seeded(1));
    const { feeds, told } = feedsOf(home, network);
    feeds.startAt("a", 5);
    home.commit("pods", "x");
    home.commit("pods", "y");
    home.compacted = 10;
    feeds.push("a", 0, 20, []);
    await settle(network);
    expect(told).toEqual(["lost"]);
    home.commit("pods", "z");
    feeds.push("a", 20, 30, home.after(20, RESOURCES));
    expect(told).toMatchObject(["lost", { revision: 30 }]);
  });

  test("of a home that never answers are told as lost", async () => {
    const network = new Network(seeded(1));
    const { feeds, told } = feedsOf(new SimulatedHome(), network, () => true);
    feeds.push("a", 0, 20, []);
    await settle(network);
    expect(told).toEqual(["lost"]);
  });
});

test("whatever is lost, repeated or late, each change is emitted once and in order", async () => {
  for (let seed = 0; seed < SEEDS; seed++) {
    const random = seeded(seed);
    const network = new Network(random);
    const home = new SimulatedHome();
    const { feeds, told } = feedsOf(home, network, () => random() < 0.1);
    const push = async (continues: number, upTo: number, isReliable: boolean): Promise<void> => {
      const events = home.after(continues, RESOURCES).filter(({ revision }) => revision <= upTo);
      const copies = isReliable ? 1 : Math.floor(random() * 3);
      for (let i = 0; i < copies; i++) void network.pass().then(() => feeds.push("a", continues, upTo, events));
    };
    for (let step = 0; step < 60; step++) {
      if (random() < 0.5) home.commit(random() < 0.8 ? "pods" : "secrets", `p${Math.floor(random() * 4)}`);
      if (random() < 0.4 && home.revision > 0) {
        // A woken home tells its last commit alone, not knowing what it told before.
        const woke = random() < 0.2;
        await push(woke ? 0 : home.told, home.revision, false);
        home.told = home.revision;
      }
      if (random() < 0.7) await network.step();
    }
    home.commit("pods", "last");
    await push(0, home.revision, true);
    await settle(network);
    expect(told, `seed ${seed}`).toEqual(home.after(0, RESOURCES));
  }
});
