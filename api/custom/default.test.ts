import { expect, test } from "vitest";
import { ApiError } from "../status.ts";
import { DEFAULTS_CHARS_MAX, setDefaults } from "./default.ts";
import type { JsonSchema } from "./definition.ts";
import { structuralOf } from "./structural.ts";

function defaulted<T>(value: T, schema: JsonSchema): T {
  setDefaults(value, structuralOf(schema));
  return value;
}

const withDefault: JsonSchema = { type: "string", default: "d" };

test("what is absent gets its default, also within what a default brought in", () => {
  const inner: JsonSchema = { type: "object", properties: { b: withDefault }, default: {} };
  expect(defaulted({}, { type: "object", properties: { a: inner } })).toEqual({ a: { b: "d" } });
});

test("a parent that is absent and has no default stays absent", () => {
  const inner: JsonSchema = { type: "object", properties: { b: withDefault } };
  expect(defaulted({}, { type: "object", properties: { a: inner } })).toEqual({});
});

test("nulls that may not be null get the default: of properties, items and additional properties", () => {
  const schema: JsonSchema = {
    type: "object",
    properties: {
      a: withDefault,
      nullable: { ...withDefault, nullable: true },
      list: { type: "array", items: withDefault },
      map: { type: "object", additionalProperties: withDefault },
    },
  };
  const value = { a: null, nullable: null, list: [null, "x"], map: { k: null } };
  expect(defaulted(value, schema)).toEqual({ a: "d", nullable: null, list: ["d", "x"], map: { k: "d" } });
});

test("each object gets a default of its own", () => {
  const schema: JsonSchema = {
    type: "array",
    items: { type: "object", properties: { a: { type: "object", default: { n: [1] } } } },
  };
  const [first, second] = defaulted([{}, {}] as { a?: { n: number[] } }[], schema);
  first!.a!.n.push(2);
  expect(second).toEqual({ a: { n: [1] } });
});

test("a large default in a long list is refused before it fills the memory", () => {
  const text = "x".repeat(1024 * 1024);
  const schema: JsonSchema = {
    type: "array",
    items: { type: "object", properties: { a: { type: "string", default: text } } },
  };
  const many = Array.from({ length: 1_000 }, () => ({}) as { a?: string });
  expect(() => defaulted(many, schema)).toThrow(ApiError);
  expect(many.filter(({ a }) => a !== undefined).length).toBeLessThanOrEqual(DEFAULTS_CHARS_MAX / text.length);
});
