import { descriptionsOf } from "./descriptions.ts";
import enums from "./enums.json" with { type: "json" };
import type { Definition, Property, ScalarCode, Type } from "./facts.ts";
import { definitionNamed, NAME_ROOTS } from "./facts.ts";

/** Definitions as OpenAPI v3 schemas, in the shapes that kubectl and client-go read. */

export type OpenApiSchema = Record<string, unknown>;

/** `io.k8s.api.core.v1.Pod` of `core.v1.Pod`. */
export function publishedName(name: string): string {
  const [short, published] = NAME_ROOTS.find(([root]) => name.startsWith(root))!;
  return published + name.slice(short.length);
}

export const refTo = (name: string): OpenApiSchema => ({ $ref: `#/components/schemas/${publishedName(name)}` });

const SCALARS: Partial<Record<ScalarCode, OpenApiSchema>> = {
  s: { type: "string" },
  i: { type: "integer", format: "int32" },
  l: { type: "integer", format: "int64" },
  d: { type: "number", format: "double" },
  b: { type: "boolean" },
  y: { type: "string", format: "byte" },
  j: {},
};

/** The definitions that stand for a single value, and what they are. */
const NAMED_SCALARS: Partial<Record<ScalarCode, { name: string; schema: OpenApiSchema }>> = {
  q: { name: "~api.resource.Quantity", schema: { oneOf: [{ type: "string" }, { type: "number" }] } },
  t: { name: "~apis.meta.v1.Time", schema: { type: "string", format: "date-time" } },
  m: { name: "~apis.meta.v1.MicroTime", schema: { type: "string", format: "date-time" } },
  x: {
    name: "~util.intstr.IntOrString",
    schema: { format: "int-or-string", oneOf: [{ type: "integer" }, { type: "string" }] },
  },
  r: { name: "~runtime.RawExtension", schema: { type: "object" } },
  f: { name: "~apis.meta.v1.FieldsV1", schema: { type: "object" } },
  n: { name: "^apis.apiextensions.v1.JSON", schema: {} },
  u: { name: "^apis.apiextensions.v1.JSONSchemaPropsOrStringArray", schema: {} },
  v: { name: "^apis.apiextensions.v1.JSONSchemaPropsOrBool", schema: {} },
  w: { name: "^apis.apiextensions.v1.JSONSchemaPropsOrArray", schema: {} },
};

const ZEROS: Partial<Record<ScalarCode, unknown>> = { s: "", i: 0, l: 0, d: 0, b: false };

/** A definition as a schema; the schemas it refers to are noted by `need`. */
export function schemaOf(definition: Definition, need: (name: string) => void): OpenApiSchema {
  const [own, ...texts] = descriptionsOf(definition.name);
  if (definition.scalar) return { ...described(own), ...NAMED_SCALARS[definition.scalar]?.schema };
  const properties: Record<string, OpenApiSchema> = {};
  const required: string[] = [];
  for (const [place, property] of [...definition.properties.values()].entries()) {
    const text = texts[place] ?? descriptionOfType(property.type);
    properties[property.name] = {
      ...described(text),
      ...withEnum(propertySchema(property, need), enumOf(definition.name, property.goType)),
    };
    if (property.required) required.push(property.name);
  }
  return {
    ...described(own),
    type: "object",
    ...(definition.properties.size > 0 && { properties }),
    ...(required.length > 0 && { required }),
    ...(definition.atomic && { "x-kubernetes-map-type": "atomic" }),
  };
}

const VALUES: Readonly<Record<string, readonly string[]>> = enums;

/** The values that a field of the definition can have, where they are few and known: its type is of the same group (beta versions borrow from v1), or of core. */
function enumOf(definition: string, goType: string): readonly string[] | undefined {
  const type = goType.replace(/^(\[\]|map\[[^\]]*\])/, "");
  const group = definition.split(".").slice(0, -2).join(".");
  const candidates = [`${group}.${type}`, `core.${type}`, `${group}.v1.${type.slice(type.indexOf(".") + 1)}`];
  const name = candidates.find((candidate) => Object.hasOwn(VALUES, candidate));
  return name === undefined ? undefined : VALUES[name];
}

/** Of a list or a map, its elements have the values. */
function withEnum(schema: OpenApiSchema, values: readonly string[] | undefined): OpenApiSchema {
  if (!values) return schema;
  for (const elements of ["items", "additionalProperties"]) {
    const of = schema[elements] as OpenApiSchema | undefined;
    if (of) return { ...schema, [elements]: { ...of, enum: values } };
  }
  return { ...schema, enum: values };
}

/** The typings say nothing of a field that refers to a definition: what that one is, is better than nothing. */
const descriptionOfType = (type: Type): string | undefined =>
  type.form === "struct" ? descriptionsOf(type.definition.name)[0] : undefined;

const described = (description: string | undefined): OpenApiSchema => (description ? { description } : {});

function propertySchema(property: Property, need: (name: string) => void): OpenApiSchema {
  const { type } = property;
  const schema = typeSchema(type, need, defaultOf(property));
  if (property.listType === "atomic" && type.form === "map") schema["x-kubernetes-map-type"] = "atomic";
  else if (property.listType) schema["x-kubernetes-list-type"] = property.listType;
  if (property.mapKeys.length > 0) schema["x-kubernetes-list-map-keys"] = property.mapKeys;
  if (property.mergeKey) schema["x-kubernetes-patch-merge-key"] = property.mergeKey;
  if (property.patchStrategies.length > 0) schema["x-kubernetes-patch-strategy"] = property.patchStrategies.join(",");
  // Beside a $ref nothing else counts.
  if (!schema["$ref"]) return schema;
  const { $ref, ...rest } = schema;
  return { allOf: [{ $ref }], ...rest };
}

function defaultOf(property: Property): unknown {
  if (property.default !== undefined) return JSON.parse(property.default);
  if (property.pointer || property.omitZero) return undefined;
  if (property.type.form === "struct") return {};
  return property.neverOmitted && property.type.form === "scalar" ? ZEROS[property.type.code] : undefined;
}

function typeSchema(type: Type, need: (name: string) => void, fallback: unknown): OpenApiSchema {
  const withDefault = fallback === undefined ? {} : { default: fallback };
  switch (type.form) {
    case "list":
      return { type: "array", items: elementSchema(type.of, need) };
    case "map":
      return { type: "object", additionalProperties: elementSchema(type.of, need) };
    case "struct":
      need(type.definition.name);
      return { ...refTo(type.definition.name), ...withDefault };
    case "scalar": {
      const named = NAMED_SCALARS[type.code];
      if (!named) return { ...SCALARS[type.code], ...withDefault };
      if (definitionNamed(named.name)) need(named.name);
      return { ...refTo(named.name), ...withDefault };
    }
  }
}

function elementSchema(type: Type, need: (name: string) => void): OpenApiSchema {
  const fallback = type.form === "struct" ? {} : type.form === "scalar" ? ZEROS[type.code] : undefined;
  const { $ref, ...rest } = typeSchema(type, need, fallback);
  if (!$ref) return rest;
  return Object.keys(rest).length > 0 ? { allOf: [{ $ref }], ...rest } : { $ref };
}
