import {
  endLine,
  headerLine,
  homeEndLine,
  homeLine,
  type Sha256,
  type SnapshotHeader,
} from "../api/snapshot-format.ts";

/** Homes that are asked for their objects before it is their turn. */
const HOMES_AHEAD = 3;
const NEWLINE = 10;

export interface SnapshotSource {
  header: SnapshotHeader;
  /** A home's objects as a snapshot's lines; rejects where they cannot be had. */
  objectsOf(home: string): Promise<ReadableStream<Uint8Array>>;
  newHash(): Sha256;
}

/**
 * A whole snapshot: what the homes give is passed on as it comes, counted and hashed. Should one of them fail, the stream breaks off with that
 * error: without its last line nobody takes it for whole.
 */
export function snapshotStream(source: SnapshotSource): ReadableStream<Uint8Array> {
  const chunks = chunksOf(source);
  return new ReadableStream({
    type: "bytes",
    async pull(controller) {
      const { value, done } = await chunks.next();
      if (!done) {
        controller.enqueue(value);
        return;
      }
      controller.close();
      // A reader that brought its own buffer waits for it.
      (controller as ReadableByteStreamController).byobRequest?.respond(0);
    },
    async cancel() {
      await chunks.return();
    },
  });
}

async function* chunksOf({ header, objectsOf, newHash }: SnapshotSource): AsyncGenerator<Uint8Array, void> {
  const whole = newHash();
  const encoder = new TextEncoder();
  const line = (text: string): Uint8Array => {
    const bytes = encoder.encode(text);
    whole.update(bytes);
    return bytes;
  };
  const { homes } = header;
  const asked: Promise<ReadableStream<Uint8Array>>[] = [];
  const ask = (index: number): void => {
    const home = homes[index];
    if (home === undefined) return;
    const objects = objectsOf(home);
    objects.catch(() => undefined); // It is told when it is this home's turn.
    asked.push(objects);
  };
  let objects = 0;
  let current: ReadableStreamDefaultReader<Uint8Array> | undefined;
  try {
    for (let ahead = 0; ahead < HOMES_AHEAD; ahead++) ask(ahead);
    yield line(headerLine(header));
    for (const [index, home] of homes.entries()) {
      ask(index + HOMES_AHEAD);
      yield line(homeLine(home));
      const hash = newHash();
      let count = 0;
      current = (await (asked.shift() as Promise<ReadableStream<Uint8Array>>)).getReader();
      for (;;) {
        const { value, done } = await current.read();
        if (done) break;
        whole.update(value);
        hash.update(value);
        count += linesIn(value);
        // A copy: whoever takes it takes its memory, too.
        yield value.slice();
      }
      current = undefined;
      objects += count;
      yield line(homeEndLine(home, count, await hash.hex()));
    }
    yield encoder.encode(endLine(homes.length, objects, await whole.hex()));
  } finally {
    await current?.cancel().catch(() => undefined);
    for (const ahead of asked) await ahead.then((stream) => stream.cancel()).catch(() => undefined);
  }
}

function linesIn(bytes: Uint8Array): number {
  let count = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) count++;
  return count;
}
