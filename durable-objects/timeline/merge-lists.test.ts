import { describe, expect, test } from "vitest";
import type { HomeAnswer, RequestOptions } from "../protocol.ts";
import { servedOf } from "../verbs/served.ts";
import { mergeLists } from "./merge-lists.ts";

const SERVED = servedOf({ group: "", version: "v1", resource: "pods" });
const HOMES: Record<string, string[]> = { a: ["a1", "a2", "a3"], b: [], c: ["c1"], d: ["d1", "d2"] };

/** Homes whose continue token is the number of items told. */
async function list(namespace: string, { limit, continue: from }: RequestOptions): Promise<HomeAnswer> {
  const start = Number(from ?? 0);
  const end = limit ? start + limit : Number.POSITIVE_INFINITY;
  const all = HOMES[namespace]!;
  const metadata = { resourceVersion: "5", ...(end < all.length && { continue: String(end) }) };
  const items = all.slice(start, end).map((name) => ({ metadata: { namespace, name, note: ']},"items":[' } }));
  return { code: 200, body: JSON.stringify({ kind: "PodList", apiVersion: "v1", metadata, items }) };
}

let asked = 0;
async function merged(options: RequestOptions, listOne: typeof list = list) {
  const answer = await mergeLists({
    served: SERVED,
    options,
    namespaces: Object.keys(HOMES),
    list: async (...args) => {
      asked++;
      return await listOne(...args);
    },
    revisionOf: (homes) => 1000 + homes.size,
  });
  const text = typeof answer.body === "string" ? answer.body : await new Response(answer.body).text();
  return { code: answer.code, list: JSON.parse(text) };
}

const namesOf = (one: any): string[] => one.items.map((item: any) => item.metadata.name);

describe("a list across namespaces", () => {
  test("has all items by namespace and name, and a revision of its own", async () => {
    const { list } = await merged({});
    expect(list).toMatchObject({ kind: "PodList", apiVersion: "v1", metadata: { resourceVersion: "1004" } });
    expect(namesOf(list)).toEqual(["a1", "a2", "a3", "c1", "d1", "d2"]);
  });

  test.each([1, 2, 3, 4, 5, 6, 7])("in pages of %i has each item once, all pages of one revision", async (limit) => {
    const names: string[] = [];
    const revisions = new Set<string>();
    let next: string | undefined;
    let pages = 0;
    do {
      const { list } = await merged({ limit, ...(next && { continue: next }) });
      expect(list.items.length).toBeLessThanOrEqual(limit);
      names.push(...namesOf(list));
      revisions.add(list.metadata.resourceVersion);
      next = list.metadata.continue;
      pages++;
    } while (next && pages < 20);
    expect(names).toEqual(["a1", "a2", "a3", "c1", "d1", "d2"]);
    expect(revisions.size).toBe(1);
  });

  test("reads no more homes than a page needs", async () => {
    asked = 0;
    await merged({ limit: 2 });
    expect(asked).toBe(1);
  });

  test("passes a home's refusal on", async () => {
    const { code, list: status } = await merged({}, async (namespace, options) =>
      namespace === "c" ? { code: 403, body: '{"kind":"Status","code":403}' } : await list(namespace, options),
    );
    expect(code).toBe(403);
    expect(status.kind).toBe("Status");
  });

  test("refuses a token that is not its own", async () => {
    await expect(merged({ continue: "nonsense" })).rejects.toThrow("continue key is not valid");
    await expect(merged({ continue: btoa('{"v":2}') })).rejects.toThrow("continue key is not valid");
  });

  test("travels in pieces where it is large", async () => {
    const { list: large } = await merged({}, async () => ({
      code: 200,
      body: JSON.stringify({ metadata: { resourceVersion: "5" }, items: [{ filler: "ä".repeat(2 << 20) }] }),
    }));
    expect(large.items).toHaveLength(4);
    expect(large.items[3].filler).toHaveLength(2 << 20);
  });
});
