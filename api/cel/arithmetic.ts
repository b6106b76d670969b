import { fail, noSuchOverload } from "./cel-error.ts";
import { ListMap, ListSet } from "./json-values.ts";
import type { Meter } from "./meter.ts";
import { Duration, Timestamp } from "./time.ts";
import { CelList, type CelValue, ListValue, Uint } from "./values.ts";

/** @throws Failure where it does not fit into 64 bits. */
export const int = (value: bigint): bigint => (BigInt.asIntN(64, value) === value ? value : fail("integer overflow"));

/** @throws Failure where it does not fit into 64 bits, or is negative. */
export const uint = (value: bigint): Uint =>
  BigInt.asUintN(64, value) === value ? new Uint(value) : fail("unsigned integer overflow");

export function add(a: CelValue, b: CelValue, meter: Meter): CelValue {
  if (typeof a === "bigint" && typeof b === "bigint") return int(a + b);
  if (typeof a === "string" && typeof b === "string") {
    meter.roomForText(a.length + b.length);
    return a + b;
  }
  if (typeof a === "number" && typeof b === "number") return a + b;
  if (a instanceof Uint && b instanceof Uint) return uint(a.value + b.value);
  if (a instanceof CelList && b instanceof CelList) return concatenate(a, b, meter);
  if (a instanceof Uint8Array && b instanceof Uint8Array) return joinBytes(a, b, meter);
  if (a instanceof Duration && b instanceof Duration) return new Duration(a.nanos + b.nanos);
  if (a instanceof Duration && b instanceof Timestamp) return new Timestamp(a.nanos + b.nanos, b.offsetMinutes);
  if (a instanceof Timestamp && b instanceof Duration) return new Timestamp(a.nanos + b.nanos, a.offsetMinutes);
  return noSuchOverload();
}

function concatenate(a: CelList, b: CelList, meter: Meter): CelList {
  meter.room(a.length + b.length);
  meter.work(a.length + b.length);
  if (a instanceof ListSet || a instanceof ListMap) return a.plus(b);
  if (a.length === 0) return b;
  return b.length === 0 ? a : new ListValue(a.toArray().concat(b.toArray()));
}

function joinBytes(a: Uint8Array, b: Uint8Array, meter: Meter): Uint8Array {
  meter.roomForText(a.length + b.length);
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}

export function subtract(a: CelValue, b: CelValue): CelValue {
  if (typeof a === "bigint" && typeof b === "bigint") return int(a - b);
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (a instanceof Uint && b instanceof Uint) return uint(a.value - b.value);
  if (a instanceof Duration && b instanceof Duration) return new Duration(a.nanos - b.nanos);
  if (a instanceof Timestamp && b instanceof Timestamp) return new Duration(a.nanos - b.nanos);
  if (a instanceof Timestamp && b instanceof Duration) return new Timestamp(a.nanos - b.nanos, a.offsetMinutes);
  return noSuchOverload();
}

export function multiply(a: CelValue, b: CelValue): CelValue {
  if (typeof a === "bigint" && typeof b === "bigint") return int(a * b);
  if (typeof a === "number" && typeof b === "number") return a * b;
  return a instanceof Uint && b instanceof Uint ? uint(a.value * b.value) : noSuchOverload();
}

export function divide(a: CelValue, b: CelValue): CelValue {
  if (typeof a === "bigint" && typeof b === "bigint") return b === 0n ? fail("division by zero") : int(a / b);
  if (typeof a === "number" && typeof b === "number") return a / b;
  if (!(a instanceof Uint && b instanceof Uint)) return noSuchOverload();
  return b.value === 0n ? fail("division by zero") : uint(a.value / b.value);
}

export function modulo(a: CelValue, b: CelValue): CelValue {
  if (typeof a === "bigint" && typeof b === "bigint") {
    if (b === 0n) return fail("modulus by zero");
    return a === -(1n << 63n) && b === -1n ? fail("integer overflow") : a % b;
  }
  if (!(a instanceof Uint && b instanceof Uint)) return noSuchOverload();
  return b.value === 0n ? fail("modulus by zero") : new Uint(a.value % b.value);
}

export function negate(value: CelValue): CelValue {
  if (typeof value === "bigint") return int(-value);
  return typeof value === "number" ? -value : noSuchOverload();
}
