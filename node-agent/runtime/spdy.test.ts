import { constants, createInflate, inflateSync } from "node:zlib";
import { expect, test } from "vitest";
import { type SpdyEvent, spdyReader, spdyWriter } from "./spdy.ts";

const frame = (hex: string) => Buffer.from(hex.replace(/ /g, ""), "hex");

test("a stream's headers are a block that an inflater reads as soon as it has come", () => {
  const bytes = Buffer.from(spdyWriter().synStream(3, { streamType: "stdin" }));
  expect(bytes.subarray(0, 4)).toEqual(frame("8003 0001"));
  expect(bytes.readUIntBE(5, 3)).toBe(bytes.length - 8);
  expect(bytes.readUInt32BE(8)).toBe(3);
  const block = inflateSync(bytes.subarray(18), { finishFlush: constants.Z_SYNC_FLUSH });
  expect(block.toString("latin1")).toBe("\0\0\0\x01\0\0\0\x0astreamtype\0\0\0\x05stdin");
});

test("later header blocks continue the compression of the first", async () => {
  const writer = spdyWriter();
  const inflater = createInflate();
  let text = "";
  inflater.on("data", (chunk: Buffer) => {
    text += chunk.toString("latin1");
  });
  for (const [stream, streamType] of [
    [1, "error"],
    [3, "stdout"],
  ] as const) {
    inflater.write(Buffer.from(writer.synStream(stream, { streamType })).subarray(18));
  }
  await new Promise<void>((resolve) => inflater.flush(resolve));
  expect(text).toContain("error");
  expect(text).toContain("stdout");
});

test("data frames carry stream, end mark and length", () => {
  const bytes = spdyWriter().data(5, Buffer.from("hi"), true);
  expect(Buffer.from(bytes)).toEqual(frame("00000005 01 000002 6869"));
});

test("frames are found in pieces cut anywhere", () => {
  const bytes = Buffer.concat([
    frame("80030002 00 000004 00000001"),
    frame("00000003 00 000003 616263"),
    frame("80030006 00 000004 00000007"),
    frame("00000003 01 000000"),
  ]);
  for (const size of [1, 3, 7, bytes.length]) {
    const events: SpdyEvent[] = [];
    const reader = spdyReader((event) => events.push(event));
    for (let at = 0; at < bytes.length; at += size) reader.push(bytes.subarray(at, at + size));
    expect(events.map(({ type }) => type)).toEqual(["reply", "data", "ping", "data"]);
    expect(events[1]).toEqual({ type: "data", stream: 3, data: Buffer.from("abc"), fin: false });
    expect(events[3]).toMatchObject({ stream: 3, fin: true });
  }
});

test("a peer that does not speak SPDY/3 is refused", () => {
  const reader = spdyReader(() => {});
  expect(() => reader.push(frame("80020002 00 000004 00000001"))).toThrow("SPDY version 2");
  expect(() => spdyReader(() => {}).push(Buffer.from("HTTP/1.1 400"))).toThrow("bytes");
});
