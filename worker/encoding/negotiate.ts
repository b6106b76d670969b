import { ApiError } from "../../api/status.ts";

export type Format = "json" | "yaml" | "protobuf";

export const CONTENT_TYPES: Record<Format, string> = {
  json: "application/json",
  yaml: "application/yaml",
  protobuf: "application/vnd.kubernetes.protobuf",
};

/** What the objects are turned into; `object`: sent as they are. */
export type Transform = "object" | "Table" | "PartialObjectMetadata" | "PartialObjectMetadataList";

/** What a client wants back. */
export interface Negotiated {
  format: Format;
  as: Transform;
  /** Of meta.k8s.io, for what is not `object`. */
  metaVersion: "v1" | "v1beta1";
  /** Indented, where the format is JSON. */
  pretty: boolean;
  /** How a refusal is sent: it is never transformed, so another clause may apply. */
  refusal: Pick<Negotiated, "format" | "pretty">;
}

const FORMATS = Object.keys(CONTENT_TYPES) as Format[];
const TRANSFORMS = new Set(["Table", "PartialObjectMetadata", "PartialObjectMetadataList"]);
/** Types that clients say of what they take of a stream. */
const STREAMED = "watch";

/** What most clients want. */
export const JSON_OBJECTS: Negotiated = {
  format: "json",
  as: "object",
  metaVersion: "v1",
  pretty: false,
  refusal: { format: "json", pretty: false },
};

export interface Negotiation {
  /** Custom resources have no protobuf, but for their metadata. */
  isCustom?: boolean | undefined;
  /** A watch: YAML has no way to tell its events apart. */
  isWatch?: boolean | undefined;
}

const NEGOTIATED_MAX = 256;
/** By whether the kind is custom, and the header. */
const remembered = new Map<string, Negotiated>();

/**
 * The best clause of an Accept header that can be served, as k8s.io/apiserver's negotiation finds it. 406 ApiErrors where there is
 * none.
 */
export function negotiate(accept: string | null, { isCustom = false, isWatch = false }: Negotiation = {}): Negotiated {
  if (!accept || accept === "application/json" || accept === "*/*") return JSON_OBJECTS;
  const key = `${isCustom} ${accept}`;
  let negotiated = remembered.get(key);
  if (!negotiated) {
    negotiated = find(accept, isCustom);
    if (remembered.size >= NEGOTIATED_MAX) remembered.clear();
    remembered.set(key, negotiated);
  }
  if (isWatch && negotiated.format === "yaml") throw notAcceptable(STREAM_TYPES);
  return negotiated;
}

const STREAM_TYPES = [CONTENT_TYPES.json, CONTENT_TYPES.protobuf].map((type) => `${type};stream=watch`);

function find(accept: string, isCustom: boolean): Negotiated {
  const clauses = mediaTypes(accept);
  const refusal = refusalOf(clauses);
  if (!clauses.some(({ type }) => FORMATS.some((format) => matches(type, CONTENT_TYPES[format])))) throw unroutable();
  for (const { type, parameters } of clauses) {
    for (const format of FORMATS) {
      if (!matches(type, CONTENT_TYPES[format])) continue;
      const transform = transformOf(parameters, format, isCustom);
      if (transform) return { ...transform, format, pretty: parameters.get("pretty") === "1", refusal };
    }
  }
  throw notAcceptable(Object.values(CONTENT_TYPES));
}

/** As which format a refusal is sent to a client that accepts this. */
export function refusalFormat(accept: string | null): Pick<Negotiated, "format" | "pretty"> {
  return accept ? refusalOf(mediaTypes(accept)) : JSON_OBJECTS.refusal;
}

/** The format of what is never transformed: documents of discovery. 406 ApiErrors where there is none. */
export function plainFormat(accept: string | null): Pick<Negotiated, "format" | "pretty"> {
  if (!accept) return JSON_OBJECTS.refusal;
  const found = plainOf(mediaTypes(accept));
  if (!found) throw unroutable();
  return found;
}

// To whoever accepts none of the formats upstream sends JSON for human eyes.
const refusalOf = (clauses: readonly MediaType[]): Pick<Negotiated, "format" | "pretty"> =>
  plainOf(clauses) ?? { format: "json", pretty: true };

function plainOf(clauses: readonly MediaType[]): Pick<Negotiated, "format" | "pretty"> | undefined {
  for (const { type, parameters } of clauses) {
    const format = FORMATS.find((candidate) => matches(type, CONTENT_TYPES[candidate]));
    const isPlain = !["as", "g", "v", "sv"].some((name) => parameters.has(name));
    if (format && isPlain && isStreamServed(parameters, format))
      return { format, pretty: parameters.get("pretty") === "1" };
  }
  return undefined;
}

const matches = (type: string, served: string): boolean =>
  type === served || type === "application/*" || type === "*/*";

const isStreamServed = (parameters: ReadonlyMap<string, string>, format: Format): boolean => {
  const stream = parameters.get("stream");
  return !stream || (stream === STREAMED && format !== "yaml");
};

/** What a clause wants of the objects; undefined where that is not served in the format. */
function transformOf(
  parameters: ReadonlyMap<string, string>,
  format: Format,
  isCustom: boolean,
): Pick<Negotiated, "as" | "metaVersion"> | undefined {
  const served = parameters.get("sv");
  if (!isStreamServed(parameters, format) || (served && served !== "v1")) return undefined;
  const [as, group, version] = ["as", "g", "v"].map((name) => parameters.get(name));
  if (as === undefined && group === undefined && version === undefined)
    return isCustom && format === "protobuf" ? undefined : { as: "object", metaVersion: "v1" };
  if (group !== "meta.k8s.io" || (version !== "v1" && version !== "v1beta1")) return undefined;
  if (!TRANSFORMS.has(as ?? "") || (as === "Table" && format === "protobuf")) return undefined;
  return { as: as as Transform, metaVersion: version };
}

const notAcceptable = (types: readonly string[]): ApiError =>
  new ApiError("NotAcceptable", `only the following media types are accepted: ${types.join(", ")}`);

/** In the words of upstream's router, which refuses before anyone looks at what a type's parameters ask for. */
const unroutable = (): ApiError =>
  new ApiError(
    "NotAcceptable",
    `406: Not Acceptable\n\nAvailable representations: ${Object.values(CONTENT_TYPES).join(", ")}`,
    {},
  );

const HUMAN_AGENTS = ["curl", "Wget", "Mozilla/5.0"];

/** Whether JSON is to be indented for human eyes: by the query's `pretty`, else by the programs that people use. */
export function isPretty({ headers }: Request, query: URLSearchParams | undefined): boolean {
  const asked = query?.get("pretty");
  if (asked) return ["1", "t", "T", "TRUE", "true", "True"].includes(asked);
  const agent = headers.get("user-agent") ?? "";
  return HUMAN_AGENTS.some((name) => agent.startsWith(name));
}

export interface MediaType {
  /** Lower case. */
  type: string;
  parameters: ReadonlyMap<string, string>;
}

const CLAUSES_MAX = 64;

/** The media types of an Accept header by preference: by `q`, then wildcards last, then as written. */
export function mediaTypes(accept: string): readonly MediaType[] {
  const clauses = accept.split(",", CLAUSES_MAX).map((clause) => {
    const [type, ...rest] = clause.split(";").map((part) => part.trim());
    const parameters = new Map(rest.map((part) => part.split("=", 2).map((side) => side.trim()) as [string, string]));
    return { type: type!.toLowerCase(), parameters, quality: Number(parameters.get("q") ?? 1) || 0 };
  });
  return clauses.sort((a, b) => b.quality - a.quality || wildcards(a.type) - wildcards(b.type));
}

const wildcards = (type: string): number => (type.startsWith("*/") ? 2 : type.endsWith("/*") ? 1 : 0);
