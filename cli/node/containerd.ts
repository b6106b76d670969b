import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { arch, tmpdir } from "node:os";
import { join } from "node:path";
import { Failure } from "../failure.ts";
import { type Home, type NodeHome, nodeHome, writeWhole } from "../home.ts";
import { listProcesses, run } from "../processes.ts";
import type { ProcessPlan } from "../supervise.ts";
import { type ContainerdOptions, containerdConfig, plainHttpRegistry } from "./containerd-config.ts";
import { inNamespace } from "./network.ts";
import { findProgram } from "./packages.ts";
import { PAUSE_IMAGE, pauseImageArchive } from "./pause-image.ts";

/** Kubernetes' images and containers live in this namespace of containerd. */
const CONTAINERD_NAMESPACE = "k8s.io";
const CAP_SYS_RESOURCE = 24n;
/** Where Debian's docker-registry listens; of a registry on the machine's own loopback no certificate is asked. */
const LOCAL_REGISTRY_PORT = 5000;

/** The node's own containerd, ready to be started. */
export async function prepareContainerd(home: Home, name: string, network: NodeNetwork): Promise<ProcessPlan> {
  const node = nodeHome(home, name);
  writeWhole(node.containerdConfig, containerdConfig(node, await optionsOfThisMachine(node)));
  writeRegistries(node, network.hostAddress);
  const [command, ...args] = inNamespace(network.namespace, [
    findProgram("containerd")!,
    "--config",
    node.containerdConfig,
  ]);
  return {
    name: `containerd-${name}`,
    role: "containerd",
    command: command!,
    args,
    environment: { PATH: `${process.env["PATH"] ?? ""}:/usr/local/sbin:/usr/sbin:/sbin` },
    log: join(home.logs, `containerd-${name}.log`),
    nodes: [name],
  };
}

/** How a node sees the machine that it is on. */
export interface NodeNetwork {
  /** Its network namespace; absent for the node that uses the machine's own. */
  namespace?: string;
  /** Where it reaches this machine: its loopback, or the bridge. */
  hostAddress: string;
}

async function optionsOfThisMachine(node: NodeHome): Promise<ContainerdOptions> {
  return {
    snapshotter: (await canMountOverlay(node.containerdRoot)) ? "overlayfs" : "native",
    mayLowerOomScore: hasCapability(CAP_SYS_RESOURCE),
    appArmor: readsYes("/sys/module/apparmor/parameters/enabled") && findProgram("apparmor_parser") !== undefined,
  };
}

function hasCapability(bit: bigint): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
  return ((BigInt(`0x${effective}`) >> bit) & 1n) === 1n;
}

const readsYes = (path: string): boolean => existsSync(path) && readFileSync(path, "utf8").startsWith("Y");

/** Some filesystems (an overlay itself, for one) cannot lie below an overlay; only a trial tells. */
async function canMountOverlay(folder: string): Promise<boolean> {
  const trial = mkdtempSync(join(folder, "overlay-trial-"));
  const [lower, upper, work, merged] = ["lower", "upper", "work", "merged"].map((name) => join(trial, name));
  for (const path of [lower!, upper!, work!, merged!]) mkdirSync(path);
  try {
    const mounted = await run("mount", [
      "-t",
      "overlay",
      "overlay",
      "-o",
      `lowerdir=${lower},upperdir=${upper},workdir=${work}`,
      merged!,
    ]);
    if (mounted.code !== 0) return false;
    await run("umount", [merged!]);
    return true;
  } finally {
    rmSync(trial, { recursive: true, force: true });
  }
}

function writeRegistries(node: NodeHome, hostAddress: string): void {
  for (const host of new Set(["127.0.0.1", "localhost", hostAddress])) {
    const registry = `${host}:${LOCAL_REGISTRY_PORT}`;
    const folder = join(node.registries, registry);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeWhole(join(folder, "hosts.toml"), plainHttpRegistry(registry, `${hostAddress}:${LOCAL_REGISTRY_PORT}`));
  }
}

/** Whether the containerd behind a socket answers. */
export async function isContainerdReady(socket: string): Promise<boolean> {
  return existsSync(socket) && (await ctr(socket, ["version"])).code === 0;
}

/** Puts the sandbox image there, unless it is. */
export async function importPauseImage(socket: string): Promise<void> {
  const listed = await ctr(socket, ["images", "list", "--quiet", `name==${PAUSE_IMAGE}`]);
  if (listed.code === 0 && listed.stdout.trim() === PAUSE_IMAGE) return;
  const architecture = arch() === "arm64" ? "arm64" : "amd64";
  const folder = mkdtempSync(join(tmpdir(), "cox-pause-"));
  try {
    const archive = join(folder, "pause.tar");
    writeFileSync(archive, await pauseImageArchive(architecture));
    await importImages(socket, archive);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Imports an OCI or docker archive.
 * @returns the names of its images as containerd keeps them (`docker.io/library/web:1`)
 */
export async function importImages(socket: string, archive: string): Promise<string[]> {
  const result = await ctr(socket, ["images", "import", archive]);
  if (result.code !== 0) {
    throw new Failure(`${archive} cannot be imported: ${result.stderr.trim().split("\n").at(-1)}`);
  }
  return [...result.stdout.matchAll(/^unpacking (\S+)/gm)].map((match) => match[1]!);
}

const ctr = (socket: string, args: string[]) =>
  run(findProgram("ctr") ?? "ctr", ["--address", socket, "--namespace", CONTAINERD_NAMESPACE, ...args]);

/** The shims of a node's containerd: one a pod, the parent of its containers; they outlive containerd. */
export function shimsOf(node: NodeHome): number[] {
  return listProcesses()
    .filter(({ command }) => {
      const address = command.indexOf("-address");
      return command[0]?.includes("containerd-shim") && address > 0 && command[address + 1] === node.containerdSocket;
    })
    .map(({ pid }) => pid);
}

/** Ends a node's shims and all that runs below them, and takes its mounts away. For the time when containerd is down. */
export async function destroyContainers(node: NodeHome): Promise<void> {
  const processes = listProcesses();
  const doomed = shimsOf(node);
  for (let i = 0; i < doomed.length; i += 1) {
    doomed.push(...processes.filter(({ parent }) => parent === doomed[i]).map(({ pid }) => pid));
  }
  for (const pid of doomed) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has gone with its parent.
    }
  }
  await unmountBelow(node.root);
}

/** Unmounts what is mounted below a folder, the innermost first. */
export async function unmountBelow(folder: string): Promise<void> {
  const points = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .map((line) =>
      (line.split(" ")[4] ?? "").replace(/\\([0-7]{3})/g, (_, octal: string) =>
        String.fromCharCode(Number.parseInt(octal, 8)),
      ),
    )
    .filter((point) => point.startsWith(`${folder}/`));
  for (const point of points.reverse()) await run("umount", ["--lazy", point]);
}

/** Fails where the socket of a containerd that the user named does not answer. */
export async function checkContainerd(socket: string): Promise<void> {
  if (!(await isContainerdReady(socket))) {
    throw new Failure(`no containerd answers at ${socket}: start it, or leave --containerd away to get an own one`);
  }
}
