import {
  any,
  boolean,
  double,
  each,
  integer,
  type Message,
  message,
  named,
  orBoolean,
  pairs,
  text,
  texts,
  type Write,
  wrapped,
  writeMessage,
} from "./gnostic.ts";
import { WireWriter } from "./wire-writer.ts";

/**
 * OpenAPI v3 documents in the protobuf form of gnostic (openapi.v3.Document), in which kubectl asks for them. The tables have the
 * fields that our documents and structural schemas have; their numbers are those of gnostic's OpenAPIv3.proto.
 */

const REFERENCE: Message = { fields: { $ref: [1, text] } };
const reference = message(() => REFERENCE);

/** SchemaOrReference. */
const schema: Write = (writer, number, value: { $ref?: string }) =>
  (value.$ref ? wrapped(2, reference) : wrapped(1, bareSchema))(writer, number, value);
const bareSchema = message(() => SCHEMA);

const DEFAULT_TYPES: Record<string, readonly [number, Write] | undefined> = {
  number: [1, double],
  boolean: [2, boolean],
  string: [3, text],
};

/** DefaultType has numbers, booleans and texts alone; of anything else gnostic tells that it is there, and not what it is. */
const fallback: Write = (writer, number, value) => {
  const [innerNumber, write] = DEFAULT_TYPES[typeof value] ?? [];
  writer.message(number, (inner) => write?.(inner, innerNumber!, value));
};

const SCHEMA: Message = {
  fields: {
    nullable: [1, boolean],
    example: [7, any],
    title: [9, text],
    multipleOf: [10, double],
    maximum: [11, double],
    exclusiveMaximum: [12, boolean],
    minimum: [13, double],
    exclusiveMinimum: [14, boolean],
    maxLength: [15, integer],
    minLength: [16, integer],
    pattern: [17, text],
    maxItems: [18, integer],
    minItems: [19, integer],
    uniqueItems: [20, boolean],
    maxProperties: [21, integer],
    minProperties: [22, integer],
    required: [23, texts],
    enum: [24, each(any)],
    type: [25, text],
    allOf: [26, each(schema)],
    oneOf: [27, each(schema)],
    anyOf: [28, each(schema)],
    not: [29, bareSchema],
    items: [30, wrapped(1, schema)],
    properties: [31, named(schema)],
    additionalProperties: [32, orBoolean(schema)],
    default: [33, fallback],
    description: [34, text],
    format: [35, text],
  },
  extensions: 36,
};

const MEDIA_TYPE: Message = { fields: { schema: [1, schema] } };
const contents = named(message(() => MEDIA_TYPE));

const PARAMETER: Message = {
  fields: { name: [1, text], in: [2, text], description: [3, text], required: [4, boolean], schema: [10, schema] },
};
/** ParameterOrReference. */
const parameters = each(
  wrapped(
    1,
    message(() => PARAMETER),
  ),
);
const REQUEST_BODY: Message = { fields: { content: [2, contents], required: [3, boolean] } };
const RESPONSE: Message = { fields: { description: [1, text], content: [3, contents] } };

/** Responses: pairs of a code and a ResponseOrReference. */
const response = pairs(
  wrapped(
    1,
    message(() => RESPONSE),
  ),
);
const responses: Write = (writer, number, value) => writer.message(number, (inner) => response(inner, 2, value));

const OPERATION: Message = {
  fields: {
    tags: [1, texts],
    description: [3, text],
    operationId: [5, text],
    parameters: [6, parameters],
    requestBody: [
      7,
      wrapped(
        1,
        message(() => REQUEST_BODY),
      ),
    ],
    responses: [8, responses],
  },
  extensions: 13,
};
const operation = message(() => OPERATION);

const PATH_ITEM: Message = {
  fields: {
    get: [4, operation],
    put: [5, operation],
    post: [6, operation],
    delete: [7, operation],
    options: [8, operation],
    head: [9, operation],
    patch: [10, operation],
    parameters: [13, parameters],
  },
};

const SECURITY_SCHEME: Message = {
  fields: { type: [1, text], description: [2, text], name: [3, text], in: [4, text] },
};
const COMPONENTS: Message = {
  fields: {
    schemas: [1, named(schema)],
    securitySchemes: [
      7,
      named(
        wrapped(
          1,
          message(() => SECURITY_SCHEME),
        ),
      ),
    ],
  },
};

const INFO: Message = { fields: { title: [1, text], version: [6, text] } };

const DOCUMENT: Message = {
  fields: {
    openapi: [1, text],
    info: [2, message(() => INFO)],
    paths: [4, named(message(() => PATH_ITEM))],
    components: [5, message(() => COMPONENTS)],
  },
};

/** The bytes of a document, given as its JSON text. */
export function encodeOpenApiV3(json: string): Uint8Array<ArrayBuffer> {
  const writer = new WireWriter();
  writeMessage(writer, DOCUMENT, JSON.parse(json) as Record<string, unknown>);
  return writer.finish();
}
