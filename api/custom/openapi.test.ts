import { expect, test } from "vitest";
import { compileCustomKind } from "./compile-custom-kind.ts";
import type { CustomKind } from "./custom-kind.ts";
import type { JsonSchema } from "./definition.ts";
import { modelName, openapiSchemas } from "./openapi.ts";

const kindOf = (schema: JsonSchema | undefined): CustomKind =>
  compileCustomKind({
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "crontabs.stable.example.com" },
    spec: {
      group: "stable.example.com",
      scope: "Namespaced",
      names: { plural: "crontabs", kind: "CronTab" },
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          ...(schema && { schema: { openAPIV3Schema: schema } }),
          selectableFields: [{ jsonPath: ".spec.a" }],
        },
      ],
    },
  }).get("v1") as CustomKind;

const NAME = "com.example.stable.v1.CronTab";
const spec = (properties: Record<string, JsonSchema>, rest: JsonSchema = {}): JsonSchema => ({
  type: "object",
  properties: { spec: { type: "object", properties, ...rest } },
});
const specOf = (schema: JsonSchema, openapi: "v2" | "v3"): any =>
  (openapiSchemas(kindOf(schema), openapi)[NAME] as any).properties.spec;

test("the schema is published with its type, its metadata and its list", () => {
  const schemas = openapiSchemas(kindOf(spec({ a: { type: "string", default: "x" } })), "v3");
  expect(modelName({ group: "stable.example.com", version: "v1", kind: "CronTab" })).toBe(NAME);
  expect(schemas[NAME]).toEqual({
    type: "object",
    properties: {
      apiVersion: { type: "string" },
      kind: { type: "string" },
      metadata: { allOf: [{ $ref: "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta" }] },
      spec: { type: "object", properties: { a: { type: "string", default: "x" } } },
    },
    "x-kubernetes-group-version-kind": [{ group: "stable.example.com", kind: "CronTab", version: "v1" }],
    "x-kubernetes-selectable-fields": [{ fieldPath: "spec.a" }],
  });
  expect(schemas[`${NAME}List`]).toMatchObject({
    required: ["items"],
    properties: { items: { items: { $ref: `#/components/schemas/${NAME}` } } },
  });
});

test("an int-or-string says both types in v3", () => {
  const both = [{ type: "integer" }, { type: "string" }];
  const plain: JsonSchema = { "x-kubernetes-int-or-string": true };
  expect(specOf(spec({ a: plain }), "v3").properties.a).toEqual({ ...plain, anyOf: both });
  expect(specOf(spec({ a: { ...plain, anyOf: both } }), "v3").properties.a).toEqual({ ...plain, anyOf: both });
  const more: JsonSchema = { ...plain, anyOf: [{ pattern: "^a" }] };
  expect(specOf(spec({ a: more }), "v3").properties.a).toEqual({ ...more, allOf: [{ anyOf: both }] });
});

test("v2 goes without what it cannot say", () => {
  const schema = spec(
    {
      a: { type: "string", default: "x", anyOf: [{ minLength: 1 }], not: { enum: ["q"] } },
      nullable: { type: "object", nullable: true, properties: { b: { type: "string" } } },
      open: { type: "object", "x-kubernetes-preserve-unknown-fields": true, properties: { b: { type: "string" } } },
    },
    { required: ["a", "nullable"] },
  );
  expect(specOf(schema, "v2")).toEqual({
    type: "object",
    required: ["a"],
    properties: { a: { type: "string" }, nullable: {}, open: { "x-kubernetes-preserve-unknown-fields": true } },
  });
});

test("an embedded resource has a type and metadata", () => {
  const embedded: JsonSchema = {
    type: "object",
    "x-kubernetes-embedded-resource": true,
    properties: { spec: { type: "object" } },
  };
  expect(specOf(spec({ a: embedded }), "v3").properties.a).toMatchObject({
    required: ["kind", "apiVersion"],
    properties: { apiVersion: { type: "string" }, metadata: {}, spec: { type: "object" } },
  });
});

test("without a schema anything may be there, and clients are not told that it may not", () => {
  expect(openapiSchemas(kindOf(undefined), "v3")[NAME]).not.toHaveProperty("properties");
  const open: JsonSchema = { ...spec({}), "x-kubernetes-preserve-unknown-fields": true };
  expect(openapiSchemas(kindOf(open), "v2")[NAME]).not.toHaveProperty("properties");
  expect(openapiSchemas(kindOf(open), "v3")[NAME]).toHaveProperty("properties");
});
