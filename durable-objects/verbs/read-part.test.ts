import { describe, expect, test } from "vitest";
import { targetOf, testHome } from "../../test/support/home.ts";
import type { PartRequest } from "../protocol.ts";

async function filled(count: number, filler = "") {
  const { home, platform } = testHome();
  await home.lease.whenOpen();
  const put = (name: string, value: string) =>
    home.store.write((tx) =>
      tx.put("configmaps", name, (revision) =>
        JSON.stringify({
          metadata: { name, namespace: "default", resourceVersion: String(revision), labels: { value } },
          filler,
        }),
      ),
    );
  for (let i = 0; i < count; i++) put(`c${String(i).padStart(4, "0")}`, i % 2 ? "odd" : "even");
  const ask = (more: Partial<PartRequest> = {}) =>
    home.readPart({
      target: targetOf("configmaps", ""),
      options: {},
      revision: home.store.revision,
      after: "",
      limit: 0,
      ...more,
    });
  return { home, platform, put, ask };
}

const namesIn = async (items: string | ReadableStream<Uint8Array>): Promise<string[]> =>
  JSON.parse(`[${await new Response(items).text()}]`).map((item: any) => item.metadata.name);

describe("a home's part of a list", () => {
  test("without a limit is all there was at the revision, and what follows is later", async () => {
    const { home, put, ask } = await filled(3);
    const revision = home.store.revision + 50 * 1024;
    const part = ask({ revision });
    expect([part.expired, await namesIn(part.items)]).toEqual([false, ["c0000", "c0001", "c0002"]]);
    expect(put("c0001", "later").revision).toBeGreaterThan(revision);
    expect(await namesIn(ask({ revision }).items)).toEqual(["c0000", "c0001", "c0002"]);
    expect(ask({ revision }).items).not.toContain("later");
  });

  test("of nothing is empty", async () => {
    const { ask } = await filled(0);
    expect(ask({ revision: 5_000 })).toEqual({ expired: false, items: "", count: 0, last: "", remaining: 0 });
    expect(ask({ revision: 5_000, limit: 3 })).toMatchObject({ items: "", count: 0, remaining: 0 });
  });

  test("with a limit says where it ended and what follows", async () => {
    const { ask } = await filled(5);
    const { items, ...first } = ask({ limit: 2 });
    expect([await namesIn(items), first]).toEqual([
      ["c0000", "c0001"],
      { expired: false, count: 2, last: "c0001", remaining: 3 },
    ]);
    const { items: rest, ...second } = ask({ limit: 9, after: "c0001" });
    expect([await namesIn(rest), second]).toEqual([
      ["c0002", "c0003", "c0004"],
      { expired: false, count: 3, last: "c0004", remaining: 0 },
    ]);
    expect(ask({ limit: 9, after: "c0004" })).toMatchObject({ items: "", count: 0, remaining: 0 });
  });

  test("heeds selectors, and counts what follows, selected or not", async () => {
    const { ask } = await filled(6);
    const options = { labelSelector: "value=odd" };
    const part = ask({ options, limit: 2 });
    expect([await namesIn(part.items), part.last, part.remaining]).toEqual([["c0001", "c0003"], "c0003", 2]);
    const rest = ask({ options, limit: 2, after: part.last });
    expect([await namesIn(rest.items), rest.remaining]).toEqual([["c0005"], 0]);
    const named = ask({ options: { fieldSelector: "metadata.name=c0002" }, limit: 1 });
    expect([await namesIn(named.items), named.remaining]).toEqual([["c0002"], 0]);
    expect(await namesIn(ask({ options: { fieldSelector: "metadata.namespace=default" } }).items)).toHaveLength(6);
    expect(await namesIn(ask({ options: { fieldSelector: "metadata.namespace=other" } }).items)).toHaveLength(0);
  });

  test("that is too large for a message is a stream; with a limit it stops early, and says so", async () => {
    const { ask } = await filled(150, "x".repeat(100_000));
    const all = ask();
    expect(typeof all.items).toBe("object");
    expect(await namesIn(all.items)).toHaveLength(150);
    const limited = ask({ limit: 120 });
    expect((limited.items as string).length).toBeLessThan(10 << 20);
    expect(limited.count).toBeLessThan(120);
    expect(limited.count + limited.remaining).toBe(150);
    const rest = ask({ limit: 120 - limited.count, after: limited.last });
    const names = [...(await namesIn(limited.items)), ...(await namesIn(rest.items))];
    expect(names).toEqual(Array.from({ length: 120 }, (_, i) => `c${String(i).padStart(4, "0")}`));
  });

  test("is expired where history does not reach back", async () => {
    const { home, platform, put, ask } = await filled(3);
    const { revision } = home.store;
    for (let i = 0; i < 1_100; i++) put("c0000", String(i));
    platform.time += 2 * 3_600_000;
    put("c0000", "late");
    expect(ask({ revision })).toMatchObject({ expired: true, items: "" });
    expect(ask().expired).toBe(false);
  });
});
