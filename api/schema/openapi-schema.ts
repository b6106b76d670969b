import type { Definition, Property, ScalarCode, Type } from "./facts.ts";
import { definitionNamed } from "./facts.ts";

/** Definitions as OpenAPI v3 schemas, in the shapes that kubectl and client-go read. */

export type OpenApiSchema = Record<string, unknown>;

/** `io.k8s.api.core.v1.Pod` of `core.v1.Pod`. */
export const publishedName = (name: string): string =>
  name.startsWith("~") ? `io.k8s.apimachinery.pkg.${name.slice(1)}` : `io.k8s.api.${name}`;

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
};

const ZEROS: Partial<Record<ScalarCode, unknown>> = { s: "", i: 0, l: 0, d: 0, b: false };

/** A definition as a schema; the schemas it refers to are noted by `need`. */
export function schemaOf(definition: Definition, need: (name: string) => void): OpenApiSchema {
  if (definition.scalar) return NAMED_SCALARS[definition.scalar]?.schema ?? {};
  const properties: Record<string, OpenApiSchema> = {};
  const required: string[] = [];
  for (const property of definition.properties.values()) {
    properties[property.name] = propertySchema(property, need);
    if (property.required) required.push(property.name);
  }
  return {
    type: "object",
    ...(definition.properties.size > 0 && { properties }),
    ...(required.length > 0 && { required }),
    ...(definition.atomic && { "x-kubernetes-map-type": "atomic" }),
  };
}

function propertySchema(property: Property, need: (name: string) => void): OpenApiSchema {
  const { type } = property;
  const schema = typeSchema(type, need, defaultOf(property));
  if (property.listType === "atomic" && type.form === "map") schema["x-kubernetes-map-type"] = "atomic";
  else if (property.listType) schema["x-kubernetes-list-type"] = property.listType;
  if (property.mapKeys.length > 0) schema["x-kubernetes-list-map-keys"] = property.mapKeys;
  if (property.mergeKey) schema["x-kubernetes-patch-merge-key"] = property.mergeKey;
  if (property.patchStrategies.length > 0) schema["x-kubernetes-patch-strategy"] = property.patchStrategies.join(",");
  // Beside a $ref nothing else counts.
  if (!schema["$ref"] || Object.keys(schema).length === 1) return schema;
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
