import { describe, expect, test } from "vitest";
import { addTallies, describeTally, NOTHING, tallyOfCheck, tallyOfVitest } from "./tally.ts";

describe("the line that CI reads", () => {
  test("names passed and failed, also where they are none", () => {
    expect(describeTally(NOTHING)).toBe("0 passed, 0 failed");
  });

  test("names the skipped only where there are some", () => {
    expect(describeTally({ passed: 3, failed: 1, skipped: 2 })).toBe("3 passed, 1 failed, 2 skipped");
  });

  test("sums the stages", () => {
    expect(
      [tallyOfCheck(0), tallyOfCheck(1), { passed: 5, failed: 0, skipped: 1 }].reduce(addTallies, NOTHING),
    ).toEqual({
      passed: 6,
      failed: 1,
      skipped: 1,
    });
  });
});

describe("a vitest report", () => {
  test("is taken as it is where all is well", () => {
    const report = { numPassedTests: 7, numFailedTests: 0, numPendingTests: 1, numTodoTests: 0 };
    expect(tallyOfVitest(0, report)).toEqual({ passed: 7, failed: 0, skipped: 1 });
  });

  test("that shows no failure although vitest failed counts as one", () => {
    expect(tallyOfVitest(1, { numPassedTests: 7, numFailedTests: 0 })).toEqual({ passed: 7, failed: 1, skipped: 0 });
  });

  test("that is missing counts as one failure", () => {
    expect(tallyOfVitest(137, undefined)).toEqual({ passed: 0, failed: 1, skipped: 0 });
  });
});
