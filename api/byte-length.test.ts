import { expect, test } from "vitest";
import { areLonger } from "./byte-length.ts";

test.each([
  [["abc", "de"], 5, false],
  [["abc", "de"], 4, true],
  [["é"], 2, false],
  [["é"], 1, true],
  [["😀"], 4, false],
  [["😀"], 3, true],
  [[], 0, false],
])("%j are longer than %d bytes: %s", (texts, bytes, longer) => {
  expect(areLonger(texts, bytes)).toBe(longer);
});
