import { isObject } from "../json-value.ts";
import type { JsonSchema } from "./definition.ts";

/**
 * A node of a structural schema: what prunes, sets defaults and walks (k8s.io/apiextensions-apiserver/pkg/apiserver/schema).
 * What only judges values (ranges, patterns, allOf …) is read from `schema` by the validators.
 */
export interface Structural {
  readonly schema: JsonSchema;
  /** Empty where it is left out. */
  readonly type: string;
  readonly nullable: boolean;
  /** x-kubernetes-preserve-unknown-fields. */
  readonly preserves: boolean;
  /** x-kubernetes-embedded-resource. */
  readonly embedded: boolean;
  readonly listType: string | undefined;
  readonly listKeys: readonly string[];
  readonly mapType: string | undefined;
  readonly properties: ReadonlyMap<string, Structural> | undefined;
  /** There are additionalProperties; `schema` is undefined for `true` and `false`. */
  readonly additional: { readonly schema: Structural | undefined } | undefined;
  readonly items: Structural | undefined;
  /** undefined: none. Never changed: whoever sets it makes a copy. */
  readonly default: unknown;
  /** There is a default here or below. */
  readonly hasDefaults: boolean;
  /** There is an embedded resource here or below. */
  readonly hasEmbedded: boolean;
  /** There is a list of type set or map here or below. */
  readonly hasKeyedLists: boolean;
  /** There are x-kubernetes-validations here or below. */
  readonly hasRules: boolean;
}

/** The schemas of a node's own properties, items and additional properties. */
function childrenOf({ properties, items, additional }: Pick<Structural, "properties" | "items" | "additional">) {
  const children = [...(properties?.values() ?? [])];
  if (items) children.push(items);
  if (additional?.schema) children.push(additional.schema);
  return children;
}

const known = new WeakMap<JsonSchema, Structural>();

/** The schema as a tree of nodes, made once. The schema must have the types that `JsonSchema` says, and not change any more. */
export function structuralOf(schema: JsonSchema): Structural {
  let node = known.get(schema);
  if (!node) {
    node = makeNode(schema);
    known.set(schema, node);
  }
  return node;
}

function makeNode(schema: JsonSchema): Structural {
  const { properties: given, items, additionalProperties } = schema;
  const names = given ? Object.keys(given) : [];
  const properties = names.length > 0 ? new Map(names.map((name) => [name, structuralOf(given![name]!)])) : undefined;
  const itemsNode = isObject(items) ? structuralOf(items as JsonSchema) : undefined;
  const additional =
    additionalProperties === undefined
      ? undefined
      : { schema: isObject(additionalProperties) ? structuralOf(additionalProperties as JsonSchema) : undefined };
  const children = childrenOf({ properties, items: itemsNode, additional });
  const listType = schema["x-kubernetes-list-type"];
  const embedded = schema["x-kubernetes-embedded-resource"] === true;
  return {
    schema,
    type: schema.type ?? "",
    nullable: schema.nullable === true,
    preserves: schema["x-kubernetes-preserve-unknown-fields"] === true,
    embedded,
    listType,
    listKeys: schema["x-kubernetes-list-map-keys"] ?? [],
    mapType: schema["x-kubernetes-map-type"],
    properties,
    additional,
    items: itemsNode,
    default: schema.default ?? undefined,
    hasDefaults: (schema.default ?? undefined) !== undefined || children.some((child) => child.hasDefaults),
    hasEmbedded: embedded || children.some((child) => child.hasEmbedded),
    hasKeyedLists: listType === "set" || listType === "map" || children.some((child) => child.hasKeyedLists),
    hasRules: (schema["x-kubernetes-validations"]?.length ?? 0) > 0 || children.some((child) => child.hasRules),
  };
}

/** The node of a field: its property's, or that of additional properties; undefined where the schema says nothing of it. */
export const nodeOfField = (node: Structural, name: string): Structural | undefined =>
  node.properties?.get(name) ?? node.additional?.schema;
