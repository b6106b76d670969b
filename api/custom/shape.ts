import type { Json } from "../json-value.ts";
import { ANY, type ScalarShape, type Shape, shapeOfObjectMeta } from "../schema/shape.ts";
import type { Structural } from "./structural.ts";

const SCALARS: Record<string, ScalarShape> = {
  string: { form: "scalar", type: "string" },
  number: { form: "scalar", type: "number" },
  integer: { form: "scalar", type: "number" },
  boolean: { form: "scalar", type: "boolean" },
};
const INT_OR_STRING: ScalarShape = { form: "scalar", type: "any" };
const STRING = SCALARS["string"]!;

/** What the root and embedded resources have whatever their schema says of it. */
const TYPE_FIELDS: Record<string, () => Shape> = {
  apiVersion: () => STRING,
  kind: () => STRING,
  metadata: shapeOfObjectMeta,
};

/** The root of a custom kind as managed fields and apply see it; undefined: a version without a schema. */
export const shapeOfStructural = (node: Structural | undefined): Shape =>
  node ? objectShape(node, { isResource: true }) : ANY;

function shapeOf(node: Structural): Shape {
  if (node.schema["x-kubernetes-int-or-string"]) return INT_OR_STRING;
  if (node.type === "array") return listShape(node);
  if (node.type === "object") return objectShape(node, { isResource: node.embedded });
  return SCALARS[node.type] ?? ANY;
}

function listShape(node: Structural): Shape {
  const { items, listKeys, listType } = node;
  const keyDefaults: Record<string, Json> = {};
  for (const key of listKeys) {
    const fallback = items?.properties?.get(key)?.default;
    if (fallback !== undefined) keyDefaults[key] = fallback;
  }
  let element: Shape | undefined;
  return {
    form: "list",
    listType: listType === "set" || listType === "map" ? listType : "atomic",
    keys: listType === "map" ? listKeys : [],
    keyDefaults,
    get of() {
      element ??= items ? shapeOf(items) : ANY;
      return element;
    },
  };
}

function objectShape(node: Structural, { isResource }: { isResource: boolean }): Shape {
  const { properties, additional, preserves } = node;
  const atomic = node.mapType === "atomic";
  if (!properties && !isResource && additional) {
    return { form: "map", of: additional.schema ? shapeOf(additional.schema) : ANY, atomic };
  }
  // An object of which nothing is said may hold anything as far as an apply is concerned; pruning comes after it.
  const isOpen = preserves || (!properties?.size && !additional && !isResource);
  const shapes = new Map<string, Shape>();
  return {
    form: "struct",
    atomic,
    unknown: isOpen ? ANY : additional?.schema && shapeOf(additional.schema),
    property(name) {
      let shape = shapes.get(name);
      if (shape) return shape;
      if (isResource && Object.hasOwn(TYPE_FIELDS, name)) shape = TYPE_FIELDS[name]!();
      else {
        const property = properties?.get(name);
        if (!property) return undefined;
        shape = shapeOf(property);
      }
      shapes.set(name, shape);
      return shape;
    },
  };
}
