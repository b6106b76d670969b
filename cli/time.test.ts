import { expect, test } from "vitest";
import { chosenTime } from "./time.ts";

const NOW = Date.UTC(2026, 0, 31, 12);

test("how long ago becomes when; a time stays the same moment", () => {
  expect(chosenTime("1h30m", NOW)).toBe("2026-01-31T10:30:00.000Z");
  expect(chosenTime("2026-01-31T12:00:00.25+02:00", NOW)).toBe("2026-01-31T10:00:00.250Z");
});

test.each(["soon", "2026-02-01T00:00:00Z"])("--at %s is asked wrongly, and told in one line", (text) => {
  expect(() => chosenTime(text, NOW)).toThrow(
    expect.objectContaining({ exitCode: 2, message: expect.stringMatching(/^--at: ".*" .+$/) }),
  );
});
