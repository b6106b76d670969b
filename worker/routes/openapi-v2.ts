import { encodeOpenApiV2 } from "../../api/protobuf/openapi-v2.ts";
import { openapiV2, openapiV2Hash } from "../../api/schema/openapi-v2.ts";
import { ApiError } from "../../api/status.ts";
import { mediaTypes } from "../encoding/negotiate.ts";

type Format = "json" | "protobuf";

/** By media type in Accept. The name with `@` is what clients ask for; it is no valid media type, so the answer has another. */
const FORMATS: Record<string, Format | undefined> = {
  "application/json": "json",
  "application/*": "json",
  "*/*": "json",
  "application/com.github.proto-openapi.spec.v2@v1.0+protobuf": "protobuf",
  "application/com.github.proto-openapi.spec.v2.v1.0+protobuf": "protobuf",
};
const CONTENT_TYPES: Record<Format, string> = {
  json: "application/json",
  protobuf: "application/com.github.proto-openapi.spec.v2.v1.0+protobuf",
};

/** Made when first asked for: the facts do not change while an isolate lives. */
const bodies: { [format in Format]?: Uint8Array } = {};

/** The OpenAPI v2 document, from which older clients, and `kubectl apply` of a List, learn what fields there are. */
export function serveOpenApiV2(headers: Headers): Response {
  const format = formatOf(headers.get("accept"));
  const etag = `"${openapiV2Hash()}-${format}"`;
  const cached = { etag, vary: "Accept", "cache-control": "no-cache, private" };
  if (headers.get("if-none-match") === etag) return new Response(null, { status: 304, headers: cached });
  bodies[format] ??=
    format === "json" ? new TextEncoder().encode(JSON.stringify(openapiV2())) : encodeOpenApiV2(openapiV2());
  return new Response(bodies[format], { headers: { ...cached, "content-type": CONTENT_TYPES[format] } });
}

function formatOf(accept: string | null): Format {
  if (!accept) return "json";
  for (const { type } of mediaTypes(accept)) {
    const format = FORMATS[type];
    if (format) return format;
  }
  throw new ApiError(
    "NotAcceptable",
    `only the following media types are accepted: ${Object.keys(FORMATS).join(", ")}`,
  );
}
