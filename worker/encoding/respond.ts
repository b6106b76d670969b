import { dump } from "js-yaml";
import { apiVersionOf } from "../../api/kinds/define-kind.ts";
import { rulesOf, storageKind } from "../../api/kinds.ts";
import type { KubeObject } from "../../api/object.ts";
import { convert } from "../../api/schema/convert.ts";
import type { ApiError, Status } from "../../api/status.ts";
import { metadataOf, type Table, tableOf } from "../../api/table.ts";
import type { HomeAnswer, Target, WatchAnswer } from "../../durable-objects/protocol.ts";
import type { Negotiated } from "./negotiate.ts";

const TYPES = { json: "application/json", yaml: "application/yaml" } as const;

export type IncludeObject = "None" | "Metadata" | "Object";

/** How an answer about `target` is to be turned into what the client asked for. */
export interface Wanted {
  negotiated: Negotiated;
  target: Target;
  /** The `includeObject` query parameter of Table requests. */
  includeObject: IncludeObject;
  /** What ages are counted from where that is not now: milliseconds since 1970. */
  pastTime?: number | undefined;
}

/** Renders any error as the Status it stands for: the one place where refusals become responses. */
export function respondError(error: ApiError, headers: Record<string, string> = {}): Response {
  const retryAfter = error.details?.retryAfterSeconds;
  return new Response(`${JSON.stringify(error.toStatus())}\n`, {
    status: error.code,
    headers: {
      "content-type": TYPES.json,
      ...(retryAfter !== undefined && { "retry-after": String(retryAfter) }),
      ...headers,
    },
  });
}

/** Turns a home's answer into a response: as it is wherever the client wants what is stored. */
export async function respond(answer: HomeAnswer, wanted: Wanted): Promise<Response> {
  const { negotiated } = wanted;
  const init = { status: answer.code, headers: headersOf(answer, negotiated) };
  const isObject = answer.code < 300;
  if (negotiated.format === "json" && (negotiated.as === "object" || !isObject)) return new Response(answer.body, init);

  let value = (await new Response(answer.body).json()) as KubeObject;
  if (isObject && value.kind !== "Status") value = transform(value, wanted);
  return new Response(negotiated.format === "yaml" ? dump(value, { noRefs: true }) : JSON.stringify(value), init);
}

const JSON_ONLY: Negotiated = { format: "json", as: "object" };
const PLAIN_HEADERS = { json: { "content-type": TYPES.json }, yaml: { "content-type": TYPES.yaml } };

function headersOf({ code, body, warnings }: HomeAnswer, { format }: Negotiated): Headers | Record<string, string> {
  if (RETRIED.has(code) && typeof body === "string") return { ...PLAIN_HEADERS[format], ...retryAfter(body) };
  if (!warnings || warnings.length === 0) return PLAIN_HEADERS[format];
  const headers = new Headers(PLAIN_HEADERS[format]);
  for (const warning of warnings) headers.append("warning", `299 - ${quoted(warning)}`);
  return headers;
}

/** Refusals of what may be asked again. */
const RETRIED = new Set([429, 503, 504]);

function retryAfter(body: string): Record<string, string> {
  const seconds = (JSON.parse(body) as Status).details?.retryAfterSeconds;
  return seconds === undefined ? {} : { "retry-after": String(seconds) };
}

export const STREAM_HEADERS = {
  // Proxies that gzip would hold back the events until their buffer is full.
  "content-encoding": "identity",
  "cache-control": "no-cache, private, no-transform",
};

/** A watch as the chunked JSON lines that clients read; its objects transformed where the client wants Tables. */
export function respondWatch(answer: WatchAnswer, wanted: Wanted): Response {
  if (!("events" in answer))
    return new Response(answer.body, { status: answer.code, headers: headersOf(answer, JSON_ONLY) });
  const { as } = wanted.negotiated;
  const events =
    as === "object" ? answer.events : answer.events.pipeThrough(eachLine((line) => transformEvent(line, wanted)));
  return new Response(events, { headers: { "content-type": TYPES.json, ...STREAM_HEADERS } });
}

function transformEvent(line: string, wanted: Wanted): string {
  const event = JSON.parse(line) as { type: string; object: KubeObject };
  if (event.type === "ERROR") return line;
  return JSON.stringify({ type: event.type, object: transform(event.object, wanted) });
}

function transform(value: KubeObject, { negotiated, target, includeObject, pastTime }: Wanted): KubeObject {
  const items = value["items"] as KubeObject[] | undefined;
  switch (negotiated.as) {
    case "object":
      return value;
    case "Table":
      return table(value, items ?? [value], { target, includeObject }, pastTime ?? Date.now()) as unknown as KubeObject;
    case "PartialObjectMetadata":
      return metadataOf(value);
    case "PartialObjectMetadataList":
      return {
        kind: "PartialObjectMetadataList",
        apiVersion: "meta.k8s.io/v1",
        metadata: value.metadata,
        items: (items ?? [value]).map(metadataOf),
      };
  }
}

/** Columns are written for the version that is stored; the rows' objects are of the one that was asked for. */
function table(
  value: KubeObject,
  objects: KubeObject[],
  { target, includeObject }: Pick<Wanted, "target" | "includeObject">,
  now: number,
): Table {
  const storage = storageKind(target.group, target.resource);
  const listMetadata = { ...listMeta(value) };
  const stored = objects.map((object) => {
    // What a subresource answers is another kind, with no columns of its own.
    if (storage?.kind !== object.kind || apiVersionOf(storage) === object.apiVersion) return object;
    return convert(structuredClone(object), storage);
  });
  const isOfKind = stored.every(({ kind }) => kind === storage?.kind);
  const rules = storage && isOfKind ? rulesOf(storage) : {};
  const made = tableOf(rules, stored, { now, includeObject: "None", listMetadata });
  if (includeObject !== "None") {
    for (const [i, row] of made.rows.entries())
      row.object = includeObject === "Object" ? objects[i] : metadataOf(objects[i]!);
  }
  return made;
}

/** Of a list its own metadata; of a single object what its one-row list would have. */
const listMeta = (value: KubeObject) =>
  value["items"] ? value.metadata : { resourceVersion: value.metadata.resourceVersion };

/** A warning's text as a quoted string of RFC 9111, on one line. */
const quoted = (text: string): string => `"${text.replace(/[\\"]/g, "\\$&").replace(/[\r\n]+/g, " ")}"`;

/** Applies `change` to each line of a UTF-8 stream. A line that is not complete yet waits for its rest. */
export function eachLine(change: (line: string) => string): TransformStream<Uint8Array, Uint8Array> {
  const decoder = new TextDecoder();
  const encoder = new TextEncoder();
  let rest = "";
  return new TransformStream({
    transform(chunk, controller) {
      rest += decoder.decode(chunk, { stream: true });
      const end = rest.lastIndexOf("\n");
      if (end < 0) return;
      const lines = rest.slice(0, end).split("\n");
      rest = rest.slice(end + 1);
      controller.enqueue(encoder.encode(lines.map((line) => `${change(line)}\n`).join("")));
    },
  });
}
