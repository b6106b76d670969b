import { sameJson } from "../equality.ts";
import { fail, noSuchOverload } from "./cel-error.ts";
import { JsonMap, ListMap, ListSet } from "./json-values.ts";
import type { Meter } from "./meter.ts";
import { Duration, Timestamp } from "./time.ts";
import { CelList, CelMap, type CelValue, compareTexts, Instance, Optional, StructValue, Uint } from "./values.ts";

/** `==`: of different types false, but for the three sorts of numbers, which compare by value. */
export function isEqual(a: CelValue, b: CelValue, meter: Meter): boolean {
  meter.work(1);
  if (a === b) return typeof a !== "number" || !Number.isNaN(a);
  if (isNumeric(a)) return isNumeric(b) && compareNumbers(a, b) === 0;
  if (a === null || b === null || typeof a !== "object" || typeof b !== "object") return false;
  if (a instanceof CelList) return b instanceof CelList && areListsEqual(a, b, meter);
  if (a instanceof CelMap) return b instanceof CelMap && areMapsEqual(a, b, meter);
  if (a instanceof Uint8Array) return b instanceof Uint8Array && compareBytes(a, b) === 0;
  if (a instanceof Optional) return b instanceof Optional && areOptionalsEqual(a, b, meter);
  if (a instanceof StructValue) return b instanceof StructValue && areStructsEqual(a, b, meter);
  return a instanceof Instance && a.equals(b);
}

function areListsEqual(a: CelList, b: CelList, meter: Meter): boolean {
  if (a.length !== b.length) return false;
  if (a instanceof ListSet) return a.hasAll(b, meter);
  if (a instanceof ListMap) return a.equalsByKey(b, (left, right) => isEqual(left, right, meter));
  for (let i = 0; i < a.length; i++) if (!isEqual(a.at(i), b.at(i), meter)) return false;
  return true;
}

function areMapsEqual(a: CelMap, b: CelMap, meter: Meter): boolean {
  if (a.size !== b.size) return false;
  for (const [key, value] of a.entries()) {
    const other = b.find(key);
    if (other === undefined || !isEqual(value, other, meter)) return false;
  }
  // What a schema does not declare is no part of the value, and yet two objects that differ in it are not equal.
  if (a instanceof JsonMap && b instanceof JsonMap) {
    const hidden = a.undeclared();
    meter.work(hidden.length);
    return hidden.every((key) => sameJson(a.json[key], b.json[key]));
  }
  return true;
}

const areOptionalsEqual = (a: Optional, b: Optional, meter: Meter): boolean =>
  a.value === undefined || b.value === undefined ? a.value === b.value : isEqual(a.value, b.value, meter);

function areStructsEqual(a: StructValue, b: StructValue, meter: Meter): boolean {
  if (a.name !== b.name || a.fields.size !== b.fields.size) return false;
  for (const [name, value] of a.fields) {
    const other = b.fields.get(name);
    if (other === undefined || !isEqual(value, other, meter)) return false;
  }
  return true;
}

const isNumeric = (value: CelValue): value is bigint | number | Uint =>
  typeof value === "bigint" || typeof value === "number" || value instanceof Uint;

/** JavaScript compares bigint and number exactly, as CEL wants it. NaN is neither. */
function compareNumbers(a: bigint | number | Uint, b: bigint | number | Uint): number {
  const left = a instanceof Uint ? a.value : a;
  const right = b instanceof Uint ? b.value : b;
  if (left < right) return -1;
  if (left > right) return 1;
  return Number.isNaN(left) || Number.isNaN(right) ? Number.NaN : 0;
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < a.length && i < b.length; i++) if (a[i] !== b[i]) return a[i]! < b[i]! ? -1 : 1;
  return Math.sign(a.length - b.length);
}

/** Less than, equal to or greater than zero. @throws Failure where the two have no order. */
export function compare(a: CelValue, b: CelValue): number {
  if (isNumeric(a) && isNumeric(b)) {
    const order = compareNumbers(a, b);
    return Number.isNaN(order) ? fail("NaN values cannot be ordered") : order;
  }
  if (typeof a === "string" && typeof b === "string") return compareTexts(a, b);
  if (typeof a === "boolean" && typeof b === "boolean") return Number(a) - Number(b);
  if (a instanceof Uint8Array && b instanceof Uint8Array) return compareBytes(a, b);
  if (a instanceof Timestamp && b instanceof Timestamp) return compareBigints(a.nanos, b.nanos);
  if (a instanceof Duration && b instanceof Duration) return compareBigints(a.nanos, b.nanos);
  return noSuchOverload();
}

const compareBigints = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);
