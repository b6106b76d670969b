import { expect, test } from "vitest";
import { FakeHome } from "../../test/support/fake-homes.ts";
import { HistoryPages } from "./history-pages.ts";

const START = Date.UTC(2026, 0, 1);

function world(names: string[]) {
  let now = START;
  const homes = new Map(names.map((name) => [name, new FakeHome(name, () => now)]));
  for (const [slot, home] of [...homes.values()].entries()) {
    home.took({ number: slot + 1, slot, floor: 0, interests: [] });
  }
  return {
    homes,
    tick: () => {
      now += 1;
    },
    read: (after: number, upTo: number, homesToRead = names) =>
      new HistoryPages(
        {
          changesSince: (home, ...rest) => homes.get(home)!.changesSince(...rest),
          snapshot: () => Promise.reject(new Error("nobody asks for objects")),
        },
        "pods",
        homesToRead,
        { after, upTo },
      ),
  };
}

test("all homes' changes come in the order of their revisions, each once, up to the end", async () => {
  const { homes, tick, read } = world(["a", "b", "c"]);
  const expected: number[] = [];
  for (let i = 0; i < 40; i++) {
    tick();
    expected.push(homes.get(i % 5 === 0 ? "b" : "a")!.commit(`p${i}`));
    homes.get("a")!.commit(`s${i}`, { resource: "secrets" });
  }
  const [after, upTo] = [expected[3]!, expected[36]! + 1];
  const pages = read(after, upTo);
  const told: number[] = [];
  for (let count = 0; !pages.isDone; count++) {
    expect(count).toBeLessThan(40);
    for (const { revision } of await pages.next()) told.push(revision);
    if (told.length > 0) expect(pages.revision).toBeGreaterThanOrEqual(told.at(-1)!);
  }
  expect(told).toEqual(expected.slice(4, 37));
  expect(pages.revision).toBe(upTo);
  // Where nothing happened nobody asks a second time.
  expect(homes.get("c")!.asked).toEqual(["changesSince"]);
});

test("nothing is asked where there is nothing between", async () => {
  const { read } = world(["a"]);
  expect(read(10, 10).isDone).toBe(true);
});

test("homes that have nothing, or no homes, leave nothing to tell", async () => {
  const { read } = world(["a"]);
  for (const pages of [read(5, 10), read(5, 10, [])]) {
    expect(await pages.next()).toEqual([]);
    expect(pages.isDone).toBe(true);
  }
});

test("history that does not reach back is 410", async () => {
  const { homes, read } = world(["a", "b"]);
  homes.get("b")!.compacted = 6;
  await expect(read(5, 10).next()).rejects.toMatchObject({ code: 410, reason: "Expired" });
});
