import { expect, test } from "vitest";
import { describeFieldError, type FieldError } from "../field-error.ts";
import type { JsonSchema } from "./definition.ts";
import { coerceEmbedded, decodeObjectMeta, validateEmbedded } from "./embedded-metadata.ts";
import { structuralOf } from "./structural.ts";

const EMBEDDED: JsonSchema = {
  type: "object",
  "x-kubernetes-embedded-resource": true,
  "x-kubernetes-preserve-unknown-fields": true,
};
const SCHEMA: JsonSchema = {
  type: "object",
  properties: { template: EMBEDDED, list: { type: "array", items: EMBEDDED } },
};

function complaints(value: unknown): string[] {
  const errors: FieldError[] = [];
  validateEmbedded(value, structuralOf(SCHEMA), errors);
  return errors.map(describeFieldError);
}

test("unknown fields of embedded metadata go, and are told", () => {
  const value = {
    template: { metadata: { name: "a", foo: 1 } },
    list: [{ metadata: { ownerReferences: [{ apiVersion: "v1", kind: "K", name: "n", uid: "u", bar: 1 }] } }],
  };
  const unknown = coerceEmbedded(value, structuralOf(SCHEMA), { dropMalformed: false });
  expect(unknown).toEqual(["list[0].metadata.ownerReferences[0].bar", "template.metadata.foo"]);
  expect(value.template).toEqual({ metadata: { name: "a" } });
});

test("a wrong type in embedded metadata is an error of the request", () => {
  const value = { template: { metadata: { labels: { a: 5 } } } };
  expect(() => coerceEmbedded(value, structuralOf(SCHEMA), { dropMalformed: false })).toThrow(
    'template.metadata: Invalid value: {"labels":{"a":5}}: json: cannot unmarshal number into Go struct field ObjectMeta.labels of type string',
  );
  expect(() => coerceEmbedded({ template: { kind: 5 } }, structuralOf(SCHEMA), { dropMalformed: false })).toThrow(
    "template.kind: Invalid value: 5: must be a string",
  );
});

test("what is malformed in the store is dropped, field by field", () => {
  const value = { template: { kind: 5, metadata: { name: "a", labels: { a: 5 }, annotations: { b: "c" }, x: 1 } } };
  coerceEmbedded(value, structuralOf(SCHEMA), { dropMalformed: true });
  expect(value).toEqual({ template: { metadata: { name: "a", annotations: { b: "c" } } } });
  expect(decodeObjectMeta("no object", { dropMalformed: true }).metadata).toEqual({});
});

test("an embedded resource has a type, and metadata as every object has it", () => {
  expect(complaints({ template: {} })).toEqual([
    "template.apiVersion: Required value",
    "template.kind: Required value",
  ]);
  expect(
    complaints({ list: [{ apiVersion: "a/b/c", kind: "", metadata: { namespace: "A", labels: { a: "?" } } }] }),
  ).toEqual([
    'list[0].apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c',
    'list[0].kind: Invalid value: "": must not be empty',
    expect.stringContaining('list[0].metadata.namespace: Invalid value: "A": a lowercase RFC 1123 label'),
    expect.stringContaining('list[0].metadata.labels: Invalid value: "?": a valid label must be'),
  ]);
  expect(complaints({ template: { apiVersion: "v1", kind: "Pod", metadata: { name: "any thing" } } })).toEqual([]);
});
