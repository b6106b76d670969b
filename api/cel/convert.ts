import { int, uint } from "./arithmetic.ts";
import { fail } from "./cel-error.ts";
import { Duration, parseDuration, parseTimestamp, Timestamp } from "./time.ts";
import { type CelValue, doubleText, type Instance, TypeValue, typeNameOf, Uint } from "./values.ts";

const wrong = (value: CelValue, target: string): never =>
  fail(`type conversion error from '${typeNameOf(value)}' to '${target}'`);

const INTEGER = /^[+-]?\d+$/;
const DIGITS_MAX = 400;
const TWO_TO_63 = 2 ** 63;
const TWO_TO_64 = 2 ** 64;

const isInteger = (text: string): boolean => text.length <= DIGITS_MAX && INTEGER.test(text);

export function toInt(value: CelValue): CelValue {
  if (typeof value === "bigint") return value;
  if (typeof value === "number") {
    return value > -TWO_TO_63 && value < TWO_TO_63 ? BigInt(Math.trunc(value)) : fail("integer overflow");
  }
  if (value instanceof Uint) return int(value.value);
  if (value instanceof Duration) return value.nanos;
  if (value instanceof Timestamp) return value.seconds;
  if (typeof value === "string" && isInteger(value)) {
    const parsed = BigInt(value.replace(/^\+/, ""));
    if (BigInt.asIntN(64, parsed) === parsed) return parsed;
  }
  return wrong(value, "int");
}

export function toUint(value: CelValue): CelValue {
  if (value instanceof Uint) return value;
  if (typeof value === "bigint") return uint(value);
  if (typeof value === "number") {
    return value >= 0 && value < TWO_TO_64 ? new Uint(BigInt(Math.trunc(value))) : fail("unsigned integer overflow");
  }
  if (typeof value === "string" && value.length <= DIGITS_MAX && /^\d+$/.test(value)) {
    const parsed = BigInt(value);
    if (BigInt.asUintN(64, parsed) === parsed) return new Uint(parsed);
  }
  return wrong(value, "uint");
}

const DOUBLE = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const SPECIAL_DOUBLE = /^([+-]?)(inf|infinity|nan)$/i;
const HEX_DOUBLE = /^([+-]?)0[xX]([0-9a-fA-F]{0,64})(?:\.([0-9a-fA-F]{0,64}))?[pP]([+-]?\d{1,6})$/;

/** Go's strconv.ParseFloat; undefined where the text is no number, or one that is too large. */
export function parseDouble(text: string): number | undefined {
  if (DOUBLE.test(text)) {
    const value = Number(text);
    return Number.isFinite(value) ? value : undefined;
  }
  const [, sign, word = ""] = SPECIAL_DOUBLE.exec(text) ?? [];
  if (word.toLowerCase() === "nan") return sign === "" ? Number.NaN : undefined;
  if (word !== "") return sign === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const hex = HEX_DOUBLE.exec(text);
  if (!hex || (hex[2] === "" && !hex[3])) return undefined;
  const fraction = hex[3] ?? "";
  const value = Number(BigInt(`0x${hex[2]}${fraction}`)) * 2 ** (Number(hex[4]) - 4 * fraction.length);
  return Number.isFinite(value) ? (hex[1] === "-" ? -value : value) : undefined;
}

export function toDouble(value: CelValue): CelValue {
  if (typeof value === "number") return value;
  if (typeof value === "bigint") return Number(value);
  if (value instanceof Uint) return Number(value.value);
  const parsed = typeof value === "string" ? parseDouble(value) : undefined;
  return parsed ?? wrong(value, "double");
}

const BOOLEANS = new Map<CelValue, boolean>([
  ...["1", "t", "T", "TRUE", "true", "True"].map((text) => [text, true] as const),
  ...["0", "f", "F", "FALSE", "false", "False"].map((text) => [text, false] as const),
]);

export function toBool(value: CelValue): CelValue {
  if (typeof value === "boolean") return value;
  return BOOLEANS.get(value) ?? wrong(value, "bool");
}

export const toBytes = (value: CelValue): CelValue => {
  if (typeof value === "string") return new TextEncoder().encode(value);
  return value instanceof Uint8Array ? value : wrong(value, "bytes");
};

export function toText(value: CelValue): string {
  switch (typeof value) {
    case "string":
      return value;
    case "boolean":
    case "bigint":
      return String(value);
    case "number":
      return doubleText(value);
  }
  if (value instanceof Uint) return String(value.value);
  if (value instanceof Uint8Array) return decode(value);
  const textual = value instanceof Duration || value instanceof Timestamp || value instanceof TypeValue;
  return textual ? (value as Instance).toText() : wrong(value, "string");
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return fail("invalid UTF-8 in bytes, cannot convert to string");
  }
}

export function toDuration(value: CelValue): CelValue {
  if (value instanceof Duration) return value;
  return (typeof value === "string" ? parseDuration(value) : undefined) ?? wrong(value, "google.protobuf.Duration");
}

const NANOS = 1_000_000_000n;

export function toTimestamp(value: CelValue): CelValue {
  if (value instanceof Timestamp) return value;
  if (typeof value === "bigint") return new Timestamp(value * NANOS);
  return (typeof value === "string" ? parseTimestamp(value) : undefined) ?? wrong(value, "google.protobuf.Timestamp");
}

export const toType = (value: CelValue): TypeValue => new TypeValue(typeNameOf(value));
