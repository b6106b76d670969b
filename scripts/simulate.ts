/**
 * `npm run simulate -- [--seeds N] [--from S] [--seed N] [--mutant NAME] [--verbose]`: homes, Timeline, clients and subscribers under
 * all that can go wrong (test/support/simulated-run.ts), seed by seed. `--seed` runs one again, exactly; `--verbose` tells each of its steps;
 * `--mutant` breaks the product in a known way first (test/support/mutants.ts), and ends with the first seed that notices.
 */
import { type ChildProcess, fork } from "node:child_process";
import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { MUTANTS } from "../test/support/mutants.ts";
import type { Outcome } from "../test/support/simulated-run.ts";
import { SMALL_BOUNDS } from "../test/support/small-bounds.ts";
import { changed } from "../test/support/source-change.ts";

const ROOT = join(import.meta.dirname, "..");
const fileUrl = (file: string): string => pathToFileURL(join(ROOT, file)).href;
const SEEDS = 200;
/** Failing seeds that are waited for before the rest is given up. */
const FAILURES_MAX = 10;
/** A seed takes a tenth of a second; one that takes so long never ends. */
const SEED_MILLISECONDS_MAX = 60_000;
const PROGRESS_SEEDS = 100;
const USAGE_EXIT_CODE = 2;
const LOAD_EXIT_CODE = 3;
const READY = "ready";
const NOTHING: Outcome = { seed: 0, failures: [], digest: "", steps: 0, versions: 0, lists: 0, events: 0, crashes: 0 };

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: String(SEEDS) },
    from: { type: "string", default: "0" },
    seed: { type: "string" },
    mutant: { type: "string" },
    verbose: { type: "boolean", default: false },
    worker: { type: "boolean", default: false },
    small: { type: "boolean", default: false },
  },
});

const mutant = MUTANTS.find(({ name }) => name === values.mutant);
if (values.mutant !== undefined && !mutant) {
  console.error(`there is no mutant ${values.mutant}; there are ${MUTANTS.map(({ name }) => name).join(", ")}`);
  process.exit(USAGE_EXIT_CODE);
}
const count = numberOf("seeds", values.seeds);
const first = numberOf("from", values.from);

checkChanges();

if (values.worker) await work();
else if (values.seed !== undefined) await runOne(numberOf("seed", values.seed));
else await runAll();

function numberOf(name: string, text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  console.error(`--${name} wants a number, not ${text}`);
  process.exit(USAGE_EXIT_CODE);
}

/** Before any process is started that would end by them. */
function checkChanges(): void {
  try {
    for (const change of [...SMALL_BOUNDS, ...(mutant ? [mutant] : [])])
      changed(change, readFileSync(join(ROOT, change.file), "utf8"));
  } catch (error) {
    console.error((error as Error).message);
    process.exit(LOAD_EXIT_CODE);
  }
}

/** Odd seeds run with small bounds, even ones with those of the product. */
function isSmall(seed: number): boolean {
  return seed % 2 === 1;
}

/** The simulation, over the product as it is or with small bounds, and as the mutant breaks it. */
async function load(small: boolean): Promise<typeof import("../test/support/simulated-run.ts")> {
  const all = [...(mutant ? [mutant] : []), ...(small ? SMALL_BOUNDS : [])];
  const changes = Map.groupBy(all, ({ file }) => fileUrl(file));
  registerHooks({
    load(url, context, next) {
      const own = changes.get(url);
      if (!own) return next(url, context);
      const source = own.reduce((text, change) => changed(change, text), readFileSync(new URL(url), "utf8"));
      return { format: "module-typescript", shortCircuit: true, source };
    },
  });
  return await import("../test/support/simulated-run.ts");
}

async function runOne(seed: number): Promise<void> {
  const { StoreSimulation } = await load(isSmall(seed));
  const print = values.verbose ? (line: string) => process.stdout.write(`${line}\n`) : undefined;
  const outcome = await new StoreSimulation(seed, print).run();
  tell(outcome);
  console.log(summaryOf([outcome]));
  process.exit(outcome.failures.length > 0 ? 1 : 0);
}

/** A child process: runs the seeds that it is sent. */
async function work(): Promise<void> {
  const { StoreSimulation } = await load(values.small);
  process.on("message", async (seed: number) => {
    process.send!(await new StoreSimulation(seed).run());
  });
  process.on("disconnect", () => process.exit(0));
  process.send!(READY);
}

async function runAll(): Promise<void> {
  const began = performance.now();
  const outcomes: Outcome[] = [];
  const seeds = Array.from({ length: count }, (_, i) => first + i);
  const [large, small] = [seeds.filter((seed) => !isSmall(seed)), seeds.filter(isSmall)];
  let failed = 0;
  const enough = () => failed >= (mutant ? 1 : FAILURES_MAX);
  const settle = (outcome: Outcome): void => {
    outcomes.push(outcome);
    if (outcome.failures.length > 0) {
      failed++;
      tell(outcome);
    }
    if (outcomes.length % PROGRESS_SEEDS === 0) console.log(`${outcomes.length} of ${count} seeds, ${failed} failed`);
  };
  const lane = async (left: number[]): Promise<void> => {
    while (left.length > 0 && !enough()) {
      const child = fork(import.meta.filename, [
        "--worker",
        ...(left === small ? ["--small"] : []),
        ...(mutant ? ["--mutant", mutant.name] : []),
      ]);
      if ((await once(child)) !== READY) {
        console.error("the simulation cannot be loaded");
        process.exit(LOAD_EXIT_CODE);
      }
      for (let isAlive = true; isAlive && left.length > 0 && !enough(); ) {
        const seed = left.shift()!;
        child.send(seed);
        const outcome = (await once(child)) as Outcome | undefined;
        isAlive = outcome !== undefined;
        settle(outcome ?? { ...NOTHING, seed, failures: ["it hangs, or its process ended"] });
      }
      child.kill();
    }
  };
  const lanes = Math.max(2, availableParallelism());
  await Promise.all(Array.from({ length: lanes }, (_, i) => lane(i % 2 === 0 ? large : small)));
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  console.log(`${summaryOf(outcomes)}, in ${seconds} s`);
  process.exit(failed > 0 ? 1 : 0);
}

/** The child's next message; undefined where it ends, or takes too long. */
function once(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => done(undefined), SEED_MILLISECONDS_MAX);
    const done = (message: unknown): void => {
      clearTimeout(timer);
      child.off("message", done);
      child.off("exit", ended);
      resolve(message);
    };
    const ended = () => done(undefined);
    child.on("message", done);
    child.on("exit", ended);
  });
}

function tell({ seed, failures }: Outcome): void {
  if (failures.length === 0) return;
  console.log(`seed ${seed} failed:`);
  for (const failure of failures) console.log(`  ${failure}`);
  console.log(`  again: npm run simulate -- --seed ${seed}${mutant ? ` --mutant ${mutant.name}` : ""} --verbose`);
}

function summaryOf(outcomes: Outcome[]): string {
  const sum = (field: "versions" | "lists" | "events" | "crashes" | "steps") =>
    outcomes.reduce((total, outcome) => total + outcome[field], 0).toLocaleString("en");
  const failed = outcomes.filter(({ failures }) => failures.length > 0).length;
  const only = outcomes.length === 1 ? ` (digest ${outcomes[0]!.digest})` : "";
  return (
    `${outcomes.length} seeds, ${failed} failed${only}: ${sum("versions")} versions, ${sum("lists")} lists, ` +
    `${sum("events")} watch events, ${sum("crashes")} crashes, ${sum("steps")} steps`
  );
}
