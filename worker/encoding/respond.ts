import type { KubeObject } from "../../api/object.ts";
import type { ApiError, Status } from "../../api/status.ts";
import type { HomeAnswer } from "../../durable-objects/protocol.ts";
import { commonHeaders } from "./common-headers.ts";
import { CONTENT_TYPES, isPretty, plainFormat, refusalFormat } from "./negotiate.ts";
import { encodeList } from "./protobuf-list.ts";
import { render } from "./render.ts";
import { transform, type Wanted } from "./transform.ts";

/** Renders any error as the Status it stands for: the one place where refusals become responses. */
export function respondError(error: ApiError, request?: Request): Response {
  const asked = refusalFormat(request?.headers.get("accept") ?? null);
  const pretty = asked.pretty || (request !== undefined && isPretty(request, new URL(request.url).searchParams));
  const { body, type } = render(error.toStatus(), { ...asked, pretty });
  return new Response(body, {
    status: error.code,
    headers: { "content-type": type, ...retryAfterOf(error.details?.retryAfterSeconds) },
  });
}

/** A document that is the same for everybody, in the format that the client accepts best. 406 ApiErrors where there is none. */
export function respondDocument(request: Request, document: object): Response {
  const { format, pretty } = plainFormat(request.headers.get("accept"));
  const isIndented = pretty || isPretty(request, new URL(request.url).searchParams);
  const { body, type } = render(document, { format, pretty: isIndented });
  return new Response(body, { headers: { "content-type": type } });
}

/** Turns a home's answer into a response: as it is wherever the client wants what is stored. */
export async function respond(answer: HomeAnswer, wanted: Wanted): Promise<Response> {
  const isObject = answer.code < 300;
  const { format, pretty } = isObject ? wanted.negotiated : wanted.negotiated.refusal;
  const as = isObject ? wanted.negotiated.as : "object";
  const { body: given } = answer;
  const init = (type: string) => ({ status: answer.code, headers: headersOf(answer, wanted, type) });
  // A large list is for no human eyes, and would have to be held as a whole.
  if (format === "json" && as === "object" && !(pretty && typeof given === "string"))
    return new Response(given, init(CONTENT_TYPES.json));
  if (format === "protobuf" && typeof given !== "string" && as !== "PartialObjectMetadata" && isObject)
    return new Response(await encodeList(given, as, wanted.negotiated.metaVersion), init(CONTENT_TYPES.protobuf));

  const value = (typeof given === "string" ? JSON.parse(given) : await new Response(given).json()) as KubeObject;
  const { body, type } = render(isObject ? transform(value, wanted) : value, { format, pretty });
  return new Response(body, init(type));
}

/** What is said of an answer beside its body. */
export function headersOf(
  { code, body, warnings = [], flow }: Pick<HomeAnswer, "code" | "body" | "warnings" | "flow">,
  { auditId, deprecation }: Pick<Wanted, "auditId" | "deprecation">,
  type: string,
): Headers | Record<string, string> {
  const headers: Record<string, string> = auditId === undefined ? {} : commonHeaders(auditId, flow);
  headers["content-type"] = type;
  if (RETRIED.has(code) && typeof body === "string") Object.assign(headers, retryAfter(body));
  const texts = deprecation === undefined ? warnings : [deprecation, ...warnings];
  if (texts.length === 0) return headers;
  const warned = new Headers(headers);
  for (const text of texts) warned.append("warning", `299 - ${quoted(text)}`);
  return warned;
}

/** Refusals of what may be asked again. */
const RETRIED = new Set([429, 503, 504]);

const retryAfter = (body: string): Record<string, string> =>
  retryAfterOf((JSON.parse(body) as Status).details?.retryAfterSeconds);

const retryAfterOf = (seconds: number | undefined): Record<string, string> =>
  seconds === undefined ? {} : { "retry-after": String(seconds) };

/** A warning's text as a quoted string of RFC 9111, on one line. */
const quoted = (text: string): string => `"${text.replace(/[\\"]/g, "\\$&").replace(/[\r\n]+/g, " ")}"`;
