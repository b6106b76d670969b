import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { MUTANTS } from "../support/mutants.ts";
import { SMALL_BOUNDS } from "../support/small-bounds.ts";
import { changed } from "../support/source-change.ts";

const ROOT = join(import.meta.dirname, "../..");
const SEEDS = 200;
const MILLISECONDS_MAX = 120_000;

function simulate(mutant: string): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const args = [join(ROOT, "scripts/simulate.ts"), "--mutant", mutant, "--seeds", String(SEEDS)];
    execFile(process.execPath, args, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code ?? 1) : 0, output: stdout + stderr }),
    );
  });
}

test.each(MUTANTS)(
  "the simulation notices $name: $why",
  async ({ name }) => {
    const { code, output } = await simulate(name);
    expect(code, output).toBe(1);
    expect(output).toMatch(/^seed \d+ failed:$/m);
  },
  MILLISECONDS_MAX,
);

test("a change to text that is not there exactly once is refused", () => {
  const change = { file: "f.ts", find: "x", replace: "y" };
  expect(changed(change, "a x b")).toBe("a y b");
  expect(() => changed(change, "a b")).toThrow('"x" occurs 0 times in f.ts, not once');
  expect(() => changed(change, "x x")).toThrow("occurs 2 times");
});

test.each([...MUTANTS, ...SMALL_BOUNDS])("what is replaced in $file is there once: $find", (change) => {
  expect(changed(change, readFileSync(join(ROOT, change.file), "utf8"))).toContain(change.replace);
});
