import { execFile } from "node:child_process";
import { readFile, realpath } from "node:fs/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Mount points of this process, in the order in which they were made. */
export async function mountPoints(): Promise<string[]> {
  const text = await readFile("/proc/self/mounts", "utf8").catch(() => "");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => decode(line.split(" ")[1]!));
}

/** The kernel writes spaces and their kin as octal. */
const decode = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));

export async function isMountPoint(path: string): Promise<boolean> {
  const real = await realpath(path);
  return (await mountPoints()).includes(real);
}

/** Unmounts everything at and below a folder, the last made first. */
export async function unmountBelow(folder: string): Promise<void> {
  const real = await realpath(folder);
  const below = (await mountPoints()).filter((point) => point === real || point.startsWith(`${real}/`));
  for (const point of below.reverse()) await run("umount", ["--no-canonicalize", point]);
}
