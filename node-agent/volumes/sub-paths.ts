import { execFile } from "node:child_process";
import { constants } from "node:fs";
import { type FileHandle, mkdir, open, realpath, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { promisify } from "node:util";
import { isMountPoint } from "./mount-table.ts";
import { VolumeError } from "./volume-files.ts";

const run = promisify(execFile);
const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
const ANYTHING = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Binds `subPath` of a volume to a place of its own, and says where. A container can write to the volume, so it may
 * swap folders for links to the host at any moment: after links inside the volume are resolved, each part is opened
 * below the one before without following links, and what gets bound is the opened file itself (CVE-2017-1002101).
 */
export async function bindSubPath(
  volume: string,
  subPath: string,
  target: { folder: string; name: string },
): Promise<string> {
  if (subPath.startsWith("/") || subPath.split("/").includes(".."))
    throw new VolumeError(`subPath "${subPath}" is not allowed`);
  const root = await realpath(volume);
  const resolved = await realpath(join(root, subPath)).catch(() => undefined);
  if (resolved !== undefined && resolved !== root && !resolved.startsWith(`${root}/`)) {
    throw new VolumeError(`subPath "${subPath}" leaves the volume`);
  }
  const parts = (resolved === undefined ? subPath : relative(root, resolved))
    .split("/")
    .filter((part) => part !== "" && part !== ".");
  let handle = await open(root, FOLDER);
  try {
    for (const [index, part] of parts.entries()) handle = await openBelow(handle, part, index === parts.length - 1);
    const folder = (await handle.stat()).isDirectory();
    await mkdir(target.folder, { recursive: true, mode: 0o700 });
    const place = join(target.folder, target.name);
    if (folder) await mkdir(place, { recursive: true });
    else await writeFile(place, "", { flag: "a" });
    if (!(await isMountPoint(place))) {
      await run("mount", ["--no-canonicalize", "--bind", `/proc/${process.pid}/fd/${handle.fd}`, place]);
    }
    return place;
  } finally {
    await handle.close();
  }
}

/** Opens `part` below an opened folder, making it where it is missing; closes the folder. */
async function openBelow(parent: FileHandle, part: string, last: boolean): Promise<FileHandle> {
  const path = `/proc/self/fd/${parent.fd}/${part}`;
  try {
    return await open(path, last ? ANYTHING : FOLDER);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    await mkdir(path, { mode: 0o755 });
    return await open(path, FOLDER);
  } finally {
    await parent.close();
  }
}
