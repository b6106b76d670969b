import type { WindowMessage } from "../../api/node-link.ts";
import { ApiError } from "../../api/status.ts";
import { windowedChannel } from "./windowed-channel.ts";

/** Codes whose answers have no body (Fetch, "null body status"). */
const BODILESS = new Set([204, 205, 304]);

/** Between two servers alone (RFC 9110, section 7.6.1). */
const HOP_BY_HOP = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** Sends a request's body to the agent; its answer as soon as that has begun. @throws ApiError ServiceUnavailable where nobody answers. */
export async function answerHttp(socket: WebSocket, body: ReadableStream<Uint8Array> | null): Promise<Response> {
  const answered = Promise.withResolvers<WindowMessage | Error>();
  const channel = windowedChannel(socket, answered.resolve);
  // A server may answer before it has read everything, and may not want the rest.
  if (body) body.pipeTo(channel.writable, { preventAbort: true }).catch(() => undefined);
  else await channel.writable.close();
  const message = await answered.promise;
  if (!("head" in message)) {
    await channel.close();
    const why = message instanceof Error ? message.message : "failed" in message ? message.failed : "EOF";
    throw new ApiError("ServiceUnavailable", `error trying to reach service: ${why}`);
  }
  const { status, headers } = message.head;
  const isBodiless = BODILESS.has(status);
  if (isBodiless) await channel.close();
  return new Response(isBodiless ? null : channel.readable, {
    status,
    headers: new Headers(headers.filter(([name]) => !HOP_BY_HOP.has(name.toLowerCase()))),
    // The bytes are encoded already, where they are.
    encodeBody: "manual",
  } as ResponseInit);
}
