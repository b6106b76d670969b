import type { JsonSchema } from "../custom/definition.ts";
import { isObject } from "../json-value.ts";
import { fail } from "./cel-error.ts";
import type { Declared } from "./declared.ts";
import { escapeIdentifier, unescapeIdentifier } from "./identifier.ts";
import { fromJson, JsonList, JsonMap, ListMap, ListSet } from "./json-values.ts";
import { parseDate, parseDuration, parseTimestamp } from "./time.ts";
import * as T from "./types.ts";
import type { CelValue } from "./values.ts";

/** Of the largest request, in bytes (MaxRequestSizeBytes). */
export const REQUEST_BYTES_MAX = 3 * 1024 * 1024;

/** In bytes of JSON, quotation marks included. */
const TIME_BYTES_MAX = 32;
const DATE_BYTES = 12;
const TIME_BYTES_MIN = 21;
const DURATION_BYTES_MIN = 3;

/**
 * A structural schema as a declaration, under the name that its struct types are to have: `self`, `self.spec`, `self.list.@idx`.
 * Undefined where expressions cannot see such data. At the root of a resource apiVersion, kind, metadata.name and metadata.generateName
 * are always there (k8s.io/apiserver/pkg/cel/common SchemaDeclType).
 */
export function declaredOfStructural(
  schema: JsonSchema,
  { name, isResourceRoot }: { readonly name: string; readonly isResourceRoot: boolean },
): Declared | undefined {
  if (schema["x-kubernetes-int-or-string"]) return intOrString(schema);
  const rooted = isResourceRoot ? withTypeAndObjectMeta(schema) : schema;
  switch (rooted.type) {
    case "array":
      return arrayOf(rooted, name);
    case "object":
      return isObject(rooted.additionalProperties) ? mapOf(rooted, name) : objectOf(rooted, name);
    case "string":
      return stringOf(rooted);
    case "boolean":
      return scalar(rooted, T.BOOL, 4, (json) => (typeof json === "boolean" ? json : wrong("bool", json)));
    case "number":
      return scalar(rooted, T.DOUBLE, 1, (json) => (typeof json === "number" ? json : wrong("float", json)));
    case "integer":
      return scalar(rooted, T.INT, 1, (json) => (Number.isInteger(json) ? BigInt(json as number) : wrong("int", json)));
    default:
      return undefined;
  }
}

const wrong = (expected: string, json: unknown): never =>
  fail(`invalid data, expected ${expected}, got ${typeof json}`);

type Read = (json: unknown) => CelValue;

/** A null is a value where the schema allows it. */
const nullable =
  (schema: JsonSchema, read: Read): Read =>
  (json) => {
    if (json !== null && json !== undefined) return read(json);
    return schema.nullable ? null : fail("invalid data, got null for schema with nullable=false");
  };

const scalar = (
  schema: JsonSchema,
  type: T.CelType,
  minSerializedSize: number,
  read: Read,
  maxElements = 0,
): Declared => ({
  type,
  read: nullable(schema, read),
  maxElements,
  minSerializedSize,
});

const lengthOf = (schema: JsonSchema): number | undefined =>
  schema.maxLength === undefined ? undefined : Math.max(0, schema.maxLength);

/** Code points are up to four bytes. */
const bytesOf = (schema: JsonSchema): number => 4 * lengthOf(schema)!;

function intOrString(schema: JsonSchema): Declared {
  const read: Read = (json) => {
    if (typeof json === "string") return json;
    return Number.isInteger(json)
      ? BigInt(json as number)
      : fail("invalid data, expected XIntOrString value to be either a string or integer");
  };
  const max = schema.maxLength === undefined ? REQUEST_BYTES_MAX - 2 : bytesOf(schema);
  return scalar(schema, T.DYN, 1, read, max);
}

const text = (json: unknown): string => (typeof json === "string" ? json : wrong("string", json));

function stringOf(schema: JsonSchema): Declared {
  switch (schema.format) {
    case "byte": {
      const read: Read = (json) => base64(text(json));
      return scalar(schema, T.BYTES, 2, read, lengthOf(schema) ?? REQUEST_BYTES_MAX - 2);
    }
    case "duration":
      return scalar(schema, T.DURATION, DURATION_BYTES_MIN, (json) => duration(text(json)), TIME_BYTES_MAX);
    case "date":
      return scalar(schema, T.TIMESTAMP, DATE_BYTES, (json) => date(text(json)), DATE_BYTES);
    case "date-time":
      return scalar(schema, T.TIMESTAMP, TIME_BYTES_MIN, (json) => dateTime(text(json)), TIME_BYTES_MAX);
  }
  return scalar(schema, T.STRING, 2, text, longestString(schema));
}

function longestString(schema: JsonSchema): number {
  if (schema.maxLength !== undefined) return bytesOf(schema);
  const encoder = new TextEncoder();
  const lengths = (schema.enum ?? []).map((value) => (typeof value === "string" ? encoder.encode(value).length : 0));
  return lengths.length > 0 ? lengths.reduce((a, b) => Math.max(a, b)) : REQUEST_BYTES_MAX - 2;
}

function base64(encoded: string): Uint8Array {
  try {
    return Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0));
  } catch {
    return fail(`Invalid byte formatted string ${encoded}: illegal base64 data`);
  }
}

const SPOKEN = /(\d{1,18})\s*([A-Za-zµ]+)/g;
const SPOKEN_UNITS: readonly (readonly [RegExp, bigint])[] = [
  [/^(?:ns|nano.*)$/i, 1n],
  [/^(?:us|µs|micro.*)$/i, 1_000n],
  [/^(?:ms|milli.*)$/i, 1_000_000n],
  [/^(?:s|sec.*)$/i, 1_000_000_000n],
  [/^(?:m|min.*)$/i, 60_000_000_000n],
  [/^(?:h|hr|hour.*)$/i, 3_600_000_000_000n],
  [/^(?:d|day.*)$/i, 86_400_000_000_000n],
  [/^(?:w|wk|week.*)$/i, 604_800_000_000_000n],
];

/** `1h30m`, and what the format accepts besides: `2 days`. */
function duration(given: string): CelValue {
  const parsed = parseDuration(given);
  if (parsed) return parsed;
  let nanos: bigint | undefined;
  for (const [, factor, unit] of given.matchAll(SPOKEN)) {
    const scale = SPOKEN_UNITS.find(([pattern]) => pattern.test(unit!))?.[1];
    if (scale !== undefined) nanos = (nanos ?? 0n) + BigInt(factor!) * scale;
  }
  if (nanos === undefined) return fail(`Invalid duration ${given}: unable to parse ${given} as duration`);
  return parseDuration(`${nanos}ns`) ?? fail(`Invalid duration ${given}: out of range`);
}

const date = (given: string): CelValue => parseDate(given) ?? fail(`Invalid date formatted string ${given}`);

/** RFC 3339, or without a zone; an empty text is the beginning of 1970. */
const dateTime = (given: string): CelValue =>
  parseTimestamp(given || "1970-01-01T00:00:00Z") ??
  (given.includes(".") ? undefined : parseTimestamp(`${given}Z`)) ??
  fail(`Invalid date-time formatted string ${given}`);

const sizeMax = (given: number | undefined, smallest: number): number =>
  given === undefined ? Math.floor((REQUEST_BYTES_MAX - 2) / smallest) : Math.max(0, given);

function arrayOf(schema: JsonSchema, name: string): Declared | undefined {
  const items = schema.items;
  if (!isObject(items)) return undefined;
  const elements = declaredOfStructural(items as JsonSchema, {
    name: `${name}.@idx`,
    isResourceRoot: (items as JsonSchema)["x-kubernetes-embedded-resource"] === true,
  });
  if (!elements) return undefined;
  const wrap = listReader(schema, elements);
  return {
    type: T.listOf(elements.type),
    read: nullable(schema, (json) =>
      Array.isArray(json)
        ? wrap(json)
        : fail("invalid data, expected an array for the provided schema with type=array"),
    ),
    maxElements: sizeMax(schema.maxItems, (elements.minSerializedSize ?? 0) + 1),
    minSerializedSize: 2,
    elements,
  };
}

function listReader(schema: JsonSchema, elements: Declared): (json: readonly unknown[]) => CelValue {
  const plain = (json: readonly unknown[]) => new JsonList(json, (element) => elements.read(element));
  switch (schema["x-kubernetes-list-type"]) {
    case "set":
      return (json) => new ListSet(plain(json));
    case "map": {
      const keys = (schema["x-kubernetes-list-map-keys"] ?? []).map((key) => escapeIdentifier(key) ?? key);
      return (json) => new ListMap(plain(json), keys);
    }
    default:
      return plain;
  }
}

const asObject = (json: unknown): Record<string, unknown> =>
  isObject(json) && !Array.isArray(json)
    ? (json as Record<string, unknown>)
    : fail("invalid data, expected a map for the provided schema with type=object");

/** Bytes of a key, quotation marks, a colon and a comma. */
const ENTRY_BYTES = 6;

function mapOf(schema: JsonSchema, name: string): Declared | undefined {
  const values = schema.additionalProperties as JsonSchema;
  const elements = declaredOfStructural(values, {
    name: `${name}.@elem`,
    isResourceRoot: values["x-kubernetes-embedded-resource"] === true,
  });
  if (!elements) return undefined;
  return {
    type: T.mapOf(T.STRING, elements.type),
    read: nullable(schema, (json) => new JsonMap(asObject(json), { read: (value) => elements.read(value) })),
    maxElements: sizeMax(schema.maxProperties, (elements.minSerializedSize ?? 0) + ENTRY_BYTES),
    minSerializedSize: 2,
    keys: { type: T.STRING, read: fromJson, maxElements: 0, minSerializedSize: 2 },
    elements,
  };
}

/** Fields are declared when they are first asked for: a rule looks at few of them. */
function objectOf(schema: JsonSchema, name: string): Declared {
  const { properties = {} } = schema;
  const known = new Map<string, Declared | undefined>();
  const property = (key: string): Declared | undefined => {
    if (known.has(key)) return known.get(key);
    const child = Object.hasOwn(properties, key) ? properties[key]! : undefined;
    const declared =
      child &&
      declaredOfStructural(child, {
        name: `${name}.${escapeIdentifier(key) ?? key}`,
        isResourceRoot: child["x-kubernetes-embedded-resource"] === true,
      });
    known.set(key, declared);
    return declared;
  };
  return {
    type: T.structNamed(name),
    read: nullable(schema, (json) => new JsonMap(asObject(json), { field: property })),
    maxElements: 0,
    get minSerializedSize() {
      return smallestObject(schema, property);
    },
    field: (field) => {
      const key = unescapeIdentifier(field);
      // Of the spellings that mean a property only the escaped one is its name.
      return key !== undefined && escapeIdentifier(key) === field ? property(key) : undefined;
    },
  };
}

/** `{}` and the required properties that have no default. */
function smallestObject(schema: JsonSchema, property: (key: string) => Declared | undefined): number {
  let size = 2;
  for (const key of new Set(schema.required ?? [])) {
    const declared = property(key);
    const hasDefault = (schema.properties?.[key]?.default ?? undefined) !== undefined;
    if (declared && !hasDefault) size += new TextEncoder().encode(key).length + (declared.minSerializedSize ?? 0) + 4;
  }
  return size;
}

function withTypeAndObjectMeta(schema: JsonSchema): JsonSchema {
  const string: JsonSchema = { type: "string" };
  const { kind, apiVersion, metadata } = schema.properties ?? {};
  const complete =
    kind?.type === "string" &&
    apiVersion?.type === "string" &&
    metadata?.type === "object" &&
    metadata.properties?.["name"]?.type === "string" &&
    metadata.properties?.["generateName"]?.type === "string";
  if (complete) return schema;
  const meta: JsonSchema = { type: "object", properties: { name: string, generateName: string } };
  return { ...schema, properties: { ...schema.properties, kind: string, apiVersion: string, metadata: meta } };
}
