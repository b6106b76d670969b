import type { KindInfo } from "../kind.ts";
import { definitionOf } from "./facts.ts";
import {
  deleteCollectionParameters,
  deleteParameters,
  listParameters,
  type Parameter,
  writeParameters,
} from "./openapi-parameters.ts";
import { type OpenApiSchema, publishedName, refTo } from "./openapi-schema.ts";

export type PathItem = Record<string, unknown>;

const STATUS = "~apis.meta.v1.Status";
const DELETE_OPTIONS = "~apis.meta.v1.DeleteOptions";
const PATCH = "~apis.meta.v1.Patch";

const OBJECT_TYPES = ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"];
const STREAM_TYPES = ["application/json;stream=watch", "application/vnd.kubernetes.protobuf;stream=watch"];
const PATCH_TYPES = [
  "application/json-patch+json",
  "application/merge-patch+json",
  "application/strategic-merge-patch+json",
  "application/apply-patch+yaml",
];
const CUSTOM_TYPES = ["application/json", "application/yaml"];
const ANY_TYPE = ["*/*"];

/** How the schemas of a kind are called, and what it is sent and taken as. */
export interface Published {
  object: string;
  list: string;
  /** No built-in: without protobuf, strategic patches and the old paths of watches. */
  isCustom: boolean;
}

/** The built-in kind's, or nothing where it is no object. */
export function publishedOf({
  group,
  version,
  kind,
}: Pick<KindInfo, "group" | "version" | "kind">): Published | undefined {
  const definition = definitionOf(group, version, kind);
  if (!definition) return undefined;
  const object = publishedName(definition.name);
  return { object, list: `${object}List`, isCustom: false };
}

/** Kinds whose deletion upstream answers with the object (its storages' ReturnDeletedObject). */
const ANSWERED_DELETED: ReadonlySet<string> = new Set([
  "PersistentVolume",
  "PersistentVolumeClaim",
  "Pod",
  "PodTemplate",
  "ResourceQuota",
  "Service",
  "ServiceAccount",
  "CSIDriver",
  "CSINode",
  "StorageClass",
  "VolumeAttachment",
  "VolumeAttributesClass",
  "DeviceClass",
  "DeviceTaintRule",
  "ResourceClaim",
  "ResourceClaimTemplate",
  "ResourcePoolStatusRequest",
  "ResourceSlice",
]);

/** By verb: the method, the action, and how the operation's id begins. */
export const METHODS: Record<string, { method: string; action: string; word: string }> = {
  get: { method: "get", action: "get", word: "read" },
  list: { method: "get", action: "list", word: "list" },
  create: { method: "post", action: "post", word: "create" },
  update: { method: "put", action: "put", word: "replace" },
  patch: { method: "patch", action: "patch", word: "patch" },
  delete: { method: "delete", action: "delete", word: "delete" },
  deletecollection: { method: "delete", action: "deletecollection", word: "delete" },
};

export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
const uncapital = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);
/** `RbacAuthorization` of `rbac.authorization.k8s.io`; custom groups keep all of their name. */
export const groupWord = (group: string): string =>
  group === ""
    ? "Core"
    : group
        .replace(/\.k8s\.io$/, "")
        .split(/[.-]/)
        .map(capital)
        .join("");

const tagOf = ({ group, version }: Pick<KindInfo, "group" | "version">): string =>
  `${uncapital(groupWord(group))}_${version}`;

/** "a Pod", "an Event", and of plurals the word alone: "Endpoints". */
function withArticle(kind: string): string {
  if (/[^s]s$/.test(kind)) return kind;
  return /^[aeiou]/i.test(kind) ? `an ${kind}` : `a ${kind}`;
}

/** What an operation is about. */
export interface Described extends Published {
  gvk: Pick<KindInfo, "group" | "version" | "kind">;
  isRoot: boolean;
  subresource: string;
}

export interface Operation extends PathItem {
  parameters?: Parameter[];
}

const DEPRECATED_WATCH = "deprecated: use the 'watch' parameter with a list operation instead";

/** What operations do, in a few words. */
function describe(
  verb: string,
  { kind }: KindInfo,
  { isRoot, subresource, gvk }: Described,
  isWatched: boolean,
): string {
  const part = isRoot ? "" : `${subresource} of `;
  switch (verb) {
    case "list":
      return `list ${isWatched ? "or watch " : ""}objects of kind ${kind}`;
    case "create":
      return isRoot ? `create ${withArticle(kind)}` : `create ${part}${withArticle(kind)}`;
    case "update":
      return `replace ${part}the specified ${kind}`;
    case "patch":
      return `partially update ${part}the specified ${kind}`;
    case "delete":
      return `delete ${withArticle(kind)}`;
    case "deletecollection":
      return `delete collection of ${kind}`;
    case "watchlist":
      return `watch individual changes to a list of ${kind}. ${DEPRECATED_WATCH}.`;
    case "watch":
      return `watch changes to an object of kind ${gvk.kind}. ${DEPRECATED_WATCH}, filtered to a single item with the 'fieldSelector' parameter.`;
    default:
      return `read ${part}the specified ${kind}`;
  }
}

const headOf = (
  info: KindInfo,
  operationId: string,
  description: string,
  action: string,
  { gvk }: Described,
): Operation => ({
  tags: [tagOf(info)],
  description,
  operationId,
  "x-kubernetes-action": action,
  "x-kubernetes-group-version-kind": { group: gvk.group, version: gvk.version, kind: gvk.kind },
});

/** Of a subresource that only passes on what comes. */
export function connect(method: string, suffix: string, info: KindInfo, what: Described): Operation {
  const id = `connect${groupWord(info.group)}${capital(info.version)}${capital(method)}${suffix}`;
  const words = `connect ${method.toUpperCase()} requests to ${what.subresource} of ${info.kind}`;
  return {
    ...headOf(info, id, words, "connect", what),
    responses: responses({ type: "string" }, ANY_TYPE, "200"),
  };
}

/** Of a verb on a resource or a subresource; `suffix`: how its id ends. */
export function operation(verb: string, suffix: string, info: KindInfo, what: Described): Operation {
  const { word, action } = METHODS[verb] ?? { word: "watch", action: verb };
  const id = `${word}${groupWord(info.group)}${capital(info.version)}${suffix}`;
  const types = what.isCustom ? CUSTOM_TYPES : OBJECT_TYPES;
  const object = what.object ? { $ref: `#/components/schemas/${what.object}` } : { type: "object" };
  const isWatched = info.verbs.includes("watch");
  const head = headOf(info, id, describe(verb, info, what, isWatched), action, what);
  switch (verb) {
    case "list":
    case "watchlist":
    case "watch": {
      const isStream = isWatched && !what.isCustom;
      const schema =
        verb === "list" ? { $ref: `#/components/schemas/${what.list}` } : refTo("~apis.meta.v1.WatchEvent");
      return {
        ...head,
        ...(verb === "list" && { parameters: listParameters() }),
        responses: responses(schema, isStream ? [...types, ...STREAM_TYPES] : types, "200"),
      };
    }
    case "create":
    case "update":
      return {
        ...head,
        parameters: writeParameters(),
        requestBody: { content: contents(what.isCustom ? types : ANY_TYPE, object), required: true },
        responses: responses(object, types, ...(verb === "create" ? ["200", "201", "202"] : ["200", "201"])),
      };
    case "patch":
      return {
        ...head,
        parameters: writeParameters("patch"),
        requestBody: {
          content: contents(
            what.isCustom ? PATCH_TYPES.filter((type) => !type.includes("strategic")) : PATCH_TYPES,
            refTo(PATCH),
          ),
          required: true,
        },
        responses: responses(object, types, ...(what.isCustom ? ["200"] : ["200", "201"])),
      };
    case "delete":
    case "deletecollection": {
      const isOne = verb === "delete";
      const answered = isOne && !what.isCustom && ANSWERED_DELETED.has(info.kind) ? object : refTo(STATUS);
      return {
        ...head,
        parameters: isOne ? deleteParameters() : deleteCollectionParameters(),
        ...((isOne || !what.isCustom) && {
          requestBody: { content: contents(what.isCustom ? types : ANY_TYPE, refTo(DELETE_OPTIONS)) },
        }),
        responses: responses(answered, types, ...(isOne ? ["200", "202"] : ["200"])),
      };
    }
    default:
      return what.subresource === "log"
        ? { ...head, responses: responses({ type: "string" }, ["text/plain", ...types], "200") }
        : { ...head, responses: responses(object, types, "200") };
  }
}

const WORDS: Record<string, string> = { "200": "OK", "201": "Created", "202": "Accepted" };

/** What may be answered; anybody may have to be told that nobody knows them. */
export const responses = (schema: OpenApiSchema, types: readonly string[], ...codes: string[]) =>
  Object.fromEntries([
    ...codes.map((code) => [code, { description: WORDS[code], content: contents(types, schema) }] as const),
    ["401", { description: "Unauthorized" }] as const,
  ]);

const contents = (types: readonly string[], schema: OpenApiSchema) =>
  Object.fromEntries(types.map((type) => [type, { schema }]));

/** The path of a document of discovery. */
export const discoveryPath = (
  operationId: string,
  tag: string,
  description: string,
  definition: string,
  types: readonly string[] = OBJECT_TYPES,
): PathItem => ({
  get: { tags: [tag], description, operationId, responses: responses(refTo(definition), types, "200") },
});

/** `core_v1`: under which the operations of a version are gathered. */
export const groupVersionTag = tagOf;
