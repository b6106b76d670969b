import { expect, test } from "vitest";
import { normalizeMicroTime, normalizeTime } from "./time-format.ts";

test.each([
  ["2025-01-02T03:04:05Z", "2025-01-02T03:04:05Z"],
  ["2025-01-02T03:04:05.999Z", "2025-01-02T03:04:05Z"],
  ["2025-01-02T03:04:05+02:00", "2025-01-02T01:04:05Z"],
  ["2025-01-01T00:30:00-01:00", "2025-01-01T01:30:00Z"],
  ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"],
  ["2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"],
])("%s is %s", (given, canonical) => {
  expect(normalizeTime(given)).toBe(canonical);
});

const LAYOUT = '"2006-01-02T15:04:05Z07:00"';

test.each([
  ["foo", `parsing time "foo" as ${LAYOUT}: cannot parse "foo" as "2006"`],
  ["", `parsing time "" as ${LAYOUT}: cannot parse "" as "2006"`],
  ["2025-01-02", `parsing time "2025-01-02" as ${LAYOUT}: cannot parse "" as "T"`],
  ["2025-01-02T03:04:05", `parsing time "2025-01-02T03:04:05" as ${LAYOUT}: cannot parse "" as "Z07:00"`],
  ["2025-13-02T03:04:05Z", 'parsing time "2025-13-02T03:04:05Z": month out of range'],
  ["2025-02-29T03:04:05Z", 'parsing time "2025-02-29T03:04:05Z": day out of range'],
  ["2025-01-02T24:04:05Z", 'parsing time "2025-01-02T24:04:05Z": hour out of range'],
  ["2025-01-02T03:04:05Zx", 'parsing time "2025-01-02T03:04:05Zx": extra text: "x"'],
])("%j is refused in Go's words", (given, words) => {
  expect(() => normalizeTime(given)).toThrow(new Error(words));
});

test("a MicroTime has six digits behind the second, and demands them", () => {
  expect(normalizeMicroTime("2025-01-02T03:04:05.123456Z")).toBe("2025-01-02T03:04:05.123456Z");
  expect(normalizeMicroTime("2025-01-02T03:04:05.123456+01:00")).toBe("2025-01-02T02:04:05.123456Z");
  expect(() => normalizeMicroTime("2025-01-02T03:04:05Z")).toThrow('cannot parse "Z" as ".000000"');
});
