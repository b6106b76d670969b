import type { KubeObject } from "../../api/object.ts";
import { encodeWatchEvent } from "../../api/protobuf/encode-object.ts";
import type { WatchAnswer } from "../../durable-objects/protocol.ts";
import { CONTENT_TYPES } from "./negotiate.ts";
import { headersOf, respond } from "./respond.ts";
import { transformEvent, type Wanted } from "./transform.ts";

export const STREAM_HEADERS = {
  // Proxies that gzip would hold back the events until their buffer is full.
  "content-encoding": "identity",
  "cache-control": "no-cache, private, no-transform",
};

const STREAM_TYPES = { json: CONTENT_TYPES.json, protobuf: `${CONTENT_TYPES.protobuf};stream=watch` };

/** A watch as the JSON lines or the frames of protobuf that clients read; its objects transformed where the client wants Tables. */
export async function respondWatch(answer: WatchAnswer, wanted: Wanted): Promise<Response> {
  if (!("events" in answer)) return await respond(answer, wanted);
  const { as, format } = wanted.negotiated;
  const isProtobuf = format === "protobuf";
  const events =
    as === "object" && !isProtobuf
      ? answer.events
      : answer.events.pipeThrough(eachLine(eventWriter(wanted, isProtobuf)));
  const headers = new Headers(headersOf({ code: 200, body: "", flow: answer.flow }, wanted, CONTENT_TYPES.json));
  headers.set("content-type", STREAM_TYPES[isProtobuf ? "protobuf" : "json"]);
  for (const [name, value] of Object.entries(STREAM_HEADERS)) headers.set(name, value);
  return new Response(events, { headers });
}

const encoder = new TextEncoder();

function eventWriter(wanted: Wanted, isProtobuf: boolean): (line: string) => Uint8Array {
  let isFirst = true;
  return (line) => {
    const event = JSON.parse(line) as { type: string; object: KubeObject };
    const object = transformEvent(event.object, wanted, isFirst);
    isFirst = false;
    if (isProtobuf) return encodeWatchEvent(event.type, object as unknown as Record<string, unknown>);
    return encoder.encode(`${JSON.stringify({ type: event.type, object })}\n`);
  };
}

/** Replaces each line of a UTF-8 stream. A line that is not complete yet waits for its rest. */
function eachLine(change: (line: string) => Uint8Array): TransformStream<Uint8Array, Uint8Array> {
  const decoder = new TextDecoder();
  let rest = "";
  return new TransformStream({
    transform(chunk, controller) {
      rest += decoder.decode(chunk, { stream: true });
      const end = rest.lastIndexOf("\n");
      if (end < 0) return;
      const lines = rest.slice(0, end).split("\n");
      rest = rest.slice(end + 1);
      for (const line of lines) controller.enqueue(change(line));
    },
  });
}
