import { expect, test } from "vitest";
import { ageSince, humanDuration } from "./duration.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

test.each([
  [-2 * SECOND, "<invalid>"],
  [-1500, "0s"],
  [0, "0s"],
  [119 * SECOND, "119s"],
  [120 * SECOND, "2m"],
  [5 * MINUTE + 12 * SECOND, "5m12s"],
  [10 * MINUTE + 12 * SECOND, "10m"],
  [179 * MINUTE, "179m"],
  [3 * HOUR, "3h"],
  [3 * HOUR + 5 * MINUTE, "3h5m"],
  [47 * HOUR, "47h"],
  [3 * DAY + 4 * HOUR, "3d4h"],
  [7 * DAY, "7d"],
  [8 * DAY + HOUR, "8d"],
  [729 * DAY, "729d"],
  [741 * DAY, "2y11d"],
  [9 * 365 * DAY + 5 * DAY, "9y"],
])("%d ms is printed %s", (milliseconds, text) => {
  expect(humanDuration(milliseconds)).toBe(text);
});

test("an age needs a timestamp", () => {
  expect(ageSince("2025-01-01T00:00:00Z", Date.UTC(2025, 0, 1, 0, 0, 30))).toBe("30s");
  for (const nothing of [undefined, null, ""]) expect(ageSince(nothing, 0)).toBe("<unknown>");
});
