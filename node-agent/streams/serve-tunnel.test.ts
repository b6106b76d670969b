import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { pino } from "pino";
import { afterEach, expect, test } from "vitest";
import WebSocket, { WebSocketServer } from "ws";
import type { StreamRequest } from "../../api/node-link.ts";
import { answerHttp } from "../../durable-objects/node-link/answer-http.ts";
import { type StreamSocket, windowedChannel } from "../../durable-objects/node-link/windowed-channel.ts";
import { fakeRuntime } from "../runtime/fake.ts";
import { serveStream } from "./serve-stream.ts";
import type { StreamServer } from "./stream-server.ts";

// The agent's half of connections to pods, against the control plane's half. The pod is in the node's network, which is this machine's.

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

const server = {
  runtime: fakeRuntime({ network: "100.65" }),
  observations: { pod: () => ({ sandboxes: [{ id: "s", ready: true, ips: [] }], containers: [] }) },
  nodeIp: "127.0.0.1",
  findPod: (uid: string) =>
    uid === "u" ? { metadata: { name: "p" }, spec: { hostNetwork: true, containers: [] } } : undefined,
  log: pino({ level: "silent" }),
  now: () => 0,
} as unknown as StreamServer;

const pod = { namespace: "default", name: "p", uid: "u" };

/** The control plane's end of a stream, and its first frame. */
async function opened(request: StreamRequest): Promise<{ socket: WebSocket; first: any }> {
  const plane = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  closing.push(() => {
    for (const client of plane.clients) client.terminate();
    plane.close();
  });
  await once(plane, "listening");
  const dialled = new WebSocket(`ws://127.0.0.1:${(plane.address() as AddressInfo).port}`);
  const connected = new Promise<{ socket: WebSocket; first: any }>((resolve) => {
    plane.on("connection", (socket) => {
      socket.binaryType = "arraybuffer";
      socket.once("message", (data) => {
        socket.pause();
        resolve({ socket, first: JSON.parse(Buffer.from(data as ArrayBuffer).toString()) });
      });
    });
  });
  serveStream(server, request, dialled);
  return await connected;
}

async function httpServer(listener: RequestListener): Promise<number> {
  const made = createServer(listener).listen(0, "127.0.0.1");
  await once(made, "listening");
  closing.push(() => {
    made.closeAllConnections();
    made.close();
  });
  return (made.address() as AddressInfo).port;
}

const http = (port: number, more: Partial<Extract<StreamRequest, { kind: "http" }>> = {}): StreamRequest => ({
  kind: "http",
  pod,
  port,
  secure: false,
  method: "GET",
  path: "/",
  headers: [["host", "p"]],
  upgrade: false,
  ...more,
});

async function asked(request: StreamRequest, body?: string): Promise<Response> {
  const { socket, first } = await opened(request);
  expect(first).toEqual({ code: 200 });
  const answer = answerHttp(socket as any, body === undefined ? null : new Blob([body]).stream());
  socket.resume();
  return await answer;
}

test("an HTTP request and its answer are carried whole", async () => {
  const port = await httpServer((request, response) => {
    let text = "";
    request.on("data", (piece) => {
      text += piece;
    });
    request.on("end", () => {
      response.writeHead(201, { "x-seen": `${request.method} ${request.url} ${request.headers["x-given"]}` });
      response.end(text.toUpperCase());
    });
  });
  const body = "abc".repeat(300_000);
  const answer = await asked(
    http(port, {
      method: "PUT",
      path: "/a?b=c",
      headers: [
        ["host", "p"],
        ["x-given", "1"],
      ],
    }),
    body,
  );
  expect([answer.status, answer.headers.get("x-seen")]).toEqual([201, "PUT /a?b=c 1"]);
  expect((await answer.text()) === body.toUpperCase()).toBe(true);
});

test("an answer that breaks off is not taken for a whole one", async () => {
  const port = await httpServer((_, response) => {
    response.writeHead(200, { "content-length": "100" });
    response.write("half", () => response.destroy());
  });
  const answer = await asked(http(port));
  await expect(answer.text()).rejects.toThrow("unexpected EOF");
});

test("who does not listen is told of in Go's words", async () => {
  const port = await httpServer(() => {});
  for (const close of closing.splice(0, 1)) close();
  await expect(asked(http(port))).rejects.toThrow(
    `error trying to reach service: dial tcp 127.0.0.1:${port}: connect: connection refused`,
  );
  const { first } = await opened({ kind: "connect", pod, port });
  expect(first).toMatchObject({ code: 503, message: `dial tcp 127.0.0.1:${port}: connect: connection refused` });
});

test("a connection carries bytes, and each side's end", async () => {
  const tcp = createTcpServer({ allowHalfOpen: true }, (peer) => peer.pipe(peer)).listen(0, "127.0.0.1");
  await once(tcp, "listening");
  closing.push(() => tcp.close());
  const { socket, first } = await opened({ kind: "connect", pod, port: (tcp.address() as AddressInfo).port });
  expect(first).toEqual({ code: 200 });
  const channel = windowedChannel(socket as unknown as StreamSocket);
  socket.resume();
  const writer = channel.writable.getWriter();
  await writer.write(Buffer.from("ahoy"));
  await writer.close();
  expect(await new Response(channel.readable).text()).toBe("ahoy");
});

test("a WebSocket in a pod is spoken to, in the protocol that it chose", async () => {
  const peer = new WebSocketServer({ port: 0, host: "127.0.0.1", handleProtocols: () => "chat" });
  await once(peer, "listening");
  closing.push(() => peer.close());
  peer.on("connection", (socket) => socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary })));
  const headers: [string, string][] = [["sec-websocket-protocol", "talk, chat"]];
  const chat = http((peer.address() as AddressInfo).port, { upgrade: true, headers });
  const { socket, first } = await opened(chat);
  expect(first).toEqual({ code: 200, protocol: "chat" });
  socket.resume();
  socket.send("hello");
  const [data, isBinary] = await once(socket, "message");
  expect([Buffer.from(data).toString(), isBinary]).toEqual(["hello", false]);
});

test("what refuses to become a WebSocket says why itself", async () => {
  const port = await httpServer((_, response) => response.writeHead(401).end("who are you?"));
  const { first } = await opened(http(port, { upgrade: true }));
  expect(first).toMatchObject({ code: 401, message: "who are you?" });
});

test("other pods than those of the node are not connected to", async () => {
  const { first } = await opened({ kind: "connect", pod: { ...pod, uid: "other" }, port: 80 });
  expect(first).toMatchObject({ code: 404, message: 'pods "p" not found' });
});
