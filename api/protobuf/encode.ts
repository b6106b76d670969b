import { AssertionError } from "../assert.ts";
import type { JsonObject } from "../json-value.ts";
import { type Definition, definitionNamed, isSchemaCode, type Property, type Type } from "../schema/facts.ts";
import { SCALAR_WRITERS, writeOrSchema } from "./scalar-writers.ts";
import type { WireWriter } from "./wire-writer.ts";

/**
 * The JSON of built-in kinds as protobuf messages, byte by byte as Go's generated code writes them: fields in the order of their
 * numbers, what is no pointer also where it is zero, maps by sorted keys. Definitions become writers when they are first used.
 */

/** Writes one field of an object: nothing where the object has none and Go would not write its zero. */
type FieldWriter = (writer: WireWriter, source: JsonObject) => void;
/** Writes one occurrence of a field; `value` is neither null nor undefined. */
type ValueWriter = (writer: WireWriter, number: number, value: any) => void;

const NOTHING: JsonObject = Object.freeze({});
const writersByDefinition = new WeakMap<Definition, readonly FieldWriter[]>();

/** Writes the fields of an object of the definition. */
export function writeMessage(writer: WireWriter, definition: Definition, source: JsonObject): void {
  let fields = writersByDefinition.get(definition);
  if (!fields) {
    fields = makeFields([...definition.properties.values()], 0);
    writersByDefinition.set(definition, fields);
  }
  for (const field of fields) field(writer, source);
}

/** The fields of a message; those of messages that are flat in JSON are `below` more levels down their numbers. */
function makeFields(properties: readonly Property[], below: number): readonly FieldWriter[] {
  const byNumber = new Map<number, Property[]>();
  for (const property of properties) {
    const number = property.numbers[below];
    if (number !== undefined) byNumber.set(number, [...(byNumber.get(number) ?? []), property]);
  }
  return [...byNumber]
    .sort(([a], [b]) => a - b)
    .map(([number, [first, ...more]]) =>
      first!.numbers.length === below + 1 ? makeField(first!, number) : inlined([first!, ...more], number, below + 1),
    );
}

function inlined(properties: readonly Property[], number: number, below: number): FieldWriter {
  const fields = makeFields(properties, below);
  return (writer, source) => {
    const start = writer.open(number);
    for (const field of fields) field(writer, source);
    writer.close(start);
  };
}

function makeField({ name, type, pointer }: Property, number: number): FieldWriter {
  const write = valueWriter(type);
  switch (type.form) {
    case "list":
      return (writer, source) => {
        const values = source[name] as unknown[] | undefined | null;
        if (values) for (const value of values) write(writer, number, value);
      };
    case "map":
      return (writer, source) => {
        const values = source[name] as JsonObject | undefined | null;
        if (values) writeMap(writer, number, values, write);
      };
    default: {
      const zero = pointer ? undefined : zeroOf(type);
      return (writer, source) => {
        const value = source[name] ?? zero;
        if (value !== undefined) write(writer, number, value);
      };
    }
  }
}

/** What is written of a field that JSON leaves out; undefined: nothing. */
function zeroOf(type: Type): unknown {
  if (type.form === "struct") return NOTHING;
  return type.form === "scalar" && !isSchemaCode(type.code) ? SCALAR_WRITERS[type.code].zero : undefined;
}

/** Writes one value of the type: of lists and maps, one of their elements. */
function valueWriter(type: Type): ValueWriter {
  switch (type.form) {
    case "scalar": {
      const { code } = type;
      return isSchemaCode(code) ? schemaWriter(code) : SCALAR_WRITERS[code].write;
    }
    case "struct":
      return structWriter(type.definition);
    case "list":
    case "map":
      return elementWriter(type.of);
  }
}

const structWriter =
  (definition: Definition): ValueWriter =>
  (writer, number, value: JsonObject | null) => {
    const start = writer.open(number);
    writeMessage(writer, definition, value ?? NOTHING);
    writer.close(start);
  };

const NESTED_ITEMS = 1;

/** Protobuf has no lists in lists or maps: a message stands between, whose first field is the list. */
function elementWriter(type: Type): ValueWriter {
  if (type.form === "map") throw new AssertionError("no kind has maps in lists or maps");
  if (type.form !== "list") return valueWriter(type);
  const write = elementWriter(type.of);
  return (writer, number, values: unknown[] | null) => {
    const start = writer.open(number);
    for (const value of values ?? []) write(writer, NESTED_ITEMS, value);
    writer.close(start);
  };
}

const ENTRY_KEY = 1;
const ENTRY_VALUE = 2;

function writeMap(writer: WireWriter, number: number, values: JsonObject, write: ValueWriter): void {
  for (const key of Object.keys(values).sort(byBytes)) {
    const start = writer.open(number);
    writer.text(ENTRY_KEY, key);
    write(writer, ENTRY_VALUE, values[key]);
    writer.close(start);
  }
}

/** Go sorts strings by their bytes; keys of maps are ASCII but for a few annotations' and data's. */
const byBytes = (a: string, b: string): number => (a < b ? -1 : 1);

function schemaWriter(code: "u" | "v" | "w"): ValueWriter {
  return (writer, number, value) => {
    const definition = definitionNamed("^apis.apiextensions.v1.JSONSchemaProps") as Definition;
    const write = structWriter(definition);
    const start = writer.open(number);
    writeOrSchema(code, writer, value, (inner, schema) => write(writer, inner, schema));
    writer.close(start);
  };
}
