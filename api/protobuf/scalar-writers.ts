import { isObject } from "../json-value.ts";
import type { ScalarCode, SchemaCode } from "../schema/facts.ts";
import type { WireWriter } from "./wire-writer.ts";

/** Writes a field of a single value, of any value that the JSON decoder lets through. */
type ScalarWriter = (writer: WireWriter, number: number, value: any) => void;

/** How a single value is written, and what Go writes where JSON has none; nothing where it then writes nothing. */
export interface ScalarCodec {
  write: ScalarWriter;
  zero: unknown;
}

const text: ScalarWriter = (writer, number, value: unknown) => writer.text(number, String(value));
const integer: ScalarWriter = (writer, number, value: unknown) => writer.integer(number, Number(value));

/** Fields of the messages of single values, which the published facts do not tell. */
const ONLY = 1;
const TIMESTAMP = { seconds: 1, nanos: 2 };
const INT_OR_STRING = { type: 1, intVal: 2, strVal: 3 };
const IS_STRING = 1;

const NANOS_PER_MICRO = 1000;
const MICRO_TIME = /\.(\d{6})/;

/** By the codes of the facts. Proto2 as gogo writes it: a field that is no pointer is on the wire also where it is zero. */
export const SCALAR_WRITERS: Record<Exclude<ScalarCode, SchemaCode>, ScalarCodec> = {
  s: { write: text, zero: "" },
  i: { write: integer, zero: 0 },
  l: { write: integer, zero: 0 },
  d: { write: (writer, number, value: unknown) => writer.double(number, Number(value)), zero: 0 },
  b: { write: (writer, number, value: unknown) => writer.integer(number, value === true), zero: false },
  y: { write: writeBytes, zero: undefined },
  q: { write: inMessage((writer, value: unknown) => writer.text(ONLY, String(value))), zero: "0" },
  t: { write: inMessage(writeTime), zero: null },
  m: { write: inMessage(writeMicroTime), zero: null },
  x: { write: inMessage(writeIntOrString), zero: 0 },
  r: { write: inMessage(writeJson), zero: null },
  f: { write: inMessage(writeJson), zero: null },
  n: { write: inMessage(writeJson), zero: null },
  j: { write: inMessage(writeJson), zero: undefined },
};

function inMessage(write: (writer: WireWriter, value: any) => void): ScalarWriter {
  return (writer, number, value) => {
    const start = writer.open(number);
    write(writer, value);
    writer.close(start);
  };
}

/** Null is Go's zero time: a message without fields. */
function writeTime(writer: WireWriter, value: string | null): void {
  if (value === null) return;
  writer.integer(TIMESTAMP.seconds, Math.floor(Date.parse(value) / 1000)).integer(TIMESTAMP.nanos, 0);
}

function writeMicroTime(writer: WireWriter, value: string | null): void {
  if (value === null) return;
  const micros = Number(MICRO_TIME.exec(value)?.[1] ?? 0);
  writer
    .integer(TIMESTAMP.seconds, Math.floor(Date.parse(value) / 1000))
    .integer(TIMESTAMP.nanos, micros * NANOS_PER_MICRO);
}

function writeIntOrString(writer: WireWriter, value: string | number | null): void {
  const isText = typeof value === "string";
  writer
    .integer(INT_OR_STRING.type, isText ? IS_STRING : 0)
    .integer(INT_OR_STRING.intVal, isText ? 0 : Number(value))
    .text(INT_OR_STRING.strVal, isText ? value : "");
}

/** Raw JSON travels as its text. */
function writeJson(writer: WireWriter, value: unknown): void {
  if (value !== null && value !== undefined) writer.text(ONLY, JSON.stringify(value));
}

/** Null, which only maps have, is Go's nil: nothing is written. */
function writeBytes(writer: WireWriter, number: number, value: string | null): void {
  if (value === null) return;
  const binary = atob(value);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  writer.bytes(number, bytes);
}

const OR_SCHEMA = { allows: 1, property: 2, schemas: 2 };

/**
 * JSONSchemaPropsOrStringArray, JSONSchemaPropsOrBool and JSONSchemaPropsOrArray of apiextensions.k8s.io: `schema` writes a
 * field of JSONSchemaProps. Not only a schema, but also its absence is on the wire, as false or nothing.
 */
export function writeOrSchema(
  code: SchemaCode,
  writer: WireWriter,
  value: unknown,
  schema: (number: number, value: Record<string, unknown>) => void,
): void {
  const isSchema = isObject(value);
  if (code === "v") {
    // Go's decoder takes a schema for allowing what it describes.
    writer.integer(OR_SCHEMA.allows, isSchema || value === true);
    if (isSchema) schema(OR_SCHEMA.allows + 1, value);
    return;
  }
  if (isSchema) schema(1, value);
  else if (Array.isArray(value)) {
    for (const item of value) {
      if (code === "u") writer.text(OR_SCHEMA.property, String(item));
      else schema(OR_SCHEMA.schemas, item as Record<string, unknown>);
    }
  }
}
