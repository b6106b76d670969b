import { expect, test } from "vitest";
import { describeFieldError, type FieldError } from "../field-error.ts";
import { validateRules } from "./cel-validation.ts";
import { Correlation } from "./correlation.ts";
import type { JsonSchema, ValidationRule } from "./definition.ts";
import { ERRORS_MAX } from "./keyed-lists.ts";
import { structuralOf } from "./structural.ts";

const rules = (...list: (string | ValidationRule)[]): JsonSchema => ({
  "x-kubernetes-validations": list.map((rule) => (typeof rule === "string" ? { rule } : rule)),
});
const object = (properties: Record<string, JsonSchema>, ...list: (string | ValidationRule)[]): JsonSchema => ({
  type: "object",
  properties,
  ...rules(...list),
});
const INTEGER: JsonSchema = { type: "integer" };

function judge(schema: JsonSchema, value: unknown, old?: unknown) {
  const node = structuralOf(schema);
  const state = { errors: [] as FieldError[], warnings: [] as string[] };
  const correlation = old === undefined ? undefined : new Correlation(value, old, node);
  validateRules(node, { value, old, correlation, isResource: false }, state);
  return { errors: state.errors.map(describeFieldError), warnings: state.warnings };
}

test("a rule that fails is told at its place, with its value where that is short", () => {
  const schema = object({ n: { ...INTEGER, ...rules("self > 1") } }, "self.n < 5");
  expect(judge(schema, { n: 3 }).errors).toEqual([]);
  expect(judge(schema, { n: 0 }).errors).toEqual(["n: Invalid value: 0: failed rule: self > 1"]);
  expect(judge(schema, { n: 9 }).errors).toEqual(["<nil>: Invalid value: failed rule: self.n < 5"]);
});

test("message, messageExpression, reason and fieldPath say what is told where", () => {
  const mapped = object(
    { a: { type: "object", additionalProperties: INTEGER } },
    { rule: "false", message: " plain \t" },
    { rule: "false", message: "unused", messageExpression: "'found ' + string(self.a['x.y'])" },
    { rule: "false", message: "instead", messageExpression: "'two\\nlines'" },
    { rule: "false", message: "instead", messageExpression: "string(1 / 0)" },
    { rule: "false", message: "m", reason: "FieldValueForbidden", fieldPath: ".a['x.y']" },
    { rule: "false", message: "m", reason: "FieldValueRequired", fieldPath: ".a" },
    { rule: "false", message: "m", reason: "FieldValueDuplicate" },
  );
  expect(judge(mapped, { a: { "x.y": 7 } }).errors).toEqual([
    "<nil>: Invalid value: plain",
    "<nil>: Invalid value: found 7",
    "<nil>: Invalid value: instead",
    "<nil>: Invalid value: instead",
    "a[x.y]: Forbidden: m",
    "a: Required value: m",
    "<nil>: Duplicate value",
  ]);
});

test("a rule that has no value is an error, unless another one decides", () => {
  const schema = object({ a: INTEGER, b: { "x-kubernetes-int-or-string": true } }, "self.a > 1", "self.b > 1");
  expect(judge(schema, { b: "x" }).errors).toEqual([
    '<nil>: Invalid value: "object": no such key: a evaluating rule: self.a > 1',
    "<nil>: Invalid value: \"object\": 'no such overload': call arguments did not match a supported operator, function or macro signature for rule: self.b > 1",
  ]);
});

test("transition rules wait for an old value, unless they ask for none", () => {
  const immutable = object({ n: { ...INTEGER, ...rules("self == oldSelf") } });
  expect(judge(immutable, { n: 1 }).errors).toEqual([]);
  expect(judge(immutable, { n: 1 }, { n: 1 }).errors).toEqual([]);
  expect(judge(immutable, { n: 1 }, {}).errors).toEqual([]);
  expect(judge(immutable, { n: 2 }, { n: 1 }).errors).toEqual(["n: Invalid value: 2: failed rule: self == oldSelf"]);
  const optional = object({
    n: { ...INTEGER, ...rules({ rule: "oldSelf.hasValue() || self == 1", optionalOldSelf: true }) },
  });
  expect(judge(optional, { n: 2 }).errors).toHaveLength(1);
  expect(judge(optional, { n: 2 }, { n: 5 }).errors).toEqual([]);
});

test("items of a map list meet their old selves, those of other lists none", () => {
  const item = object({ k: { type: "string" }, v: { ...INTEGER, ...rules("self >= oldSelf") } });
  const keyed: JsonSchema = {
    type: "array",
    items: item,
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["k"],
  };
  const [old, next] = [
    [
      { k: "a", v: 1 },
      { k: "b", v: 5 },
    ],
    [
      { k: "b", v: 4 },
      { k: "a", v: 2 },
      { k: "c", v: 0 },
    ],
  ];
  expect(judge(keyed, next, old).errors).toEqual(["[0].v: Invalid value: 4: failed rule: self >= oldSelf"]);
  expect(judge({ type: "array", items: item }, next, old).errors).toEqual([]);
});

test("what is as it was may go on failing, and is warned of; transition rules may not", () => {
  const schema = object({ a: { ...INTEGER, ...rules("self > 1", "self != oldSelf") }, b: INTEGER }, "self.b < 5");
  expect(judge(schema, { a: 0, b: 1 }, { a: 0, b: 2 })).toEqual({
    errors: ["a: Invalid value: 0: failed rule: self != oldSelf"],
    warnings: ["a: Invalid value: 0: failed rule: self > 1"],
  });
  expect(judge(schema, { a: 3, b: 9 }, { a: 2, b: 9 }).errors).toEqual([
    "<nil>: Invalid value: failed rule: self.b < 5",
  ]);
});

test("a thousand rules that fail make no answer of a thousand errors", () => {
  const many = object({ a: INTEGER }, ...Array.from({ length: 1_000 }, (_, i) => `self.a == ${i}`));
  expect(judge(many, { a: -1 }).errors).toHaveLength(ERRORS_MAX);
});

test("null has no rules", () => {
  expect(judge(object({ n: { ...INTEGER, nullable: true, ...rules("false") } }), { n: null }).errors).toEqual([]);
});

test("a rule that costs too much ends itself, and all rules after it", () => {
  const list: JsonSchema = { type: "array", items: INTEGER };
  const schema = object({ l: { ...list, ...rules("self.all(x, self.all(y, self.all(z, x + y + z >= 0)))", "false") } });
  const { errors } = judge(schema, { l: Array.from({ length: 1_000 }, () => 1) });
  expect(errors).toHaveLength(1);
  expect(errors[0]).toContain("no further validation rules will be run due to call cost exceeds limit for rule");
});

test("all rules of an object share one budget", () => {
  const schema: JsonSchema = {
    type: "array",
    items: { type: "array", items: INTEGER, ...rules("self.all(x, self.exists(y, y == x))") },
  };
  const inner = Array.from({ length: 300 }, (_, i) => i);
  const { errors } = judge(
    schema,
    Array.from({ length: 1_000 }, () => inner),
  );
  expect(errors).toEqual([
    expect.stringMatching(
      /^\[\d+\]: Invalid value: "array": validation failed due to running out of cost budget, no further validation rules will be run$/,
    ),
  ]);
});
