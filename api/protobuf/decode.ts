import { AssertionError } from "../assert.ts";
import { assign, type JsonObject } from "../json-value.ts";
import {
  type Definition,
  definitionNamed,
  isSchemaCode,
  type Property,
  type SchemaCode,
  type Type,
} from "../schema/facts.ts";
import { SCALAR_READERS, type ScalarReader, wrongWire } from "./scalars.ts";
import { LENGTH, ProtobufError, VARINT, type WireReader } from "./wire-reader.ts";

/**
 * Protobuf messages of the built-in kinds as the JSON that a Go program would have sent in their stead. Like the JSON decoder,
 * definitions become readers when they are first used.
 */

/** Schemas nest as deep as JSON may (`api/schema/parse-json.ts`), with a map's entry between any two; all else is flat. */
const DEPTH_MAX = 2_000;

/** Reads one occurrence of a field into the object that it is a field of. */
interface Field {
  wire: number;
  name: string;
  /** Numbers and booleans of a list may come all in one. */
  packable: boolean;
  read(reader: WireReader, target: JsonObject, depth: number): void;
}

type Fields = ReadonlyMap<number, Field>;

const fieldsByDefinition = new WeakMap<Definition, Fields>();

function fieldsOf(definition: Definition): Fields {
  let fields = fieldsByDefinition.get(definition);
  if (!fields) {
    fields = makeFields([...definition.properties.values()], 0);
    fieldsByDefinition.set(definition, fields);
  }
  return fields;
}

/** The fields of a message; those of messages that are flat in JSON are `below` more levels down their numbers. */
function makeFields(properties: readonly Property[], below: number): Fields {
  const fields = new Map<number, Field>();
  const inlined = new Map<number, Property[]>();
  for (const property of properties) {
    const number = property.numbers[below];
    if (number === undefined) continue;
    if (property.numbers.length === below + 1) fields.set(number, makeField(property));
    else inlined.set(number, [...(inlined.get(number) ?? []), property]);
  }
  for (const [number, inner] of inlined) {
    const innerFields = makeFields(inner, below + 1);
    fields.set(number, {
      wire: LENGTH,
      name: "inline",
      packable: false,
      read: (reader, target, depth) => readFields(reader.message(), innerFields, target, depth + 1),
    });
  }
  return fields;
}

/** Reads a message of the definition into `target`: fields that it has already are replaced, merged or added to, as protobuf has it. */
export function readMessage(reader: WireReader, definition: Definition, target: JsonObject, depth = 0): JsonObject {
  return readFields(reader, fieldsOf(definition), target, depth);
}

function readFields(reader: WireReader, fields: Fields, target: JsonObject, depth: number): JsonObject {
  if (depth > DEPTH_MAX) throw new ProtobufError("exceeded max depth");
  while (!reader.done) {
    const { number, wire } = reader.tag();
    const field = fields.get(number);
    if (field === undefined) reader.skip(wire);
    else if (wire === field.wire) field.read(reader, target, depth);
    else if (field.packable && wire === LENGTH) {
      const packed = reader.message();
      while (!packed.done) field.read(packed, target, depth);
    } else throw wrongWire(wire, field.name);
  }
  return target;
}

function makeField(property: Property): Field {
  const { name, type } = property;
  switch (type.form) {
    case "scalar":
      if (isSchemaCode(type.code)) {
        const { wire, read } = schemaReader(type.code);
        return {
          wire,
          name,
          packable: false,
          read(reader, target, depth) {
            target[name] = read(reader, depth + 1);
          },
        };
      }
      return scalarField(property, SCALAR_READERS[type.code]);
    case "struct": {
      const { definition } = type;
      return {
        wire: LENGTH,
        name,
        packable: false,
        read(reader, target, depth) {
          const known = target[name] as JsonObject | undefined;
          target[name] = readMessage(reader.message(), definition, known ?? {}, depth + 1);
        },
      };
    }
    case "list": {
      const element = valueReader(type.of);
      return {
        wire: element.wire,
        name,
        packable: element.wire !== LENGTH,
        read(reader, target, depth) {
          const known = target[name] as unknown[] | undefined;
          const value = element.read(reader, depth + 1);
          if (known) known.push(value);
          else target[name] = [value];
        },
      };
    }
    case "map": {
      const element = valueReader(type.of);
      return {
        wire: LENGTH,
        name,
        packable: false,
        read(reader, target, depth) {
          target[name] ??= {};
          readEntry(reader.message(), name, element, target[name] as JsonObject, depth + 1);
        },
      };
    }
  }
}

function scalarField({ name, pointer, neverOmitted }: Property, { wire, read, zero }: ScalarReader): Field {
  // Go writes zeros to the wire that it leaves out of JSON.
  const omits = !pointer && !neverOmitted && zero !== null && (wire !== LENGTH || zero === "");
  return {
    wire,
    name,
    packable: false,
    read(reader, target) {
      const value = read(reader);
      if (omits && value === zero) delete target[name];
      else target[name] = value;
    },
  };
}

/** Reads what a list or a map is made of. */
interface ValueReader {
  wire: number;
  read(reader: WireReader, depth: number): unknown;
  zero(): unknown;
}

function valueReader(type: Type): ValueReader {
  switch (type.form) {
    case "scalar": {
      if (isSchemaCode(type.code)) return schemaReader(type.code);
      const { wire, read, zero } = SCALAR_READERS[type.code];
      return { wire, read, zero: () => zero };
    }
    case "struct": {
      const { definition } = type;
      return {
        wire: LENGTH,
        read: (reader, depth) => readMessage(reader.message(), definition, {}, depth),
        zero: () => ({}),
      };
    }
    case "list":
      return nestedList(valueReader(type.of));
    case "map":
      throw new AssertionError("no kind has maps in lists or maps");
  }
}

/** The two fields of the messages for a schema or something else (apiextensions/v1/generated.proto). */
const SCHEMA_FIELDS: Record<SchemaCode, { schema: number; other: number }> = {
  u: { schema: 1, other: 2 },
  v: { schema: 2, other: 1 },
  w: { schema: 1, other: 2 },
};

/** JSONSchemaPropsOrBool and its kin: a list if there is one, else a schema, else the boolean, else null. */
function schemaReader(code: SchemaCode): ValueReader {
  const numbers = SCHEMA_FIELDS[code];
  const zero = code === "v" ? false : null;
  return {
    wire: LENGTH,
    read(reader, depth) {
      const definition = definitionNamed("^apis.apiextensions.v1.JSONSchemaProps")!;
      let schema: JsonObject | undefined;
      let allows = false;
      const list: unknown[] = [];
      const inner = reader.message();
      while (!inner.done) {
        const { number, wire } = inner.tag();
        if (number === numbers.schema && wire === LENGTH) {
          schema = readMessage(inner.message(), definition, schema ?? {}, depth + 1);
        } else if (number !== numbers.other) inner.skip(wire);
        else if (code === "v" && wire === VARINT) allows = inner.integer() !== 0;
        else if (code === "u" && wire === LENGTH) list.push(inner.text());
        else if (code === "w" && wire === LENGTH) list.push(readMessage(inner.message(), definition, {}, depth + 1));
        else throw wrongWire(wire, "schema");
      }
      return list.length > 0 ? list : (schema ?? (code === "v" ? allows : null));
    },
    zero: () => zero,
  };
}

const NESTED_ITEMS = 1;

/** Protobuf has no lists in lists or maps: a message stands between, whose first field is the list. */
function nestedList(element: ValueReader): ValueReader {
  return {
    wire: LENGTH,
    read(reader, depth) {
      const items: unknown[] = [];
      const inner = reader.message();
      while (!inner.done) {
        const { number, wire } = inner.tag();
        if (number !== NESTED_ITEMS) inner.skip(wire);
        else if (wire === element.wire) items.push(element.read(inner, depth + 1));
        else throw wrongWire(wire, "items");
      }
      return items;
    },
    zero: () => [],
  };
}

const ENTRY_KEY = 1;
const ENTRY_VALUE = 2;

function readEntry(reader: WireReader, name: string, element: ValueReader, target: JsonObject, depth: number): void {
  let key = "";
  let value: unknown;
  while (!reader.done) {
    const { number, wire } = reader.tag();
    if (number !== ENTRY_KEY && number !== ENTRY_VALUE) {
      reader.skip(wire);
      continue;
    }
    if (wire !== (number === ENTRY_KEY ? LENGTH : element.wire)) throw wrongWire(wire, name);
    if (number === ENTRY_KEY) key = reader.text();
    else value = element.read(reader, depth);
  }
  assign(target, key, value ?? element.zero());
}
