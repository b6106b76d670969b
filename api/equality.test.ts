import { expect, test } from "vitest";
import { sameJson } from "./equality.ts";

test.each([
  [{ a: 1, b: [1] }, { b: [1], a: 1 }, true],
  [undefined, [], true],
  [null, {}, true],
  [{ a: undefined }, {}, true],
  [{ a: [] }, {}, true],
  [{ a: "" }, {}, false],
  [{ a: 0 }, {}, false],
  [[1, 2], [2, 1], false],
  [{ a: 1 }, { b: 1 }, false],
  [[1], { 0: 1 }, false],
  ["1", 1, false],
])("%j and %j mean the same: %s", (a, b, same) => {
  expect(sameJson(a, b)).toBe(same);
  expect(sameJson(b, a)).toBe(same);
});
