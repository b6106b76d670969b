import { expect, test } from "vitest";
import { ANY, type ListShape, type StructShape, shapeOfObjectMeta } from "../schema/shape.ts";
import { shapeOfStructural } from "./shape.ts";
import { structuralOf } from "./structural.ts";

const root = shapeOfStructural(
  structuralOf({
    type: "object",
    properties: {
      spec: {
        type: "object",
        properties: {
          ports: {
            type: "array",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["port", "protocol"],
            items: {
              type: "object",
              properties: { port: { type: "integer" }, protocol: { type: "string", default: "TCP" } },
            },
          },
          plain: { type: "array", items: { type: "string" } },
          labels: { type: "object", additionalProperties: { type: "string" } },
          atomic: { type: "object", "x-kubernetes-map-type": "atomic", properties: { a: { type: "string" } } },
          free: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
          mixed: { "x-kubernetes-int-or-string": true },
          template: {
            type: "object",
            "x-kubernetes-embedded-resource": true,
            "x-kubernetes-preserve-unknown-fields": true,
          },
        },
      },
    },
  }),
) as StructShape;
const spec = root.property("spec") as StructShape;

test("a list of type map has its keys, and the defaults of those that have one", () => {
  const ports = spec.property("ports") as ListShape;
  expect(ports).toMatchObject({ listType: "map", keys: ["port", "protocol"], keyDefaults: { protocol: "TCP" } });
  expect((ports.of as StructShape).property("port")).toEqual({ form: "scalar", type: "number" });
  expect(spec.property("plain")).toMatchObject({ form: "list", listType: "atomic", keys: [] });
});

test("maps are granular unless they say that they are atomic", () => {
  expect(spec.property("labels")).toMatchObject({ form: "map", atomic: false, of: { form: "scalar" } });
  expect(spec.property("atomic")).toMatchObject({ form: "struct", atomic: true });
});

test("what the schema does not know is known to be free, or not to be there", () => {
  expect(spec.property("free")).toMatchObject({ form: "struct", unknown: ANY });
  expect(spec.unknown).toBeUndefined();
  expect(spec.property("missing")).toBeUndefined();
  expect(spec.property("constructor")).toBeUndefined();
  expect(shapeOfStructural(undefined)).toBe(ANY);
});

test("objects have metadata of their own shape, wherever they are", () => {
  expect(root.property("metadata")).toBe(shapeOfObjectMeta());
  expect((spec.property("template") as StructShape).property("metadata")).toBe(shapeOfObjectMeta());
  expect(spec.property("mixed")).toEqual({ form: "scalar", type: "any" });
});
