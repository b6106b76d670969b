import { expect, test } from "vitest";
import { ADMIN, targetOf, testHome } from "../../test/support/home.ts";
import type { HomeAnswer, RequestOptions } from "../protocol.ts";

const FILLER = "x".repeat(2_000);
const OBJECTS = 2_000;

const nameOf = (i: number): string => `c${String(i).padStart(5, "0")}`;

/** A home with more objects than one message holds. */
async function filled(count = OBJECTS) {
  const { home, platform } = testHome();
  await home.lease.whenOpen();
  const put = (name: string, value: string) =>
    home.store.write((tx) =>
      tx.put("configmaps", name, (revision) =>
        JSON.stringify({
          kind: "ConfigMap",
          apiVersion: "v1",
          metadata: { name, resourceVersion: String(revision), labels: { value } },
          data: { FILLER },
        }),
      ),
    );
  for (let i = 0; i < count; i++) put(nameOf(i), "first");
  const list = (options: RequestOptions = {}): Promise<HomeAnswer> =>
    home.handle({ verb: "list", user: ADMIN, target: targetOf("configmaps", "default"), options });
  return { home, platform, put, list };
}

const streamIn = ({ body }: HomeAnswer): ReadableStream<Uint8Array> => {
  if (typeof body === "string") throw new Error("it is no stream");
  return body;
};

test("a large list is read bit by bit, and shows nothing of what is written meanwhile", async () => {
  const { home, put, list } = await filled();
  const { revision } = home.store;
  const decoder = new TextDecoder();
  let text = "";
  let largest = 0;
  let chunks = 0;
  for await (const chunk of streamIn(await list())) {
    text += decoder.decode(chunk, { stream: true });
    largest = Math.max(largest, chunk.length);
    chunks++;
    for (let i = 0; i < 60; i++) put(nameOf((chunks * 37 + i * 31) % (OBJECTS + 50)), "second");
    const last = nameOf(OBJECTS - chunks);
    home.store.write((tx) => tx.remove("configmaps", last, (at) => `{"metadata":{"resourceVersion":"${at}"}}`));
  }
  const { metadata, items } = JSON.parse(text);
  expect(metadata).toEqual({ resourceVersion: String(revision) });
  expect(items.map((item: any) => item.metadata.name)).toEqual(Array.from({ length: OBJECTS }, (_, i) => nameOf(i)));
  expect(new Set(items.map((item: any) => item.metadata.labels.value))).toEqual(new Set(["first"]));
  expect(chunks).toBeGreaterThan(5);
  expect(largest).toBeLessThan(1 << 20);
});

test.each<[string, RequestOptions]>([
  ["without selectors", { limit: 1_500 }],
  ["with a selector, which nobody can count for", { limit: 1_500, labelSelector: "value=first" }],
])("a large page %s is a stream that says at its end where it ended", async (_, options) => {
  const { list, put } = await filled();
  const first = JSON.parse(await new Response(streamIn(await list(options))).text());
  expect(first.items).toHaveLength(1_500);
  const { resourceVersion, remainingItemCount } = first.metadata;
  expect(remainingItemCount).toBe(options.labelSelector ? undefined : 500);
  put(nameOf(1_700), "second");
  const rest = await list({ ...options, continue: first.metadata.continue });
  const second = JSON.parse(await new Response(rest.body as string).text());
  expect(second.items.map((item: any) => item.metadata.name)).toEqual(
    Array.from({ length: 500 }, (_, i) => nameOf(1_500 + i)),
  );
  expect(second.metadata).toEqual({ resourceVersion });
});

test("a stream whose revision is compacted meanwhile breaks: it is never a short list that looks whole", async () => {
  const { home, platform, put, list } = await filled();
  const reader = streamIn(await list()).getReader();
  await reader.read();
  // So slow a reader is not waited for.
  platform.time += 2 * 3_600_000;
  for (let i = 0; i < 1_100 + OBJECTS; i++) put("busy", String(i));
  platform.time += 2 * 3_600_000;
  for (let i = 0; i < 3_000; i++) put("busy", String(i));
  expect(home.store.compacted).toBeGreaterThan(0);
  const rest = async () => {
    while (!(await reader.read()).done);
  };
  await expect(rest()).rejects.toThrow("too old");
});

test.each(["read to its end", "cancelled"])(
  "a list that is streamed holds its revision until it is %s",
  async (end) => {
    const { home, list } = await filled();
    const { revision } = home.store;
    const held = new Set<number>();
    const { hold } = home.store;
    home.store.hold = (at) => {
      held.add(at);
      const release = hold.call(home.store, at);
      return () => {
        held.delete(at);
        release();
      };
    };
    const stream = streamIn(await list());
    expect([...held]).toEqual([revision]);
    if (end === "cancelled") await stream.cancel();
    else await new Response(stream).arrayBuffer();
    expect([...held]).toEqual([]);
  },
);
