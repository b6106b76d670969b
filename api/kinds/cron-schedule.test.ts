import { expect, test } from "vitest";
import { scheduleComplaint } from "./cron-schedule.ts";

test.each([
  "* * * * *",
  "*/5 0-23/2 1,15 jan-DEC ?",
  "0  12\t* * MON-FRI",
  "5/10 * * * 6",
  ", * * * *",
  "@daily",
  "@every 1h30m",
])("%j is a schedule", (schedule) => {
  expect(scheduleComplaint(schedule)).toBeUndefined();
});

test.each<[schedule: string, complaint: string]>([
  ["* * * *", "expected exactly 5 fields, found 4: [* * * *]"],
  ["0 * * * * *", "expected exactly 5 fields, found 6: [0 * * * * *]"],
  ["60 * * * *", "end of range (60) above maximum (59): 60"],
  ["* * 0 * *", "beginning of range (0) below minimum (1): 0"],
  ["* * * * 7", "end of range (7) above maximum (6): 7"],
  ["30-10 * * * *", "beginning of range (30) beyond end of range (10): 30-10"],
  ["*/0 * * * *", "step of range should be a positive number: */0"],
  ["1-2-3 * * * *", "too many hyphens: 1-2-3"],
  ["1/2/3 * * * *", "too many slashes: 1/2/3"],
  ["x * * * *", `failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax`],
  ["1 * * * L", `failed to parse int from L: strconv.Atoi: parsing "L": invalid syntax`],
  [
    `${"9".repeat(30)} * * * *`,
    `failed to parse int from ${"9".repeat(30)}: strconv.Atoi: parsing "${"9".repeat(30)}": value out of range`,
  ],
  ["@sometimes", "unrecognized descriptor: @sometimes"],
  ["@every soon", `failed to parse duration @every soon: time: invalid duration "soon"`],
])("%j is none: %s", (schedule, complaint) => {
  expect(scheduleComplaint(schedule)).toBe(complaint);
});
