import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import WebSocket, { WebSocketServer } from "ws";
import { WINDOW_BYTES } from "../../api/node-link.ts";
import { WindowedDuplex } from "../../node-agent/streams/windowed-duplex.ts";
import { type StreamSocket, windowedChannel } from "./windowed-channel.ts";

// Both ends of a windowed stream, over a real WebSocket.

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function pair(): Promise<{ agent: WebSocket; control: WebSocket }> {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  closing.push(() => server.close());
  await once(server, "listening");
  const accepted = once(server, "connection") as Promise<[WebSocket]>;
  const control = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  control.binaryType = "arraybuffer";
  const [[agent]] = await Promise.all([accepted, once(control, "open")]);
  closing.push(() => control.terminate());
  return { agent, control };
}

const channelOver = (socket: WebSocket, ...more: [Parameters<typeof windowedChannel>[1]?]) =>
  windowedChannel(socket as unknown as StreamSocket, ...more);

async function readAll(readable: ReadableStream<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of readable) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const BYTES = Buffer.from(Array.from({ length: 5 * WINDOW_BYTES + 17 }, (_, index) => (index * 7919) % 251));

test("carries more than a window both ways at once, and each end by itself", async () => {
  const { agent, control } = await pair();
  const duplex = new WindowedDuplex(agent);
  duplex.pipe(duplex);
  const channel = channelOver(control);
  const writer = channel.writable.getWriter();
  const [echoed] = await Promise.all([readAll(channel.readable), writer.write(BYTES).then(() => writer.close())]);
  expect(echoed.equals(BYTES)).toBe(true);
});

test("the agent sends no more than a window to who does not read", async () => {
  const { agent, control } = await pair();
  const duplex = new WindowedDuplex(agent);
  let received = 0;
  control.on("message", (data: ArrayBuffer, isBinary) => {
    if (isBinary) received += data.byteLength;
  });
  duplex.write(BYTES);
  await new Promise<void>((resolve) => {
    control.on("message", () => received === WINDOW_BYTES && resolve());
  });
  agent.send('{"more":1000}');
  control.send('{"more":1000}');
  await new Promise<void>((resolve) => {
    control.on("message", () => received === WINDOW_BYTES + 1000 && resolve());
  });
  expect(duplex.writableLength).toBe(BYTES.length);
  duplex.destroy();
});

test("the control plane sends no more than a window to who does not read", async () => {
  const { agent, control } = await pair();
  const channel = channelOver(control);
  let received = 0;
  const full = new Promise<void>((resolve) => {
    agent.on("message", (data: Buffer) => {
      received += data.length;
      if (received === WINDOW_BYTES) resolve();
    });
  });
  const written = channel.writable.getWriter().write(BYTES);
  await full;
  agent.close();
  await expect(written).rejects.toThrow("broken pipe");
  expect(received).toBe(WINDOW_BYTES);
});

test("who sends more than there is room for is cut off", async () => {
  const { agent, control } = await pair();
  const channel = channelOver(control);
  agent.send(Buffer.alloc(WINDOW_BYTES + 1));
  await expect(readAll(channel.readable)).rejects.toThrow("more was sent than there is room for");
});

test.each(["nonsense", '{"more":-1}', '{"else":1}'])("what is no message ends the stream: %s", async (text) => {
  const { agent, control } = await pair();
  const channel = channelOver(control);
  agent.send(text);
  await expect(readAll(channel.readable)).rejects.toThrow("not a message of a windowed stream");
});

test("a connection that breaks is not taken for its end", async () => {
  const { agent, control } = await pair();
  const told: unknown[] = [];
  const channel = channelOver(control, (message) => told.push(message));
  agent.send(Buffer.from("half"));
  agent.send('{"head":{"status":200,"headers":[]}}');
  agent.close();
  await expect(readAll(channel.readable)).rejects.toThrow("unexpected EOF");
  expect(told).toEqual([{ head: { status: 200, headers: [] } }, new Error("unexpected EOF")]);
});
