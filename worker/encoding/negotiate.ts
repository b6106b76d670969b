import { ApiError } from "../../api/status.ts";

/** What a client wants back. */
export interface Negotiated {
  format: "json" | "yaml";
  /** What the objects are turned into; `object`: sent as they are. */
  as: "object" | "Table" | "PartialObjectMetadata" | "PartialObjectMetadataList";
}

const FORMATS: Record<string, "json" | "yaml"> = {
  "application/json": "json",
  "application/yaml": "yaml",
  "application/*": "json",
  "*/*": "json",
};

const TRANSFORMS = new Set(["Table", "PartialObjectMetadata", "PartialObjectMetadataList"]);
const JSON_OBJECTS: Negotiated = { format: "json", as: "object" };
const NEGOTIATED_MAX = 256;
const negotiated = new Map<string, Negotiated>();

/** The first clause of an Accept header that can be served. 406 where none can. */
export function negotiate(accept: string | null): Negotiated {
  if (!accept || accept === "application/json" || accept === "*/*") return JSON_OBJECTS;
  const known = negotiated.get(accept);
  if (known) return known;
  for (const { type, parameters } of mediaTypes(accept)) {
    const format = FORMATS[type];
    if (!format) continue;
    const as = parameters.get("as");
    if (as === undefined) return remember(accept, { format, as: "object" });
    const isServed = TRANSFORMS.has(as) && parameters.get("g") === "meta.k8s.io" && parameters.get("v") === "v1";
    if (isServed) return remember(accept, { format, as: as as Negotiated["as"] });
  }
  throw new ApiError(
    "NotAcceptable",
    "only the following media types are accepted: application/json, application/yaml",
    {},
  );
}

function remember(accept: string, answer: Negotiated): Negotiated {
  if (negotiated.size >= NEGOTIATED_MAX) negotiated.clear();
  negotiated.set(accept, answer);
  return answer;
}

/** The media types of an Accept header by preference: by `q`, then as written. */
export function mediaTypes(accept: string): { type: string; parameters: Map<string, string> }[] {
  const clauses = accept.split(",").map((clause) => {
    const [type, ...rest] = clause.split(";").map((part) => part.trim());
    const parameters = new Map(rest.map((part) => part.split("=", 2).map((side) => side.trim()) as [string, string]));
    return { type: type!.toLowerCase(), parameters, quality: Number(parameters.get("q") ?? 1) };
  });
  return clauses.filter(({ quality }) => quality > 0).sort((a, b) => b.quality - a.quality);
}
