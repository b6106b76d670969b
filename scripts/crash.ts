/**
 * `npm run crash -- [--rounds N] [--seed N]`: kills workerd with SIGKILL again and again under a load of writes, and holds what clients were
 * told against what is there. Exit code 1 where something is not as it was told.
 */
import { parseArgs } from "node:util";
import pc from "picocolors";
import { type CrashFigures, crashUnderLoad } from "../test/support/write-load-crashes.ts";

const ROUNDS = 100;
const USAGE_EXIT_CODE = 2;

const { values } = parseArgs({ options: { rounds: { type: "string" }, seed: { type: "string" } } });
const rounds = Number(values.rounds ?? ROUNDS);
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
if (!Number.isInteger(rounds) || rounds < 1 || !Number.isInteger(seed)) {
  console.error("usage: npm run crash -- [--rounds N] [--seed N]");
  process.exit(USAGE_EXIT_CODE);
}
console.log(`seed ${seed} (it decides what the clients do; what the machine makes of it differs)`);
const { figures, complaints } = await crashUnderLoad({
  rounds,
  seed,
  onRound: (each) =>
    console.log(
      `round ${each.rounds}: ${each.kills} kills, ${each.acknowledgedWrites} writes acknowledged, ${each.unknownWrites} unanswered, ${each.watchEvents} events checked`,
    ),
});
show(figures);
for (const complaint of complaints) console.error(pc.red(complaint));
console.log(complaints.length === 0 ? pc.green("all as it was told") : pc.red("not as it was told"));
process.exit(complaints.length === 0 ? 0 : 1);

function show(measured: CrashFigures): void {
  const lines: [string, number | string][] = [
    ["rounds", measured.rounds],
    ["kills", measured.kills],
    ["operations", measured.operations],
    ["writes acknowledged", measured.acknowledgedWrites],
    [
      "writes unanswered",
      `${measured.unknownWrites} (${measured.unknownButThere} creates and updates of them happened)`,
    ],
    ["changes in the histories", measured.changes],
    ["watch events checked", `${measured.watchEvents} over ${measured.reconnections} reconnections`],
    ["lists checked", measured.lists],
    ["services asked for", measured.services],
    ["other answers, by code", JSON.stringify(measured.refused)],
  ];
  for (const [name, value] of lines) console.log(`${name.padEnd(26)} ${value}`);
}
