/** `npm run bench -- NAME [--json]`: runs bench/NAME.ts, whose default export is `async (): Promise<Row[]>`. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import Table from "cli-table3";
import type { Row } from "../bench/row.ts";

const FOLDER = join(import.meta.dirname, "..", "bench");
const USAGE_EXIT_CODE = 2;
const NO_BENCHMARKS = /^row\.ts$|\.test\.ts$/;

const { values, positionals } = parseArgs({
  options: { json: { type: "boolean", default: false } },
  allowPositionals: true,
});
const names = readdirSync(FOLDER)
  .filter((file) => file.endsWith(".ts") && !NO_BENCHMARKS.test(file))
  .map((file) => file.slice(0, -".ts".length));
const [name] = positionals;

if (positionals.length !== 1 || !names.includes(name!)) {
  console.error(
    `usage: npm run bench -- NAME [--json], where NAME is one of: ${names.join(", ") || "(there is none yet)"}`,
  );
  process.exit(USAGE_EXIT_CODE);
}

const { default: measure } = (await import(join(FOLDER, `${name}.ts`))) as { default: () => Promise<Row[]> };
const rows = await measure();
console.log(values.json ? JSON.stringify(rows, null, 2) : tableOf(rows));
// What a benchmark leaves open (an agent's sockets, say) must not keep it from ending.
process.exit(0);

function tableOf(measured: Row[]): string {
  const table = new Table({
    head: ["measurement", "value", "unit", "peer", "ratio", "goal"],
    colAligns: ["left", "right", "left", "right", "right", "left"],
    style: { head: [], border: [] },
  });
  for (const row of measured)
    table.push([row.name, show(row.value), row.unit, show(row.peer), show(row.ratio), row.goal ?? ""]);
  return table.toString();
}

function show(value: number | undefined): string {
  if (value === undefined) return "";
  return Math.abs(value) >= 100 ? Math.round(value).toLocaleString("en") : String(Number(value.toPrecision(3)));
}
