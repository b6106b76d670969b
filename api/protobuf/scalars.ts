import { assign } from "../json-value.ts";
import type { ScalarCode, SchemaCode } from "../schema/facts.ts";
import { parseText } from "../schema/parse-json.ts";
import { JsonSyntaxError } from "../schema/scan-json.ts";
import { FIXED64, LENGTH, ProtobufError, VARINT, type WireReader } from "./wire-reader.ts";

/** One field of a message: how its bytes are laid out, and how they become JSON. */
export interface ScalarReader {
  wire: number;
  read(reader: WireReader): unknown;
  /** What Go's JSON has where the field is not on the wire. */
  zero: unknown;
}

/** By the codes of the facts; what contains schemas is read in decode.ts. */
export const SCALAR_READERS: Record<Exclude<ScalarCode, SchemaCode>, ScalarReader> = {
  s: { wire: LENGTH, read: (reader) => reader.text(), zero: "" },
  i: { wire: VARINT, read: (reader) => reader.integer() | 0, zero: 0 },
  l: { wire: VARINT, read: (reader) => reader.integer(), zero: 0 },
  d: { wire: FIXED64, read: (reader) => reader.double(), zero: 0 },
  b: { wire: VARINT, read: (reader) => reader.integer() !== 0, zero: false },
  y: { wire: LENGTH, read: (reader) => base64(reader.bytes()), zero: "" },
  q: { wire: LENGTH, read: (reader) => readQuantity(reader.message()), zero: "0" },
  t: { wire: LENGTH, read: (reader) => readTime(reader.message()), zero: null },
  m: { wire: LENGTH, read: (reader) => readMicroTime(reader.message()), zero: null },
  x: { wire: LENGTH, read: (reader) => readIntOrString(reader.message()), zero: 0 },
  r: { wire: LENGTH, read: (reader) => readJson(reader.message()), zero: null },
  f: { wire: LENGTH, read: (reader) => readJson(reader.message()), zero: null },
  j: { wire: LENGTH, read: (reader) => readJson(reader.message()), zero: null },
  n: { wire: LENGTH, read: (reader) => readJson(reader.message()), zero: null },
};

const CHUNK = 8192; // Arguments of one call have a limit.

function base64(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += CHUNK) text += String.fromCharCode(...bytes.subarray(i, i + CHUNK));
  return btoa(text);
}

type Fields = Record<number, { name: string; code: Exclude<ScalarCode, SchemaCode> }>;

/** The messages of single values, whose fields the published facts do not tell. */
function readSmall(reader: WireReader, fields: Fields): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  while (!reader.done) {
    const { number, wire } = reader.tag();
    const field = fields[number];
    if (!field) {
      reader.skip(wire);
      continue;
    }
    const scalar = SCALAR_READERS[field.code];
    if (wire !== scalar.wire) throw wrongWire(wire, field.name);
    assign(values, field.name, scalar.read(reader));
  }
  return values;
}

/** The error of a known field that is laid out in another way than its type. */
export const wrongWire = (wire: number, field: string): ProtobufError =>
  new ProtobufError(`proto: wrong wireType = ${wire} for field ${field.charAt(0).toUpperCase()}${field.slice(1)}`);

const QUANTITY: Fields = { 1: { name: "string", code: "s" } };
const TIMESTAMP: Fields = { 1: { name: "seconds", code: "l" }, 2: { name: "nanos", code: "i" } };
const INT_OR_STRING: Fields = {
  1: { name: "type", code: "l" },
  2: { name: "intVal", code: "i" },
  3: { name: "strVal", code: "s" },
};
const RAW: Fields = { 1: { name: "raw", code: "s" } };

const readQuantity = (reader: WireReader): unknown => readSmall(reader, QUANTITY)["string"] ?? "0";

function readIntOrString(reader: WireReader): unknown {
  const { type, intVal = 0, strVal = "" } = readSmall(reader, INT_OR_STRING);
  return type === 1 ? strVal : intVal;
}

/** Midnight of January 1 in the year 1: Go's zero. */
const ZERO_SECONDS = -62_135_596_800;
/** The end of the year 9999. */
const SECONDS_MAX = 253_402_300_799;
const NANOS_PER_MICRO = 1000;
const NANOS_PER_SECOND = 1_000_000_000;

function readTimestamp(reader: WireReader): { text: string; nanos: number } | undefined {
  if (reader.done) return undefined;
  const { seconds = 0, nanos = 0 } = readSmall(reader, TIMESTAMP) as { seconds?: number; nanos?: number };
  if (seconds < ZERO_SECONDS || seconds > SECONDS_MAX || nanos < 0 || nanos >= NANOS_PER_SECOND)
    throw new ProtobufError("Time.MarshalJSON: year outside of range [0,9999]");
  if (seconds === ZERO_SECONDS) return undefined;
  return { text: new Date(seconds * 1000).toISOString().slice(0, 19), nanos };
}

function readTime(reader: WireReader): unknown {
  const time = readTimestamp(reader);
  return time ? `${time.text}Z` : null;
}

function readMicroTime(reader: WireReader): unknown {
  const time = readTimestamp(reader);
  if (!time) return null;
  return `${time.text}.${String(Math.trunc(time.nanos / NANOS_PER_MICRO)).padStart(6, "0")}Z`;
}

/** Raw JSON travels as its text. */
function readJson(reader: WireReader): unknown {
  const { raw } = readSmall(reader, RAW) as { raw?: string };
  if (!raw) return null;
  try {
    return parseText(raw, false).value;
  } catch (error) {
    throw error instanceof JsonSyntaxError ? new ProtobufError(error.message) : error;
  }
}
