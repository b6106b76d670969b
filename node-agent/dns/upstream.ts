import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { readFile } from "node:fs/promises";
import { connect, isIP } from "node:net";

/** As resolv.conf(5) has it: more name servers are not looked at. */
const SERVERS_MAX = 3;
const TRY_MS = 2000;
/** Each server is asked so often before the question fails. */
const ROUNDS = 2;
/** More questions at once are answered SERVFAIL. */
const IN_FLIGHT_MAX = 500;
/** How long what resolv.conf says is remembered. */
const CONFIG_MS = 5000;

/** Asks other servers. `query` is a whole DNS message; undefined: none of them has answered, or too many are asked. */
export type Forward = (query: Buffer, transport: "udp" | "tcp") => Promise<Buffer | undefined>;

export interface UpstreamOptions {
  /** The node's resolv.conf. */
  resolvConf: string;
  /** Servers never to ask: ourselves. */
  except: readonly string[];
  port?: number;
}

/** The name servers that a resolv.conf names. */
export function parseNameservers(text: string): string[] {
  return text
    .split("\n")
    .flatMap((line) => /^\s*nameserver\s+(\S+)/.exec(line)?.[1] ?? [])
    .filter((server) => isIP(server.replace(/%.*/, "")) !== 0);
}

export function makeForward({ resolvConf, except, port = 53 }: UpstreamOptions): Forward {
  let servers: string[] = [];
  let readAt = Number.NEGATIVE_INFINITY;
  let inFlight = 0;

  async function currentServers(): Promise<string[]> {
    if (performance.now() - readAt < CONFIG_MS) return servers;
    readAt = performance.now();
    const text = await readFile(resolvConf, "utf8").catch(() => "");
    servers = parseNameservers(text)
      .filter((server) => !except.includes(server))
      .slice(0, SERVERS_MAX);
    return servers;
  }

  return async (query, transport) => {
    if (inFlight >= IN_FLIGHT_MAX) return undefined;
    inFlight++;
    try {
      const candidates = await currentServers();
      for (let round = 0; round < ROUNDS; round++) {
        for (const server of candidates) {
          const ask = transport === "udp" ? askOverUdp : askOverTcp;
          const response = await ask(server, port, query);
          if (response) return response;
        }
      }
      return undefined;
    } finally {
      inFlight--;
    }
  };
}

/** A socket and an id for each question: who wants to forge the answer has both to guess. */
function askOverUdp(server: string, port: number, query: Buffer): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket(isIP(server) === 6 ? "udp6" : "udp4");
    const id = randomInt(0x10000);
    const finish = (response?: Buffer) => {
      clearTimeout(timer);
      socket.close();
      resolve(response);
    };
    const timer = setTimeout(finish, TRY_MS);
    socket.on("error", () => finish());
    socket.on("message", (message) => {
      if (isAnswer(message, id)) finish(withId(message, query.readUInt16BE(0)));
    });
    // A connected socket hears of refusals, and nothing from other senders.
    socket.connect(port, server, () => socket.send(withId(query, id)));
  });
}

function askOverTcp(server: string, port: number, query: Buffer): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const id = randomInt(0x10000);
    const socket = connect({ host: server, port });
    let received = Buffer.alloc(0);
    const finish = (response?: Buffer) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(response);
    };
    const timer = setTimeout(finish, TRY_MS);
    socket.on("error", () => finish());
    socket.on("close", () => finish());
    socket.on("connect", () => socket.write(framed(withId(query, id))));
    socket.on("data", (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
      const message = received.subarray(2, 2 + received.readUInt16BE(0));
      finish(isAnswer(message, id) ? withId(message, query.readUInt16BE(0)) : undefined);
    });
  });
}

/** A message as it travels over TCP: its length in two bytes first. */
export function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}

function withId(message: Buffer, id: number): Buffer {
  const copy = Buffer.from(message);
  copy.writeUInt16BE(id, 0);
  return copy;
}

function isAnswer(message: Buffer, id: number): boolean {
  return message.length >= 12 && message.readUInt16BE(0) === id && (message.readUInt8(2) & 0x80) !== 0;
}
