import { CelList, CelMap, type CelValue, Instance, StructValue, Uint } from "../cel/values.ts";
import { assign, type Json, type JsonObject } from "../json-value.ts";

/** A value that cannot be written as JSON; or a struct that is somewhere else than its name says. The message is upstream's. */
export class BadMutation extends Error {}

/** Values within each other: as deep as JSON may be. */
const DEPTH_MAX = 1000;

/** An expression's result as plain JSON. Optionals without a value leave their field out. @throws BadMutation */
export function jsonOf(value: CelValue, depth = 0): Json {
  if (depth > DEPTH_MAX) throw new BadMutation("the value is nested too deeply");
  if (value === null || typeof value === "boolean" || typeof value === "string") return value;
  if (typeof value === "number") {
    if (Number.isFinite(value)) return value;
    throw new BadMutation(`unsupported value: ${value}`);
  }
  if (typeof value === "bigint") return wholeNumber(value);
  if (value instanceof Uint) return wholeNumber(value.value);
  if (value instanceof Uint8Array) return btoa(String.fromCharCode(...value));
  if (value instanceof CelList) return [...value].map((each) => jsonOf(each, depth + 1));
  if (value instanceof CelMap) return objectOf(value.entries(), depth);
  if (value instanceof StructValue) return objectOf(value.fields, depth);
  return textOf(value);
}

/** What JSON's readers take for another number is sent as text (protobuf's JSON mapping). */
const wholeNumber = (value: bigint): Json =>
  value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : String(value);

function objectOf(entries: Iterable<readonly [CelValue, CelValue]>, depth: number): JsonObject {
  const object: JsonObject = {};
  for (const [key, value] of entries) assign(object, keyText(key), jsonOf(value, depth + 1));
  return object;
}

const keyText = (key: CelValue): string => (typeof key === "string" ? key : String(jsonOf(key)));

function textOf(value: CelValue): string {
  if (value instanceof Instance) return value.toText();
  throw new BadMutation("unsupported value");
}

/**
 * Checks that `Object.spec{…}` stands in the field `spec` of an `Object` (dynamic.ObjectVal CheckTypeNamesMatchFieldPathNames):
 * nothing else says which kind of struct belongs where. @throws BadMutation
 */
export function checkStructNames(value: CelValue, expected = "Object"): void {
  if (value instanceof StructValue) {
    if (value.name !== expected) {
      throw new BadMutation(
        `unexpected type name ${JSON.stringify(value.name)}, expected ${JSON.stringify(expected)}, which matches field name path from root Object type`,
      );
    }
    for (const [name, field] of value.fields) checkStructNames(field, `${expected}.${name}`);
  } else if (value instanceof CelList) {
    for (const each of value) checkStructNames(each, expected);
  } else if (value instanceof CelMap) {
    for (const [, each] of value.entries()) checkStructNames(each, expected);
  }
}
