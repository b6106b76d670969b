import fc from "fast-check";
import { expect, test } from "vitest";
import { encodeObject } from "../../api/protobuf/encode-object.ts";
import { encodeList, ListSplitter } from "./protobuf-list.ts";

const HARD_TEXT = fc.string({
  unit: fc.constantFrom('"', "\\", "{", "}", "[", "]", ",", ":", "a", "é", "😀", '"items":['),
  maxLength: 12,
});
const ITEM = fc.record({ metadata: fc.record({ name: HARD_TEXT }), data: fc.dictionary(HARD_TEXT, HARD_TEXT) });
const METADATA = { resourceVersion: "7", continue: "abc" };

/** A list as homes send it: what is known late stands behind the items. */
const texts = (items: object[]): string[] => [
  JSON.stringify({ kind: "ConfigMapList", apiVersion: "v1", metadata: METADATA, items }),
  JSON.stringify({ kind: "ConfigMapList", apiVersion: "v1", items, metadata: METADATA }),
];

const streamOf = (bytes: Uint8Array, size: number): ReadableStream<Uint8Array> =>
  new ReadableStream({
    start(controller) {
      for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.slice(at, at + size));
      controller.close();
    },
  });

test("a list is taken apart wherever its text is cut", () => {
  fc.assert(
    fc.property(fc.array(ITEM, { maxLength: 4 }), fc.integer({ min: 1, max: 40 }), (items, size) => {
      for (const text of texts(items)) {
        const splitter = new ListSplitter();
        const found: unknown[] = [];
        for (let at = 0; at < text.length; at += size)
          for (const some of splitter.take(text.slice(at, at + size))) found.push(...some);
        expect(found).toEqual(items);
        expect(splitter.rest()).toEqual({ kind: "ConfigMapList", apiVersion: "v1", metadata: METADATA });
      }
    }),
  );
});

test("a streamed list has the bytes of one that came whole", async () => {
  const items = ["a", "é", "😀"].map((name) => ({ metadata: { name }, data: { k: '"}]\\' } }));
  for (const text of texts(items)) {
    const streamed = await encodeList(streamOf(new TextEncoder().encode(text), 7), "object", "v1");
    const whole = encodeObject(JSON.parse(text))!;
    expect(Buffer.from(await new Response(streamed).arrayBuffer()).equals(whole)).toBe(true);
  }
});

test("of a streamed list, the metadata alone", async () => {
  const [text] = texts([{ metadata: { name: "a" }, data: { k: "v" } }]);
  const streamed = await encodeList(streamOf(Buffer.from(text!), 50), "PartialObjectMetadataList", "v1");
  const expected = encodeObject({
    kind: "PartialObjectMetadataList",
    apiVersion: "meta.k8s.io/v1",
    metadata: METADATA,
    items: [{ metadata: { name: "a" } }],
  } as never)!;
  expect(Buffer.from(await new Response(streamed).arrayBuffer()).equals(expected)).toBe(true);
});

test("a list that breaks off is no list", async () => {
  const [text] = texts([{ metadata: { name: "a" } }]);
  await expect(encodeList(streamOf(Buffer.from(text!.slice(0, -30)), 50), "object", "v1")).rejects.toThrow();
});
