import { isObject, type Json, type JsonObject } from "../json-value.ts";
import type { ListShape } from "../schema/shape.ts";

/**
 * One step of a field's path, as text; the form that FieldsV1 has it in (structured-merge-diff, fieldpath/serialize-pe.go):
 *
 *     f:name              a field of a struct or map
 *     k:{"name":"web"}    the element of a list that has these keys, the names in order
 *     v:"web"             the element of a set
 *     i:0                 the element at an index
 *
 * Each element has one text only, so that texts can be compared in place of elements.
 */
export type PathElement = string;

export const fieldElement = (name: string): PathElement => `f:${name}`;

/** What FieldsV1 cannot have as a path element: the text is of no known sort, or is malformed. */
export class BadPathElement extends Error {}

const INDEX = /^[+-]?\d+$/;
/** What Go's JSON escapes within strings, and JavaScript's does not. */
const GO_ESCAPED = /[<>&\u2028\u2029]/g;

function goJson(value: Json): string {
  const text = JSON.stringify(value);
  return text.replace(GO_ESCAPED, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/**
 * The element's text as it has to be: a client may have written its keys in another order. Undefined for sorts of elements
 * that are not known, which upstream passes over. @throws BadPathElement
 */
export function canonicalElement(text: string): PathElement | undefined {
  if (text.length < 2) throw new BadPathElement("key must be 2 characters long:");
  if (text[1] !== ":") throw new BadPathElement(`missing colon: ${text}`);
  const rest = text.slice(2);
  switch (text[0]) {
    case "f":
      return text;
    case "v":
      return `v:${goJson(parse(rest))}`;
    case "k": {
      const keys = parse(rest);
      if (!isObject(keys)) throw new BadPathElement(`expected an object: ${text}`);
      return keysElement(keys);
    }
    case "i":
      if (!INDEX.test(rest)) throw new BadPathElement(`invalid syntax: ${text}`);
      return `i:${Number.parseInt(rest, 10)}`;
    default:
      return undefined;
  }
}

function parse(text: string): Json {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new BadPathElement((error as Error).message);
  }
}

function keysElement(keys: JsonObject): PathElement {
  const names = Object.keys(keys).sort();
  return `k:{${names.map((name) => `${goJson(name)}:${goJson(keys[name])}`).join(",")}}`;
}

/** Why an element of a list has no path; the message is structured-merge-diff's. */
export class NoPathElement extends Error {}

/** The path of an element of a set, or of a list with keys. @throws NoPathElement */
export function itemElement(list: ListShape, item: Json): PathElement {
  if (list.listType !== "map") {
    if (Array.isArray(item)) throw new NoPathElement("not supported: associative list with lists as elements");
    if (item === null) throw new NoPathElement("associative list without keys has an element that's an explicit null");
    if (isObject(item)) throw new NoPathElement("associative list without keys has an element that's a map type");
    return `v:${goJson(item)}`;
  }
  if (item === null) throw new NoPathElement("associative list with keys may not have a null element");
  if (!isObject(item)) throw new NoPathElement("associative list with keys may not have non-map elements");
  const { keys, keyDefaults } = list;
  // One key, a string, is the usual case.
  const only = keys.length === 1 ? item[keys[0]!] : undefined;
  if (typeof only === "string") return `k:{"${keys[0]}":${goJson(only)}}`;
  const found: JsonObject = {};
  let count = 0;
  for (const key of keys) {
    const value = Object.hasOwn(item, key) ? item[key] : keyDefaults[key];
    if (value === undefined) continue;
    found[key] = value;
    count++;
  }
  if (count === 0) {
    const names = keys.map((key) => JSON.stringify(key)).join(" ");
    throw new NoPathElement(
      `associative list with keys has an element that omits all key fields [${names}] (and doesn't have default values for any key fields)`,
    );
  }
  return keysElement(found);
}

/** For errors and conflicts: `.name`, `[name="web",port=80]`, `[="web"]`, `[0]`. */
export function printElement(element: PathElement): string {
  const rest = element.slice(2);
  switch (element[0]) {
    case "k": {
      const keys = JSON.parse(rest) as JsonObject;
      return `[${Object.keys(keys)
        .map((name) => `${name}=${printValue(keys[name])}`)
        .join(",")}]`;
    }
    case "v":
      return `[=${printValue(JSON.parse(rest))}]`;
    case "i":
      return `[${rest}]`;
    default:
      return `.${rest}`;
  }
}

function printValue(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(printValue).join(",")}]`;
  if (isObject(value)) {
    return Object.keys(value)
      .map((key) => `${key}=${printValue(value[key])}`)
      .join("");
  }
  return JSON.stringify(value);
}

/** The order of a set's elements: fields, keys, values, indexes; each by what it says, not by its text. `"."` stands before all. */
export function compareElements(a: PathElement, b: PathElement): number {
  if (a === b) return 0;
  if (a[0] === "f" && b[0] === "f") return a < b ? -1 : 1;
  return compareRead(read(a), read(b));
}

/** Brings elements into their order, in place. */
export function sortElements(elements: PathElement[]): void {
  if (elements.every((element) => element[0] === "f" || element === ".")) {
    elements.sort();
    return;
  }
  // Each is parsed once.
  const sorted = elements.map(read).sort(compareRead);
  for (let i = 0; i < sorted.length; i++) elements[i] = sorted[i]!.element;
}

interface ReadElement {
  element: PathElement;
  /** Its place among the sorts of elements. */
  sort: number;
  says: Json;
}

const SORTS = "fkvi";

function read(element: PathElement): ReadElement {
  const sort = SORTS.indexOf(element[0]!);
  return { element, sort, says: sort > 0 ? JSON.parse(element.slice(2)) : element };
}

function compareRead(a: ReadElement, b: ReadElement): number {
  if (a.sort !== b.sort) return a.sort - b.sort;
  return a.sort === 1 ? compareKeys(a.says as JsonObject, b.says as JsonObject) : compareValues(a.says, b.says);
}

function compareKeys(a: JsonObject, b: JsonObject): number {
  const [left, right] = [Object.keys(a), Object.keys(b)];
  for (let i = 0; i < left.length && i < right.length; i++) {
    if (left[i] !== right[i]) return left[i]! < right[i]! ? -1 : 1;
    const order = compareValues(a[left[i]!], b[right[i]!]);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

const rankOf = (value: Json): number =>
  value === null
    ? 5
    : Array.isArray(value)
      ? 3
      : typeof value === "object"
        ? 4
        : ["number", "string", "boolean"].indexOf(typeof value);

function compareValues(a: Json, b: Json): number {
  const ranks = rankOf(a) - rankOf(b);
  if (ranks !== 0) return ranks;
  if (Array.isArray(a) || isObject(a)) return JSON.stringify(a) < JSON.stringify(b) ? -1 : 1;
  return a === b ? 0 : (a as string) < (b as string) ? -1 : 1;
}
