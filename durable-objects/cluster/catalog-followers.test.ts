import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { nodeSql } from "../../test/support/node-sql.ts";
import type { SqlDatabase } from "../store/sql.ts";
import { CatalogFollowers } from "./catalog-followers.ts";

// What is tried again is told to the log.
beforeAll(() => void vi.spyOn(console, "warn").mockImplementation(() => undefined));
afterAll(() => void vi.restoreAllMocks());

class World {
  readonly database: SqlDatabase = nodeSql();
  catalog = { revision: 1, text: "one" };
  readonly told: string[] = [];
  readonly unreachable = new Set<string>();
  guards = 0;
  /** Work that is to be done later, with its delay. */
  later: [number, () => void][] = [];
  followers = this.#make();

  #make(): CatalogFollowers {
    const world = this;
    return new CatalogFollowers({
      database: this.database,
      catalog: {
        get revision() {
          return world.catalog.revision;
        },
        get text() {
          return world.catalog.text;
        },
      },
      followerOf: (name) => ({
        catalogChanged: async (revision) => {
          if (this.unreachable.has(name)) throw new Error("no answer");
          this.told.push(`${name} ${revision}`);
        },
      }),
      later: (milliseconds, work) => void this.later.push([milliseconds, work]),
      guard: () => void this.guards++,
    });
  }

  /** The process ends, and another begins. */
  restart(): void {
    this.later = [];
    this.followers = this.#make();
  }

  change(text: string): void {
    this.catalog = { revision: this.catalog.revision + 1, text };
    this.followers.changed();
  }
}

test("a follower is told once, until it asks again", async () => {
  const world = new World();
  world.followers.add("a");
  world.change("two");
  await world.followers.told();
  world.change("three");
  await world.followers.told();
  expect(world.told).toEqual(["a 2"]);
  world.followers.add("a");
  world.change("four");
  await world.followers.told();
  expect(world.told).toEqual(["a 2", "a 4"]);
});

test("with nobody to tell, a change costs nothing", async () => {
  const world = new World();
  const before = JSON.stringify([...world.database.exec("SELECT * FROM catalog_told")]);
  world.change("two");
  await world.followers.told();
  expect(JSON.stringify([...world.database.exec("SELECT * FROM catalog_told")])).toBe(before);
  expect([world.guards, world.followers.isBehind]).toEqual([0, false]);
});

test("who cannot be reached holds nobody up, and is told later", async () => {
  const world = new World();
  world.followers.add("a");
  world.followers.add("b");
  world.unreachable.add("a");
  world.change("two");
  await world.followers.told();
  expect(world.told).toEqual(["b 2"]);
  expect(world.followers.isBehind || world.guards > 0).toBe(true);
  world.unreachable.clear();
  for (const [, work] of world.later.splice(0)) work();
  await world.followers.told();
  expect(world.told).toEqual(["b 2", "a 2"]);
});

test("an instance that was lost before it had told all is made up for by the next", async () => {
  const world = new World();
  world.followers.add("a");
  world.unreachable.add("a");
  world.change("two");
  await world.followers.told();
  world.unreachable.clear();
  world.restart();
  world.followers.wake();
  await world.followers.told();
  expect(world.told).toEqual(["a 2"]);
});

test("the next instance tells nobody what they know already", async () => {
  const world = new World();
  world.followers.add("a");
  world.change("two");
  await world.followers.told();
  world.followers.add("a");
  world.restart();
  world.followers.wake();
  await world.followers.told();
  expect(world.told).toEqual(["a 2"]);
});

test("who asks while it is being told stays a follower", async () => {
  const world = new World();
  world.followers.add("a");
  world.change("two");
  world.followers.add("a"); // It has heard of the change, and asked, before its answer came back.
  await world.followers.told();
  world.change("three");
  await world.followers.told();
  expect(world.told).toEqual(["a 2", "a 3"]);
});
