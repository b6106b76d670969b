import type { OpenApiV2 } from "../schema/openapi-v2.ts";
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
 * OpenAPI v2 documents in the protobuf form of gnostic (openapi.v2.Document), which client-go asks for. The tables have the
 * fields that our documents have; their numbers are those of gnostic's OpenAPIv2.proto.
 */

const schema = message(() => SCHEMA);
const SCHEMA: Message = {
  fields: {
    $ref: [1, text],
    format: [2, text],
    title: [3, text],
    description: [4, text],
    default: [5, any],
    multipleOf: [6, double],
    maximum: [7, double],
    exclusiveMaximum: [8, boolean],
    minimum: [9, double],
    exclusiveMinimum: [10, boolean],
    maxLength: [11, integer],
    minLength: [12, integer],
    pattern: [13, text],
    maxItems: [14, integer],
    minItems: [15, integer],
    uniqueItems: [16, boolean],
    maxProperties: [17, integer],
    minProperties: [18, integer],
    required: [19, texts],
    enum: [20, each(any)],
    additionalProperties: [21, orBoolean(schema)],
    type: [22, wrapped(1, text)],
    items: [23, wrapped(1, schema)],
    allOf: [24, each(schema)],
    properties: [25, named(schema)],
    example: [30, any],
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

/** Parameter: one of its alternatives, by where the parameter is. */
const PARAMETERS: Record<string, Write> = {
  body: wrapped(
    1,
    message(() => BODY_PARAMETER),
  ),
  query: wrapped(
    2,
    wrapped(
      3,
      message(() => QUERY_PARAMETER),
    ),
  ),
  path: wrapped(
    2,
    wrapped(
      4,
      message(() => PATH_PARAMETER),
    ),
  ),
};
const parameter: Write = (writer, number, value: { in: string }) => PARAMETERS[value.in]?.(writer, number, value);
const REFERENCE: Message = { fields: { $ref: [1, text] } };
const reference = message(() => REFERENCE);
/** ParametersItem: a parameter, or where it stands. */
const parameters = each((writer, number, value: { $ref?: string }) =>
  (value.$ref ? wrapped(2, reference) : wrapped(1, parameter))(writer, number, value),
);

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
    parameters: [10, named(parameter)],
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
export function encodeOpenApiV2(document: OpenApiV2): Uint8Array<ArrayBuffer> {
  const writer = new WireWriter();
  writeMessage(writer, DOCUMENT, { ...document });
  return writer.finish();
}
