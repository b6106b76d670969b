import { parseIp } from "../../api/ip.ts";
import { parseGoUrl } from "../../api/kinds/webhook-client-config.ts";
import { parsePem } from "../tls/certificate.ts";
import type { Channel } from "../tls/channel.ts";
import { connectTls } from "../tls/tls-client.ts";
import { postJson } from "./http-exchange.ts";
import { isPrivateHost } from "./private-address.ts";
import type { ServiceAddress, WebhookCall, WebhookReply, WebhookTransport } from "./webhook-transport.ts";

export interface SocketTransportOptions {
  /**
   * Opens a TCP connection; with `secure` the platform's own TLS is on it, with the certificates that the platform trusts. A name is resolved once,
   * by the platform, which connects to what it has checked.
   */
  dial(address: { hostname: string; port: number }, secure: boolean): Promise<Channel>;
  /** Opens a TCP connection to a Service. Rejects with upstream's words where there is none of the name, or nobody to carry it. */
  dialService(service: ServiceAddress): Promise<Channel>;
  /** Webhooks on this machine and in its private networks may be called. */
  allowsPrivateAddresses: boolean;
  /** Milliseconds since 1970. */
  now(): number;
  /** Runs work after so many milliseconds; the answer cancels it. */
  later(milliseconds: number, work: () => void): () => void;
}

const HTTPS_PORT = 443;

/** Calls webhooks over sockets: TLS with the webhook's own authorities where it names them, one connection for each call. */
export const socketTransport = (options: SocketTransportOptions): WebhookTransport => ({
  post: (call) => withDeadline(options, call, (opened) => exchange(options, call, opened)),
});

/** What is wrong is told with the URL, as Go's HTTP client does. */
async function withDeadline(
  { later }: SocketTransportOptions,
  { url, timeoutMilliseconds }: WebhookCall,
  work: (opened: (channel: Channel) => void) => Promise<WebhookReply>,
): Promise<WebhookReply> {
  let channel: Channel | undefined;
  let isOver = false;
  let cancel = () => {};
  const late = new Promise<never>((_, reject) => {
    cancel = later(timeoutMilliseconds, () => reject(new Error("context deadline exceeded")));
  });
  const opened = (made: Channel) => {
    channel = made;
    if (isOver) void made.close();
  };
  const working = work(opened);
  // Whoever loses the race is not heard.
  working.catch(() => undefined);
  try {
    return await Promise.race([working, late]);
  } catch (error) {
    throw new Error(`Post ${JSON.stringify(url)}: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    isOver = true;
    cancel();
    void channel?.close();
  }
}

async function exchange(
  options: SocketTransportOptions,
  { url, service, caBundle, body }: WebhookCall,
  opened: (channel: Channel) => void,
): Promise<WebhookReply> {
  const { host, path, query } = parseGoUrl(url);
  const { hostname, port } = splitHost(host);
  const ip = parseIp(hostname);
  if (!service && !options.allowsPrivateAddresses && isPrivateHost(hostname)) {
    throw new Error(`dial tcp ${hostname}:${port}: connect: private addresses are not allowed`);
  }
  const usesPlatform = caBundle === "" && !service;
  const dialed = service ? await options.dialService(service) : await options.dial({ hostname, port }, usesPlatform);
  opened(dialed);
  const channel = usesPlatform
    ? dialed
    : await connectTls(dialed, {
        serverName: hostname,
        serverIp: ip && Uint8Array.from(ip.bytes),
        trusted: parsePem(decodeBase64(caBundle)),
        now: options.now(),
      });
  opened(channel);
  return await postJson(channel, { host, path: `${path || "/"}${query && `?${query}`}`, body });
}

function splitHost(host: string): { hostname: string; port: number } {
  const [, bracketed, plain = "", port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d*))?$/.exec(host) ?? [];
  return { hostname: bracketed ?? plain, port: port ? Number(port) : HTTPS_PORT };
}

/** What is no base64 is no certificate either. */
function decodeBase64(text: string): string {
  try {
    return atob(text);
  } catch {
    return "";
  }
}
