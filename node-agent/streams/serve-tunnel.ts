import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { connect as connectTcp, type Socket } from "node:net";
import { type Duplex, pipeline } from "node:stream";
import WebSocket from "ws";
import type { StreamRequest } from "../../api/node-link.ts";
import { ApiError, internalError } from "../../api/status.ts";
import type { StreamServer } from "./stream-server.ts";
import { WindowedDuplex } from "./windowed-duplex.ts";

const DIAL_MILLISECONDS = 8_000;
/** A connection over which nothing has been said for so long is given up (kubelet's streamingConnectionIdleTimeout). */
const IDLE_MILLISECONDS = 4 * 3600 * 1000;
const BUFFERED_BYTES_MAX = 1 << 20;
/** Of a refusal in place of a WebSocket. */
const REFUSAL_BYTES_MAX = 64 * 1024;
const NORMAL = 1000;
/** Connections to pods at once; what is beyond is refused. */
const TUNNELS_MAX = 1024;

type Of<Kind> = Extract<StreamRequest, { kind: Kind }>;
export type TunnelRequest = Of<"port-forward"> | Of<"connect"> | Of<"http">;

const open = new Set<WebSocket>();

/** Connections of the control plane to pods of this node, and to nothing else. Rejects with what the client is to be told. */
export async function serveTunnel(server: StreamServer, request: TunnelRequest, socket: WebSocket): Promise<void> {
  if (open.size >= TUNNELS_MAX)
    throw new ApiError("TooManyRequests", "too many connections to pods of this node are open", {
      retryAfterSeconds: 1,
    });
  open.add(socket);
  socket.once("close", () => open.delete(socket));
  const pod = server.findPod(request.pod.uid);
  if (!pod) throw new ApiError("NotFound", `pods "${request.pod.name}" not found`);
  const sandbox = server.observations.pod(request.pod.uid).sandboxes.find(({ ready }) => ready);
  if (!sandbox) throw internalError(`error dialing backend: pod ${request.pod.name} has no sandbox that runs`);
  if (request.kind === "port-forward") {
    const { protocol, ports } = request;
    const peer = await server.runtime.portForward(sandbox.id, { protocol, ports });
    accept(socket);
    if (peer instanceof WebSocket) joinMessages(socket, peer);
    else joinBytes(socket, peer);
    return;
  }
  const host = pod.spec.hostNetwork ? server.nodeIp : sandbox.ips[0];
  if (!host) throw internalError(`error dialing backend: pod ${request.pod.name} has no address`);
  if (request.kind === "connect") {
    const peer = await dial(host, request.port);
    accept(socket);
    const stream = new WindowedDuplex(socket);
    pipeline(peer, stream, peer, () => peer.destroy());
  } else if (request.upgrade) await serveWebSocket(request, host, socket);
  else serveHttp(request, host, socket);
}

const accept = (socket: WebSocket, more: object = {}): void => socket.send(JSON.stringify({ code: 200, ...more }));

async function dial(host: string, port: number): Promise<Socket> {
  const peer = connectTcp({ host, port, allowHalfOpen: true });
  try {
    await new Promise<void>((resolve, reject) => {
      peer.setTimeout(DIAL_MILLISECONDS, () => reject(Object.assign(new Error(), { code: "ETIMEDOUT" })));
      peer.once("connect", resolve);
      peer.once("error", reject);
    });
  } catch (error) {
    peer.destroy();
    throw new ApiError("ServiceUnavailable", failure(error as NodeJS.ErrnoException, host, port));
  }
  peer.setNoDelay(true);
  peer.setTimeout(IDLE_MILLISECONDS, () => peer.destroy());
  return peer;
}

/** By Node's code, what Go's net package says. */
const GO_WORDS: Record<string, string> = {
  ECONNREFUSED: "connect: connection refused",
  EHOSTUNREACH: "connect: no route to host",
  ENETUNREACH: "connect: network is unreachable",
  ETIMEDOUT: "i/o timeout",
};

function failure({ code = "", message, syscall }: NodeJS.ErrnoException, host: string, port: number): string {
  const address = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  const words = GO_WORDS[code];
  if (words) return `dial tcp ${address}: ${words}`;
  if (code === "ECONNRESET") return syscall ? `read tcp ${address}: read: connection reset by peer` : "EOF";
  return message;
}

type HttpRequest = Of<"http">;

function serveHttp(request: HttpRequest, host: string, socket: WebSocket): void {
  const { port, method, path, secure } = request;
  accept(socket);
  const stream = new WindowedDuplex(socket);
  const options = {
    ...{ host, port, method, path, headers: headersOf(request), agent: false, setHost: false },
    // Lines that end in LF alone, and more that Go's HTTP client takes. Nothing follows the one answer.
    insecureHTTPParser: true,
  };
  // As upstream: whoever answers at a pod's address is the pod.
  const ask = secure ? httpsRequest({ ...options, rejectUnauthorized: false }) : httpRequest(options);
  let isAnswered = false;
  ask.setTimeout(IDLE_MILLISECONDS, () => ask.destroy());
  ask.on("response", (answer) => {
    isAnswered = true;
    const pairs: [string, string][] = [];
    const { rawHeaders } = answer;
    for (let i = 0; i + 1 < rawHeaders.length; i += 2) pairs.push([rawHeaders[i]!, rawHeaders[i + 1]!]);
    stream.tell({ head: { status: answer.statusCode!, headers: pairs } });
    // Ends the stream with the answer, and breaks it off where the answer breaks off.
    answer.on("error", () => stream.destroy());
    answer.pipe(stream, { end: false });
    answer.on("end", () => stream.end());
  });
  ask.on("error", (error) => {
    if (!isAnswered) stream.tell({ failed: failure(error, host, port) });
    stream.destroy();
  });
  stream.on("error", () => ask.destroy());
  stream.on("close", () => ask.destroy());
  stream.pipe(ask);
}

/** Those that are given more than once are lists: Node takes no list for some that cannot be. */
function headersOf({ headers }: HttpRequest): Record<string, string | string[]> {
  const byName = new Map<string, string[]>();
  for (const [name, value] of headers) byName.set(name, [...(byName.get(name) ?? []), value]);
  return Object.fromEntries([...byName].map(([name, all]) => [name, all.length === 1 ? all[0]! : all]));
}

async function serveWebSocket(request: HttpRequest, host: string, socket: WebSocket): Promise<void> {
  const { port, path, secure } = request;
  const { "sec-websocket-protocol": offered, ...headers } = headersOf(request);
  const protocols = [offered ?? []].flat().flatMap((list) => list.split(",").map((name) => name.trim()));
  const authority = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  const peer = new WebSocket(`${secure ? "wss" : "ws"}://${authority}${path}`, protocols, {
    headers: headers as Record<string, any>,
    rejectUnauthorized: false,
    handshakeTimeout: DIAL_MILLISECONDS,
    perMessageDeflate: false,
  });
  await new Promise<void>((resolve, reject) => {
    peer.once("open", () => {
      peer.pause(); // Until somebody listens.
      resolve();
    });
    peer.once("error", (error) => reject(new ApiError("ServiceUnavailable", failure(error, host, port))));
    peer.once("unexpected-response", (_, answer) => {
      let text = "";
      answer.setEncoding("utf8");
      answer.on("data", (piece: string) => {
        if (text.length < REFUSAL_BYTES_MAX) text += piece;
      });
      answer.on("close", () => {
        const status = { ...new ApiError("", text).toStatus(), code: answer.statusCode ?? 500 };
        socket.send(JSON.stringify(status));
        socket.close(NORMAL);
        resolve();
      });
    });
  });
  if (peer.readyState !== WebSocket.OPEN) return;
  accept(socket, { protocol: peer.protocol });
  joinMessages(socket, peer);
}

/** Messages of two WebSockets, the second of which is paused yet, each side no faster than the other takes them. */
function joinMessages(one: WebSocket, other: WebSocket): void {
  const forward = (from: WebSocket, to: WebSocket) => {
    from.on("message", (data: Buffer, isBinary) => {
      if (to.readyState !== WebSocket.OPEN) return;
      to.send(data, { binary: isBinary }, () => {
        if (to.bufferedAmount <= BUFFERED_BYTES_MAX && from.isPaused) from.resume();
      });
      if (to.bufferedAmount > BUFFERED_BYTES_MAX) from.pause();
    });
    from.on("close", () => to.close(NORMAL));
    from.on("error", () => to.close(NORMAL));
  };
  forward(one, other);
  forward(other, one);
  other.resume();
}

/** Binary messages on one side, bytes on the other. */
function joinBytes(socket: WebSocket, peer: Duplex): void {
  peer.on("data", (data: Buffer) => {
    if (socket.readyState !== WebSocket.OPEN) return;
    socket.send(data, () => {
      if (socket.bufferedAmount <= BUFFERED_BYTES_MAX && peer.isPaused()) peer.resume();
    });
    if (socket.bufferedAmount > BUFFERED_BYTES_MAX) peer.pause();
  });
  peer.on("close", () => socket.close(NORMAL));
  peer.on("error", () => socket.close(NORMAL));
  socket.on("message", (data: Buffer, isBinary) => {
    if (isBinary && !peer.write(data)) socket.pause();
  });
  peer.on("drain", () => socket.resume());
  socket.on("close", () => peer.destroy());
}
