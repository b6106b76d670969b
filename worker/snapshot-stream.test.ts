import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { LineSplitter, objectLine, type Sha256, SnapshotVerifier } from "../api/snapshot-format.ts";
import { snapshotStream } from "./snapshot-stream.ts";

const newHash = (): Sha256 => {
  const hash = createHash("sha256");
  return { update: (bytes) => void hash.update(bytes), hex: () => hash.digest("hex") };
};
const REVISION = 1_000_000;

const linesOf = (home: string, count: number): string =>
  Array.from({ length: count }, (_, i) => {
    const metadata = { name: `o${i}`, ...(home && { namespace: home }), resourceVersion: String(i + 1) };
    return objectLine({ resource: "things", name: `o${i}`, revision: i + 1, json: JSON.stringify({ metadata }) });
  }).join("");

/** A text as a stream of chunks of so many bytes, then an error if there is one. */
function streamOf(text: string, size: number, error?: Error): ReadableStream<Uint8Array> {
  let rest = new TextEncoder().encode(text);
  return new ReadableStream({
    pull(controller) {
      if (rest.length === 0) return error ? controller.error(error) : controller.close();
      controller.enqueue(rest.slice(0, size));
      rest = rest.slice(size);
    },
  });
}

const homes = ["", "a", "b", "c", "d", "e", "f"];
const header = { cluster: "blue", revision: REVISION, time: "2026-11-22T12:00:00.000Z", homes };

async function verified(stream: ReadableStream<Uint8Array>) {
  const splitter = new LineSplitter();
  const verifier = new SnapshotVerifier(newHash);
  for await (const chunk of stream) for (const line of splitter.push(chunk)) await verifier.line(line);
  return verifier.finish(splitter.unfinished);
}

test("what the homes give, however it is cut, becomes a snapshot that is whole", async () => {
  for (const size of [1, 50, 10_000]) {
    const objectsOf = async (home: string) => streamOf(linesOf(home, homes.indexOf(home)), size);
    expect(await verified(snapshotStream({ header, objectsOf, newHash }))).toEqual({ header, homes: 7, objects: 21 });
  }
});

test("only a few homes are asked before it is their turn", async () => {
  let asked = 0;
  const objectsOf = async (home: string) => {
    asked++;
    return streamOf(linesOf(home, 1), 10);
  };
  const reader = snapshotStream({ header, objectsOf, newHash }).getReader();
  await reader.read();
  expect(asked).toBeLessThanOrEqual(3);
  await reader.cancel();
});

test.each([
  ["refuses", async () => Promise.reject(new Error("gone"))],
  ["breaks off", async () => streamOf(linesOf("c", 3).slice(0, 200), 20, new Error("gone"))],
])("where a home %s, so does the snapshot", async (_, failing) => {
  const objectsOf = async (home: string) => (home === "c" ? await failing() : streamOf(linesOf(home, 2), 30));
  await expect(verified(snapshotStream({ header, objectsOf, newHash }))).rejects.toThrow("gone");
});

test("whoever stops reading stops the homes", async () => {
  const cancelled: string[] = [];
  const objectsOf = async (home: string) =>
    new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new TextEncoder().encode(linesOf(home, 1))),
      cancel: () => void cancelled.push(home),
    });
  const reader = snapshotStream({ header, objectsOf, newHash }).getReader();
  for (let i = 0; i < 5; i++) await reader.read();
  await reader.cancel();
  expect(cancelled.sort()).toEqual(["", "a", "b", "c"]);
});
