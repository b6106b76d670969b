import type { CustomKind } from "../custom/custom-kind.ts";
import { allKinds } from "../kinds.ts";
import { factsHash } from "./facts.ts";
import { type CustomVersion, OPENAPI_INFO, openapiParts } from "./openapi.ts";
import { allDiscoveryPaths } from "./openapi-discovery.ts";
import type { PathItem } from "./openapi-operations.ts";
import { type OpenApiSchema, publishedName } from "./openapi-schema.ts";

/**
 * The one OpenAPI v2 document of everything that is served. It is made from the parts of the v3 documents; what v2 cannot say
 * (defaults beside references, alternatives) is left out, as upstream leaves it out.
 */

/** To be raised when what is made of the facts changes: clients keep the document by its hash. */
const FORMAT = 2;

/** In v2, alternatives are a format of strings. */
const PLAIN: Record<string, ((schema: OpenApiSchema) => OpenApiSchema) | undefined> = {
  [publishedName("~api.resource.Quantity")]: ({ oneOf: _, ...rest }) => ({ ...rest, type: "string" }),
  [publishedName("~util.intstr.IntOrString")]: ({ oneOf: _, ...rest }) => ({ ...rest, type: "string" }),
};

const METHODS = ["get", "put", "post", "delete", "options", "head", "patch"] as const;

/** An OpenAPI v2 (Swagger 2.0) document. */
export interface OpenApiV2 {
  swagger: "2.0";
  info: { title: string; version: string };
  paths: Record<string, Record<string, unknown>>;
  /** What many operations have in common, by names of our own. */
  parameters: Record<string, Record<string, unknown>>;
  definitions: Record<string, OpenApiSchema>;
  securityDefinitions: Record<string, Record<string, string>>;
  security: Record<string, string[]>[];
}

/** A hash of the document, for its ETag. */
export const openapiV2Hash = (custom: readonly CustomVersion[] = []): string =>
  factsHash(
    `${FORMAT} v2 ${custom.map(({ group, version, revision }) => `${group}/${version} ${revision}`).join(" ")}`,
  );

/** The document, with all custom kinds. It is large, and made anew on each call: keep what is made of it. */
export function openapiV2(custom: readonly CustomKind[] = []): OpenApiV2 {
  const { paths, schemas, customSchemas } = openapiParts(allKinds(), custom, "v2", allDiscoveryPaths());
  const parameters = new Parameters();
  return {
    swagger: "2.0",
    info: OPENAPI_INFO,
    paths: mapValues(paths, (item) => pathItem(item, parameters)),
    definitions: {
      ...mapEntries(schemas, (schema, name) => PLAIN[name]?.(schema) ?? plainSchema(schema)),
      ...customSchemas,
    },
    parameters: parameters.shared(),
    securityDefinitions: {
      BearerToken: { type: "apiKey", description: "Bearer Token authentication", name: "authorization", in: "header" },
    },
    security: [{ BearerToken: [] }],
  };
}

/** Parameters that are the same in many operations are written once. */
class Parameters {
  readonly #names = new Map<object, string>();
  readonly #taken = new Map<string, number>();

  /** A reference to the parameter. */
  refer(parameter: V3Parameter): { $ref: string } {
    let name = this.#names.get(parameter);
    if (name === undefined) {
      const count = (this.#taken.get(parameter.name) ?? 0) + 1;
      this.#taken.set(parameter.name, count);
      name = count === 1 ? parameter.name : `${parameter.name}-${count}`;
      this.#names.set(parameter, name);
    }
    return { $ref: `#/parameters/${name}` };
  }

  shared(): Record<string, Record<string, unknown>> {
    return Object.fromEntries(
      [...this.#names].map(([parameter, name]) => [name, plainParameter(parameter as V3Parameter)]),
    );
  }
}

const mapEntries = <A, B>(object: Record<string, A>, change: (value: A, key: string) => B): Record<string, B> =>
  Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value, key)]));
const mapValues = <A, B>(object: Record<string, A>, change: (value: A) => B): Record<string, B> =>
  Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));

/** A schema as v2 has it: references are alone or beside extensions, and point elsewhere. */
function plainSchema(schema: OpenApiSchema): OpenApiSchema {
  const { allOf, default: _default, enum: _enum, $ref, properties, items, additionalProperties, ...rest } = schema;
  const target = $ref ?? (allOf as OpenApiSchema[] | undefined)?.[0]?.["$ref"];
  return {
    ...rest,
    ...(target !== undefined && { $ref: (target as string).replace("#/components/schemas/", "#/definitions/") }),
    ...(properties !== undefined && {
      properties: mapValues(properties as Record<string, OpenApiSchema>, plainSchema),
    }),
    ...(items !== undefined && { items: plainSchema(items as OpenApiSchema) }),
    ...(additionalProperties !== undefined && {
      additionalProperties: plainSchema(additionalProperties as OpenApiSchema),
    }),
  };
}

interface Content {
  content?: Record<string, { schema: OpenApiSchema }>;
}
interface V3Parameter {
  readonly name: string;
  readonly in: string;
  readonly schema: OpenApiSchema;
}
interface Operation {
  parameters?: V3Parameter[];
  requestBody?: Content & { required?: boolean };
  responses: Record<string, Content & { description: string }>;
  [field: string]: unknown;
}

function pathItem(item: PathItem, parameters: Parameters): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const method of METHODS) if (item[method]) result[method] = operation(item[method] as Operation, parameters);
  const own = item["parameters"] as V3Parameter[] | undefined;
  if (own) result["parameters"] = own.map((parameter) => parameters.refer(parameter));
  return result;
}

/** The parameter's type stands beside its name. */
const plainParameter = ({ schema, ...rest }: V3Parameter) => ({ ...rest, ...schema });

const schemaOfContent = ({ content }: Content): OpenApiSchema | undefined => {
  const [first] = Object.values(content ?? {});
  return first && plainSchema(first.schema);
};

function operation(
  { parameters = [], requestBody, responses, ...rest }: Operation,
  shared: Parameters,
): Record<string, unknown> {
  const body = requestBody && {
    name: "body",
    in: "body",
    ...(requestBody.required && { required: true }),
    schema: schemaOfContent(requestBody),
  };
  const all = [...(body ? [body] : []), ...parameters.map((parameter) => shared.refer(parameter))];
  const produces = Object.keys(responses["200"]?.content ?? {});
  // Discovery takes what it gives; of what it does not look at, anything.
  const consumes = requestBody
    ? Object.keys(requestBody.content ?? {})
    : rest["x-kubernetes-action"]
      ? ["*/*"]
      : produces;
  return {
    ...rest,
    consumes,
    produces,
    schemes: ["https"],
    ...(all.length > 0 && { parameters: all }),
    responses: mapValues(responses, (response) => {
      const schema = schemaOfContent(response);
      return { description: response.description, ...(schema && { schema }) };
    }),
  };
}
