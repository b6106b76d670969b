import { createSocket, type Socket as DatagramSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import type { Logger } from "pino";
import type { Resolve } from "./resolve.ts";
import { framed } from "./upstream.ts";

const CONNECTIONS_MAX = 200;
const IDLE_MS = 10_000;
/** Questions in work at once, over both transports; more are dropped, and asked again by whoever asked. */
const IN_WORK_MAX = 2000;

export interface DnsServerOptions {
  address: string;
  port: number;
  resolve: Resolve;
  log: Logger;
}

export interface DnsServer {
  /** The port listened on, also where 0 was asked for. */
  readonly port: number;
  close(): Promise<void>;
}

/** Serves DNS over UDP and TCP; throws where the address cannot be bound. */
export async function startDnsServer({ address, port, resolve, log }: DnsServerOptions): Promise<DnsServer> {
  let inWork = 0;
  const work = async (message: Buffer, transport: "udp" | "tcp"): Promise<Buffer | undefined> => {
    if (inWork >= IN_WORK_MAX) return undefined;
    inWork++;
    try {
      return await resolve(message, transport);
    } catch (error) {
      log.error({ err: error }, "a DNS question could not be answered");
      return undefined;
    } finally {
      inWork--;
    }
  };

  const connections = new Set<Socket>();
  const tcp = createServer((socket) => {
    connections.add(socket);
    socket.on("close", () => connections.delete(socket));
    serveConnection(socket, (message) => work(message, "tcp"));
  });
  tcp.maxConnections = CONNECTIONS_MAX;
  tcp.listen(port, address);
  await once(tcp, "listening");
  const bound = (tcp.address() as { port: number }).port;
  let udp: DatagramSocket;
  try {
    udp = await bindUdp(address, bound);
  } catch (error) {
    tcp.close();
    throw error;
  }
  udp.on("message", async (message, sender) => {
    const response = await work(message, "udp");
    // The asker may be gone, and the socket closed meanwhile: nobody waits for this answer then.
    if (response) udp.send(response, sender.port, sender.address, () => {});
  });
  udp.on("error", (error) => log.error({ err: error }, "DNS socket"));

  return {
    port: bound,
    async close() {
      udp.removeAllListeners("message").close();
      for (const socket of connections) socket.destroy();
      tcp.close();
      await once(tcp, "close");
    },
  };
}

async function bindUdp(address: string, port: number): Promise<DatagramSocket> {
  const socket = createSocket("udp4");
  socket.bind(port, address);
  await once(socket, "listening");
  return socket;
}

/** Questions on one connection are answered in the order they came. */
function serveConnection(socket: Socket, answer: (message: Buffer) => Promise<Buffer | undefined>): void {
  let received: Buffer = Buffer.alloc(0);
  let busy = false;
  socket.setTimeout(IDLE_MS, () => socket.destroy());
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk) => {
    received = Buffer.concat([received, chunk]);
    serve();
  });

  async function serve(): Promise<void> {
    if (busy) return;
    busy = true;
    while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
      const end = 2 + received.readUInt16BE(0);
      const message = received.subarray(2, end);
      received = received.subarray(end);
      // While one is answered nothing more is read, so that a flood stays with its sender.
      socket.pause();
      const response = await answer(message);
      if (!response || socket.destroyed) return void socket.destroy();
      socket.write(framed(response));
      socket.resume();
    }
    busy = false;
  }
}
