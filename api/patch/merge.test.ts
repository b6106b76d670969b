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

/** RFC 7386 by paths: a leaf of the patch says what stands at its path, and what it says nothing of stays. */
function leaves(value: unknown, path: string[] = [], out = new Map<string, unknown>()): Map<string, unknown> {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  if (!isObject || Object.keys(value).length === 0) out.set(JSON.stringify(path), value);
  else for (const [key, item] of Object.entries(value)) leaves(item, [...path, key], out);
  return out;
}
const covers = (path: string[], other: string[]): boolean => path.every((key, i) => other[i] === key);

test("a patch of an object agrees with a model that looks at leaves alone", () => {
  const key = fc.constantFrom("a", "b", "c");
  const { tree } = fc.letrec((tie) => ({
    tree: fc.dictionary(key, fc.oneof(fc.constantFrom<unknown>(1, "x", [1, { a: null }]), tie("tree")), { maxKeys: 3 }),
  }));
  const patches = fc.letrec((tie) => ({
    tree: fc.dictionary(key, fc.oneof(fc.constantFrom<unknown>(2, null, [2]), tie("tree")), { minKeys: 1, maxKeys: 3 }),
  })).tree;
  fc.assert(
    fc.property(tree, patches, (target, patch) => {
      const result = leaves(applyMergePatch(structuredClone(target), patch));
      const said = [...leaves(patch)].map(([path, value]) => ({ path: JSON.parse(path) as string[], value }));
      for (const { path, value } of said) {
        if (value === null) expect([...result.keys()].some((there) => covers(path, JSON.parse(there)))).toBe(false);
        else if (typeof value !== "object" || Array.isArray(value))
          expect(result.get(JSON.stringify(path))).toEqual(value);
      }
      for (const [path, value] of leaves(target)) {
        const at = JSON.parse(path) as string[];
        if (said.some((each) => covers(each.path, at) || covers(at, each.path))) continue;
        expect(result.get(path)).toEqual(value);
      }
    }),
  );
});

test("a field named __proto__ is a field", () => {
  const result = applyMergePatch({}, JSON.parse('{"__proto__":{"a":1}}')) as object;
  expect(Object.keys(result)).toEqual(["__proto__"]);
  expect((result as { a?: unknown }).a).toBeUndefined();
});
