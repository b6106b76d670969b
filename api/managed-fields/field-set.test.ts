import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  BadFieldSet,
  difference,
  type FieldSet,
  includes,
  intersection,
  ordered,
  printPaths,
  readFieldSet,
  recursiveDifference,
  setOfFields,
  union,
} from "./field-set.ts";
import { BadPathElement } from "./path-element.ts";

/** A set as the paths of its members: the model that the algebra is compared with. */
const pathsOf = (set: FieldSet | undefined): string[] => printPaths(set).sort();

const element = fc.constantFrom("f:a", "f:b", 'k:{"name":"x"}', 'v:"y"', "v:1");
const paths = fc.uniqueArray(fc.array(element, { minLength: 1, maxLength: 3 }), {
  maxLength: 6,
  selector: (path) => path.join("/"),
});
const setOf = (list: string[][]): FieldSet | undefined =>
  list.reduce<FieldSet | undefined>((set, path) => {
    const one = path.reduceRight<FieldSet | undefined>((node, step) => ({ [step]: node ?? {} }), undefined);
    return union(set, one);
  }, undefined);
const printed = (list: string[][]): string[] => list.flatMap((path) => printPaths(setOf([path]))).sort();
const has = (list: string[][], path: string[]): boolean => list.some((other) => other.join("/") === path.join("/"));
const isBelow = (list: string[][], path: string[]): boolean =>
  list.some((other) => other.every((step, i) => path[i] === step));

test("the algebra of sets is that of sets of paths", () => {
  fc.assert(
    fc.property(paths, paths, (a, b) => {
      const [left, right] = [setOf(a), setOf(b)];
      expect(pathsOf(left)).toEqual(printed(a));
      expect(pathsOf(union(left, right))).toEqual(printed([...a, ...b.filter((path) => !has(a, path))]));
      expect(pathsOf(intersection(left, right))).toEqual(printed(a.filter((path) => has(b, path))));
      expect(pathsOf(difference(left, right))).toEqual(printed(a.filter((path) => !has(b, path))));
      expect(pathsOf(recursiveDifference(left, right))).toEqual(printed(a.filter((path) => !isBelow(b, path))));
      for (const path of [...a, ...b]) expect(includes(left, path)).toBe(has(a, path));
    }),
    { numRuns: 300 },
  );
});

test("the algebra leaves its operands as they are, and an empty result is undefined", () => {
  const a = Object.freeze({ "f:a": Object.freeze({ ".": {}, "f:b": {} }) }) as FieldSet;
  expect(difference(a, a)).toBeUndefined();
  expect(difference(a, setOfFields("a.b"))).toEqual({ "f:a": {} });
  expect(difference(a, setOfFields("a"))).toEqual({ "f:a": { "f:b": {} } });
  expect(difference(a, setOfFields("c"))).toBe(a);
  expect(recursiveDifference(a, setOfFields("a"))).toBeUndefined();
  expect(union(a, setOfFields("a.b"))).toBe(a);
  expect(intersection(a, undefined)).toBeUndefined();
});

test("what is printed is read again as it was", () => {
  fc.assert(
    fc.property(paths, (list) => {
      const set = setOf(list);
      const text = set && JSON.stringify(ordered(set));
      const again = readFieldSet(text === undefined ? {} : JSON.parse(text));
      expect(JSON.stringify(again)).toBe(text);
    }),
  );
});

describe("FieldsV1 of a client", () => {
  test("is brought into the order that the server writes: fields, keys, values; numbers by their size", () => {
    const given = {
      'v:"b"': {},
      'k:{"protocol":"TCP","port":443}': { "f:x": {}, ".": {} },
      "f:b": {},
      'k:{"port":80}': {},
      "v:10": {},
      "v:9": {},
      "f:a": { "f:c": null },
    };
    expect(JSON.stringify(readFieldSet(given))).toBe(
      JSON.stringify({
        "f:a": { "f:c": {} },
        "f:b": {},
        'k:{"port":80}': {},
        'k:{"port":443,"protocol":"TCP"}': { ".": {}, "f:x": {} },
        "v:9": {},
        "v:10": {},
        'v:"b"': {},
      }),
    );
  });

  test("puts elements together that say the same, and passes over sorts that it does not know", () => {
    const given = { 'k:{"a":1,"b":2}': { "f:x": {} }, 'k:{"b":2,"a":1}': { "f:y": {} }, "z:?": { "f:a": {} } };
    expect(readFieldSet(given)).toEqual({ 'k:{"a":1,"b":2}': { "f:x": {}, "f:y": {} } });
    expect(readFieldSet({ "f:a": { ".": {}, "z:b": {} } })).toEqual({ "f:a": {} });
  });

  test.each([
    [[], BadFieldSet],
    ["f:a", BadFieldSet],
    [{ "f:a": 1 }, BadFieldSet],
    [{ a: {} }, BadPathElement],
    [{ name: {} }, BadPathElement],
    [{ "k:{": {} }, BadPathElement],
    [{ "k:[]": {} }, BadPathElement],
    [{ "v:": {} }, BadPathElement],
    [{ "i:x": {} }, BadPathElement],
  ])("%j is none", (given, error) => {
    expect(() => readFieldSet(given)).toThrow(error);
  });

  test("may name what JavaScript's objects have by themselves", () => {
    const given = JSON.parse('{"f:__proto__":{"f:constructor":{}},"f:toString":{}}');
    expect(printPaths(readFieldSet(given)).sort()).toEqual([".__proto__.constructor", ".toString"]);
  });
});

test("paths are printed as conflicts show them: the members of a level before what lies below them", () => {
  const set = readFieldSet({
    "f:spec": {
      "f:containers": { 'k:{"name":"a"}': { ".": {}, "f:image": {} } },
      "f:ports": { 'k:{"port":80,"protocol":"TCP"}': {} },
      "f:replicas": {},
    },
    "f:metadata": { "f:finalizers": { 'v:"x/y"': {} } },
    "f:list": { "i:0": {} },
  });
  expect(printPaths(set)).toEqual([
    ".list[0]",
    '.metadata.finalizers[="x/y"]',
    ".spec.replicas",
    '.spec.containers[name="a"]',
    '.spec.containers[name="a"].image',
    '.spec.ports[port=80,protocol="TCP"]',
  ]);
});
