import type { KindInfo, SubresourceInfo } from "../kind.ts";
import { definitionOf } from "./facts.ts";
import { type OpenApiSchema, publishedName, refTo } from "./openapi-schema.ts";

export type PathItem = Record<string, unknown>;

const STATUS = "~apis.meta.v1.Status";
const DELETE_OPTIONS = "~apis.meta.v1.DeleteOptions";
const BODY_TYPES = ["application/json", "application/yaml"];
const PATCH_TYPES = [
  "application/json-patch+json",
  "application/merge-patch+json",
  "application/strategic-merge-patch+json",
];

const query = (name: string, type = "string") => ({ name, in: "query", schema: { type, uniqueItems: true } });
const inPath = (name: string) => ({
  name,
  in: "path",
  required: true,
  schema: { type: "string", uniqueItems: true },
});

const WRITE_PARAMETERS = [query("dryRun"), query("fieldManager"), query("fieldValidation")];
const LIST_PARAMETERS = [
  query("allowWatchBookmarks", "boolean"),
  query("continue"),
  query("fieldSelector"),
  query("labelSelector"),
  query("limit", "integer"),
  query("resourceVersion"),
  query("resourceVersionMatch"),
  query("sendInitialEvents", "boolean"),
  query("timeoutSeconds", "integer"),
  query("watch", "boolean"),
];
const DELETE_PARAMETERS = [
  query("dryRun"),
  query("gracePeriodSeconds", "integer"),
  query("orphanDependents", "boolean"),
  query("propagationPolicy"),
];

interface Action {
  /** x-kubernetes-action. */
  action: string;
  /** How operationId begins. */
  word: string;
  method: string;
}

const ACTIONS: Record<string, Action | undefined> = {
  get: { action: "get", word: "read", method: "get" },
  list: { action: "list", word: "list", method: "get" },
  create: { action: "post", word: "create", method: "post" },
  update: { action: "put", word: "replace", method: "put" },
  patch: { action: "patch", word: "patch", method: "patch" },
  delete: { action: "delete", word: "delete", method: "delete" },
  deletecollection: { action: "deletecollection", word: "deleteCollection", method: "delete" },
};

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
/** `RbacAuthorization` of `rbac.authorization.k8s.io`. */
const groupWord = (group: string): string =>
  group === ""
    ? "Core"
    : group
        .replace(/\.k8s\.io$/, "")
        .split(".")
        .map(capital)
        .join("");

/** The paths of one resource and its subresources, with their operations. */
export function itemPaths(info: KindInfo): Record<string, PathItem> {
  const paths: Record<string, PathItem> = {};
  const root = info.group === "" ? `/api/${info.version}` : `/apis/${info.group}/${info.version}`;
  const collection = info.namespaced ? `${root}/namespaces/{namespace}/${info.resource}` : `${root}/${info.resource}`;
  const scope = info.namespaced ? [inPath("namespace")] : [];
  const scopeWord = info.namespaced ? "Namespaced" : "";
  const put = (
    path: string,
    parameters: unknown[],
    verbs: readonly string[],
    what: SubresourceInfo | KindInfo,
    suffix: string,
  ) => {
    const item: PathItem = {};
    for (const verb of verbs) {
      const action = ACTIONS[verb];
      if (!action) continue;
      const id = `${action.word}${groupWord(info.group)}${capital(info.version)}${scopeWord}${info.kind}${suffix}`;
      item[action.method] = operation(verb, action, info, what, id);
    }
    if (Object.keys(item).length === 0) return;
    paths[path] = { ...item, parameters: [...parameters, query("pretty")] };
  };
  const verbsAt = (...wanted: string[]) => wanted.filter((verb) => info.verbs.includes(verb));
  if (info.namespaced && info.verbs.includes("list")) {
    const id = `list${groupWord(info.group)}${capital(info.version)}${info.kind}ForAllNamespaces`;
    const get = operation("list", ACTIONS["list"]!, info, info, id);
    paths[`${root}/${info.resource}`] = { get, parameters: [query("pretty")] };
  }
  put(collection, scope, verbsAt("list", "create", "deletecollection"), info, "");
  put(`${collection}/{name}`, [inPath("name"), ...scope], verbsAt("get", "update", "patch", "delete"), info, "");
  for (const subresource of info.subresources) {
    const path = `${collection}/{name}/${subresource.name}`;
    put(path, [inPath("name"), ...scope], subresource.verbs, subresource, capital(subresource.name));
  }
  return paths;
}

function operation(
  verb: string,
  { action }: Action,
  parent: KindInfo,
  what: SubresourceInfo | KindInfo,
  operationId: string,
): PathItem {
  const { group, version, kind } = what;
  const definition = definitionOf(group, version, kind);
  const object = definition ? refTo(definition.name) : { type: "object" };
  const result: PathItem = {
    tags: [`${groupWord(parent.group).charAt(0).toLowerCase()}${groupWord(parent.group).slice(1)}_${parent.version}`],
    operationId,
    "x-kubernetes-action": action,
    "x-kubernetes-group-version-kind": { group, version, kind },
  };
  const answer = (schema: OpenApiSchema, ...codes: string[]) =>
    Object.fromEntries([
      ...codes.map((code) => [code, { description: WORDS[code], content: contents(BODY_TYPES, schema) }]),
      ["401", { description: "Unauthorized" }],
    ]);
  switch (verb) {
    case "list":
      result["parameters"] = LIST_PARAMETERS;
      result["responses"] = answer(definition ? listRef(definition.name) : object, "200");
      break;
    case "create":
      result["parameters"] = WRITE_PARAMETERS;
      result["requestBody"] = { content: contents(["*/*"], object), required: true };
      result["responses"] = answer(object, "200", "201", "202");
      break;
    case "update":
      result["parameters"] = WRITE_PARAMETERS;
      result["requestBody"] = { content: contents(["*/*"], object), required: true };
      result["responses"] = answer(object, "200", "201");
      break;
    case "patch":
      result["parameters"] = [...WRITE_PARAMETERS, query("force", "boolean")];
      result["requestBody"] = { content: contents(PATCH_TYPES, { type: "object" }), required: true };
      result["responses"] = answer(object, "200", "201");
      break;
    case "delete":
    case "deletecollection":
      result["parameters"] =
        verb === "delete"
          ? DELETE_PARAMETERS
          : [
              ...DELETE_PARAMETERS,
              ...LIST_PARAMETERS.filter(({ name }) => !/^(allowWatchBookmarks|watch)$/.test(name)),
            ];
      result["requestBody"] = { content: contents(["*/*"], refTo(DELETE_OPTIONS)) };
      result["responses"] = answer(refTo(STATUS), ...(verb === "delete" ? ["200", "202"] : ["200"]));
      break;
    default:
      result["responses"] = answer(object, "200");
  }
  return result;
}

const WORDS: Record<string, string> = { "200": "OK", "201": "Created", "202": "Accepted" };

const contents = (types: readonly string[], schema: OpenApiSchema) =>
  Object.fromEntries(types.map((type) => [type, { schema }]));

const listRef = (name: string): OpenApiSchema => ({ $ref: `#/components/schemas/${publishedName(name)}List` });
