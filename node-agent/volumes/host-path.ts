import { mkdir, open, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { VolumeError } from "./volume-files.ts";

const CHECKS: Record<string, { is: (stats: Awaited<ReturnType<typeof stat>>) => boolean; what: string }> = {
  Directory: { is: (stats) => stats.isDirectory(), what: "a directory" },
  File: { is: (stats) => stats.isFile(), what: "a file" },
  Socket: { is: (stats) => stats.isSocket(), what: "a socket file" },
  CharDevice: { is: (stats) => stats.isCharacterDevice(), what: "a character device" },
  BlockDevice: { is: (stats) => stats.isBlockDevice(), what: "a block device" },
};

/** A hostPath volume's path, once it is what its type demands; the `OrCreate` types make it so. */
export async function hostPathFor(path: string, type: string): Promise<string> {
  if (!path.startsWith("/") || path.split("/").includes(".."))
    throw new VolumeError(`invalid host path: ${JSON.stringify(path)}`);
  if (type === "") {
    // As with docker's -v: what is missing becomes a folder.
    if (!(await stat(path).catch(() => undefined))) await mkdir(path, { recursive: true, mode: 0o755 });
    return path;
  }
  if (type === "DirectoryOrCreate") await mkdir(path, { recursive: true, mode: 0o755 });
  if (type === "FileOrCreate" && !(await stat(path).catch(() => undefined))) {
    await mkdir(dirname(path), { recursive: true, mode: 0o755 });
    await (await open(path, "a", 0o644)).close();
  }
  const check = CHECKS[type.replace("OrCreate", "")];
  if (!check) throw new VolumeError(`unknown hostPath type: ${type}`);
  const stats = await stat(path).catch(() => undefined);
  if (!stats || !check.is(stats)) throw new VolumeError(`hostPath type check failed: ${path} is not ${check.what}`);
  return path;
}
