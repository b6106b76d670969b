import { isObject, type Json, type JsonObject } from "../json-value.ts";
import type { ListShape, Shape } from "../schema/shape.ts";
import { fieldShape } from "./compare.ts";
import { type FieldSet, hasMember, MEMBER, makeNode, type NewFieldSet, SELF } from "./field-set.ts";
import { itemElement } from "./path-element.ts";

/**
 * The fields that an applied configuration names, or that a whole object has (structured-merge-diff, typed/tofieldset.go): leaves,
 * elements of lists and keys of maps. Maps and lists themselves are not members unless they are atomic or say nothing more.
 * @throws NoPathElement where a list's elements have no keys
 */
export const fieldSetOf = (object: JsonObject, shape: Shape): FieldSet | undefined => inside(shape, object);

function inside(shape: Shape, value: Json): FieldSet | undefined {
  if (isObject(value)) return fields(shape, value);
  if (Array.isArray(value) && shape.form === "list") return items(shape, value);
  return undefined;
}

/** The value is owned as a whole. */
const isLeaf = (shape: Shape, value: Json): boolean => {
  if (value === null || typeof value !== "object") return true;
  if (Array.isArray(value)) return shape.form !== "list" || shape.listType === "atomic";
  return shape.form === "scalar" || shape.form === "list" || shape.atomic || Object.keys(value).length === 0;
};

function fields(shape: Shape, map: JsonObject): FieldSet | undefined {
  let out: NewFieldSet | undefined;
  for (const name of Object.keys(map)) {
    const value = map[name];
    const of = fieldShape(shape, name);
    const isDeclared = shape.form === "struct" && shape.property(name) !== undefined;
    const node = isLeaf(of, value) ? MEMBER : makeNode(inside(of, value), !isDeclared);
    if (node === undefined) continue;
    out ??= {};
    out[`f:${name}`] = node;
  }
  return out;
}

function items(shape: ListShape, list: readonly Json[]): FieldSet | undefined {
  let out: NewFieldSet | undefined;
  for (const item of list) {
    const element = itemElement(shape, item);
    out ??= {};
    // Elements that are there twice are known by their path alone.
    out[element] = out[element] ? MEMBER : makeNode(isLeaf(shape.of, item) ? undefined : inside(shape.of, item), true)!;
  }
  return out;
}

/**
 * With every declared field on the way to a member a member itself. A set made of `a.b.c` gets `a` too, but not `a.b` if `a` is a
 * map (fieldpath.Set.EnsureNamedFieldsAreMembers).
 */
export function withNamedFields(set: FieldSet | undefined, shape: Shape): FieldSet | undefined {
  if (!set) return undefined;
  const out: NewFieldSet = {};
  for (const element of Object.keys(set)) {
    if (element === SELF) {
      out[SELF] = MEMBER;
      continue;
    }
    const node = set[element]!;
    const name = element.startsWith("f:") ? element.slice(2) : undefined;
    const declared = name !== undefined && shape.form === "struct" ? shape.property(name) : undefined;
    const of = name !== undefined ? fieldShape(shape, name) : shape.form === "list" ? shape.of : undefined;
    const inner = of && !isMemberOnly(node) ? withNamedFields(node, of)! : node;
    out[element] = declared && !hasMember(inner) ? { [SELF]: MEMBER, ...inner } : inner;
  }
  return out;
}

const isMemberOnly = (node: FieldSet): boolean => {
  for (const _ in node) return false;
  return true;
};
