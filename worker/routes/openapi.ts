import { encodeOpenApiV2 } from "../../api/protobuf/openapi-v2.ts";
import { encodeOpenApiV3 } from "../../api/protobuf/openapi-v3.ts";
import { openapiV3, openapiV3Hash, openapiV3Index } from "../../api/schema/openapi.ts";
import { openapiV2, openapiV2Hash } from "../../api/schema/openapi-v2.ts";
import { ApiError } from "../../api/status.ts";
import { isKnown } from "../encoding/kept-document.ts";
import { mediaTypes } from "../encoding/negotiate.ts";
import { type CustomApi, NO_CUSTOM } from "./custom-openapi.ts";
import { unknownPath } from "./resources.ts";

type Format = "json" | "protobuf";
type Body = Uint8Array<ArrayBuffer>;

/** The name with `@` is what clients ask for; it is no valid media type, so the answer has the other one. */
const PROTOBUF_TYPE = (version: string) => `application/com.github.proto-openapi.spec.${version}.v1.0+protobuf`;
const ASKED_PROTOBUF_TYPE = (version: string) => `application/com.github.proto-openapi.spec.${version}@v1.0+protobuf`;

/** A year, in milliseconds: what has its hash in the address never changes. */
const YEAR = 365 * 24 * 3_600_000;
const encoder = new TextEncoder();
const encode = (text: string): Body => encoder.encode(text) as Body;

/**
 * What is made for one cluster's API, by name, format and encoding; made when first asked for. Nearly everybody takes gzip: what that is
 * made of is not kept.
 */
const bodies = new WeakMap<object, Map<string, Body>>();

async function bodyOf(owner: object, key: string, make: () => Promise<Body>): Promise<Body> {
  const known = bodies.get(owner) ?? new Map<string, Body>();
  bodies.set(owner, known);
  const body = known.get(key) ?? (await make());
  known.set(key, body);
  return body;
}

/** The OpenAPI v2 document, from which older clients, and `kubectl apply` of a List, learn what fields there are. */
export async function serveOpenApiV2(request: Request, custom: CustomApi = NO_CUSTOM): Promise<Response> {
  const format = formatOf(request.headers.get("accept"), "v2");
  return await answer(request, {
    owner: custom.owner,
    name: "v2",
    format,
    etag: `${openapiV2Hash(custom.versions)}-${format}`,
    type: format === "json" ? "application/json" : PROTOBUF_TYPE("v2"),
    make: async () => {
      const document = openapiV2(await custom.kinds());
      return format === "json" ? encode(JSON.stringify(document)) : encodeOpenApiV2(document);
    },
  });
}

/** `/openapi/v3`: where the documents are. */
export async function serveOpenApiV3Index(request: Request, custom: CustomApi = NO_CUSTOM): Promise<Response> {
  const text = JSON.stringify(openapiV3Index(custom.versions));
  return await answer(request, {
    owner: custom.owner,
    name: "v3",
    format: "json",
    etag: openapiV2Hash(custom.versions),
    type: "application/json",
    make: async () => encode(text),
  });
}

/** One document of OpenAPI v3. Whoever names another hash than its present one is sent to that. 404 for what is not served. */
export async function serveOpenApiV3(request: Request, name: string, custom: CustomApi = NO_CUSTOM): Promise<Response> {
  const hash = openapiV3Hash(name, custom.versions);
  if (hash === undefined) throw unknownPath();
  const format = formatOf(request.headers.get("accept"), "v3");
  const asked = new URL(request.url).searchParams.get("hash");
  if (asked && asked !== hash) {
    const { pathname } = new URL(request.url);
    const headers = { location: `${pathname}?hash=${hash}`, etag: `"${hash}"`, vary: "Accept" };
    return new Response(null, { status: 301, headers });
  }
  // What has no custom kinds is the same in every cluster.
  const isOwn = custom.versions.some(({ group, version }) => name === `apis/${group}/${version}`);
  return await answer(request, {
    owner: isOwn ? custom.owner : NO_CUSTOM.owner,
    name,
    format,
    etag: hash,
    type: format === "json" ? "application/json" : PROTOBUF_TYPE("v3"),
    isImmutable: asked !== null,
    make: async () => {
      const text = openapiV3(name, isOwn ? await custom.kinds(name) : []);
      return format === "json" ? encode(text) : encodeOpenApiV3(text);
    },
  });
}

interface Document {
  /** Whose document it is: what was made of it is kept as long as this. */
  owner: object;
  name: string;
  format: Format;
  etag: string;
  type: string;
  isImmutable?: boolean;
  make(): Promise<Body>;
}

async function answer(
  request: Request,
  { owner, name, format, etag, type, isImmutable = false, make }: Document,
): Promise<Response> {
  const headers = new Headers({ etag: `"${etag}"`, vary: "Accept, Accept-Encoding", "content-type": type });
  if (isImmutable) {
    headers.set("cache-control", "public, immutable");
    headers.set("expires", new Date(Date.now() + YEAR).toUTCString());
  }
  if (isKnown(request.headers.get("if-none-match"), `"${etag}"`)) return new Response(null, { status: 304, headers });
  if (!takesGzip(request.headers.get("accept-encoding")))
    return new Response(await bodyOf(owner, `${name} ${format}`, make), { headers });
  headers.set("content-encoding", "gzip");
  const zipped = await bodyOf(owner, `${name} ${format} gzip`, async () => gzip(await make()));
  return new Response(zipped, { headers, encodeBody: "manual" } as ResponseInit);
}

const takesGzip = (accepted: string | null): boolean =>
  accepted !== null &&
  mediaTypes(accepted).some(({ type, parameters }) => type === "gzip" && parameters.get("q") !== "0");

const gzip = async (body: Body): Promise<Body> =>
  new Uint8Array(
    await new Response(new Blob([body]).stream().pipeThrough(new CompressionStream("gzip"))).arrayBuffer(),
  );

function formatOf(accept: string | null, version: "v2" | "v3"): Format {
  if (!accept) return "json";
  for (const { type } of mediaTypes(accept)) {
    if (type === "application/json" || type === "application/*" || type === "*/*") return "json";
    if (type === PROTOBUF_TYPE(version) || type === ASKED_PROTOBUF_TYPE(version)) return "protobuf";
  }
  const types = ["application/json", ASKED_PROTOBUF_TYPE(version), PROTOBUF_TYPE(version)];
  throw new ApiError("NotAcceptable", `only the following media types are accepted: ${types.join(", ")}`);
}
