import { assign, isObject, type Json, type JsonObject } from "../json-value.ts";
import type { Shape } from "../schema/shape.ts";
import { fieldShape } from "./compare.ts";
import { type FieldSet, hasMember, MEMBER, membersBelow, type NewFieldSet, nodeAt, SELF } from "./field-set.ts";
import { itemElement } from "./path-element.ts";

/**
 * The object without the fields and list elements that are members of the set; the given one is left as it is. A map or list of
 * which parts are removed stays, though it be empty (structured-merge-diff, typed/remove.go).
 */
export const removeFields = (object: JsonObject, set: FieldSet | undefined, shape: Shape): JsonObject =>
  set ? (remove(object, set, shape) as JsonObject) : object;

function remove(value: Json, set: FieldSet, shape: Shape): Json {
  if (Array.isArray(value)) {
    if (shape.form !== "list" || shape.listType === "atomic") return [];
    const kept: Json[] = [];
    for (const item of value) {
      const node = nodeAt(set, itemElement(shape, item));
      if (!hasMember(node)) kept.push(node ? remove(item, node, shape.of) : item);
    }
    return kept;
  }
  if (!isObject(value)) return value;
  const kept: JsonObject = {};
  if (shape.form === "scalar" || shape.form === "list" || shape.atomic) return kept;
  for (const name of Object.keys(value)) {
    const node = nodeAt(set, `f:${name}`);
    if (hasMember(node)) continue;
    assign(kept, name, node ? remove(value[name], node, fieldShape(shape, name)) : value[name]);
  }
  return kept;
}

/**
 * A set of before a schema changed, as it is under the present one: what owned parts of something that is atomic now owns the
 * whole of it (structured-merge-diff, typed/reconcile_schema.go). The same set where nothing changed.
 */
export function reconcileFieldSet(set: FieldSet | undefined, shape: Shape): FieldSet | undefined {
  const children = membersBelow(set);
  if (!children) return set;
  let out: NewFieldSet | undefined;
  for (const element of Object.keys(children)) {
    const node = children[element]!;
    const of = shapeAt(shape, element);
    const reconciled = of ? reconcileNode(node, of) : node;
    if (reconciled === node) continue;
    out ??= { ...set };
    out[element] = reconciled;
  }
  return out ?? set;
}

function reconcileNode(node: FieldSet, shape: Shape): FieldSet {
  if (!membersBelow(node)) return node;
  const isAtomic = shape.form === "list" ? shape.listType === "atomic" : shape.form !== "scalar" && shape.atomic;
  // Of data without a schema nothing is known, so nothing changed.
  if (shape.form === "any" && !shape.atomic) return node;
  return isAtomic ? MEMBER : reconcileFieldSet(node, shape)!;
}

function shapeAt(shape: Shape, element: string): Shape | undefined {
  if (element === SELF) return undefined;
  if (shape.form === "list") return shape.of;
  if (!element.startsWith("f:")) return undefined;
  if (shape.form === "struct") return shape.property(element.slice(2)) ?? shape.unknown;
  return shape.form === "map" ? shape.of : undefined;
}
