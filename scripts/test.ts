/**
 * `npm test [-- STAGE…]`: every check there is, in order of cost. The last line is `N passed, N failed[, N skipped]`.
 * Where a machine cannot run a stage it is skipped, loudly; with CI=true that is a failure.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pc from "picocolors";
import { runCommand } from "./run-command.ts";
import { addTallies, describeTally, NOTHING, type Tally, tallyOfCheck, tallyOfVitest } from "./tally.ts";
import { installForTests, whyNoContainers, whyNoGo, whyNoKubectl } from "./test-machine.ts";

const PROJECT = join(import.meta.dirname, "..");
const USAGE_EXIT_CODE = 2;
const INTERRUPTED_EXIT_CODE = 130;
/** A stage that takes longer hangs. */
const STAGE_MINUTES_MAX = 15;

interface Stage {
  name: string;
  /** Why this machine cannot run it; undefined where it can. */
  whyNot?: () => string | undefined;
  /** Where the machine cannot run it that is no failure in CI either. */
  isOptional?: boolean;
  run(): Promise<Tally>;
}

const isCi = process.env["CI"] === "true";
// All that tests make lies below one folder, so that whatever they leave behind is found.
const folder = mkdtempSync(join(tmpdir(), "cox-test-"));
const environment = { ...process.env, TMPDIR: folder, COXSWAIN_HOME: join(folder, "home"), PATH: pathWithTools() };

const check = (name: string, command: string, ...args: string[]): Stage => ({
  name,
  run: async () => tallyOfCheck(await call(command, args)),
});

const vitest = (project: string, whyNot?: () => string | undefined): Stage => ({
  name: project,
  ...(whyNot ? { whyNot } : {}),
  run: async () => {
    const report = join(folder, `${project}.json`);
    const code = await call("vitest", [
      ...["run", "--project", project, "--passWithNoTests"],
      ...["--reporter=default", "--reporter=json", `--outputFile.json=${report}`],
    ]);
    const tally = tallyOfVitest(code, readReport(report));
    // Tests of a stage that asks something of the machine may not skip themselves in CI either.
    return isCi && whyNot && tally.skipped > 0 ? addTallies(tally, { ...NOTHING, failed: 1 }) : tally;
  },
});

const stages: Stage[] = [
  check("typecheck", "tsc", "-p", "tsconfig.json"),
  check("typecheck-worker", "tsc", "-p", "tsconfig.worker.json"),
  check("lint", "biome", "check", "."),
  check(
    "layers",
    "depcruise",
    "--config",
    ".dependency-cruiser.cjs",
    "api",
    "worker",
    "durable-objects",
    "node-agent",
    "cli",
  ),
  vitest("unit"),
  vitest("workerd"),
  vitest("kubectl", whyNoKubectl),
  { ...vitest("clients", () => whyNoKubectl() ?? whyNoGo()), isOptional: true },
  vitest("containers", whyNoContainers),
];

process.exitCode = await main(process.argv.slice(2));

async function main(asked: string[]): Promise<number> {
  const unknown = asked.find((name) => !stages.some((stage) => stage.name === name));
  if (unknown !== undefined) {
    console.error(`${unknown} is no stage: choose among ${stages.map(({ name }) => name).join(", ")}`);
    return USAGE_EXIT_CODE;
  }
  const chosen = stages.filter(({ name }) => asked.length === 0 || asked.includes(name));
  let interrupted = false;
  const onSignal = () => {
    interrupted = true;
  };
  // The terminal's Ctrl-C reaches the running command as well; here it only ends the row of stages.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, onSignal);

  const results: { stage: Stage; tally: Tally; skipped?: string; seconds: number }[] = [];
  try {
    if (chosen.some(({ whyNot }) => whyNot)) await installForTests();
    for (const stage of chosen) {
      if (interrupted) break;
      const start = performance.now();
      const skipped = stage.whyNot?.();
      console.log(pc.bold(`\n── ${stage.name}`));
      const tally = skipped === undefined ? await stage.run() : await skip(stage, skipped);
      results.push({
        stage,
        tally,
        seconds: (performance.now() - start) / 1000,
        ...(skipped === undefined ? {} : { skipped }),
      });
    }
  } finally {
    await removeLeftovers();
  }

  console.log(pc.bold("\n── Summary"));
  for (const { stage, tally, skipped, seconds } of results) {
    const mark =
      tally.failed > 0 ? pc.red("failed ") : skipped === undefined ? pc.green("passed ") : pc.yellow("SKIPPED");
    console.log(
      `${mark} ${stage.name.padEnd(18)} ${seconds.toFixed(1).padStart(6)} s  ${skipped ?? describeTally(tally)}`,
    );
  }
  const total = results.map(({ tally }) => tally).reduce(addTallies, NOTHING);
  if (interrupted) console.log("interrupted");
  console.log(describeTally(total));
  if (interrupted) return INTERRUPTED_EXIT_CODE;
  return total.failed > 0 ? 1 : 0;
}

/** How many tests are not run is told too; in CI not running them is a failure. */
async function skip({ name, isOptional }: Stage, why: string): Promise<Tally> {
  console.log(pc.yellow(`${"!".repeat(76)}\n!! SKIPPED: the ${name} tests, because ${why}\n${"!".repeat(76)}`));
  const list = join(folder, `${name}-list.json`);
  await call("vitest", ["list", "--project", name, `--json=${list}`]);
  const count = (readReport(list) as unknown[] | undefined)?.length ?? 0;
  return { ...NOTHING, skipped: count, failed: isCi && !isOptional ? 1 : 0 };
}

function call(command: string, args: string[]): Promise<number> {
  return runCommand(command, args, { cwd: PROJECT, env: environment, minutesMax: STAGE_MINUTES_MAX });
}

function pathWithTools(): string {
  return [join(PROJECT, "node_modules", ".bin"), process.env["PATH"] ?? "", "/usr/sbin", "/sbin"].join(":");
}

function readReport(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined; // vitest did not get as far: its exit code counts.
  }
}

/** A test that was killed could not stop its cluster: containers, network namespaces and processes go with its home. */
async function removeLeftovers(): Promise<void> {
  for (const name of readdirSync(folder)) {
    const home = join(folder, name);
    const isHome = ["cluster.json", "processes.json", "lock"].some((file) => existsSync(join(home, file)));
    if (isHome) await call(process.execPath, [join(PROJECT, "cli", "bin.js"), "reset", "--yes", "--state", home]);
  }
  rmSync(folder, { recursive: true, force: true });
}
