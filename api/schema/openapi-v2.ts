import { allKinds } from "../kinds.ts";
import { factsHash } from "./facts.ts";
import { openapiParts } from "./openapi.ts";
import type { PathItem } from "./openapi-paths.ts";
import { type OpenApiSchema, publishedName } from "./openapi-schema.ts";

/**
 * The one OpenAPI v2 document of everything that is served. It is made from the parts of the v3 documents; what v2 cannot say
 * (defaults beside references, alternatives) is left out, as upstream leaves it out.
 */

/** To be raised when what is made of the facts changes: clients keep the document by its hash. */
const FORMAT = 1;

/** In v2, alternatives are a format of strings. */
const PLAIN: Record<string, OpenApiSchema> = {
  [publishedName("~api.resource.Quantity")]: { type: "string" },
  [publishedName("~util.intstr.IntOrString")]: { type: "string", format: "int-or-string" },
};

const METHODS = ["get", "put", "post", "delete", "options", "head", "patch"] as const;
const PRODUCES = ["application/json", "application/yaml"];

/** An OpenAPI v2 (Swagger 2.0) document. */
export interface OpenApiV2 {
  swagger: "2.0";
  info: { title: string; version: string };
  paths: Record<string, Record<string, unknown>>;
  definitions: Record<string, OpenApiSchema>;
  securityDefinitions: Record<string, Record<string, string>>;
  security: Record<string, string[]>[];
}

/** A hash of the document, for its ETag. */
export const openapiV2Hash = (): string => factsHash(`${FORMAT} v2`);

/** The document. It is large, and made anew on each call: keep what is made of it. */
export function openapiV2(): OpenApiV2 {
  const { paths, schemas } = openapiParts(allKinds());
  return {
    swagger: "2.0",
    info: { title: "Kubernetes", version: "v1.36.0" },
    paths: mapValues(paths, pathItem),
    definitions: Object.fromEntries(
      Object.entries(schemas).map(([name, schema]) => [name, PLAIN[name] ?? plainSchema(schema)]),
    ),
    securityDefinitions: {
      BearerToken: { type: "apiKey", description: "Bearer Token authentication", name: "authorization", in: "header" },
    },
    security: [{ BearerToken: [] }],
  };
}

const mapValues = <A, B>(object: Record<string, A>, change: (value: A) => B): Record<string, B> =>
  Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));

/** A schema as v2 has it: references are alone or beside extensions, and point elsewhere. */
function plainSchema(schema: OpenApiSchema): OpenApiSchema {
  const { allOf, default: _, $ref, properties, items, additionalProperties, ...rest } = schema;
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
interface Operation {
  parameters?: { schema: OpenApiSchema }[];
  requestBody?: Content & { required?: boolean };
  responses: Record<string, Content & { description: string }>;
  [field: string]: unknown;
}

function pathItem(item: PathItem): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const method of METHODS) if (item[method]) result[method] = operation(item[method] as Operation);
  result["parameters"] = (item["parameters"] as { schema: OpenApiSchema }[]).map(parameter);
  return result;
}

/** The parameter's type stands beside its name. */
const parameter = ({ schema, ...rest }: { schema: OpenApiSchema }) => ({ ...rest, ...schema });

const schemaOfContent = ({ content }: Content): OpenApiSchema | undefined => {
  const [first] = Object.values(content ?? {});
  return first && plainSchema(first.schema);
};

function operation({ parameters = [], requestBody, responses, ...rest }: Operation): Record<string, unknown> {
  const body = requestBody && {
    name: "body",
    in: "body",
    ...(requestBody.required && { required: true }),
    schema: schemaOfContent(requestBody),
  };
  return {
    ...rest,
    consumes: requestBody ? Object.keys(requestBody.content ?? {}) : ["*/*"],
    produces: PRODUCES,
    schemes: ["https"],
    parameters: [...(body ? [body] : []), ...parameters.map(parameter)],
    responses: mapValues(responses, (response) => {
      const schema = schemaOfContent(response);
      return { description: response.description, ...(schema && { schema }) };
    }),
  };
}
