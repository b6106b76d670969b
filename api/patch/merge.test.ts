import fc from "fast-check";
import { expect, test } from "vitest";
import { applyMergePatch } from "./merge.ts";

/** The cases of RFC 7386's appendix A. */
test.each<[unknown, unknown, unknown]>([
  [{ a: "b" }, { a: "c" }, { a: "c" }],
  [{ a: "b" }, { b: "c" }, { a: "b", b: "c" }],
  [{ a: "b" }, { a: null }, {}],
  [{ a: "b", b: "c" }, { a: null }, { b: "c" }],
  [{ a: ["b"] }, { a: "c" }, { a: "c" }],
  [{ a: "c" }, { a: ["b"] }, { a: ["b"] }],
  [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
  [{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  [{ a: "foo" }, null, null],
  [[1, 2], { a: "b", c: null }, { a: "b" }],
])("%j merged with %j is %j", (target, patch, expected) => {
  expect(applyMergePatch(structuredClone(target), patch)).toEqual(expected);
});

test("applying a patch twice is applying it once, and the patch is left alone", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.dictionary(fc.string(), fc.jsonValue()), (target, patch) => {
      const before = JSON.stringify(patch);
      const once = applyMergePatch(structuredClone(target), patch);
      expect(applyMergePatch(structuredClone(once), patch)).toEqual(once);
      expect(JSON.stringify(patch)).toBe(before);
    }),
  );
});

test("a field named __proto__ is a field", () => {
  const result = applyMergePatch({}, JSON.parse('{"__proto__":{"a":1}}')) as object;
  expect(Object.keys(result)).toEqual(["__proto__"]);
  expect((result as { a?: unknown }).a).toBeUndefined();
});
