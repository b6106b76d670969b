import { describe, expect, test } from "vitest";
import { Network, SimulatedHome, seeded, sourceOf } from "../../test/support/simulated-homes.ts";
import type { FeedEvent, FeedPart } from "../protocol.ts";
import { HomeFeeds } from "./home-feeds.ts";

const RESOURCES = ["pods"];
const SEEDS = 300;

function feedsOf(home: SimulatedHome, network: Network, fails = () => false) {
  const told: (FeedEvent | "lost")[] = [];
  const interests = { resources: RESOURCES, version: 0 };
  const feeds = new HomeFeeds({
    source: sourceOf(new Map([["a", home]]), network, fails),
    interests,
    emit: (_, events) => told.push(...events),
    advanced: () => undefined,
    lost: () => told.push("lost"),
    sleep: () => network.pass(),
  });
  return { feeds, told, interests };
}

const settle = async (network: Network): Promise<void> => {
  do await network.step();
  while (!network.isIdle);
};

const part = (home: SimulatedHome, continues: number, upTo = home.revision): FeedPart => ({
  continues,
  upTo,
  events: home.after(continues, RESOURCES).filter(({ revision }) => revision <= upTo),
});

function openWorld(fails?: () => boolean) {
  const home = new SimulatedHome();
  const network = new Network(seeded(1));
  const world = { home, network, ...feedsOf(home, network, fails) };
  world.feeds.open("a", 5, 5);
  return world;
}

describe("a home's parts", () => {
  test("that continue what is told are emitted at once", () => {
    const { home, feeds, told } = openWorld();
    home.commit("pods", "x");
    feeds.take("a", part(home, 5));
    expect(told).toMatchObject([{ revision: 10 }]);
    expect(feeds.told("a")).toBe(10);
    expect(feeds.highestTold).toBe(10);
  });

  test("that leave a gap wait until it is read", async () => {
    const { home, feeds, told, network } = openWorld();
    home.commit("pods", "x");
    home.commit("pods", "y");
    feeds.take("a", { ...part(home, 10), upTo: 75 });
    expect(told).toEqual([]);
    expect(feeds.isBehind("a")).toBe(true);
    expect(feeds.least).toBe(5);
    await settle(network);
    expect(told).toMatchObject([{ revision: 10 }, { revision: 20 }]);
    expect(feeds.isBehind("a")).toBe(false);
    // The part is a promise as well.
    expect(feeds.told("a")).toBe(75);
  });

  test("that come again are dropped, those that overlap are cut", () => {
    const { home, feeds, told } = openWorld();
    home.commit("pods", "x");
    feeds.take("a", part(home, 5));
    feeds.take("a", part(home, 5));
    home.commit("pods", "x");
    feeds.take("a", part(home, 5));
    expect(told).toMatchObject([{ revision: 10 }, { revision: 20 }]);
  });

  test("are read where the home says that it cannot tell them", async () => {
    const { home, feeds, told, network } = openWorld();
    home.commit("pods", "x");
    feeds.take("a", { continues: 80, upTo: 80, events: [] });
    await settle(network);
    expect(told).toMatchObject([{ revision: 10 }]);
    expect(feeds.told("a")).toBe(80);
  });

  test("whose history is gone are told as lost, and what follows is told again", async () => {
    const { home, feeds, told, network } = openWorld();
    home.commit("pods", "x");
    home.commit("pods", "y");
    home.compacted = 10;
    feeds.take("a", part(home, 20));
    home.commit("pods", "z");
    feeds.take("a", { continues: 20, upTo: 30, events: home.after(20, RESOURCES) });
    await settle(network);
    expect(told[0]).toBe("lost");
    home.commit("pods", "z");
    feeds.take("a", part(home, 30));
    expect(told.at(-1)).toMatchObject({ revision: 40 });
  });

  test("that are lost do not count as told before all who follow the home know", async () => {
    const home = new SimulatedHome();
    const network = new Network(seeded(1));
    const toldWhenLost: (number | undefined)[] = [];
    const advances: (number | undefined)[] = [];
    const feeds: HomeFeeds = new HomeFeeds({
      source: sourceOf(new Map([["a", home]]), network, () => false),
      interests: { resources: RESOURCES, version: 0 },
      emit: () => undefined,
      advanced: () => toldWhenLost.length === 0 && advances.push(feeds.told("a")),
      lost: () => toldWhenLost.push(feeds.told("a")),
      sleep: () => network.pass(),
    });
    feeds.open("a", 5, 5);
    home.commit("pods", "x");
    home.compacted = 10;
    feeds.take("a", { continues: 10, upTo: 10, events: [] });
    do {
      await network.step();
      if (toldWhenLost.length === 0) expect(feeds.told("a")).toBe(5);
    } while (!network.isIdle);
    expect(toldWhenLost).toEqual([5]);
    expect(advances.every((told) => told === 5)).toBe(true);
    expect(feeds.told("a")).toBe(10);
  });

  test("of a home that never answers are told as lost", async () => {
    const { feeds, told, network } = openWorld(() => true);
    feeds.take("a", { continues: 10, upTo: 20, events: [] });
    await settle(network);
    expect(told).toEqual(["lost"]);
    expect(feeds.least).toBe(20);
  });

  test("of a home that nothing was lent to are nobody's", () => {
    const { feeds } = openWorld();
    expect(() => feeds.take("b", { continues: 0, upTo: 1, events: [] })).toThrow("nothing was lent");
  });

  test("that are read while more becomes of interest are read again", async () => {
    const { home, feeds, told, network, interests } = openWorld();
    home.commit("secrets", "x");
    feeds.take("a", { continues: 10, upTo: 10, events: [] });
    interests.version++;
    interests.resources = ["pods", "secrets"];
    await settle(network);
    expect(told).toMatchObject([{ resource: "secrets", revision: 10 }]);
  });
});

describe("a home that opens", () => {
  test("has told everything so far where nothing was to come of it, also if an old asking says that it is not so far yet", async () => {
    const { home, feeds, told, network } = openWorld();
    home.commit("pods", "x");
    feeds.close("a", part(home, 5));
    told.length = 0;
    feeds.open("a", 0, 50);
    expect(feeds.least).toBe(50);
    feeds.vanish("a", 10);
    await settle(network);
    expect(told).toEqual([]);
  });

  test("again has what it did not tell read, and what an earlier instance promised is worth nothing", async () => {
    const { home, feeds, told, network } = openWorld();
    home.commit("pods", "x");
    // Waits for the gap before it, with a promise of up to 900.
    feeds.take("a", { continues: 10, upTo: 900, events: [] });
    feeds.take("a", { continues: 900, upTo: 950, events: [] });
    expect(feeds.open("a", 10, 800)).toBe(5);
    await settle(network);
    expect(told).toMatchObject([{ revision: 10 }]);
    expect(feeds.told("a")).toBe(10);
  });

  test("is not told beyond its last commit, whatever its floor will be", () => {
    const { feeds } = openWorld();
    feeds.open("a", 3, 800);
    expect(feeds.told("a")).toBe(5);
  });
});

describe("a home that closes", () => {
  test("counts no more once it has told everything", () => {
    const { home, feeds, told } = openWorld();
    home.commit("pods", "x");
    feeds.close("a", part(home, 5));
    expect(told).toMatchObject([{ revision: 10 }]);
    expect(feeds.least).toBe(Number.POSITIVE_INFINITY);
  });

  test("counts until what it did not tell has been read", async () => {
    const { home, feeds, told, network } = openWorld();
    home.commit("pods", "x");
    home.commit("pods", "y");
    feeds.close("a", part(home, 10));
    expect(feeds.least).toBe(5);
    await settle(network);
    expect(told).toMatchObject([{ revision: 10 }, { revision: 20 }]);
    expect(feeds.least).toBe(Number.POSITIVE_INFINITY);
  });

  test("while it is read is read to its end", async () => {
    const { home, feeds, told, network } = openWorld();
    home.commit("pods", "x");
    feeds.take("a", { continues: 10, upTo: 10, events: [] });
    await network.step();
    home.commit("pods", "y");
    feeds.close("a", { continues: 20, upTo: 20, events: [] });
    await settle(network);
    expect(told).toMatchObject([{ revision: 10 }, { revision: 20 }]);
    expect(feeds.least).toBe(Number.POSITIVE_INFINITY);
  });

  test("without a word is read up to its last commit", async () => {
    const { home, feeds, told, network } = openWorld();
    home.commit("pods", "x");
    feeds.vanish("a", 10);
    expect(feeds.least).toBe(5);
    await settle(network);
    expect(told).toMatchObject([{ revision: 10 }]);
    expect(feeds.least).toBe(Number.POSITIVE_INFINITY);
  });

  test("without a word, and without anything to tell, counts no more", () => {
    const { feeds } = openWorld();
    feeds.vanish("a", 5);
    expect(feeds.isReading).toBe(false);
    expect(feeds.least).toBe(Number.POSITIVE_INFINITY);
  });
});

describe("a home that survived an earlier instance", () => {
  test.each([
    ["a part", (feeds: HomeFeeds) => feeds.take("b", { continues: 3, upTo: 8, events: [] })],
    ["its opening", (feeds: HomeFeeds) => void feeds.open("b", 8, 8)],
    ["its closing", (feeds: HomeFeeds) => feeds.close("b", { continues: 3, upTo: 8, events: [] })],
    ["its having gone", (feeds: HomeFeeds) => feeds.vanish("b", 8)],
  ])("holds everything up until something is heard of it: %s", async (_, hear) => {
    const { feeds } = openWorld();
    feeds.survived("b");
    expect(feeds.least).toBe(0);
    expect(feeds.hasUnknown).toBe(true);
    let isKnown = false;
    void feeds.known().then(() => {
      isKnown = true;
    });
    await Promise.resolve();
    expect(isKnown).toBe(false);
    hear(feeds);
    await Promise.resolve();
    await Promise.resolve();
    expect(isKnown).toBe(true);
    expect(feeds.least).toBe(5);
  });
});

test("whatever is lost, repeated or late, each change is emitted once and in order", async () => {
  for (let seed = 0; seed < SEEDS; seed++) {
    const random = seeded(seed);
    const network = new Network(random);
    const home = new SimulatedHome();
    const { feeds, told } = feedsOf(home, network, () => random() < 0.1);
    let lease = 0;
    let present = 0;
    const open = async (): Promise<void> => {
      // A woken home knows only its last commit, and nothing of what it told before.
      present = ++lease;
      home.told = home.revision;
      feeds.open("a", home.revision, home.revision);
    };
    const send = (isReliable: boolean): void => {
      const [number, sent] = [lease, part(home, home.told)];
      const copies = isReliable ? 1 : Math.floor(random() * 3);
      for (let i = 0; i < copies; i++) void network.pass().then(() => number === present && feeds.take("a", sent));
    };
    await open();
    for (let step = 0; step < 60; step++) {
      if (random() < 0.5) home.commit(random() < 0.8 ? "pods" : "secrets", `p${Math.floor(random() * 4)}`);
      if (random() < 0.4 && home.revision > 0) {
        if (random() < 0.2) await open();
        send(false);
        home.told = home.revision;
      }
      if (random() < 0.7) await network.step();
    }
    home.commit("pods", "last");
    send(true);
    await settle(network);
    expect(told, `seed ${seed}`).toEqual(home.after(0, RESOURCES));
  }
});
