import { connect } from "cloudflare:sockets";
import type { StreamRequest } from "../api/node-link.ts";
import type { PodEndpoint } from "../api/service-endpoint.ts";
import { windowedChannel } from "./node-link/windowed-channel.ts";
import { type NodeLinkRpc, STREAM_REQUEST_HEADER } from "./protocol.ts";
import type { Channel } from "./tls/channel.ts";
import { type ServiceDialing, serviceDialer } from "./webhooks/service-dial.ts";
import { type SocketTransportOptions, socketTransport } from "./webhooks/socket-transport.ts";
import type { WebhookTransport } from "./webhooks/webhook-transport.ts";

/** Set to this, webhooks may be in private networks and on the machine itself. */
const ALLOWED = "allowed";

/** How a Durable Object calls webhooks. */
export const durableTransport = (
  privateAddresses: string | undefined,
  dialService: SocketTransportOptions["dialService"],
): WebhookTransport =>
  socketTransport({
    dial,
    dialService,
    allowsPrivateAddresses: privateAddresses === ALLOWED,
    now: () => Date.now(),
    later(milliseconds, work) {
      const timer = setTimeout(work, milliseconds);
      return () => clearTimeout(timer);
    },
  });

/** How a Durable Object of a cluster connects to Services. */
export const durableServiceDialer = (
  nodeLinks: DurableObjectNamespace,
  cluster: string,
  read: ServiceDialing["read"],
): SocketTransportOptions["dialService"] =>
  serviceDialer({
    read,
    connect: (endpoint) =>
      connectThrough(
        nodeLinks.get(nodeLinks.idFromName(`${cluster}/${endpoint.node}`)) as unknown as NodeLinkRpc,
        endpoint,
      ),
    random: () => Math.random(),
  });

/** A TCP connection to a port of a pod, carried by its node. Rejects in the words of Go's net package. */
async function connectThrough(link: NodeLinkRpc, { pod, port }: PodEndpoint): Promise<Channel> {
  const request: StreamRequest = { kind: "connect", pod, port };
  const headers = { [STREAM_REQUEST_HEADER]: JSON.stringify(request), upgrade: "websocket" };
  const answer = await link.fetch("https://node-link/open", { headers });
  const { webSocket } = answer;
  if (!webSocket) throw new Error(((await answer.json()) as { message?: string }).message);
  webSocket.binaryType = "arraybuffer";
  const channel = windowedChannel(webSocket);
  webSocket.accept();
  return channel;
}

/** The platform resolves the name, and connects to nothing that its own rules do not let it connect to. */
async function dial({ hostname, port }: { hostname: string; port: number }, secure: boolean): Promise<Channel> {
  const address = `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
  const socket = connect({ hostname, port }, { secureTransport: secure ? "on" : "off", allowHalfOpen: false });
  try {
    await socket.opened;
  } catch (error) {
    throw new Error(`dial tcp ${address}: ${error instanceof Error ? error.message : String(error)}`);
  }
  return {
    readable: socket.readable as ReadableStream<Uint8Array>,
    writable: socket.writable as WritableStream<Uint8Array>,
    close: () => socket.close().catch(() => undefined),
  };
}
