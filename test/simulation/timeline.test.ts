import { execFile } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";

const SCRIPT = join(import.meta.dirname, "../../scripts/simulate.ts");
/** `SIMULATE_SEEDS=2000 vitest run --project unit test/simulation/timeline` runs more of them. */
const SEEDS = Number(process.env["SIMULATE_SEEDS"] ?? 300);
const MILLISECONDS_MAX = 60_000 + SEEDS * 1_000;
const OUTPUT_BYTES_MAX = 64 << 20;

function simulate(...args: string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [SCRIPT, ...args], { maxBuffer: OUTPUT_BYTES_MAX }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code ?? 1) : 0, output: stdout + stderr }),
    );
  });
}

test(
  `homes and Timeline keep their word to clients and subscribers, whatever goes wrong (${SEEDS} seeds)`,
  async () => {
    const { code, output } = await simulate("--seeds", String(SEEDS));
    expect(code, output).toBe(0);
  },
  MILLISECONDS_MAX,
);

test(
  "a seed is the same run each time, step by step",
  async () => {
    const [first, second, other] = await Promise.all([
      simulate("--seed", "3", "--verbose"),
      simulate("--seed", "3", "--verbose"),
      simulate("--seed", "4", "--verbose"),
    ]);
    expect(first.output).toBe(second.output);
    expect(first.output.split("\n").length).toBeGreaterThan(100);
    expect(first.output).not.toBe(other.output);
  },
  MILLISECONDS_MAX,
);

test("arguments that make no sense are refused", async () => {
  expect(await simulate("--seeds", "many")).toMatchObject({ code: 2, output: "--seeds wants a number, not many\n" });
  expect((await simulate("--mutant", "none")).code).toBe(2);
});
