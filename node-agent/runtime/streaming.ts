import { request } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import WebSocket from "ws";
import type { Channel, ExecOptions, PortForward, RemoteStreams } from "./runtime.ts";
import { CHANNEL, RuntimeError } from "./runtime.ts";
import { DATA_BYTES_MAX, spdyReader, spdyWriter } from "./spdy.ts";

const OPEN_SECONDS = 30;
/** k8s.io remotecommand: v4 says how the command ended with a Status on the error stream. */
const PROTOCOL = "v4.channel.k8s.io";

/**
 * Opens what a CRI `Exec` or `Attach` answered with. SPDY rather than the server's WebSocket: only there can stdin be
 * closed while output is still to come (`echo x | kubectl exec -i … -- cat`).
 */
export async function openRemoteStreams(url: string, wanted: Omit<ExecOptions, "command">): Promise<RemoteStreams> {
  const { socket, head } = await upgrade(url, PROTOCOL);
  const writer = spdyWriter();
  const streamOf = new Map<Channel, number>();
  const channelOf = new Map<number, Channel>();
  let nextStream = 1;
  const add = (channel: Channel, streamType: string) => {
    streamOf.set(channel, nextStream);
    channelOf.set(nextStream, channel);
    socket.write(writer.synStream(nextStream, { streamType }));
    nextStream += 2;
  };
  add(CHANNEL.error, "error");
  if (wanted.stdin) add(CHANNEL.stdin, "stdin");
  if (wanted.stdout) add(CHANNEL.stdout, "stdout");
  if (wanted.stderr && !wanted.tty) add(CHANNEL.stderr, "stderr");
  if (wanted.tty) add(CHANNEL.resize, "resize");

  const reading = new Set([...channelOf].filter(([, channel]) => fromServer(channel)).map(([stream]) => stream));
  let ended = false;
  const end = (error?: Error) => {
    if (ended) return;
    ended = true;
    socket.destroy();
    streams.onEnd(error);
  };
  const done = (stream: number) => {
    reading.delete(stream);
    if (reading.size === 0) end();
  };
  const streams: RemoteStreams = {
    onData: () => {},
    onEnd: () => {},
    onDrain: () => {},
    send(channel, data) {
      const stream = streamOf.get(channel);
      if (stream === undefined || ended) return true;
      let open = true;
      for (let at = 0; at < data.length; at += DATA_BYTES_MAX) {
        open = socket.write(writer.data(stream, data.subarray(at, at + DATA_BYTES_MAX)));
      }
      return open;
    },
    closeChannel(channel) {
      const stream = streamOf.get(channel);
      if (stream === undefined || ended) return;
      streamOf.delete(channel);
      socket.write(writer.data(stream, new Uint8Array(), true));
    },
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    close: () => end(),
  };

  const reader = spdyReader((event) => {
    switch (event.type) {
      case "data": {
        const channel = channelOf.get(event.stream);
        if (channel !== undefined && event.data.length > 0) streams.onData(channel, event.data);
        if (event.fin) done(event.stream);
        return;
      }
      case "reset":
        return done(event.stream);
      case "ping":
        socket.write(event.frame);
        return;
      case "goaway":
      case "reply":
        return;
    }
  });
  const push = (chunk: Buffer) => {
    try {
      reader.push(chunk);
    } catch (error) {
      end(error as Error);
    }
  };
  socket.on("data", push);
  socket.on("drain", () => streams.onDrain());
  socket.on("error", (error) => end(error));
  socket.on("close", () => end());
  // Whoever asked for the streams sets its callbacks in the turn in which it gets them.
  socket.pause();
  setImmediate(() => {
    if (head.length > 0) push(head);
    socket.resume();
  });
  return streams;
}

/** Opens what a CRI `PortForward` answered with. What is spoken there the client speaks itself: nothing here reads it. */
export async function openPortForward(url: string, { protocol }: PortForward): Promise<Duplex | WebSocket> {
  if (protocol === "SPDY/3.1+portforward.k8s.io") {
    const { socket, head } = await upgrade(url, "portforward.k8s.io");
    if (head.length > 0) socket.unshift(head);
    return socket;
  }
  const peer = new WebSocket(url, protocol, { handshakeTimeout: OPEN_SECONDS * 1000, perMessageDeflate: false });
  await new Promise((resolve, reject) => {
    peer.once("open", () => {
      peer.pause();
      resolve(undefined);
    });
    peer.once("error", reject);
  });
  return peer;
}

const fromServer = (channel: Channel): boolean =>
  channel === CHANNEL.stdout || channel === CHANNEL.stderr || channel === CHANNEL.error;

function upgrade(url: string, protocol: string): Promise<{ socket: Socket; head: Buffer }> {
  return new Promise((resolve, reject) => {
    const ask = request(url, {
      method: "POST",
      headers: { Connection: "Upgrade", Upgrade: "SPDY/3.1", "X-Stream-Protocol-Version": protocol },
      timeout: OPEN_SECONDS * 1000,
    });
    ask.on("upgrade", (_answer, socket: Socket, head) => {
      socket.setTimeout(0);
      socket.setNoDelay(true);
      resolve({ socket, head });
    });
    ask.on("response", (answer) => {
      answer.resume();
      reject(new RuntimeError("failed", `the streaming server answered ${answer.statusCode}`));
    });
    ask.on("timeout", () => ask.destroy(new RuntimeError("timeout", "the streaming server did not answer")));
    ask.on("error", reject);
    ask.end();
  });
}
