import fc from "fast-check";
import { expect, test } from "vitest";
import {
  applyJsonPatch,
  COPIED_BYTES_MAX,
  type JsonPatchOperation,
  MOVED_ELEMENTS_MAX,
  UnappliablePatch,
} from "./json.ts";

const patched = (document: unknown, ...operations: JsonPatchOperation[]) =>
  applyJsonPatch(structuredClone(document), operations);

test.each<[string, unknown, JsonPatchOperation, unknown]>([
  ["a field is added", { a: 1 }, { op: "add", path: "/b", value: 2 }, { a: 1, b: 2 }],
  ["add replaces a field that is there", { a: 1 }, { op: "add", path: "/a", value: 2 }, { a: 2 }],
  ["an element is inserted", { a: [1, 3] }, { op: "add", path: "/a/1", value: 2 }, { a: [1, 2, 3] }],
  ["an element is appended with -", { a: [1] }, { op: "add", path: "/a/-", value: 2 }, { a: [1, 2] }],
  ["an element is appended at the length", { a: [1] }, { op: "add", path: "/a/1", value: 2 }, { a: [1, 2] }],
  ["an index may count from the end", { a: [1, 2] }, { op: "replace", path: "/a/-1", value: 3 }, { a: [1, 3] }],
  ["a field is removed", { a: 1, b: 2 }, { op: "remove", path: "/a" }, { b: 2 }],
  ["an element is removed", { a: [1, 2] }, { op: "remove", path: "/a/0" }, { a: [2] }],
  ["a field is replaced", { a: { b: 1 } }, { op: "replace", path: "/a/b", value: null }, { a: { b: null } }],
  ["a value is moved", { a: { b: 1 } }, { op: "move", from: "/a/b", path: "/c" }, { a: {}, c: 1 }],
  ["a value is copied", { a: { b: [1] } }, { op: "copy", from: "/a/b", path: "/c" }, { a: { b: [1] }, c: [1] }],
  [
    "a test that holds changes nothing",
    { a: { b: 1, c: [2] } },
    { op: "test", path: "/a", value: { c: [2], b: 1 } },
    { a: { b: 1, c: [2] } },
  ],
  ["what is missing tests as null", { a: 1 }, { op: "test", path: "/b", value: null }, { a: 1 }],
  ["~1 and ~0 stand for / and ~", { "a/b": 1, "~1": 2 }, { op: "remove", path: "/a~1b" }, { "~1": 2 }],
  ["what a map lacks is replaced as well", {}, { op: "replace", path: "/a", value: 1 }, { a: 1 }],
  ["what a map lacks is copied as null", { b: 1 }, { op: "copy", from: "/a", path: "/c" }, { b: 1, c: null }],
  ["names of Object.prototype are names", {}, { op: "add", path: "/constructor", value: 1 }, { constructor: 1 }],
])("%s", (_, document, operation, expected) => {
  expect(patched(document, operation)).toEqual(expected);
});

test.each<[unknown, JsonPatchOperation]>([
  [{}, { op: "remove", path: "/a" }],
  [{}, { op: "add", path: "/a/b", value: 1 }],
  [{ a: [1] }, { op: "add", path: "/a/2", value: 1 }],
  [{ a: [1] }, { op: "remove", path: "/a/1" }],
  [{ a: [1] }, { op: "remove", path: "/a/-2" }],
  [{ a: [1] }, { op: "replace", path: "/a/x", value: 1 }],
  [{ a: 1 }, { op: "add", path: "/a/b", value: 1 }],
  [{ a: 1 }, { op: "test", path: "/a", value: 2 }],
  [{ a: 1 }, { op: "move", from: "/b", path: "/c" }],
  [{ a: 1 }, { op: "replace", path: "", value: {} }],
  [{ a: 1 }, { op: "add", path: "a", value: 1 }],
  [{ a: 1 }, { op: "add", path: "/__proto__/x", value: 1 }],
  [{ a: 1 }, { op: "remove", path: "/toString" }],
  [{ a: 1 }, { op: "frobnicate", path: "/a" }],
  [{ a: 1 }, {}],
])("on %j, %j does not apply", (document, operation) => {
  expect(() => patched(document, operation)).toThrow(UnappliablePatch);
});

test("copies that double the document again and again are stopped", () => {
  const double: JsonPatchOperation[] = Array.from({ length: 40 }, (_, i) => ({ op: "copy", from: "", path: `/x${i}` }));
  expect(() =>
    patched({ a: "x".repeat(1000) }, ...double.map((operation) => ({ ...operation, from: "/a" }))),
  ).not.toThrow();
  const growing = Array.from({ length: 40 }, (): JsonPatchOperation[] => [
    { op: "copy", from: "/a", path: "/a/-" },
    { op: "copy", from: "/a", path: "/a/-" },
  ]).flat();
  expect(() => patched({ a: ["x".repeat(COPIED_BYTES_MAX >> 8)] }, ...growing)).toThrow("exceed the limit");
});

test("operations may move only so many elements aside", () => {
  const list = Array.from({ length: MOVED_ELEMENTS_MAX / 1000 }, () => 0);
  const inserting: JsonPatchOperation[] = Array.from({ length: 1001 }, () => ({ op: "add", path: "/a/0", value: 1 }));
  expect(() => applyJsonPatch({ a: list }, inserting)).toThrow("move too many elements");
});

test("a copied or added value is not shared", () => {
  const value = { b: 1 };
  const result = patched(
    {},
    { op: "add", path: "/a", value },
    { op: "copy", from: "/a", path: "/c" },
    { op: "replace", path: "/c/b", value: 2 },
  );
  expect(result).toEqual({ a: { b: 1 }, c: { b: 2 } });
  expect(value).toEqual({ b: 1 });
});

test("what is added and removed again leaves the document as it was", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.string(), fc.jsonValue(), (document, key, value) => {
      fc.pre(!Object.hasOwn(document, key));
      const path = `/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
      const before = JSON.parse(JSON.stringify(document));
      expect(patched(before, { op: "add", path, value }, { op: "test", path, value }, { op: "remove", path })).toEqual(
        before,
      );
    }),
  );
});
