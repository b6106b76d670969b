import { assign, has, isObject, type Json, type JsonObject, printGo } from "../json-value.ts";
import type { Definition, Property, Type } from "../schema/facts.ts";
import { elementKey, noMergeKey, orderMerged, RefusedPatch } from "./list-order.ts";

/**
 * Strategic merge patch: objects merge by field, lists with the patch strategy `merge` by their merge key or as sets, and
 * directives (`$patch`, `$retainKeys`, `$setElementOrder/…`, `$deleteFromPrimitiveList/…`) say what a value cannot.
 */

const PATCH = "$patch";
const RETAIN_KEYS = "$retainKeys";
const SET_ORDER = "$setElementOrder";
const DELETE_FROM = "$deleteFromPrimitiveList";

/** The patch is malformed: a 400. */
export class MalformedPatch extends Error {}
/** The patch cannot be applied for what it holds: a 422. */
export class UnmergeablePatch extends Error {}

const BAD_RETAIN_KEYS = "invalid patch format of retainKeys";
const BAD_LISTS: Record<string, string> = {
  [SET_ORDER]: "invalid patch format of setElementOrder list",
  [DELETE_FROM]: "invalid patch format of primitive list",
};

/** The field that a directive is about: `$setElementOrder/ports` → `ports`. */
function fieldOf(directive: string, prefix: string): string {
  if (directive[prefix.length] !== "/") throw new MalformedPatch(BAD_LISTS[prefix]);
  return directive.slice(prefix.length + 1);
}

/** Merges the patch into `original`, which is changed; parts of the patch become parts of the result. */
export function applyStrategicPatch(original: JsonObject, patch: JsonObject, definition: Definition): JsonObject {
  return mergeObject(original, patch, { form: "struct", definition });
}

/** The type of values below, where the schema knows it: beyond a RawExtension it does not. */
type Known = Type | undefined;

const UNKNOWN: Pick<Property, "patchStrategies" | "mergeKey"> & { type: Known } = {
  patchStrategies: [],
  mergeKey: "",
  type: undefined,
};

function lookUp(type: Known, key: string): typeof UNKNOWN {
  if (type?.form === "map") return { ...UNKNOWN, type: type.of };
  if (type?.form !== "struct" || type.definition.scalar) return UNKNOWN;
  const property = type.definition.properties.get(key);
  if (!property) {
    throw new RefusedPatch(
      `unable to find api field in struct ${type.definition.structName} for the json field ${JSON.stringify(key)}`,
    );
  }
  return property;
}

const strategyOf = ({ patchStrategies }: Pick<Property, "patchStrategies">): string =>
  patchStrategies.find((strategy) => strategy !== "retainKeys") ?? "";

function mergeObject(original: JsonObject, patch: JsonObject, type: Known): JsonObject {
  if (has(patch, PATCH)) {
    const { [PATCH]: directive, ...rest } = patch;
    if (directive === "replace") return rest;
    if (directive === "delete") return {};
    throw new RefusedPatch(`unknown patch type: ${printGo(directive)} in map: ${printGo(patch)}`);
  }
  if (has(patch, RETAIN_KEYS)) retainKeys(original, patch);
  const done = mergeOrderedLists(original, patch, type);
  for (const key of Object.keys(patch)) {
    if (done.has(key) || key === RETAIN_KEYS || key.startsWith(SET_ORDER)) continue;
    const value = patch[key];
    const isDeletion = key.startsWith(DELETE_FROM);
    const name = isDeletion ? fieldOf(key, DELETE_FROM) : key;
    if (value === null) delete original[name];
    else if (isDeletion) deleteFromList(original, name, value, type);
    else mergeField(original, name, value, type);
  }
  return original;
}

function mergeField(original: JsonObject, key: string, value: Json, type: Known): void {
  const before = has(original, key) ? original[key] : undefined;
  if (isObject(before) && isObject(value)) {
    const property = lookUp(type, key);
    assign(original, key, strategyOf(property) === "replace" ? value : mergeObject(before, value, property.type));
    return;
  }
  if (Array.isArray(before) && Array.isArray(value)) {
    assign(original, key, mergeList(before, value, lookUp(type, key)));
    return;
  }
  const added = withoutDirectives(withoutNulls(value));
  if (added === undefined) delete original[key];
  else assign(original, key, added);
}

const mergeList = (before: Json[], patch: Json[], property: typeof UNKNOWN): Json[] =>
  strategyOf(property) === "merge" ? mergeElements(before, patch, property) : patch;

function mergeElements(before: Json[], patch: Json[], property: typeof UNKNOWN): Json[] {
  if (before.length === 0 && patch.length === 0) return before;
  if (!elementsAreObjects(before, patch)) {
    const known = new Set<string>();
    const both = [...before, ...patch].filter((item) => !known.has(elementKey(item)) && known.add(elementKey(item)));
    return orderMerged(both, patch, before, "");
  }
  const { mergeKey } = property;
  if (mergeKey === "") throw new RefusedPatch("cannot merge lists without merge key for struct");
  const element = property.type?.form === "list" ? property.type.of : undefined;
  const { kept, rest } = applyElementDirectives(before as JsonObject[], patch as JsonObject[], mergeKey);
  const serverOrder = [...kept];
  const places = new Map<string, number>();
  kept.forEach((item, i) => {
    const key = elementKey(item[mergeKey]);
    if (has(item, mergeKey) && !places.has(key)) places.set(key, i);
  });
  for (const item of rest) {
    if (!has(item, mergeKey)) throw noMergeKey(item, mergeKey);
    const key = elementKey(item[mergeKey]);
    const index = places.get(key);
    if (index === undefined) places.set(key, kept.push(item) - 1);
    else kept[index] = mergeObject(kept[index]!, item, element);
  }
  return orderMerged(kept, rest, serverOrder, mergeKey);
}

/** `$patch: delete` and `$patch: replace` among the elements of a list. */
function applyElementDirectives(before: JsonObject[], patch: JsonObject[], mergeKey: string) {
  const deleted = new Set<string>();
  let replace = false;
  const rest: JsonObject[] = [];
  for (const item of patch) {
    if (!has(item, PATCH)) {
      rest.push(item);
      continue;
    }
    switch (item[PATCH]) {
      case "delete":
        if (!has(item, mergeKey)) throw noMergeKey(item, mergeKey);
        deleted.add(elementKey(item[mergeKey]));
        break;
      case "replace":
        replace = true;
        break;
      case "merge":
        throw new RefusedPatch("merging lists cannot yet be specified in the patch");
      default:
        throw new RefusedPatch(`unknown patch type: ${printGo(item[PATCH])} in map: ${printGo(item)}`);
    }
  }
  if (replace) return { kept: rest, rest: [] };
  const kept = before.filter((item) => !(has(item, mergeKey) && deleted.has(elementKey(item[mergeKey]))));
  return { kept, rest };
}

/** `$deleteFromPrimitiveList/…`: what is no list, or is not there, is passed over. */
function deleteFromList(original: JsonObject, name: string, deletions: Json, type: Known): void {
  const list = has(original, name) ? original[name] : undefined;
  if (!Array.isArray(list) || !Array.isArray(deletions)) return;
  const property = lookUp(type, name);
  // Elements that have keys are not deleted so: upstream merges them.
  if (list.length + deletions.length > 0 && elementsAreObjects(list, deletions)) {
    assign(original, name, mergeElements(list, deletions, property));
    return;
  }
  const deleted = new Set(deletions.map(elementKey));
  assign(
    original,
    name,
    list.filter((item) => !deleted.has(elementKey(item))),
  );
}

const kindOf = (value: Json): string => (value === null ? "null" : Array.isArray(value) ? "list" : typeof value);

/** Whether a list's elements are objects; elements of several types, and lists in lists, are refused. */
function elementsAreObjects(before: Json[], patch: Json[]): boolean {
  let kind: string | undefined;
  for (const item of [...before, ...patch]) {
    if (kind === undefined && Array.isArray(item)) throw new UnmergeablePatch("lists of lists are not supported");
    kind ??= kindOf(item);
    if (kindOf(item) !== kind) {
      throw new RefusedPatch(`list element types are not identical: ${printGo([before, patch])}`);
    }
  }
  return kind === "object";
}

/** `$retainKeys`: fields that are not named go, and the patch may set none but the named. */
function retainKeys(original: JsonObject, patch: JsonObject): void {
  const keys = patch[RETAIN_KEYS];
  if (!Array.isArray(keys)) throw new MalformedPatch(BAD_RETAIN_KEYS);
  const retained = new Set(keys);
  for (const key of Object.keys(patch)) {
    if (key === RETAIN_KEYS || patch[key] === null || key.startsWith(DELETE_FROM) || key.startsWith(SET_ORDER))
      continue;
    if (!retained.has(key)) throw new MalformedPatch(BAD_RETAIN_KEYS);
  }
  for (const key of Object.keys(original)) if (!retained.has(key)) delete original[key];
}

/** Lists that a `$setElementOrder` goes with; answers the fields that are done with it. */
function mergeOrderedLists(original: JsonObject, patch: JsonObject, type: Known): Set<string> {
  const done = new Set<string>();
  for (const directive of Object.keys(patch)) {
    if (!directive.startsWith(SET_ORDER)) continue;
    const key = fieldOf(directive, SET_ORDER);
    const order = patch[directive];
    const before = has(original, key) ? original[key] : undefined;
    const list = has(patch, key) ? patch[key] : undefined;
    for (const value of [order, before, list]) {
      if (value !== undefined && !Array.isArray(value)) {
        throw new RefusedPatch(`expected a []interface {}, but received a ${goTypeOf(value)}`);
      }
    }
    const property = lookUp(type, key);
    checkOrder((list ?? []) as Json[], order as Json[], property.mergeKey);
    if (before === undefined && list === undefined) continue;
    done.add(key);
    const lists = [(before ?? []) as Json[], (list ?? []) as Json[]] as const;
    if (lists[0].length + lists[1].length === 0) throw new RefusedPatch("no elements in any of the given slices");
    elementsAreObjects(...lists);
    const merged =
      before === undefined
        ? (withoutDirectives(list) as Json[])
        : list === undefined
          ? (before as Json[])
          : mergeList(before as Json[], list as Json[], property);
    assign(original, key, orderMerged(merged, order as Json[], (before ?? []) as Json[], property.mergeKey));
  }
  return done;
}

const goTypeOf = (value: Json): string =>
  value === null
    ? "<nil>"
    : isObject(value)
      ? "map[string]interface {}"
      : typeof value === "number"
        ? "int64"
        : typeof value === "boolean"
          ? "bool"
          : "string";

/** The patch's elements must stand in the order list, in its order. */
function checkOrder(list: Json[], order: Json[], mergeKey: string): void {
  if (list.length === 0 || order.length === 0) return;
  const items = list.filter((item) => !(isObject(item) && has(item, PATCH)));
  let at = 0;
  for (const named of order) {
    const item = items[at];
    if (at >= items.length) return;
    if (mergeKey === "" ? elementKey(item) === elementKey(named) : sameKey(item, named, mergeKey)) at++;
  }
  if (at < items.length) {
    throw new RefusedPatch(
      `The order in patch list:\n${printGo(list)}\n doesn't match $setElementOrder list:\n${printGo(order)}\n`,
    );
  }
}

function sameKey(item: Json, named: Json, mergeKey: string): boolean {
  for (const value of [item, named]) {
    if (!isObject(value))
      throw new RefusedPatch(`expected a map[string]interface {}, but received a ${goTypeOf(value)}`);
    if (!has(value, mergeKey)) throw noMergeKey(value, mergeKey);
  }
  return elementKey((item as JsonObject)[mergeKey]) === elementKey((named as JsonObject)[mergeKey]);
}

/** What is added where nothing was has nothing to delete: its nulls go. */
function withoutNulls(value: Json): Json {
  if (Array.isArray(value)) for (const item of value) withoutNulls(item);
  else if (isObject(value)) {
    for (const key of Object.keys(value)) {
      if (value[key] === null) delete value[key];
      else withoutNulls(value[key]);
    }
  }
  return value;
}

/** Objects that carry `$patch` are gone (undefined). */
function withoutDirectives(value: Json): Json | undefined {
  if (Array.isArray(value)) return value.map(withoutDirectives).filter((item) => item !== undefined);
  if (!isObject(value)) return value;
  if (has(value, PATCH)) return undefined;
  for (const key of Object.keys(value)) {
    const kept = withoutDirectives(value[key]);
    if (kept === undefined) delete value[key];
    else assign(value, key, kept);
  }
  return value;
}
