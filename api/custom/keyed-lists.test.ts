import { expect, test } from "vitest";
import { describeFieldError, type FieldError } from "../field-error.ts";
import type { JsonSchema } from "./definition.ts";
import { ERRORS_MAX, validateKeyedLists } from "./keyed-lists.ts";
import { structuralOf } from "./structural.ts";

function complaints(value: unknown, schema: JsonSchema): string[] {
  const errors: FieldError[] = [];
  validateKeyedLists(value, structuralOf(schema), errors);
  return errors.map(describeFieldError);
}

const set = (items: JsonSchema): JsonSchema => ({ type: "array", items, "x-kubernetes-list-type": "set" });
const list = (keys: string[]): JsonSchema => ({
  type: "array",
  items: { type: "object", properties: Object.fromEntries(keys.map((key) => [key, { type: "string" }])) },
  "x-kubernetes-list-type": "map",
  "x-kubernetes-list-map-keys": keys,
});
const inSpec = (schema: JsonSchema): JsonSchema => ({ type: "object", properties: { spec: schema } });

test("a set tells the second of equal items, once", () => {
  const schema = inSpec(set({ type: "string" }));
  expect(complaints({ spec: ["a", "b", "a", "a"] }, schema)).toEqual(['spec[2]: Duplicate value: "a"']);
  expect(complaints({ spec: ["a", "b"] }, schema)).toEqual([]);
});

test("items of a set are equal whatever the order of their fields, and different by type", () => {
  const schema = inSpec(set({ type: "object", "x-kubernetes-map-type": "atomic" }));
  const value = {
    spec: [
      { a: 1, b: 2 },
      { b: 2, a: 1 },
    ],
  };
  expect(complaints(value, schema)).toEqual(['spec[1]: Duplicate value: {"a":1,"b":2}']);
  expect(complaints({ spec: [1, "1", true, null] }, inSpec(set({ type: "string" })))).toEqual([]);
});

test("a map list tells equal keys, of which absent ones are equal too", () => {
  const value = { spec: [{ a: "x", b: "y" }, { a: "x" }, { a: "x", b: "y" }, {}, null] };
  expect(complaints(value, inSpec(list(["a", "b"])))).toEqual([
    'spec[2]: Duplicate value: {"a":"x","b":"y"}',
    "spec[4]: Duplicate value: {}",
  ]);
});

test("a map list holds objects", () => {
  expect(complaints({ spec: [{}, 5] }, inSpec(list(["a"])))).toEqual([
    "spec[1]: Invalid value: 5: must be an object for an array of list-type map",
  ]);
});

test("lists within maps and lists are found, and a long list makes no long answer", () => {
  const schema = inSpec({ type: "object", additionalProperties: { type: "array", items: set({ type: "string" }) } });
  expect(complaints({ spec: { "a/b": [[], ["x", "x"]] } }, schema)).toEqual(['spec[a/b][1][1]: Duplicate value: "x"']);
  const many = Array.from({ length: 10_000 }, () => ["x", "x"]);
  expect(complaints({ spec: { a: many } }, schema)).toHaveLength(ERRORS_MAX);
});
