import { expect, test } from "vitest";
import type { CustomResourceDefinitionObject, JsonSchema } from "./definition.ts";
import { formatWarnings } from "./format-warnings.ts";

const definition = (...schemas: JsonSchema[]): CustomResourceDefinitionObject => ({
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "foos.example.com" },
  spec: {
    group: "example.com",
    scope: "Cluster",
    names: { plural: "foos", kind: "Foo" },
    versions: schemas.map((openAPIV3Schema, i) => ({
      name: `v${i + 1}`,
      served: true,
      storage: i === 0,
      schema: { openAPIV3Schema },
    })),
  },
});
const withFormats = (...formats: string[]): JsonSchema => ({
  type: "object",
  properties: Object.fromEntries(formats.map((format, i) => [`f${i}`, { type: "string", format }])),
});

test("formats that nobody heeds are warned of, known ones are not", () => {
  expect(formatWarnings(definition(withFormats("date-time", "odd", "int32")))).toEqual([
    'unrecognized format "odd"',
    'unrecognized format "int32"',
  ]);
});

test("a format is looked for wherever a schema can be", () => {
  const odd: JsonSchema = { type: "string", format: "odd" };
  const schema: JsonSchema = {
    type: "object",
    properties: {
      list: { type: "array", items: odd },
      map: { type: "object", additionalProperties: odd },
      any: { type: "string", anyOf: [{ format: "odd" }], not: { format: "odd" } },
    },
  };
  expect(formatWarnings(definition(schema))).toHaveLength(4);
});

test("a schema that all versions share is told of once, and an update of what is new", () => {
  const odd = withFormats("odd");
  expect(formatWarnings(definition(odd, odd))).toHaveLength(1);
  expect(formatWarnings(definition(odd), definition(odd))).toEqual([]);
  expect(formatWarnings(definition(withFormats("odd", "new")), definition(odd))).toEqual(['unrecognized format "new"']);
});
