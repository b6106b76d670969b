import { expect, test } from "vitest";
import { printMoment, readMoment } from "./time-travel.ts";

const NOW = Date.UTC(2026, 0, 31, 12, 0, 0);
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

test.each([
  ["45s", NOW - 45 * SECOND],
  ["10m", NOW - 10 * MINUTE],
  ["1h30m", NOW - 90 * MINUTE],
  ["2d1h1m1s", NOW - 49 * HOUR - MINUTE - SECOND],
  ["0s", NOW],
  ["999999999d", 0],
  ["90m", NOW - 90 * MINUTE],
  ["2026-01-31T12:00:00Z", NOW],
  ["2026-01-31T11:59:59.5Z", NOW - 500],
  ["2026-01-31T11:59:59.99975Z", NOW - 0.25],
  ["2026-01-31T13:00:00+02:00", NOW - HOUR],
])("%s is a moment", (text, time) => {
  expect(readMoment(text, NOW)).toEqual({ time });
});

test.each([
  "",
  "10",
  "m",
  "-10m",
  "10m1h",
  "1h1h",
  "1.5h",
  "10 m",
  "10M",
  "yesterday",
  "1769860800",
  "2026-01-31",
  "2026-01-31T12:00:00",
  "2026-02-30T12:00:00Z",
  "2026-01-31 12:00:00Z",
  `${"9".repeat(400)}s`,
])("%j is no moment, and what would be one is said", (text) => {
  expect(readMoment(text, NOW)).toEqual({
    problem: `${JSON.stringify(text)} is no time: give one in RFC 3339 (2026-01-31T12:00:00Z) or how long ago (45s, 10m, 1h30m)`,
  });
});

test("what has not come yet cannot be looked at", () => {
  expect(readMoment("2026-01-31T12:00:00.001Z", NOW)).toEqual({
    problem: '"2026-01-31T12:00:00.001Z" lies in the future',
  });
});

test.each([
  [NOW, "2026-01-31T12:00:00.000Z"],
  [NOW + 7, "2026-01-31T12:00:00.007Z"],
  [NOW - 0.25, "2026-01-31T11:59:59.999750Z"],
  [NOW - 0.5, "2026-01-31T11:59:59.999500Z"],
])("%d is printed %s, and read as it was", (time, text) => {
  expect(printMoment(time)).toBe(text);
  expect(readMoment(text, NOW + 7)).toEqual({ time });
});
