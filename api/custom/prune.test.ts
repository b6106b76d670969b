import { expect, test } from "vitest";
import type { JsonSchema } from "./definition.ts";
import { prune, pruneNulls } from "./prune.ts";
import { structuralOf } from "./structural.ts";

const STRING: JsonSchema = { type: "string" };
const object = (properties: Record<string, JsonSchema>, rest: JsonSchema = {}): JsonSchema => ({
  type: "object",
  properties,
  ...rest,
});

function pruned(value: unknown, schema: JsonSchema, isRoot = false) {
  const unknown = prune(value, structuralOf(schema), { isRoot });
  return { value, unknown };
}

test("what the schema does not name goes, and its path is told", () => {
  const schema = object({ a: STRING, list: { type: "array", items: object({ b: STRING }) } });
  const value = { a: "x", z: 1, list: [{ b: "y" }, { c: { d: 1 } }] };
  expect(pruned(value, schema)).toEqual({
    value: { a: "x", list: [{ b: "y" }, {}] },
    unknown: ["list[1].c", "z"],
  });
});

test("the root keeps its type and metadata, wherever the schema is silent of them", () => {
  const value = { apiVersion: "v1", kind: "K", metadata: { name: "n" }, other: 1 };
  expect(pruned(value, object({ spec: STRING }), true)).toEqual({
    value: { apiVersion: "v1", kind: "K", metadata: { name: "n" } },
    unknown: ["other"],
  });
});

test("an embedded resource keeps its metadata, too", () => {
  const schema = object({ t: object({ spec: STRING }, { "x-kubernetes-embedded-resource": true }) });
  const value = { t: { metadata: { foo: 1 }, kind: "K", status: {} } };
  expect(pruned(value, schema)).toEqual({ value: { t: { metadata: { foo: 1 }, kind: "K" } }, unknown: ["t.status"] });
});

test("what preserves unknown fields keeps them, but prunes below the properties that it names", () => {
  const schema = object(
    { known: object({ a: STRING }), list: { type: "array", items: object({ a: STRING }) } },
    { "x-kubernetes-preserve-unknown-fields": true },
  );
  const value = { free: { x: [{ y: 1 }] }, known: { a: "x", b: 1 }, list: [{ a: "x", b: 1 }] };
  expect(pruned(value, schema)).toEqual({
    value: { free: { x: [{ y: 1 }] }, known: { a: "x" }, list: [{ a: "x" }] },
    unknown: ["known.b", "list[0].b"],
  });
});

test("additional properties keep every key, and nothing within one that has no schema", () => {
  expect(pruned({ a: { x: "1", y: 2 } }, { type: "object", additionalProperties: object({ x: STRING }) })).toEqual({
    value: { a: { x: "1" } },
    unknown: ["a.y"],
  });
  expect(pruned({ a: { x: 1 }, b: 2 }, { type: "object", additionalProperties: true })).toEqual({
    value: { a: {}, b: 2 },
    unknown: ["a.x"],
  });
});

test("a field called __proto__ is a field like any other", () => {
  const value = JSON.parse('{"__proto__":{"polluted":true},"a":"x"}');
  const { unknown } = pruned(value, object({ a: STRING }));
  expect(unknown).toEqual(["__proto__"]);
  expect(Object.keys(value)).toEqual(["a"]);
  expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
});

test("nulls go unless they may be null or have a default", () => {
  const schema = object({
    plain: STRING,
    nullable: { type: "string", nullable: true },
    defaulted: { type: "string", default: "d" },
    map: { type: "object", additionalProperties: STRING },
    list: { type: "array", items: STRING },
    open: { "x-kubernetes-preserve-unknown-fields": true },
  });
  const value = {
    plain: null,
    nullable: null,
    defaulted: null,
    map: { a: null, b: "x" },
    list: [null],
    open: { free: null },
  };
  pruneNulls(value, structuralOf(schema));
  expect(value).toEqual({ nullable: null, defaulted: null, map: { b: "x" }, list: [null], open: { free: null } });
});
