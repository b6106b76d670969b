/** How many tests ended how. */
export interface Tally {
  passed: number;
  failed: number;
  skipped: number;
}

export const NOTHING: Tally = { passed: 0, failed: 0, skipped: 0 };

export const addTallies = (one: Tally, other: Tally): Tally => ({
  passed: one.passed + other.passed,
  failed: one.failed + other.failed,
  skipped: one.skipped + other.skipped,
});

/** The plain line that CI reads. */
export const describeTally = ({ passed, failed, skipped }: Tally): string =>
  `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;

/** A checker counts as one test. */
export const tallyOfCheck = (exitCode: number): Tally =>
  exitCode === 0 ? { ...NOTHING, passed: 1 } : { ...NOTHING, failed: 1 };

/**
 * @param report vitest's JSON report; undefined where it wrote none. A file that fails before its first test (or an
 *   error outside of every test) is in the exit code alone, and counts as one failure.
 */
export function tallyOfVitest(exitCode: number, report: unknown): Tally {
  const counts = (report ?? {}) as Partial<
    Record<"numPassedTests" | "numFailedTests" | "numPendingTests" | "numTodoTests", number>
  >;
  const failed = counts.numFailedTests ?? 0;
  return {
    passed: counts.numPassedTests ?? 0,
    failed: exitCode !== 0 && failed === 0 ? 1 : failed,
    skipped: (counts.numPendingTests ?? 0) + (counts.numTodoTests ?? 0),
  };
}
