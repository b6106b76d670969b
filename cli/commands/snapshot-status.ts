import { resolve } from "node:path";
import { interruptible } from "../interrupt.ts";
import { oneLine } from "../one-line.ts";
import { ProgressLine } from "../progress.ts";
import { describeProgress, printSize } from "../snapshot/describe-snapshot.ts";
import { type StoredSnapshot, verifySnapshot } from "../snapshot/snapshot-file.ts";
import { printTable } from "../table.ts";

/** `cox snapshot status`: reads the whole file; exit code 1, and what is wrong, where it is not good. */
export async function snapshotStatus(file: string, options: { json?: boolean }): Promise<void> {
  const path = resolve(file);
  const snapshot = await verifyShowing(path);
  process.stdout.write(options.json ? printJson(path, snapshot) : printSnapshot(path, snapshot));
}

/** Verifies a file, and tells on standard error how far it has come. */
export async function verifyShowing(path: string): Promise<StoredSnapshot> {
  const progress = new ProgressLine(process.stderr, () => performance.now());
  try {
    return await interruptible((signal) =>
      verifySnapshot(path, (seen) => progress.show(() => describeProgress("verifying", seen)), signal),
    );
  } finally {
    progress.end();
  }
}

const byName = (resources: Map<string, number>): [string, number][] =>
  [...resources].sort(([a], [b]) => (a < b ? -1 : 1));

function printJson(file: string, { resources, ...summary }: StoredSnapshot): string {
  return `${JSON.stringify({ file, ...summary, resources: Object.fromEntries(byName(resources)) }, null, 2)}\n`;
}

function printSnapshot(path: string, snapshot: StoredSnapshot): string {
  const facts = [
    ["file", path],
    ["cluster", snapshot.cluster],
    ["revision", String(snapshot.revision)],
    ["time", snapshot.time],
    ["homes", String(snapshot.homes)],
    ["objects", String(snapshot.objects)],
    ["size", `${printSize(snapshot.fileBytes)} (${printSize(snapshot.bytes)} unpacked)`],
  ];
  const counts = byName(snapshot.resources).map(([resource, count]) => [resource, String(count)]);
  const clean = (rows: string[][]): string[][] => rows.map((row) => row.map(oneLine));
  return `${printTable(clean(facts))}\n${printTable([["RESOURCE", "OBJECTS"], ...clean(counts)])}`;
}
