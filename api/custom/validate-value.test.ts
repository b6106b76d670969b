import { expect, test } from "vitest";
import { describeFieldError } from "../field-error.ts";
import { ApiError } from "../status.ts";
import { Correlation } from "./correlation.ts";
import type { JsonSchema } from "./definition.ts";
import { ERRORS_MAX } from "./keyed-lists.ts";
import { structuralOf } from "./structural.ts";
import { validateValue } from "./validate-value.ts";

const complaints = (value: unknown, schema: JsonSchema, path?: string): string[] =>
  validateValue(value, schema, path === undefined ? {} : { path }).map(describeFieldError);

const x = (schema: JsonSchema): JsonSchema => ({ type: "object", properties: { x: schema } });

const CASES: [what: string, schema: JsonSchema, value: unknown, complaints: string[]][] = [
  ["a wrong type", { type: "string" }, 5, ['x: Invalid value: "integer": x in body must be of type string: "integer"']],
  [
    "a fraction for an integer",
    { type: "integer" },
    1.5,
    [
      'x: Invalid value: "number": x in body must be of type integer: "number"',
      '<nil>: Invalid value: "": Checked value must be of type integer (default format) in x',
    ],
  ],
  ["an integer for a number", { type: "number" }, 5, []],
  ["null", { type: "string" }, null, ['x: Invalid value: "null": x in body must be of type string: "null"']],
  ["null where it may be", { type: "string", nullable: true }, null, []],
  [
    "a bool as int-or-string",
    { "x-kubernetes-int-or-string": true },
    true,
    ['x: Invalid value: "boolean": x in body must be of type integer,string: "boolean"'],
  ],
  [
    "a number too large",
    { type: "integer", maximum: 10 },
    11,
    ["x: Invalid value: 11: x in body should be less than or equal to 10"],
  ],
  [
    "a number at an exclusive bound",
    { type: "number", minimum: 0.5, exclusiveMinimum: true },
    0.5,
    ["x: Invalid value: 0.5: x in body should be greater than 0.5"],
  ],
  [
    "no multiple",
    { type: "number", multipleOf: 0.1 },
    0.25,
    ["x: Invalid value: 0.25: x in body should be a multiple of 0.1"],
  ],
  ["a multiple that floats get wrong", { type: "number", multipleOf: 0.1 }, 0.3, []],
  [
    "an int32 too large",
    { type: "integer", format: "int32" },
    2 ** 31,
    ['<nil>: Invalid value: "": Checked value must be of type integer with format int32 in x'],
  ],
  [
    "a text too long, counted by code points",
    { type: "string", maxLength: 2 },
    "😀😀😀",
    ["x: Too long: may not be more than 2 bytes"],
  ],
  ["a text just long enough, counted by code points", { type: "string", minLength: 2, maxLength: 2 }, "😀é", []],
  [
    "a text too short",
    { type: "string", minLength: 1 },
    "",
    ['x: Invalid value: "": x in body should be at least 1 chars long'],
  ],
  [
    "a pattern not met",
    { type: "string", pattern: "^[a-z]+$" },
    "a1",
    [`x: Invalid value: "a1": x in body should match '^[a-z]+$'`],
  ],
  [
    "a format not met",
    { type: "string", format: "date-time" },
    "today",
    ['x: Invalid value: "today": x in body must be of type date-time: "today"'],
  ],
  [
    "a number where a format is",
    { type: "string", format: "uuid" },
    1,
    ['x: Invalid value: "int64": x in body must be of type uuid: "int64"'],
  ],
  [
    "none of an enum",
    { type: "string", enum: ["a", "b"] },
    "c",
    ['x: Unsupported value: "c": supported values: "a", "b"'],
  ],
  ["an object of an enum", { type: "object", enum: [{ a: 1, b: 2 }] }, { b: 2, a: 1 }, []],
  [
    "too few items",
    { type: "array", minItems: 1 },
    [],
    ["x: Invalid value: 0: x in body should have at least 1 items"],
  ],
  ["too many items", { type: "array", maxItems: 1 }, [1, 2], ["x: Too many: 2: must have at most 1 items"]],
  [
    "too many properties",
    { type: "object", maxProperties: 0 },
    { a: 1 },
    ["x: Too many: 1: must have at most 0 items"],
  ],
  ["a wrong item", { type: "array", items: { type: "object", required: ["a"] } }, [{}], ["x[0].a: Required value"]],
  [
    "a wrong entry of a map",
    { type: "object", additionalProperties: { type: "string" } },
    { "a.b": 1 },
    ['x.a.b: Invalid value: "integer": x.a.b in body must be of type string: "integer"'],
  ],
  [
    "a field that is forbidden",
    { type: "object", additionalProperties: false },
    { a: 1 },
    ['x: Invalid value: "a": x.a in body is a forbidden property'],
  ],
  [
    "items given twice",
    { type: "array", uniqueItems: true },
    [
      { a: 1, b: 2 },
      { b: 2, a: 1 },
    ],
    [`x: Invalid value: "": x in body shouldn't contain duplicates`],
  ],
  [
    "no alternative of anyOf, of which the closest is told",
    { anyOf: [{ minLength: 9 }, { enum: ["q"] }] },
    "abc",
    [
      '<nil>: Invalid value: "": "x" must validate at least one schema (anyOf)',
      'x: Invalid value: "abc": x in body should be at least 9 chars long',
    ],
  ],
  [
    "two alternatives of oneOf",
    { oneOf: [{ minLength: 1 }, { maxLength: 9 }] },
    "abc",
    ['<nil>: Invalid value: "": "x" must validate one and only one schema (oneOf). Found 2 valid alternatives'],
  ],
  [
    "one of allOf",
    { allOf: [{ minLength: 9 }, { maxLength: 9 }] },
    "abc",
    [
      'x: Invalid value: "abc": x in body should be at least 9 chars long',
      '<nil>: Invalid value: "": "x" must validate all the schemas (allOf)',
    ],
  ],
  [
    "what must not be",
    { not: { enum: ["abc"] } },
    "abc",
    ['<nil>: Invalid value: "": "x" must not validate the schema (not)'],
  ],
];

for (const [what, schema, value, expected] of CASES) {
  test(`${what} is ${expected.length === 0 ? "accepted" : "refused in upstream's words"}`, () => {
    expect(complaints({ x: value }, x(schema))).toEqual(expected);
  });
}

test("the path of a status stands before its fields, not in the sentences", () => {
  expect(complaints({ x: 5 }, x({ type: "string" }), "status")).toEqual([
    'status.x: Invalid value: "integer": x in body must be of type string: "integer"',
  ]);
});

test("names of Object.prototype are fields that a schema may lack", () => {
  const schema: JsonSchema = { type: "object", required: ["constructor"], properties: {} };
  expect(complaints({ toString: 1 }, schema)).toEqual(["constructor: Required value"]);
});

test("what did not change may stay invalid, and what changed may not", () => {
  const schema: JsonSchema = {
    type: "object",
    properties: {
      a: { type: "string", maxLength: 1 },
      b: { type: "string", maxLength: 1 },
      list: {
        type: "array",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["k"],
        items: { type: "object", properties: { k: { type: "string" }, v: { type: "integer", maximum: 1 } } },
      },
      atomic: { type: "array", items: { type: "integer", maximum: 1 } },
    },
  };
  const old = {
    a: "long",
    b: "long",
    list: [
      { k: "x", v: 5 },
      { k: "y", v: 5 },
    ],
    atomic: [5, 5],
  };
  const next = {
    a: "long",
    b: "longer",
    list: [
      { k: "y", v: 5 },
      { k: "x", v: 6 },
    ],
    atomic: [5, 5, 1],
  };
  const correlation = new Correlation(next, old, structuralOf(schema));
  expect(validateValue(next, schema, { correlation }).map(({ field }) => field)).toEqual([
    "b",
    "list[1].v",
    "atomic[0]",
    "atomic[1]",
  ]);
});

test("alternatives are judged whole, but the fields below them are ratcheted", () => {
  const properties = { a: { type: "string" }, b: { type: "string" } };
  const schema: JsonSchema = { type: "object", properties, allOf: [{ properties: { a: { maxLength: 1 } } }] };
  const old = { a: "long", b: "x" };
  const next = { a: "long", b: "y" };
  const correlation = new Correlation(next, old, structuralOf(schema));
  expect(validateValue(next, schema, { correlation })).toEqual([]);
});

test("a pattern that backtracks elsewhere is matched in no time, and a long answer is cut", () => {
  const schema = x({ type: "array", items: { type: "string", pattern: "^(a+)+$" } });
  const texts = Array.from({ length: 1_000 }, () => `${"a".repeat(100)}!`);
  expect(complaints({ x: texts }, schema)).toHaveLength(ERRORS_MAX);
});

test("a large pattern over a long text ends before it takes for ever", () => {
  const schema = x({ type: "string", pattern: "(a{90}b{90}){10}" });
  expect(() => complaints({ x: "ab".repeat(500_000) }, schema)).toThrow(ApiError);
});

test("alternatives over a long list end before they take for ever", () => {
  const anyOf: JsonSchema[] = Array.from({ length: 5_000 }, (_, i) => ({ enum: [i] }));
  const items = Array.from({ length: 5_000 }, () => -1);
  expect(() => complaints({ x: items }, x({ type: "array", items: { type: "integer", not: { anyOf } } }))).toThrow(
    ApiError,
  );
});
