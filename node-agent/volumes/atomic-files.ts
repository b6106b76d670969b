import { createHash } from "node:crypto";
import { chmod, chown, lstat, mkdir, readdir, readlink, rename, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { VolumeFile } from "./volume-files.ts";

/** Points at the folder with the current files; swapping it changes all of them at once (kubelet's AtomicWriter). */
const DATA = "..data";

/**
 * Makes a volume's folder hold exactly these files: real ones in a folder named by their content's hash, `..data`
 * pointing at it, and a link for each first part of a path. Unchanged content is left alone.
 */
export async function writeFilesAtomically(
  folder: string,
  files: ReadonlyMap<string, VolumeFile>,
  group: number | undefined,
): Promise<void> {
  const version = `..${hashOf(files, group)}`;
  const previous = await readlink(join(folder, DATA)).catch(() => undefined);
  if (previous === version) return;
  const real = join(folder, version);
  // A crash may have left half of it.
  await rm(real, { recursive: true, force: true });
  await mkdir(real, { recursive: true, mode: 0o755 });
  for (const [path, { data, mode }] of files) {
    const file = join(real, path);
    await mkdir(dirname(file), { recursive: true, mode: 0o755 });
    await writeFile(file, data, { mode: 0o600 });
    if (group !== undefined) await chown(file, 0, group);
    // A group that owns the volume may read what is in it.
    await chmod(file, group === undefined ? mode : mode | 0o440);
  }
  const swap = join(folder, `${DATA}_tmp`);
  await rm(swap, { force: true });
  await symlink(version, swap);
  await rename(swap, join(folder, DATA));

  const names = new Set([...files.keys()].map((path) => path.split("/")[0]!));
  for (const name of names) {
    const known = await lstat(join(folder, name)).catch(() => undefined);
    if (!known) await symlink(`${DATA}/${name}`, join(folder, name));
  }
  for (const name of await readdir(folder)) {
    if (name === DATA || name === version || names.has(name)) continue;
    await rm(join(folder, name), { recursive: true, force: true });
  }
}

function hashOf(files: ReadonlyMap<string, VolumeFile>, group: number | undefined): string {
  const hash = createHash("sha256").update(String(group));
  for (const path of [...files.keys()].sort()) {
    const { data, mode } = files.get(path)!;
    hash.update(`${path}\0${mode}\0${data.length}\0`).update(data);
  }
  return hash.digest("hex").slice(0, 32);
}
