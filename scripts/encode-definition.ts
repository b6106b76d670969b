import { NAME_ROOTS } from "../api/schema/facts.ts";
import type { SpecDefinition, SpecProperty } from "./published-spec.ts";
import type { GoField, GoStruct } from "./read-go-types.ts";

/** `io.k8s.api.core.v1.Pod` is `core.v1.Pod`, `io.k8s.apimachinery.pkg.apis.meta.v1.Time` is `~apis.meta.v1.Time`. */
export function shortName(name: string): string {
  const root = NAME_ROOTS.find(([, published]) => name.startsWith(published));
  return root ? root[0] + name.slice(root[1].length) : name;
}

/** Definitions that are not structs but single values with rules of their own. */
const SPECIAL: Record<string, string> = {
  "~api.resource.Quantity": "q",
  "~apis.meta.v1.Time": "t",
  "~apis.meta.v1.MicroTime": "m",
  "~util.intstr.IntOrString": "x",
  "~runtime.RawExtension": "r",
  "~apis.meta.v1.FieldsV1": "f",
  "^apis.apiextensions.v1.JSON": "n",
  "^apis.apiextensions.v1.JSONSchemaPropsOrStringArray": "u",
  "^apis.apiextensions.v1.JSONSchemaPropsOrBool": "v",
  "^apis.apiextensions.v1.JSONSchemaPropsOrArray": "w",
};
/** How reflect prints what the special values are. */
const SPECIAL_TYPES: Record<string, string> = {
  q: "resource.Quantity",
  t: "v1.Time",
  m: "v1.MicroTime",
  x: "intstr.IntOrString",
  r: "runtime.RawExtension",
  f: "v1.FieldsV1",
  n: "v1.JSON",
  u: "v1.JSONSchemaPropsOrStringArray",
  v: "v1.JSONSchemaPropsOrBool",
  w: "v1.JSONSchemaPropsOrArray",
  s: "string",
  i: "int32",
  l: "int64",
  b: "bool",
  d: "float64",
  y: "[]uint8",
  j: "interface {}",
};

/** Go's named types of lists that are a message on the wire, whose first field is the list (those in maps aside, which all are). */
const LIST_MESSAGES: ReadonlySet<string> = new Set(["v1.Verbs"]);

/** `Foo` of folder `core/v1` for `io.k8s.api.core.v1.Foo`; folders are those of the checkouts. */
function goHome(name: string): [folder: string, type: string] {
  const parts = name.replace(/^io\.k8s\.(api|apimachinery|apiextensions-apiserver|kube-aggregator)\./, "").split(".");
  const type = parts.pop()!;
  return [parts.join("/"), type];
}

/** A definition as one line; the format is explained in api/schema/facts.ts. */
export function definitionText(
  name: string,
  definition: SpecDefinition,
  names: string[],
  goTypes: (folder: string, name: string) => GoStruct | undefined,
): string {
  const special = SPECIAL[shortName(name)];
  if (special) return `=${special}`;
  const go = goTypes(...goHome(name));
  const required = new Set(definition.required ?? []);
  const properties = Object.entries(definition.properties ?? {}).map(([property, schema]) =>
    propertyText(property, schema, required.has(property), names, go?.get(property)),
  );
  return (definition["x-kubernetes-map-type"] === "atomic" ? "!" : "") + properties.join(";");
}

function propertyText(
  property: string,
  schema: SpecProperty,
  required: boolean,
  names: string[],
  go: GoField | undefined,
): string {
  const type = typeText(schema, names);
  let text = `${property} ${type}`;
  if (required) text += " !";
  if (go?.pointer) text += " *";
  else if (go && !go.omitEmpty && !go.omitZero) text += " +";
  else if (go?.omitZero) text += " ~";
  else if (!go && required) text += " +";
  const listType = schema["x-kubernetes-list-type"];
  if (listType === "map") text += ` k:${schema["x-kubernetes-list-map-keys"].join(",")}`;
  else if (listType === "set") text += " e";
  else if (listType === "atomic" || schema["x-kubernetes-map-type"] === "atomic") text += " a";
  const strategy: string | undefined = schema["x-kubernetes-patch-strategy"];
  const mergeKey: string | undefined = schema["x-kubernetes-patch-merge-key"];
  if (strategy !== undefined || mergeKey !== undefined) text += ` p:${strategy ?? ""}:${mergeKey ?? ""}`;
  if (go?.default !== undefined && !/[ ;]/.test(go.default)) text += ` d:${go.default}`;
  if (go?.number !== undefined) text += ` ${go.number}${LIST_MESSAGES.has(go.type) ? ".1" : ""}`;
  if (go && go.type !== printedType(type, names)) text += ` '${go.type}`;
  return text;
}

function typeText(schema: SpecProperty, names: string[]): string {
  if (schema.$ref) {
    const target = schema.$ref.slice("#/definitions/".length);
    return SPECIAL[shortName(target)] ?? `#${names.indexOf(target).toString(36)}`;
  }
  switch (schema.type) {
    case "string":
      return schema.format === "byte" ? "y" : "s";
    case "integer":
      return schema.format === "int64" ? "l" : "i";
    case "number":
      return "d";
    case "boolean":
      return "b";
    case "array":
      return `[${typeText(schema.items!, names)}`;
    case "object":
      return schema.additionalProperties ? `{${typeText(schema.additionalProperties, names)}` : "{j";
    default:
      return "j";
  }
}

/** The Go type that a reader of the facts would guess from the type text alone. */
export function printedType(type: string, names: string[]): string {
  if (type.startsWith("[")) return `[]${printedType(type.slice(1), names)}`;
  if (type.startsWith("{")) return `map[string]${printedType(type.slice(1), names)}`;
  if (type.startsWith("#")) return names[Number.parseInt(type.slice(1), 36)]!.split(".").slice(-2).join(".");
  return SPECIAL_TYPES[type]!;
}
