import type { CustomKind } from "../custom/custom-kind.ts";
import { openapiSchemas } from "../custom/openapi.ts";
import type { KindInfo, SubresourceInfo } from "../kind.ts";
import { allKinds, groups, kindsOf } from "../kinds.ts";
import { type Definition, definitionNamed, definitionOf, factsHash } from "./facts.ts";
import { discoveryPaths } from "./openapi-discovery.ts";
import { type PathItem, publishedOf } from "./openapi-operations.ts";
import { itemPaths } from "./openapi-paths.ts";
import { type OpenApiSchema, publishedName, refTo, schemaOf } from "./openapi-schema.ts";

/** To be raised when what is made of the facts changes: clients keep documents by their hash. */
const FORMAT = 3;

export const OPENAPI_INFO = { title: "Kubernetes", version: "1.36" };

const LIST_META = "~apis.meta.v1.ListMeta";
const OBJECT_META = "~apis.meta.v1.ObjectMeta";
const DELETE_OPTIONS = "~apis.meta.v1.DeleteOptions";
const WATCH_EVENT = "~apis.meta.v1.WatchEvent";
const STATUS = "~apis.meta.v1.Status";
const PATCH = "~apis.meta.v1.Patch";

/** One version of a group that has custom kinds. */
export interface CustomVersion {
  readonly group: string;
  readonly version: string;
  /** Another text for every other content: uids and generations of the definitions, say. */
  readonly revision: string;
}

/** `api/v1`, `apis/apps/v1`: how the documents are named. */
const documentName = (group: string, version: string): string =>
  group === "" ? `api/${version}` : `apis/${group}/${version}`;

/** The names of all documents, each with what tells its content from every other: those of discovery, of groups and of their versions. */
function documentNames(custom: readonly CustomVersion[]): Map<string, string> {
  const names = new Map(["api", "apis", "version"].map((name) => [name, ""]));
  for (const { name, versions } of groups) {
    if (name !== "") names.set(`apis/${name}`, "");
    for (const version of versions) names.set(documentName(name, version), "");
  }
  for (const { group, version, revision } of custom) {
    names.set(`apis/${group}`, "");
    names.set(documentName(group, version), revision);
  }
  return names;
}

const hashOf = (document: string, revision: string): string => factsHash(`${FORMAT} ${document} ${revision}`);

/** The hash of a document's content, for its ETag; undefined where there is no such document. */
export function openapiV3Hash(document: string, custom: readonly CustomVersion[] = []): string | undefined {
  const revision = documentNames(custom).get(document);
  return revision === undefined ? undefined : hashOf(document, revision);
}

/** The answer of `/openapi/v3`: where each document is, with a hash of what is in it. */
export function openapiV3Index(custom: readonly CustomVersion[] = []): {
  paths: Record<string, { serverRelativeURL: string }>;
} {
  const documents = [...documentNames(custom)].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    paths: Object.fromEntries(
      documents.map(([document, revision]) => [
        document,
        { serverRelativeURL: `/openapi/v3/${document}?hash=${hashOf(document, revision)}` },
      ]),
    ),
  };
}

/**
 * The text of one document (`api/v1`, `apis/apps`, `version`) that has a hash; `custom`: the custom kinds in that version of that group.
 * Made anew on each call.
 */
export const openapiV3 = (document: string, custom: readonly CustomKind[] = []): string =>
  JSON.stringify(makeDocument(partsOf(document, custom)));

/** What a document tells of: paths, and the schemas that these refer to. */
export interface OpenApiParts {
  paths: Record<string, PathItem>;
  /** In the form of v3. */
  schemas: Record<string, OpenApiSchema>;
  /** In the form that was asked for. */
  customSchemas: Record<string, OpenApiSchema>;
}

function partsOf(document: string, custom: readonly CustomKind[]): OpenApiParts {
  const [root, ...rest] = document.split("/");
  const [group, version] = root === "api" ? ["", rest[0]] : [rest[0], rest[1]];
  const discovery = discoveryPaths(document);
  if (group === undefined || version === undefined)
    return { paths: discovery, schemas: schemasFor([], [], discovery), customSchemas: {} };
  return openapiParts(kindsOf(group, version), custom, "v3", discovery);
}

/** The paths of kinds beside others, and the schemas of all of them. */
export function openapiParts(
  kinds: readonly KindInfo[],
  custom: readonly CustomKind[],
  openapi: "v2" | "v3",
  others: Record<string, PathItem>,
): OpenApiParts {
  const paths: Record<string, PathItem> = { ...others };
  for (const info of kinds) Object.assign(paths, itemPaths(info, publishedOf(info)!));
  const customSchemas: Record<string, OpenApiSchema> = {};
  for (const kind of custom) {
    const made = openapiSchemas(kind, openapi);
    const [object, list] = Object.keys(made) as [string, string];
    Object.assign(paths, itemPaths(kind.info, { object, list, isCustom: true }));
    Object.assign(customSchemas, made);
  }
  return { paths, schemas: schemasFor(kinds, custom, others), customSchemas };
}

const sorted = <T>(values: Record<string, T>): Record<string, T> =>
  Object.fromEntries(Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1)));

function makeDocument({ paths, schemas, customSchemas }: OpenApiParts): Record<string, unknown> {
  return {
    openapi: "3.0.0",
    info: OPENAPI_INFO,
    paths: sorted(paths),
    components: {
      schemas: sorted({ ...schemas, ...customSchemas }),
      securitySchemes: {
        BearerToken: {
          type: "apiKey",
          description: "Bearer Token authentication",
          name: "authorization",
          in: "header",
        },
      },
    },
  };
}

const REFERENCE = /"#\/components\/schemas\/([^"]+)"/g;

/** The schemas that the paths lead to, but for those of custom kinds, which are their definitions'. */
function schemasFor(
  kinds: readonly KindInfo[],
  custom: readonly CustomKind[],
  others: Record<string, PathItem>,
): Record<string, OpenApiSchema> {
  const schemas: Record<string, OpenApiSchema> = {};
  const gvks = new Map<string, { group: string; kind: string; version: string }[]>();
  const queue: Definition[] = [];
  const need = (name: string): void => {
    const definition = definitionNamed(name);
    if (definition) queue.push(definition);
  };
  const note = ({ group, version, kind }: Pick<SubresourceInfo, "group" | "version" | "kind">) => {
    const definition = definitionOf(group, version, kind);
    if (!definition || gvks.has(definition.name)) return;
    gvks.set(definition.name, [{ group, kind, version }]);
    queue.push(definition);
  };
  for (const info of kinds) {
    note(info);
    info.subresources.forEach(note);
    if (!info.verbs.includes("list")) continue;
    const { name } = definitionOf(info.group, info.version, info.kind)!;
    schemas[`${publishedName(name)}List`] = listSchema(info, name);
  }
  if (kinds.length > 0 || custom.length > 0) {
    for (const name of [DELETE_OPTIONS, STATUS, PATCH, LIST_META]) need(name);
    if (kinds.length > 0) need(WATCH_EVENT);
    if (custom.length > 0) need(OBJECT_META);
    for (const { info } of custom) for (const part of info.subresources) if (part.group !== info.group) note(part);
  }
  for (const [, name] of JSON.stringify(others).matchAll(REFERENCE)) queue.push(definitionPublished(name!));
  for (const kind of DISCOVERED) gvks.set(`~apis.meta.v1.${kind}`, [{ group: "", kind, version: "v1" }]);
  gvks.set(DELETE_OPTIONS, everyGroup("DeleteOptions"));
  gvks.set(WATCH_EVENT, everyGroup("WatchEvent"));
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const published = publishedName(next.name);
    if (schemas[published]) continue;
    const schema = schemaOf(next, need);
    const gvk = gvks.get(next.name);
    schemas[published] = gvk ? { ...schema, "x-kubernetes-group-version-kind": gvk } : schema;
  }
  return sorted(schemas);
}

/** Kinds of the core group that are no resources. */
const DISCOVERED = ["Status", "APIGroup", "APIGroupList", "APIResourceList", "APIVersions"];

const definitionPublished = (published: string): Definition =>
  definitionNamed(published.replace(/^io\.k8s\.apimachinery\.pkg\./, "~"))!;

/** Kinds that belong to every group version. */
function everyGroup(kind: string): { group: string; kind: string; version: string }[] {
  const seen = new Map(allKinds().map(({ group, version }) => [`${group}/${version}`, { group, version }]));
  return [...seen.values()].map(({ group, version }) => ({ group, kind, version }));
}

const listSchema = (info: KindInfo, name: string): OpenApiSchema => {
  const texts = listTexts(info);
  return {
    description: `${info.kind}List is a list of ${info.kind}`,
    type: "object",
    required: ["items"],
    properties: {
      apiVersion: { ...texts.apiVersion, type: "string" },
      items: { type: "array", items: { allOf: [refTo(name)], default: {} } },
      kind: { ...texts.kind, type: "string" },
      metadata: { allOf: [refTo(LIST_META)], default: {} },
    },
    "x-kubernetes-group-version-kind": [{ group: info.group, kind: `${info.kind}List`, version: info.version }],
  };
};

/** What the kind itself says of the fields that its list has, too. */
function listTexts({ group, version, kind }: KindInfo): Record<"apiVersion" | "kind", OpenApiSchema> {
  const { properties = {} } = schemaOf(definitionOf(group, version, kind)!, () => {}) as {
    properties?: Record<string, OpenApiSchema>;
  };
  const textOf = (name: string): OpenApiSchema => {
    const description = properties[name]?.["description"];
    return description ? { description } : {};
  };
  return { apiVersion: textOf("apiVersion"), kind: textOf("kind") };
}
