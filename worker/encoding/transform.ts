import type { KindRules } from "../../api/kind.ts";
import { apiVersionOf } from "../../api/kinds/define-kind.ts";
import { rulesOf, storageKind } from "../../api/kinds.ts";
import type { KubeObject } from "../../api/object.ts";
import { convert } from "../../api/schema/convert.ts";
import { ApiError, badRequest } from "../../api/status.ts";
import { metadataOf, type Table, tableOf } from "../../api/table.ts";
import type { Target } from "../../durable-objects/protocol.ts";
import type { Negotiated } from "./negotiate.ts";

export type IncludeObject = "None" | "Metadata" | "Object";

/** How an answer about `target` is to be turned into what the client asked for. */
export interface Wanted {
  /** What the request is called in logs. Absent: the answer is given its common headers later. */
  auditId?: string | undefined;
  negotiated: Negotiated;
  target: Target;
  /** The `includeObject` query parameter, of which Tables alone take notice. */
  includeObject?: IncludeObject | undefined;
  /** What ages are counted from where that is not now: milliseconds since 1970. */
  pastTime?: number | undefined;
  /** The columns of a custom resource, for Tables. */
  customRules?: KindRules<any> | undefined;
  /** Warnings that every answer about the resource carries: the version is deprecated. */
  deprecation?: string | undefined;
}

/** The query parameter of Table requests. 400 for what it cannot be, unless no Table is wanted. */
export function includeObjectOf(text: string | null | undefined, { as }: Negotiated): IncludeObject {
  if (as !== "Table" || !text) return "Metadata";
  if (text === "None" || text === "Metadata" || text === "Object") return text;
  throw badRequest(
    `Unable to convert to Table as requested: includeObject: Invalid value: ${JSON.stringify(text)}: must be 'Metadata', 'Object', 'None', or empty`,
  );
}

/** An object or a list as the client wants it; a Status stays what it is. 406 where that cannot be. */
export function transform(value: KubeObject, wanted: Wanted): KubeObject {
  const { as, metaVersion } = wanted.negotiated;
  if (value.kind === "Status") return value;
  const items = itemsOf(value);
  switch (as) {
    case "object":
      return value;
    case "Table":
      return tableFor(value, items ?? [value], wanted) as unknown as KubeObject;
    case "PartialObjectMetadata":
      if (items) throw notAcceptable(`${as}, but the requested object is a list (${goType(value, wanted)})`);
      return partial(value, metaVersion) as unknown as KubeObject;
    case "PartialObjectMetadataList":
      if (!items) throw notAcceptable(`${as}, but the requested object is not a list (${goType(value, wanted)})`);
      return {
        kind: as,
        apiVersion: `meta.k8s.io/${metaVersion}`,
        metadata: value.metadata,
        items: items.map((item) => partial(item, metaVersion)),
      } as unknown as KubeObject;
  }
}

/** An event's object as the client wants it; `isFirst`: the columns of Tables are told once. */
export function transformEvent(value: KubeObject, wanted: Wanted, isFirst: boolean): KubeObject {
  // As upstream, which logs that a single object is no list, and sends it as it is.
  if (wanted.negotiated.as === "PartialObjectMetadataList") return value;
  const transformed = transform(value, wanted);
  if (wanted.negotiated.as === "Table" && !isFirst && transformed !== value) transformed["columnDefinitions"] = null;
  return transformed;
}

const itemsOf = (value: KubeObject): KubeObject[] | undefined => value["items"] as KubeObject[] | undefined;

const partial = (object: KubeObject, metaVersion: Negotiated["metaVersion"]) => ({
  ...metadataOf(object),
  apiVersion: `meta.k8s.io/${metaVersion}`,
});

const notAcceptable = (what: string): ApiError => new ApiError("NotAcceptable", `you requested ${what}`);

/** The packages of upstream's internal types, where they are not called as the group begins. */
const GO_PACKAGES: Record<string, string | undefined> = {
  "": "core",
  "events.k8s.io": "core",
  "internal.apiserver.k8s.io": "apiserverinternal",
};

/** How Go prints the type of what was asked for. */
function goType({ kind, items }: KubeObject, { target: { group }, customRules }: Wanted): string {
  if (customRules) return items ? "*unstructured.UnstructuredList" : "*unstructured.Unstructured";
  return `*${GO_PACKAGES[group] ?? group.split(".", 1)[0]}.${kind}`;
}

/** Marks the bookmark that ends the first events of a watch; its row always has the object that says so. */
const INITIAL_EVENTS_END = "k8s.io/initial-events-end";

/** Columns are written for the version that is stored; the rows' objects are of the one that was asked for. */
function tableFor(value: KubeObject, objects: KubeObject[], wanted: Wanted): Table {
  const { target, includeObject = "Metadata", pastTime, customRules, negotiated } = wanted;
  const storage = storageKind(target.group, target.resource);
  const stored = objects.map((object) => {
    // What a subresource answers is another kind, with no columns of its own.
    if (storage?.kind !== object.kind || apiVersionOf(storage) === object.apiVersion) return object;
    return convert(structuredClone(object), storage);
  });
  const isOfKind = stored.every(({ kind }) => kind === storage?.kind);
  const rules = customRules ?? (storage && isOfKind ? rulesOf(storage) : {});
  const made = tableOf(rules, stored, {
    now: pastTime ?? Date.now(),
    includeObject: "None",
    listMetadata: { ...listMeta(value) },
  });
  made.apiVersion = `meta.k8s.io/${negotiated.metaVersion}`;
  for (const [i, row] of made.rows.entries()) {
    const object = objects[i]!;
    if (includeObject === "Object") row.object = object;
    else if (includeObject === "Metadata" || object.metadata.annotations?.[INITIAL_EVENTS_END])
      row.object = partial(object, negotiated.metaVersion);
    else row.object = null;
  }
  return made;
}

/** Of a list its own metadata; of a single object what its one-row list would have. */
const listMeta = (value: KubeObject) =>
  value["items"] ? value.metadata : { resourceVersion: value.metadata.resourceVersion };
