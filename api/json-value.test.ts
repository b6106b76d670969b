import { expect, test } from "vitest";
import { assign, cloneJson, equalJson, printGo } from "./json-value.ts";

test("a clone shares nothing and keeps fields named like Object's own", () => {
  const value = JSON.parse('{"a":[{"b":1}],"__proto__":{"c":2},"constructor":3}');
  const copy = cloneJson(value);
  expect(JSON.stringify(copy)).toBe(JSON.stringify(value));
  copy.a[0].b = 2;
  expect(value.a[0].b).toBe(1);
});

test("a field may be named __proto__", () => {
  const target: Record<string, unknown> = {};
  assign(target, "__proto__", { polluted: true });
  expect(Object.keys(target)).toEqual(["__proto__"]);
  expect((target as { polluted?: boolean }).polluted).toBeUndefined();
});

test("equality is that of JSON: fields in any order, elements in theirs", () => {
  expect(equalJson({ a: 1, b: [1, { c: null }] }, { b: [1, { c: null }], a: 1 })).toBe(true);
  expect(equalJson([1, 2], [2, 1])).toBe(false);
  expect(equalJson({ a: undefined }, { b: undefined })).toBe(false);
  expect(equalJson(1, "1")).toBe(false);
  expect(equalJson({}, [])).toBe(false);
});

test("values are printed as Go prints maps and slices", () => {
  expect(printGo({ b: [1, "x"], a: null, c: { d: true } })).toBe("map[a:<nil> b:[1 x] c:map[d:true]]");
  expect(printGo([])).toBe("[]");
});
