import { beforeEach, describe, expect, test } from "vitest";
import { FakeHome } from "../../test/support/fake-homes.ts";
import type { HomeAnswer, RequestOptions } from "../protocol.ts";
import { revisionAt } from "../revision.ts";
import { servedOf } from "../verbs/served.ts";
import { Lists } from "./lists.ts";

const SERVED = servedOf({ group: "", version: "v1", resource: "pods" });
const TARGET = { group: "", version: "v1", resource: "pods", namespace: "", name: "", subresource: "" };
const START = Date.UTC(2026, 0, 1);

let now: number;
let announced: number;
let homes: Map<string, FakeHome>;
let lists: Lists;

const cut = (): number => {
  announced = Math.max(announced, revisionAt(now), ...[...homes.values()].map(({ revision }) => revision));
  return announced;
};

beforeEach(() => {
  now = START;
  announced = 0;
  homes = new Map();
  for (const [slot, [name, objects]] of Object.entries({ a: 3, b: 0, c: 1, d: 2 }).entries()) {
    const home = new FakeHome(name, () => now);
    home.took({ number: slot + 1, slot, floor: 0, interests: [] });
    for (let i = 1; i <= objects; i++) home.commit(`${name}${i}`, { labels: { note: ']},"items":[' } });
    homes.set(name, home);
    now++;
  }
  lists = new Lists({
    cut: async () => cut(),
    announced: () => announced,
    namespacesAt: async () => [...homes.keys()],
    readPart: (name, request) => homes.get(name)!.readPart(request),
    reaches: async (names, revision) => names.every((name) => homes.get(name)!.compacted <= revision),
  });
});

async function read(answer: HomeAnswer) {
  const text = typeof answer.body === "string" ? answer.body : await new Response(answer.body).text();
  return { code: answer.code, list: JSON.parse(text) };
}

const list = async (options: RequestOptions = {}) => await read(await lists.list(SERVED, TARGET, options));
const namesOf = ({ items }: any): string[] => items.map(({ metadata }: any) => metadata.name);
const ALL = ["a1", "a2", "a3", "c1", "d1", "d2"];

describe("a list across namespaces", () => {
  test("has all items by namespace and name, at one revision", async () => {
    const { list: all } = await list();
    expect(all).toMatchObject({ kind: "PodList", apiVersion: "v1", metadata: { resourceVersion: String(announced) } });
    expect(namesOf(all)).toEqual(ALL);
    for (const { floor } of homes.values()) expect(floor).toBe(announced);
  });

  test.each([1, 2, 3, 4, 5, 6, 7])(
    "in pages of %i has each item once, all pages of one revision, while others write",
    async (limit) => {
      const names: string[] = [];
      const revisions = new Set<string>();
      const remaining: number[] = [];
      let next: string | undefined;
      do {
        const { list: page } = await list({ limit, ...(next && { continue: next }) });
        expect(page.items.length).toBeLessThanOrEqual(limit);
        names.push(...namesOf(page));
        revisions.add(page.metadata.resourceVersion);
        next = page.metadata.continue;
        if (next) remaining.push(page.metadata.remainingItemCount + names.length);
        expect(names.length).toBeLessThan(20);
        now += 10;
        for (const [name, home] of homes) home.commit(`${name}${names.length}-new`);
        homes.get("d")!.commit("d2", { isDeletion: homes.get("d")!.at(Number.POSITIVE_INFINITY, "pods").length > 1 });
      } while (next);
      expect(names).toEqual(ALL);
      expect(revisions.size).toBe(1);
      expect(remaining.every((count) => count === ALL.length)).toBe(true);
    },
  );

  test("with a selector does not tell how many remain", async () => {
    const { list: page } = await list({ limit: 2, labelSelector: "note" });
    expect(page.metadata.continue).toBeTruthy();
    expect(page.metadata.remainingItemCount).toBeUndefined();
  });

  test("reads no more homes for a later page than it needs", async () => {
    const { list: page } = await list({ limit: 2 });
    const before = [...homes.values()].map(({ asked }) => asked.length);
    await list({ limit: 1, continue: page.metadata.continue });
    expect([...homes.values()].map(({ asked }, i) => asked.length - before[i]!)).toEqual([1, 0, 0, 0]);
  });

  test("at a given revision is of that revision", async () => {
    const revision = homes.get("c")!.revision;
    now += 10;
    homes.get("c")!.commit("c2");
    cut();
    for (const options of [
      { resourceVersion: String(revision), resourceVersionMatch: "Exact" },
      { resourceVersion: String(revision), limit: 100 },
      { at: revision },
    ]) {
      const { list: past } = await list(options);
      expect(past.metadata.resourceVersion).toBe(String(revision));
      expect(namesOf(past)).toEqual(["a1", "a2", "a3", "c1"]);
    }
    const { list: newer } = await list({ resourceVersion: String(revision), resourceVersionMatch: "NotOlderThan" });
    expect(namesOf(newer)).toEqual(["a1", "a2", "a3", "c1", "c2", "d1", "d2"]);
  });

  test("of a revision that a history does not reach back to is 410, also in pages", async () => {
    const { list: page } = await list({ limit: 4 });
    homes.get("d")!.compacted = announced + 1;
    const exact = { resourceVersion: page.metadata.resourceVersion, resourceVersionMatch: "Exact" };
    await expect(list(exact)).rejects.toMatchObject({
      code: 410,
      message: "The resourceVersion for the provided list is too old.",
    });
    const { code, list: status } = await list({ limit: 4, continue: page.metadata.continue });
    expect(code).toBe(410);
    expect(status).toMatchObject({ kind: "Status", reason: "Expired" });
    expect(status.message).toMatch(/^The provided continue parameter is too old to display a consistent list result/);
    now += 1_000;
    homes.get("d")!.commit("d0");
    const { list: rest } = await list({ limit: 4, continue: status.metadata.continue });
    expect(namesOf(rest)).toEqual(["d0", "d1", "d2"]);
    expect(rest.metadata.resourceVersion).toBe(String(announced));
  });

  test("of a revision that nobody has handed out is refused", async () => {
    const far = String(revisionAt(START + 3_600_000));
    await expect(list({ resourceVersion: far, resourceVersionMatch: "Exact" })).rejects.toMatchObject({
      code: 504,
      message: expect.stringContaining("Too large resource version"),
    });
  });

  test.each([
    ["nonsense", "nonsense"],
    ["a token of one home", btoa(JSON.stringify({ v: "meta.k8s.io/v1", rv: 5, start: "web\0" }))],
    ["a token with too many parts", btoa(JSON.stringify({ v: "meta.k8s.io/v1", rv: 5, start: "a/b/3/c\0" }))],
    ["a token with a count that is none", btoa(JSON.stringify({ v: "meta.k8s.io/v1", rv: 5, start: "a/b/x\0" }))],
  ])("refuses %s as a token", async (_, token) => {
    await expect(list({ continue: token })).rejects.toMatchObject({
      code: 400,
      message: expect.stringContaining("continue key is not valid"),
    });
  });

  test("refuses selectors and options that it does not understand", async () => {
    await expect(list({ fieldSelector: "spec.colour=red" })).rejects.toMatchObject({ code: 400 });
    await expect(list({ resourceVersionMatch: "Exact" })).rejects.toMatchObject({ code: 422 });
  });
});

describe("a large list", () => {
  const large = (home: FakeHome, count: number): void => {
    for (let i = 0; i < count; i++) home.commit(`large-${i}`, { labels: { filler: "ä".repeat(1 << 19) } });
  };

  test("is streamed", async () => {
    large(homes.get("a")!, 3);
    large(homes.get("d")!, 3);
    now += 10;
    const answer = await lists.list(SERVED, TARGET, {});
    expect(answer.body).toBeInstanceOf(ReadableStream);
    expect(namesOf((await read(answer)).list)).toHaveLength(12);
  });

  test("passes on what homes stream, with commas between namespaces", async () => {
    const stream = (text: string) => new Response(text).body!;
    const readPart = homes.get("c")!.readPart.bind(homes.get("c"));
    homes.get("c")!.readPart = async (request) => {
      const part = await readPart(request);
      return { ...part, items: stream(part.items as string) };
    };
    now += 10;
    expect(namesOf((await list()).list)).toEqual(ALL);
    homes.delete("a");
    expect(namesOf((await list()).list)).toEqual(["c1", "d1", "d2"]);
    homes.delete("d");
    expect(namesOf((await list()).list)).toEqual(["c1"]);
  });

  test("breaks where a home fails in the middle: it must not look whole", async () => {
    large(homes.get("a")!, 3);
    homes.get("d")!.before = () => {
      throw new Error("no answer");
    };
    now += 10;
    const answer = await lists.list(SERVED, TARGET, {});
    await expect(new Response(answer.body as ReadableStream).text()).rejects.toThrow("no answer");
  });

  test("is refused where a home's stream breaks before anything was sent", async () => {
    homes.get("a")!.readPart = async () => ({
      expired: false,
      items: new ReadableStream({ pull: () => Promise.reject(new Error("lost")) }),
      count: 0,
      last: "",
      remaining: 0,
    });
    await expect(lists.list(SERVED, TARGET, {})).rejects.toMatchObject({ code: 503 });
  });

  test("that nobody reads any more reads no more homes", async () => {
    large(homes.get("a")!, 3);
    for (let i = 0; i < 60; i++) homes.set(`e${String(i).padStart(2, "0")}`, new FakeHome(`e${i}`, () => now));
    now += 10;
    const answer = await lists.list(SERVED, TARGET, {});
    await (answer.body as ReadableStream).cancel();
    await new Promise((resolve) => setImmediate(resolve));
    expect([...homes.values()].filter(({ asked }) => asked.length > 0).length).toBeLessThan(30);
  });
});
