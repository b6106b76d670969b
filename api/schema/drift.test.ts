import { existsSync, readFileSync } from "node:fs";
import { expect, type TestContext, test } from "vitest";
import { isListOfKind, LEFT_OUT_KINDS, LEFT_OUT_SUBRESOURCES } from "../../scripts/make-schemas.ts";
import type { Spec, SpecDefinition, SpecProperty } from "../../scripts/published-spec.ts";
import { allKinds } from "../kinds.ts";
import { type Definition, definitionNamed, definitionOf, NAME_ROOTS, type Property, type Type } from "./facts.ts";
import { publishedName } from "./openapi-schema.ts";

/** What the published OpenAPI document says, compared with what the facts say once they are read. */

const reference = new URL("../../../shared/reference/openapi-v1.36.json", import.meta.url);

function published(context: TestContext): Spec {
  if (!existsSync(reference)) {
    console.warn("skipped: no reference");
    context.skip("skipped: no reference");
  }
  return JSON.parse(readFileSync(reference, "utf8"));
}

const shortNameOf = (name: string): string => {
  const [short, root] = NAME_ROOTS.find(([, long]) => name.startsWith(long))!;
  return short + name.slice(root.length);
};

const NAMED: Record<string, string> = {
  q: "~api.resource.Quantity",
  t: "~apis.meta.v1.Time",
  m: "~apis.meta.v1.MicroTime",
  x: "~util.intstr.IntOrString",
  r: "~runtime.RawExtension",
  f: "~apis.meta.v1.FieldsV1",
  n: "^apis.apiextensions.v1.JSON",
  u: "^apis.apiextensions.v1.JSONSchemaPropsOrStringArray",
  v: "^apis.apiextensions.v1.JSONSchemaPropsOrBool",
  w: "^apis.apiextensions.v1.JSONSchemaPropsOrArray",
};
const PLAIN: Record<string, SpecProperty> = {
  s: { type: "string" },
  i: { type: "integer", format: "int32" },
  l: { type: "integer", format: "int64" },
  d: { type: "number", format: "double" },
  b: { type: "boolean" },
  y: { type: "string", format: "byte" },
  j: {},
};

const refTo = (name: string): SpecProperty => ({ $ref: `#/definitions/${publishedName(name)}` });

/** A type of ours in the words of the published document. */
function publishedType(type: Type): SpecProperty {
  switch (type.form) {
    case "list":
      return { type: "array", items: publishedType(type.of) };
    case "map": {
      const any = type.of.form === "scalar" && type.of.code === "j";
      return any ? { type: "object" } : { type: "object", additionalProperties: publishedType(type.of) };
    }
    case "struct":
      return refTo(type.definition.name);
    case "scalar":
      return NAMED[type.code] === undefined ? PLAIN[type.code]! : refTo(NAMED[type.code]!);
  }
}

function publishedProperty(property: Property): SpecProperty {
  const atomicMap = property.listType === "atomic" && property.type.form !== "list" && property.goType !== "[]uint8";
  return {
    ...publishedType(property.type),
    ...(property.listType &&
      (atomicMap ? { "x-kubernetes-map-type": "atomic" } : { "x-kubernetes-list-type": property.listType })),
    ...(property.mapKeys.length > 0 && { "x-kubernetes-list-map-keys": property.mapKeys }),
    ...(property.mergeKey && { "x-kubernetes-patch-merge-key": property.mergeKey }),
    ...(property.patchStrategies.length > 0 && { "x-kubernetes-patch-strategy": property.patchStrategies.join(",") }),
  };
}

/** Values, without prose. A granular map is what a map is when nothing is said. */
function facts(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(facts);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(
    ([key, inner]) => !(key === "description" && typeof inner === "string") && inner !== "granular",
  );
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, inner]) => [key, facts(inner)]));
}

const differ = (a: unknown, b: unknown): boolean => JSON.stringify(facts(a)) !== JSON.stringify(facts(b));

/** Definitions that are one value, whose type is known by its name. */
const isSingle = (definition: Definition): boolean => definition.scalar !== undefined;

function definitionDifferences(name: string, spec: SpecDefinition): string[] {
  const ours = definitionNamed(shortNameOf(name));
  if (!ours) return [`${name}: missing`];
  if (isSingle(ours)) return NAMED[ours.scalar!] === ours.name ? [] : [`${name}: is ${ours.scalar}`];
  const found: string[] = [];
  const properties = spec.properties ?? {};
  for (const property of new Set([...Object.keys(properties), ...ours.properties.keys()])) {
    const own = ours.properties.get(property);
    if (!own) found.push(`${name}.${property}: missing`);
    else if (!properties[property]) found.push(`${name}.${property}: not published`);
    else if (differ(publishedProperty(own), properties[property])) {
      found.push(`${name}.${property}: ${JSON.stringify(facts(publishedProperty(own)))}`);
    }
  }
  const required = [...ours.properties.values()]
    .filter((property) => property.required)
    .map((property) => property.name);
  if (differ(required.sort(), [...(spec.required ?? [])].sort())) found.push(`${name}: required ${required}`);
  if (ours.atomic !== (spec["x-kubernetes-map-type"] === "atomic")) found.push(`${name}: atomic ${ours.atomic}`);
  return found;
}

function kindDifferences(name: string, spec: SpecDefinition): string[] {
  const gvks: { group: string; version: string; kind: string }[] = spec["x-kubernetes-group-version-kind"] ?? [];
  if (gvks.length !== 1 || isListOfKind(spec)) return [];
  const { group, version, kind } = gvks[0]!;
  const ours = definitionOf(group, version, kind);
  return ours?.name === shortNameOf(name) ? [] : [`${group}/${version} ${kind} is ${ours?.name}`];
}

/** A list is nothing but its kind's plural: what the facts leave out, because it follows. */
function listDifferences(name: string, spec: SpecDefinition): string[] {
  if (!isListOfKind(spec)) return [];
  const item = name.replace(/List$/, "");
  const expected = {
    type: "object",
    required: ["items"],
    properties: {
      apiVersion: { type: "string" },
      items: { type: "array", items: refTo(shortNameOf(item)) },
      kind: { type: "string" },
      metadata: refTo("~apis.meta.v1.ListMeta"),
    },
  };
  const { "x-kubernetes-group-version-kind": _, ...given } = spec;
  return differ(expected, given) ? [`${name}: not the list of ${item}`] : [];
}

const ACTIONS: Record<string, string[]> = {
  get: ["get"],
  list: ["get"],
  create: ["post"],
  update: ["put"],
  patch: ["patch"],
  delete: ["delete"],
  deletecollection: ["delete"],
  watch: ["get"],
};

type Operations = Map<string, string>;

/** Every method of every resource path, with the kind that travels. */
function ownOperations(): Operations {
  const operations: Operations = new Map();
  for (const info of allKinds()) {
    const root = info.group ? `/apis/${info.group}/${info.version}` : `/api/${info.version}`;
    const scope = info.namespaced ? "/namespaces/{namespace}" : "";
    const note = (path: string, verb: string, kind = info as { group: string; version: string; kind: string }) => {
      for (const method of ACTIONS[verb]!)
        operations.set(`${method} ${path}`, `${kind.group}/${kind.version}/${kind.kind}`);
    };
    const collection = `${scope}/${info.resource}`;
    for (const verb of info.verbs) {
      if (verb === "watch") {
        for (const path of new Set([`/${info.resource}`, collection, `${collection}/{name}`]))
          note(`${root}/watch${path}`, verb);
      } else if (["get", "update", "patch", "delete"].includes(verb)) note(`${root}${collection}/{name}`, verb);
      else note(`${root}${collection}`, verb);
      if (verb === "list") note(`${root}/${info.resource}`, verb);
    }
    for (const subresource of info.subresources)
      for (const verb of subresource.verbs) note(`${root}${collection}/{name}/${subresource.name}`, verb, subresource);
  }
  return operations;
}

function publishedOperations(spec: Spec): Operations {
  const operations: Operations = new Map();
  for (const [path, item] of Object.entries(spec.paths)) {
    const [, resource, subresource] = /\/([a-z]+)\/\{name\}\/([a-z]+)(?:\/|$)/.exec(path) ?? [];
    if (subresource && LEFT_OUT_SUBRESOURCES.has(`${resource}/${subresource}`)) continue;
    // What is behind a proxy is whatever is there.
    if (path.endsWith("/proxy/{path}")) continue;
    for (const [method, operation] of Object.entries(item)) {
      if (method === "head" || method === "options") continue;
      const gvk = operation?.["x-kubernetes-group-version-kind"];
      if (!gvk || LEFT_OUT_KINDS.test(gvk.kind)) continue;
      operations.set(`${method} ${path}`, `${gvk.group}/${gvk.version}/${gvk.kind}`);
    }
  }
  return operations;
}

function differences(spec: Spec): string[] {
  const found: string[] = [];
  for (const [name, definition] of Object.entries(spec.definitions)) {
    if (!isListOfKind(definition)) found.push(...definitionDifferences(name, definition));
    found.push(...kindDifferences(name, definition), ...listDifferences(name, definition));
  }
  const [ours, theirs] = [ownOperations(), publishedOperations(spec)];
  for (const key of new Set([...ours.keys(), ...theirs.keys()])) {
    if (ours.get(key) !== theirs.get(key)) found.push(`${key}: ${ours.get(key)} instead of ${theirs.get(key)}`);
  }
  return found;
}

test("definitions, kinds and operations are those of the published document", (context) => {
  expect(differences(published(context))).toEqual([]);
});

const POD_SPEC = "io.k8s.api.core.v1.PodSpec";
const properties = (spec: Spec): Record<string, SpecProperty> => spec.definitions[POD_SPEC]!.properties!;

test.for<[what: string, change: (spec: Spec) => void]>([
  [
    "a field that we do not have",
    (spec) => {
      properties(spec)["berth"] = { type: "string" };
    },
  ],
  [
    "a field that is gone",
    (spec) => {
      delete properties(spec)["hostname"];
    },
  ],
  [
    "another type",
    (spec) => {
      properties(spec)["hostname"] = { type: "integer", format: "int32" };
    },
  ],
  [
    "another format",
    (spec) => {
      properties(spec)["activeDeadlineSeconds"]!.format = "int32";
    },
  ],
  [
    "a field that is required",
    (spec) => {
      spec.definitions[POD_SPEC]!.required!.push("hostname");
    },
  ],
  [
    "another list type",
    (spec) => {
      properties(spec)["tolerations"]!["x-kubernetes-list-type"] = "set";
    },
  ],
  [
    "other map keys",
    (spec) => {
      properties(spec)["containers"]!["x-kubernetes-list-map-keys"] = ["image"];
    },
  ],
  [
    "another merge key",
    (spec) => {
      properties(spec)["containers"]!["x-kubernetes-patch-merge-key"] = "image";
    },
  ],
  [
    "another strategy",
    (spec) => {
      properties(spec)["volumes"]!["x-kubernetes-patch-strategy"] = "merge";
    },
  ],
  [
    "a struct that is atomic",
    (spec) => {
      spec.definitions[POD_SPEC]!["x-kubernetes-map-type"] = "atomic";
    },
  ],
  [
    "a definition that we do not have",
    (spec) => {
      spec.definitions["io.k8s.api.core.v1.Berth"] = {};
    },
  ],
  ["a path that we do not serve", (spec) => addOperation(spec, "/api/v1/berths")],
  ["a verb that we do not serve", (spec) => addOperation(spec, "/api/v1/namespaces", "put")],
  [
    "a path that is gone",
    (spec) => {
      delete spec.paths["/api/v1/namespaces/{namespace}/pods/{name}/resize"];
    },
  ],
  [
    "a kind of another definition",
    (spec) => {
      spec.definitions["io.k8s.api.core.v1.Pod"]!["x-kubernetes-group-version-kind"][0].kind = "Hull";
    },
  ],
  [
    "a list with more in it",
    (spec) => {
      spec.definitions["io.k8s.api.core.v1.PodList"]!.properties!["items"] = { type: "array" };
    },
  ],
])("the comparison notices %s", ([_, change], context) => {
  const spec = published(context);
  change(spec);
  expect(differences(spec)).not.toEqual([]);
});

function addOperation(spec: Spec, path: string, method = "get"): void {
  const gvk = { group: "", version: "v1", kind: "Berth" };
  spec.paths[path] = { ...spec.paths[path], [method]: { "x-kubernetes-group-version-kind": gvk } };
}
