import { mkdir, readdir, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "pino";
import type { PodCgroup } from "./resources.ts";

/** The cgroups around pods; the containers' own inside are the runtime's. */
export interface PodCgroups {
  create(cgroup: PodCgroup): Promise<void>;
  /** Paths that are not there are as good as removed. */
  remove(paths: readonly string[]): Promise<void>;
}

/** How deep below a pod's cgroup a runtime may have made others. */
const DEPTH_MAX = 4;
/** cgroup v2 weighs 1…10000 where v1 shared 2…262144 (KEP-2254). */
const weight = (shares: number): number => Math.max(1, Math.floor(1 + ((shares - 2) * 9999) / 262142));

/**
 * The cgroup file system at `/sys/fs/cgroup`, version 1 or 2, by the cgroupfs driver's rules. What the machine does not
 * permit is logged once: a pod without its own limits still has those of its containers.
 */
export async function fileSystemCgroups(log: Logger, root = "/sys/fs/cgroup"): Promise<PodCgroups> {
  const names = await readdir(root).catch(() => [] as string[]);
  const unified = names.includes("cgroup.controllers");
  // Version 1, often with version 2's hierarchy (`unified`) beside it, in which runtimes make folders too.
  const hierarchies = unified ? [root] : names.map((name) => join(root, name));
  let complained = false;
  const complain = (error: Error) => {
    if (complained) return;
    complained = true;
    log.warn({ error: error.message }, "pod cgroups cannot be set as wished");
  };
  return {
    async create(cgroup) {
      await (unified ? createUnified(root, cgroup) : createV1(root, names, cgroup)).catch(complain);
    },
    async remove(paths) {
      for (const hierarchy of hierarchies) {
        for (const path of paths) await removeTree(join(hierarchy, path), DEPTH_MAX).catch(complain);
      }
    },
  };
}

async function createV1(root: string, names: string[], cgroup: PodCgroup): Promise<void> {
  if (names.includes("cpu")) {
    const cpu = join(root, "cpu", cgroup.path);
    await mkdir(cpu, { recursive: true });
    await writeFile(join(cpu, "cpu.shares"), String(cgroup.cpuShares));
    if (cgroup.cpuQuota > 0) {
      await writeFile(join(cpu, "cpu.cfs_period_us"), String(cgroup.cpuPeriod));
      await writeFile(join(cpu, "cpu.cfs_quota_us"), String(cgroup.cpuQuota));
    }
  }
  if (names.includes("memory") && cgroup.memoryLimitBytes > 0) {
    const memory = join(root, "memory", cgroup.path);
    await mkdir(memory, { recursive: true });
    await writeFile(join(memory, "memory.limit_in_bytes"), String(cgroup.memoryLimitBytes));
  }
}

async function createUnified(root: string, cgroup: PodCgroup): Promise<void> {
  let folder = root;
  for (const part of cgroup.path.split("/").filter(Boolean)) {
    await writeFile(join(folder, "cgroup.subtree_control"), "+cpu +memory +pids");
    folder = join(folder, part);
    await mkdir(folder, { recursive: true });
  }
  await writeFile(join(folder, "cpu.weight"), String(weight(cgroup.cpuShares)));
  if (cgroup.cpuQuota > 0) await writeFile(join(folder, "cpu.max"), `${cgroup.cpuQuota} ${cgroup.cpuPeriod}`);
  if (cgroup.memoryLimitBytes > 0) await writeFile(join(folder, "memory.max"), String(cgroup.memoryLimitBytes));
}

async function removeTree(folder: string, depth: number): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  if (depth > 0) {
    for (const entry of entries) if (entry.isDirectory()) await removeTree(join(folder, entry.name), depth - 1);
  }
  await rmdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
  });
}

export const noCgroups: PodCgroups = { create: async () => {}, remove: async () => {} };
