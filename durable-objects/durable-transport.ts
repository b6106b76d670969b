import { connect } from "cloudflare:sockets";
import type { Channel } from "./tls/channel.ts";
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
