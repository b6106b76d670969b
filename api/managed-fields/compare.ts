import { equalJson, has, isObject, type Json, type JsonObject } from "../json-value.ts";
import { ANY, type ListShape, type Shape } from "../schema/shape.ts";
import { type FieldSet, MEMBER, type NewFieldSet, SELF } from "./field-set.ts";
import { itemElement } from "./path-element.ts";

/** How two objects differ. What is in neither set is the same in both. */
export interface Comparison {
  /** Added, or there with another value. */
  changed: FieldSet | undefined;
  removed: FieldSet | undefined;
}

/** Nobody owns these: they say which object it is, or are the server's own. */
const TYPE_META: ReadonlySet<string> = new Set(["apiVersion", "kind"]);
const SYSTEM_METADATA: ReadonlySet<string> = new Set([
  "name",
  "namespace",
  "creationTimestamp",
  "selfLink",
  "uid",
  "clusterName",
  "generation",
  "managedFields",
  "resourceVersion",
]);
const NONE: ReadonlySet<string> = new Set();

/** The granularity that a value has by itself under a shape. */
type Form = "leaf" | "map" | "list";

/** Whether the value is one leaf, a map whose fields are apart, or a list whose elements are; nulls and empty ones are leaves. */
export function formOf(shape: Shape, value: Json): Form {
  if (typeof value !== "object" || value === null) return "leaf";
  if (Array.isArray(value)) {
    return shape.form === "list" && shape.listType !== "atomic" && value.length > 0 ? "list" : "leaf";
  }
  if (shape.form === "scalar" || shape.form === "list" || shape.atomic) return "leaf";
  for (const _ in value) return "map";
  return "leaf";
}

/** The shape of a field; what is not declared and may not be there is looked at as data without a schema. */
export function fieldShape(shape: Shape, name: string): Shape {
  switch (shape.form) {
    case "struct":
      return shape.property(name) ?? shape.unknown ?? ANY;
    case "map":
      return shape.of;
    default:
      return ANY;
  }
}

const zeroOf = (shape: Shape, name: string): Json =>
  shape.form === "struct" && shape.zero ? shape.zero(name) : undefined;

/** All that is in a value which nothing was before: every leaf, and every map and list element on the way. */
function fieldsOf(shape: Shape, value: Json): FieldSet {
  switch (formOf(shape, value)) {
    case "leaf":
      return MEMBER;
    case "map": {
      const node: NewFieldSet = { [SELF]: MEMBER };
      const map = value as JsonObject;
      for (const name in map) node[`f:${name}`] = fieldsOf(fieldShape(shape, name), map[name]);
      return node;
    }
    case "list": {
      const node: NewFieldSet = { [SELF]: MEMBER };
      addItems(shape as ListShape, value as Json[], node);
      return node;
    }
  }
}

function addItems(shape: ListShape, list: readonly Json[], node: NewFieldSet): void {
  for (const item of list) {
    const element = itemElement(shape, item);
    // Of elements that are there twice upstream knows only that they are there.
    node[element] = node[element] === undefined ? fieldsOf(shape.of, item) : MEMBER;
  }
}

/** What is below a value that nothing was before, without the value itself. */
function insideOf(shape: Shape, value: Json): FieldSet | undefined {
  const { [SELF]: _, ...inside } = fieldsOf(shape, value);
  for (const _ in inside) return inside;
  return undefined;
}

/**
 * Compares two versions of an object that has the shape (structured-merge-diff, typed/compare.go), but for what nobody owns: the
 * type and the system's metadata. @throws NoPathElement where a list's elements have no keys
 */
export function compareObjects(before: JsonObject, after: JsonObject, shape: Shape): Comparison {
  const out = new Difference();
  out.fields(shape, before, after, TYPE_META, true);
  return { changed: out.changed, removed: out.removed };
}

/** Gathers what differs below one path. */
class Difference {
  changed: NewFieldSet | undefined;
  removed: NewFieldSet | undefined;

  /** `isObjectRoot`: `metadata` among the fields is the object's. */
  fields(
    shape: Shape,
    before: JsonObject,
    after: JsonObject,
    skipped: ReadonlySet<string> = NONE,
    isObjectRoot = false,
  ): void {
    for (const name in after) {
      if (skipped.has(name)) continue;
      const value = after[name];
      const had = has(before, name) ? before[name] : zeroOf(shape, name);
      if (had === value) continue;
      if (isObjectRoot && name === "metadata") this.#metadata(fieldShape(shape, name), had, value);
      else if (had !== undefined) this.#both(`f:${name}`, fieldShape(shape, name), had, value);
      else this.#take(`f:${name}`, fieldsOf(fieldShape(shape, name), value), undefined);
    }
    for (const name in before) {
      if (skipped.has(name) || has(after, name)) continue;
      if (isObjectRoot && name === "metadata") this.#metadata(fieldShape(shape, name), before[name], {});
      else this.#take(`f:${name}`, undefined, fieldsOf(fieldShape(shape, name), before[name]));
    }
  }

  /** The object's metadata is nobody's, its fields may be somebody's. */
  #metadata(shape: Shape, before: Json, after: Json): void {
    const inner = new Difference();
    inner.fields(shape, isObject(before) ? before : {}, isObject(after) ? after : {}, SYSTEM_METADATA);
    this.#take("f:metadata", inner.changed, inner.removed);
  }

  #take(element: string, changed: FieldSet | undefined, removed: FieldSet | undefined): void {
    if (changed !== undefined) {
      this.changed ??= {};
      this.changed[element] = changed;
    }
    if (removed !== undefined) {
      this.removed ??= {};
      this.removed[element] = removed;
    }
  }

  #both(element: string, shape: Shape, before: Json, after: Json): void {
    const [form, formAfter] = [formOf(shape, before), formOf(shape, after)];
    if (form === "leaf" && formAfter === "leaf") {
      if (!equalJson(before, after)) this.#take(element, MEMBER, undefined);
      return;
    }
    const inner = new Difference();
    const isMap = form === "map" || formAfter === "map";
    if (isMap && isObject(before) && isObject(after)) inner.fields(shape, before, after);
    else if (form === "list" && formAfter === "list")
      inner.items(shape as ListShape, before as Json[], after as Json[]);
    else {
      // A null or an empty list on one side; or, without a schema, another form.
      const replaced = !isBlank(before) && !isBlank(after);
      const inside = insideOf(shape, after);
      this.#take(element, replaced ? { [SELF]: MEMBER, ...inside } : inside, insideOf(shape, before));
      return;
    }
    this.#take(element, inner.changed, inner.removed);
  }

  items(shape: ListShape, before: readonly Json[], after: readonly Json[]): void {
    const [had, there] = [byElement(shape, before), byElement(shape, after)];
    for (const [element, items] of there) {
      const old = had.get(element);
      if (items.length > 1) {
        // Twice there: a leaf. What one alone had inside is gone.
        if (old?.length === 1) this.#take(element, MEMBER, fieldsOf(shape.of, old[0]));
        else if (old === undefined || !equalJson(old, items)) this.#take(element, MEMBER, undefined);
      } else if (old === undefined) this.#take(element, fieldsOf(shape.of, items[0]), undefined);
      else if (old.length > 1) this.#take(element, fieldsOf(shape.of, items[0]), MEMBER);
      else if (old[0] !== items[0]) this.#both(element, shape.of, old[0], items[0]);
    }
    for (const [element, items] of had) {
      if (!there.has(element)) this.#take(element, undefined, items.length > 1 ? MEMBER : fieldsOf(shape.of, items[0]));
    }
  }
}

/** Null, or a list or map with nothing in it. */
const isBlank = (value: Json): boolean =>
  value === null || (typeof value === "object" && Object.keys(value as object).length === 0);

function byElement(shape: ListShape, list: readonly Json[]): Map<string, Json[]> {
  const items = new Map<string, Json[]>();
  for (const item of list) {
    const element = itemElement(shape, item);
    const same = items.get(element);
    if (same) same.push(item);
    else items.set(element, [item]);
  }
  return items;
}
