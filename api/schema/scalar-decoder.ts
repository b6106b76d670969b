import { canonicalizeQuantity } from "../quantity.ts";
import { BadValue, type DecodeState, describeJson, mismatch, unmarshalError } from "./decode-state.ts";
import type { ScalarCode, SchemaCode } from "./facts.ts";
import { normalizeMicroTime, normalizeTime } from "./time-format.ts";

/** Answers the decoded value, or undefined where it is to be left out. `value` is not null. */
export type Decode = (value: unknown, state: DecodeState) => unknown;

export interface Decoder {
  decode: Decode;
  /** What Go has where nothing, or null in a list or map, was given; undefined where nothing is written. */
  zero(): unknown;
}

const INT32_MAX = 2 ** 31;
const INT64_MAX = 2 ** 63;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** The decoder of a single value; `goType` is what an error calls it. */
export function scalarDecoder(code: Exclude<ScalarCode, SchemaCode>, goType: string): Decoder {
  switch (code) {
    case "s":
      return {
        decode: (value, state) => (typeof value === "string" ? value : void mismatch(value, goType, state)),
        zero: () => "",
      };
    case "b":
      return {
        decode: (value, state) => (typeof value === "boolean" ? value : void mismatch(value, goType, state)),
        zero: () => false,
      };
    case "i":
      return integerDecoder(INT32_MAX, goType);
    case "l":
      return integerDecoder(INT64_MAX, goType);
    case "d":
      return {
        decode: (value, state) => (typeof value === "number" ? value : void mismatch(value, goType, state)),
        zero: () => 0,
      };
    case "y":
      return { decode: decodeBytes, zero: () => null };
    case "q":
      return { decode: decodeQuantity, zero: () => "0" };
    case "t":
      return { decode: (value, state) => decodeTime(value, state, normalizeTime), zero: () => null };
    case "m":
      return { decode: (value, state) => decodeTime(value, state, normalizeMicroTime), zero: () => null };
    case "x":
      return { decode: decodeIntOrString, zero: () => 0 };
    case "f":
    case "r":
    case "j":
    case "n":
      return { decode: (value) => value, zero: () => null };
  }
}

function integerDecoder(limit: number, goType: string): Decoder {
  return {
    decode(value, state) {
      if (typeof value !== "number") return void mismatch(value, goType, state);
      if (Number.isInteger(value) && value >= -limit && value < limit) return Object.is(value, -0) ? 0 : value;
      return void mismatch(value, goType, state, `number ${value}`);
    },
    zero: () => 0,
  };
}

function decodeIntOrString(value: unknown, state: DecodeState): unknown {
  if (typeof value === "string") return value;
  if (typeof value === "number" && Number.isInteger(value) && value >= -INT32_MAX && value < INT32_MAX) return value;
  throw new BadValue(
    unmarshalError(typeof value === "number" ? `number ${value}` : describeJson(value), "int32", state),
  );
}

function decodeQuantity(value: unknown): unknown {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  try {
    return canonicalizeQuantity(text.trim());
  } catch (error) {
    throw new BadValue((error as Error).message);
  }
}

function decodeTime(value: unknown, state: DecodeState, normalize: (text: string) => string): unknown {
  if (typeof value !== "string") throw new BadValue(unmarshalError(describeJson(value), "string", state));
  try {
    return normalize(value);
  } catch (error) {
    throw new BadValue((error as Error).message);
  }
}

function decodeBytes(value: unknown, state: DecodeState): unknown {
  if (typeof value !== "string") return void mismatch(value, "[]uint8", state);
  if (BASE64.test(value)) return value;
  const joined = value.replace(/[\r\n]/g, "");
  if (BASE64.test(joined)) return joined;
  state.wrongType ??= `illegal base64 data at input byte ${firstIllegal(value)}`;
  return undefined;
}

/** Where Go's decoder gives up: at the first strange character, or at the end of what is too short. */
function firstIllegal(text: string): number {
  const strange = text.search(/[^A-Za-z0-9+/=\r\n]/);
  const padding = text.indexOf("=");
  if (strange >= 0 && (padding < 0 || strange < padding)) return strange;
  if (padding < 0) return Math.max(0, text.length - (text.replace(/[\r\n]/g, "").length % 4));
  const before = text.slice(0, padding).replace(/[\r\n]/g, "").length % 4;
  if (before < 2) return padding;
  return before === 2 && text[padding + 1] !== "=" ? Math.min(padding + 1, text.length) : padding + (4 - before);
}
