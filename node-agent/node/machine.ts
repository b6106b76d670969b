import { readFile, statfs } from "node:fs/promises";
import { arch, cpus, hostname, networkInterfaces, release, totalmem } from "node:os";

/** What a machine is, as a Node's capacity and nodeInfo tell it. */
export interface Machine {
  cpus: number;
  memoryBytes: number;
  diskBytes: number;
  kernelVersion: string;
  osImage: string;
  machineId: string;
  bootId: string;
  /** Kubernetes' word: `amd64`, `arm64`. */
  architecture: string;
  hostname: string;
}

/** Looks at this machine; `stateDir` lies on the disk whose size counts. */
export async function readMachine(stateDir: string): Promise<Machine> {
  const read = async (file: string) => (await readFile(file, "utf8").catch(() => "")).trim();
  const disk = await statfs(stateDir);
  const osRelease = await read("/etc/os-release");
  return {
    cpus: cpus().length,
    memoryBytes: totalmem(),
    diskBytes: disk.blocks * disk.bsize,
    kernelVersion: release(),
    osImage: /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(osRelease)?.[1] ?? "Linux",
    machineId: (await read("/etc/machine-id")).replaceAll("-", ""),
    bootId: await read("/proc/sys/kernel/random/boot_id"),
    architecture: arch() === "x64" ? "amd64" : arch(),
    hostname: hostname(),
  };
}

export interface Pressure {
  memory: boolean;
  disk: boolean;
  pids: boolean;
}

// kubelet's default hard eviction thresholds.
const MEMORY_AVAILABLE_MIN_BYTES = 100 * 1024 * 1024;
const DISK_AVAILABLE_MIN = 0.1;
const PIDS_AVAILABLE_MIN = 0.05;

export async function readPressure(stateDir: string): Promise<Pressure> {
  const read = async (file: string) => (await readFile(file, "utf8").catch(() => "")).trim();
  const [meminfo, pidMax, loadavg, disk] = await Promise.all([
    read("/proc/meminfo"),
    read("/proc/sys/kernel/pid_max"),
    read("/proc/loadavg"),
    statfs(stateDir).catch(() => undefined),
  ]);
  const available = Number(/^MemAvailable:\s+(\d+) kB$/m.exec(meminfo)?.[1] ?? Number.POSITIVE_INFINITY) * 1024;
  const pids = Number(/\/(\d+) /.exec(loadavg)?.[1] ?? 0);
  return {
    memory: available < MEMORY_AVAILABLE_MIN_BYTES,
    disk: disk !== undefined && disk.bavail < disk.blocks * DISK_AVAILABLE_MIN,
    pids: Number(pidMax) > 0 && pids > Number(pidMax) * (1 - PIDS_AVAILABLE_MIN),
  };
}

/** The address that the node is reached at: the first one of a real interface. */
export function nodeAddress(): string {
  const found = Object.entries(networkInterfaces())
    .filter(([name]) => !/^(lo|docker|cni|veth|br-|cox|flannel|vxlan)/.test(name))
    .flatMap(([, addresses]) => addresses ?? [])
    .find(({ family, internal }) => family === "IPv4" && !internal);
  return found?.address ?? "127.0.0.1";
}
