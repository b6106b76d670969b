import { expect, test } from "vitest";
import { countQuickEnds, restartDelayMilliseconds } from "./supervise.ts";

test("a process that ends for the first time is started again at once, then ever later, but never later than five seconds", () => {
  const delays = [0, 1, 2, 3, 20, 1000].map(restartDelayMilliseconds);
  expect(delays).toEqual([50, 100, 200, 400, 5000, 5000]);
});

test("whoever has run for ten seconds is thought well again", () => {
  expect(countQuickEnds(3, 9_999)).toBe(4);
  expect(countQuickEnds(3, 10_000)).toBe(0);
});
