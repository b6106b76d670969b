import { readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Runtime } from "./runtime/runtime.ts";

// kubelet's containerLogMaxSize and containerLogMaxFiles.
export const LOG_BYTES_MAX = 10 * 1024 * 1024;
const LOG_FILES_MAX = 5;

/**
 * Moves a running container's log aside once it is too large, and deletes the oldest of those moved before. As with
 * kubelet, `kubectl logs` reads the current file.
 */
export async function rotateLog(
  runtime: Pick<Runtime, "reopenLog">,
  containerId: string,
  file: string,
  options: { now: number; bytesMax?: number },
): Promise<void> {
  const { now, bytesMax = LOG_BYTES_MAX } = options;
  const size = await stat(file).then(
    (stats) => stats.size,
    () => 0,
  );
  if (size <= bytesMax) return;
  const moved = `${file}.${new Date(now)
    .toISOString()
    .replace(/[-:]|\.\d+Z/g, "")
    .replace("T", "-")}`;
  await rename(file, moved);
  try {
    await runtime.reopenLog(containerId);
  } catch (error) {
    // The container goes on writing to what was moved: it has to be found where it was.
    await rename(moved, file);
    throw error;
  }
  const name = basename(file);
  const old = (await readdir(dirname(file))).filter((candidate) => candidate.startsWith(`${name}.`)).sort();
  for (const candidate of old.slice(0, Math.max(0, old.length - (LOG_FILES_MAX - 1))))
    await rm(join(dirname(file), candidate));
}
