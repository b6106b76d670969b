import { expect, test } from "vitest";
import { timeoutOf, within } from "./request-timeout.ts";

test.each([
  [undefined, undefined],
  ["", undefined],
  ["30s", 30_000],
  ["1.5s", 1_500],
  ["1m", 60_000],
  ["2h", 60_000],
  ["1s500ms", 1_500],
  ["0", undefined],
  ["-5s", undefined],
])("timeout=%s is %s ms", (text, milliseconds) => {
  expect(timeoutOf(text === undefined ? undefined : new URLSearchParams({ timeout: text }))).toBe(milliseconds);
});

test.each([
  ["abc", 'time: invalid duration "abc"'],
  ["10", 'time: missing unit in duration "10"'],
  ["10x", 'time: unknown unit "x" in duration "10x"'],
  ["1s,", 'time: unknown unit "s," in duration "1s,"'],
  ["-", 'time: invalid duration "-"'],
])("timeout=%s is refused", (text, why) => {
  expect(() => timeoutOf(new URLSearchParams({ timeout: text }))).toThrow(
    `invalid timeout specified in the request URL - ${why}`,
  );
});

test("what takes too long is answered with 504", async () => {
  await expect(within(1, new Promise(() => {}))).rejects.toMatchObject({
    code: 504,
    reason: "Timeout",
    message: "Timeout: request did not complete within the allotted timeout",
  });
  expect(await within(60_000, Promise.resolve("in time"))).toBe("in time");
});
