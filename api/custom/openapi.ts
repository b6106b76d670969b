import { isObject } from "../json-value.ts";
import type { KindInfo } from "../kind.ts";
import { type OpenApiSchema, publishedName } from "../schema/openapi-schema.ts";
import type { CustomKind } from "./custom-kind.ts";
import type { JsonSchema } from "./definition.ts";
import { isIntOrString } from "./structural-rules.ts";

/** What upstream publishes of custom kinds (k8s.io/apiextensions-apiserver/pkg/controller/openapi/builder). */

export type OpenApiVersion = "v2" | "v3";

/** `com.example.stable.v1.CronTab`: how documents name the schema of a custom kind. */
export const modelName = ({ group, version, kind }: Pick<KindInfo, "group" | "version" | "kind">): string =>
  `${group.split(".").reverse().join(".")}.${version}.${kind}`;

const PREFIX: Record<OpenApiVersion, string> = { v2: "#/definitions/", v3: "#/components/schemas/" };

/** The schemas of the kind and of its list, by name. They refer to metav1.ObjectMeta and metav1.ListMeta. */
export function openapiSchemas(custom: CustomKind, openapi: OpenApiVersion): Record<string, OpenApiSchema> {
  const { info, listKind, schema } = custom;
  const listName = modelName({ ...info, kind: listKind });
  const fields = custom.selectablePaths.map((fieldPath) => ({ fieldPath }));
  const extensions = (kind: string) => ({
    "x-kubernetes-group-version-kind": [{ group: info.group, kind, version: info.version }],
    ...(fields.length > 0 && { "x-kubernetes-selectable-fields": fields }),
  });
  return {
    [modelName(info)]: { ...rootSchema(schema, openapi), ...extensions(info.kind) },
    [listName]: {
      description: `${listKind} is a list of ${info.kind}`,
      type: "object",
      required: ["items"],
      properties: {
        apiVersion: { type: "string" },
        items: {
          description: `List of ${info.resource}. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md`,
          type: "array",
          items: { $ref: PREFIX[openapi] + modelName(info) },
        },
        kind: { type: "string" },
        metadata: metaRef("~apis.meta.v1.ListMeta", openapi),
      },
      ...extensions(listKind),
    },
  };
}

/** Beside a reference v3 heeds nothing else. */
function metaRef(name: string, openapi: OpenApiVersion): OpenApiSchema {
  const reference = { $ref: PREFIX[openapi] + publishedName(name) };
  return openapi === "v3" ? { allOf: [reference] } : reference;
}

const typeFields = (openapi: OpenApiVersion): Record<string, OpenApiSchema> => ({
  apiVersion: { type: "string" },
  kind: { type: "string" },
  metadata: metaRef("~apis.meta.v1.ObjectMeta", openapi),
});

function rootSchema(schema: JsonSchema | undefined, openapi: OpenApiVersion): OpenApiSchema {
  // With properties clients would refuse every other field; v2 cannot say that there may be more.
  const isOpen = schema?.["x-kubernetes-preserve-unknown-fields"] === true;
  if (!schema || (openapi === "v2" && isOpen)) return { type: "object" };
  const { properties = {}, ...rest } = publish(schema, openapi) as { properties?: Record<string, OpenApiSchema> };
  return { ...rest, properties: { ...properties, ...typeFields(openapi) } };
}

const publishAll = (schemas: Record<string, JsonSchema>, openapi: OpenApiVersion): Record<string, OpenApiSchema> =>
  Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, publish(schema, openapi)]));

function publish(schema: JsonSchema, openapi: OpenApiVersion): OpenApiSchema {
  const { properties, items, additionalProperties, ...rest } = openapi === "v2" ? plain(schema) : unfolded(schema);
  const published: OpenApiSchema = {
    ...rest,
    ...(isObject(items) && { items: publish(items as JsonSchema, openapi) }),
    ...(properties && { properties: publishAll(properties, openapi) }),
    ...(additionalProperties !== undefined && {
      additionalProperties: isObject(additionalProperties)
        ? publish(additionalProperties as JsonSchema, openapi)
        : additionalProperties,
    }),
  };
  const isOpen = schema["x-kubernetes-preserve-unknown-fields"] === true;
  if (!schema["x-kubernetes-embedded-resource"] || (openapi === "v2" && isOpen)) return published;
  const required = (published["required"] as string[] | undefined) ?? [];
  return {
    ...published,
    required: [...required, ...["kind", "apiVersion"].filter((name) => !required.includes(name))],
    properties: { ...(published["properties"] as object | undefined), ...typeFields(openapi) },
  };
}

const INT_OR_STRING: JsonSchema[] = [{ type: "integer" }, { type: "string" }];

/** An int-or-string says so in words that every reader of OpenAPI understands. */
function unfolded(schema: JsonSchema): JsonSchema {
  if (!schema["x-kubernetes-int-or-string"]) return schema;
  if (isIntOrString(schema.anyOf) || isIntOrString(schema.allOf?.[0]?.anyOf)) return schema;
  if (!schema.anyOf) return { ...schema, anyOf: INT_OR_STRING };
  return { ...schema, allOf: [{ anyOf: INT_OR_STRING }, ...(schema.allOf ?? [])] };
}

/** Without what v2 cannot say, and what kubectl cannot read in v2 (pkg/controller/openapi/v2). */
function plain(schema: JsonSchema): JsonSchema {
  const { allOf: _, oneOf: __, anyOf: ___, not: ____, default: _____, nullable, ...rest } = schema;
  const isOpen = rest["x-kubernetes-preserve-unknown-fields"] === true;
  if (nullable || isOpen) {
    delete rest.items;
    delete rest.properties;
  }
  const { type, items, properties = {}, additionalProperties } = rest;
  if (nullable || (type === "array" && items === undefined) || (isOpen && type === "object")) delete rest.type;
  const isNullable = (name: string) => Object.hasOwn(properties, name) && properties[name]!.nullable === true;
  const required = rest.required?.filter((name) => !isNullable(name)) ?? [];
  const nullableValues = isObject(additionalProperties) && (additionalProperties as JsonSchema).nullable === true;
  if (required.length === 0 || nullableValues) delete rest.required;
  else rest.required = required;
  return rest;
}
