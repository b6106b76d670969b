/**
 * `npm run fuzz -- [--minutes N] [--seed N]`: sends arbitrary requests to every endpoint of a real control plane. Exit code 1 where
 * something is answered with 5xx that is no honest one, hangs, breaks off, or makes the memory grow.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import pc from "picocolors";
import { fuzz } from "../test/fuzz/fuzz.ts";
import { TestCluster } from "../test/support/control-plane.ts";

const MINUTES = 10;
/** Characters of the log's end that are shown where something was found. */
const LOG_SHOWN = 8_000;
const USAGE_EXIT_CODE = 2;

const { values } = parseArgs({ options: { minutes: { type: "string" }, seed: { type: "string" } } });
const minutes = Number(values.minutes ?? MINUTES);
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
if (!(minutes > 0) || !Number.isInteger(seed)) {
  console.error("usage: npm run fuzz -- [--minutes N] [--seed N]");
  process.exit(USAGE_EXIT_CODE);
}
console.log(`seed ${seed}`);
const cluster = await TestCluster.start();
try {
  const { requests, codes, findings, memory } = await fuzz(cluster, {
    seed,
    milliseconds: minutes * 60_000,
    onFinding: ({ what, request, isRepeatable }) =>
      console.error(`${pc.red(what)}\n${isRepeatable ? "" : "(not again by itself) "}${request}\n`),
  });
  console.log(`${requests} requests; answers: ${JSON.stringify(codes)}`);
  console.log(`memory: ${memory.early >> 20} MiB after a third of the time, ${memory.late >> 20} MiB at the end`);
  if (findings.length > 0)
    console.error(readFileSync(join(cluster.home.root, "logs", "workerd.log"), "utf8").slice(-LOG_SHOWN));
  for (const { what } of findings.filter(({ request }) => request === "")) console.error(pc.red(what));
  console.log(findings.length === 0 ? pc.green("nothing found") : pc.red(`${findings.length} found`));
  process.exitCode = findings.length === 0 ? 0 : 1;
} finally {
  await cluster.stop();
}
