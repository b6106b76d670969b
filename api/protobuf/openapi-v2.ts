import type { OpenApiV2 } from "../schema/openapi-v2.ts";
import { WireWriter } from "./wire-writer.ts";

/**
 * OpenAPI v2 documents in the protobuf form of gnostic (openapi.v2.Document), which client-go asks for. The tables have the
 * fields that our documents have; their numbers are those of gnostic's OpenAPIv2.proto.
 */

/** Writes one field of a message. */
type Write = (writer: WireWriter, number: number, value: any) => void;

interface Message {
  fields: Record<string, [number: number, write: Write]>;
  /** The number of the list of `x-…` fields. */
  extensions?: number;
}

const text: Write = (writer, number, value: string) => writer.text(number, value);
const boolean: Write = (writer, number, value: boolean) => writer.integer(number, value);
const each =
  (write: Write): Write =>
  (writer, number, values: unknown[]) => {
    for (const value of values) write(writer, number, value);
  };
const texts = each(text);

/** A message within; `find` is asked late, as messages may contain themselves. */
const message =
  (find: () => Message): Write =>
  (writer, number, value: Record<string, unknown>) =>
    writer.message(number, (inner) => writeMessage(inner, find(), value));

/** A message whose one field has the value: gnostic's way to write alternatives and lists. */
const wrapped =
  (innerNumber: number, write: Write): Write =>
  (writer, number, value) =>
    writer.message(number, (inner) => write(inner, innerNumber, value));

/** A map: pairs of a name and a value. */
const pairs =
  (write: Write): Write =>
  (writer, number, values: Record<string, unknown>) => {
    for (const [name, value] of Object.entries(values)) {
      writer.message(number, (pair) => {
        pair.text(1, name);
        write(pair, 2, value);
      });
    }
  };
const named = (write: Write): Write => wrapped(1, pairs(write));

/** Anything: as YAML, of which JSON is a part. */
const any: Write = (writer, number, value) =>
  writer.message(number, (inner) => inner.text(2, typeof value === "string" ? value : JSON.stringify(value)));
const extensions = pairs(any);

function writeMessage(writer: WireWriter, { fields, extensions: at }: Message, value: Record<string, unknown>): void {
  const extended: Record<string, unknown> = {};
  for (const [name, inner] of Object.entries(value)) {
    const field = fields[name];
    if (field) field[1](writer, field[0], inner);
    else if (name.startsWith("x-")) extended[name] = inner;
  }
  if (at !== undefined) extensions(writer, at, extended);
}

const schema = message(() => SCHEMA);
const SCHEMA: Message = {
  fields: {
    $ref: [1, text],
    format: [2, text],
    description: [4, text],
    required: [19, texts],
    additionalProperties: [21, wrapped(1, schema)],
    type: [22, wrapped(1, text)],
    items: [23, wrapped(1, schema)],
    properties: [25, named(schema)],
  },
  extensions: 31,
};

const BODY_PARAMETER: Message = {
  fields: { description: [1, text], name: [2, text], in: [3, text], required: [4, boolean], schema: [5, schema] },
};
const QUERY_PARAMETER: Message = {
  fields: {
    required: [1, boolean],
    in: [2, text],
    description: [3, text],
    name: [4, text],
    type: [6, text],
    format: [7, text],
    uniqueItems: [20, boolean],
  },
};
const PATH_PARAMETER: Message = {
  fields: {
    required: [1, boolean],
    in: [2, text],
    description: [3, text],
    name: [4, text],
    type: [5, text],
    format: [6, text],
    uniqueItems: [19, boolean],
  },
};

/** ParametersItem.parameter, within it one of Parameter's alternatives, by where the parameter is. */
const PARAMETERS: Record<string, Write> = {
  body: wrapped(
    1,
    wrapped(
      1,
      message(() => BODY_PARAMETER),
    ),
  ),
  query: wrapped(
    1,
    wrapped(
      2,
      wrapped(
        3,
        message(() => QUERY_PARAMETER),
      ),
    ),
  ),
  path: wrapped(
    1,
    wrapped(
      2,
      wrapped(
        4,
        message(() => PATH_PARAMETER),
      ),
    ),
  ),
};
const parameters = each((writer, number, value: { in: string }) => PARAMETERS[value.in]?.(writer, number, value));

const RESPONSE: Message = { fields: { description: [1, text], schema: [2, wrapped(1, schema)] } };

const OPERATION: Message = {
  fields: {
    tags: [1, texts],
    description: [3, text],
    operationId: [5, text],
    produces: [6, texts],
    consumes: [7, texts],
    parameters: [8, parameters],
    responses: [
      9,
      named(
        wrapped(
          1,
          message(() => RESPONSE),
        ),
      ),
    ],
    schemes: [10, texts],
  },
  extensions: 13,
};
const operation = message(() => OPERATION);

const PATH_ITEM: Message = {
  fields: {
    get: [2, operation],
    put: [3, operation],
    post: [4, operation],
    delete: [5, operation],
    options: [6, operation],
    head: [7, operation],
    patch: [8, operation],
    parameters: [9, parameters],
  },
};

const INFO: Message = { fields: { title: [1, text], version: [2, text] } };
const API_KEY: Message = { fields: { type: [1, text], name: [2, text], in: [3, text], description: [4, text] } };

const DOCUMENT: Message = {
  fields: {
    swagger: [1, text],
    info: [2, message(() => INFO)],
    paths: [8, wrapped(2, pairs(message(() => PATH_ITEM)))],
    definitions: [9, named(schema)],
    security: [12, each(named(wrapped(1, texts)))],
    securityDefinitions: [
      13,
      named(
        wrapped(
          2,
          message(() => API_KEY),
        ),
      ),
    ],
  },
};

/** The document's bytes. */
export function encodeOpenApiV2(document: OpenApiV2): Uint8Array {
  const writer = new WireWriter();
  writeMessage(writer, DOCUMENT, { ...document });
  return writer.finish();
}
