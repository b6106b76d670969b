import { spawn } from "node:child_process";
import { existsSync, readdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { holdNetworkNamespace } from "../../node-agent/network/exclusive.ts";
import { removeNetwork } from "../../node-agent/network/remove-network.ts";
import { criRuntime } from "../../node-agent/runtime/cri.ts";
import { cniFolder, type Home, type NodeHome, nodeHome } from "../home.ts";
import { identify, terminate } from "../processes.ts";
import { destroyContainers, isContainerdReady, unmountBelow } from "./containerd.ts";
import { inNamespace } from "./network.ts";
import { findProgram } from "./packages.ts";

const CONTAINERD_SECONDS = 20;
const POLL_MILLISECONDS = 50;
const CGROUPS = "/sys/fs/cgroup";
/** Cluster, class of service, pod, container, and what an init system in a container may add. */
const CGROUP_DEPTH_MAX = 8;
const STOP_GRACE_SECONDS = 10;
/** Sandboxes stopped at a time: each runs CNI plugins, which take turns at the kernel's network lock anyway. */
const STOPPED_AT_ONCE = 8;

/**
 * Removes a node's sandboxes, as its containerd knows them (only that gives back networks and mounts in order), then
 * whatever still runs or is mounted below its folder. A containerd that the user named keeps its containers.
 */
export async function removeNode(
  home: Home,
  name: string,
  options: { namespace?: string; userContainerd?: string },
  report: (text: string) => void,
): Promise<string | undefined> {
  const node = nodeHome(home, name);
  if (options.userContainerd) {
    await unmountBelow(node.root); // Volumes.
    await removePodNetwork(name, node, options.userContainerd, report);
    return `those in ${options.userContainerd} stay: it is yours`;
  }
  if (!existsSync(node.containerdConfig)) return "it never had any";
  let removed = 0;
  const program = findProgram("containerd");
  if (program) {
    const namespaceThere = options.namespace === undefined || existsSync(`/run/netns/${options.namespace}`);
    const [command, ...args] = inNamespace(namespaceThere ? options.namespace : undefined, [
      program,
      "--config",
      node.containerdConfig,
    ]);
    const child = spawn(command!, args, { stdio: "ignore", detached: true });
    const started = await new Promise<boolean>((resolve) => {
      child.once("spawn", () => resolve(true));
      child.once("error", () => resolve(false));
    });
    if (started) {
      try {
        if (await waitForContainerd(node.containerdSocket))
          removed = await removeSandboxes(node.containerdSocket, report);
      } finally {
        await terminate(identify(child.pid!), STOP_GRACE_SECONDS);
      }
    }
  }
  await destroyContainers(node);
  // Of a node with a namespace of its own all goes with the namespace.
  if (options.namespace === undefined) await removePodNetwork(name, node, undefined, report);
  return removed === 1 ? "1 pod" : `${removed} pods`;
}

/** Service rules, routes and the pods' bridge in this machine's own network; unless another cluster's node uses it now. */
async function removePodNetwork(
  name: string,
  node: NodeHome,
  userContainerd: string | undefined,
  report: (text: string) => void,
): Promise<void> {
  try {
    const hold = await holdNetworkNamespace();
    try {
      await removeNetwork({ nodeName: name, cniConfDir: cniFolder(node, userContainerd), stateDir: node.agent });
    } finally {
      await hold.release();
    }
  } catch (error) {
    report(`the pod network stays: ${(error as Error).message}`);
  }
}

/** Removes the cgroups around a cluster's pods, in every hierarchy there is; those with a process in them stay. */
export function removePodCgroups(cgroupRoot: string): void {
  const hierarchies = readdirSync(CGROUPS, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  for (const folder of [CGROUPS, ...hierarchies.map(({ name }) => join(CGROUPS, name))]) {
    removeEmptyFolders(join(folder, cgroupRoot), CGROUP_DEPTH_MAX);
  }
}

/** The files in a cgroup go with it, and cannot be removed before. */
function removeEmptyFolders(folder: string, depth: number): void {
  if (!existsSync(folder) || depth === 0) return;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) removeEmptyFolders(join(folder, entry.name), depth - 1);
  }
  try {
    rmdirSync(folder);
  } catch {
    // Something still runs in it.
  }
}

async function waitForContainerd(socket: string): Promise<boolean> {
  for (let waited = 0; waited < CONTAINERD_SECONDS * 1000; waited += POLL_MILLISECONDS) {
    if (await isContainerdReady(socket)) return true;
    await sleep(POLL_MILLISECONDS);
  }
  return false;
}

async function removeSandboxes(socket: string, report: (text: string) => void): Promise<number> {
  const runtime = criRuntime(socket);
  try {
    const sandboxes = await runtime.listSandboxes();
    const left = [...sandboxes];
    const work = async (): Promise<void> => {
      for (let sandbox = left.pop(); sandbox; sandbox = left.pop()) {
        try {
          await runtime.stopSandbox(sandbox.id);
          await runtime.removeSandbox(sandbox.id);
        } catch (error) {
          report(`pod sandbox ${sandbox.id}: ${(error as Error).message}`); // What stays of it is destroyed next.
        }
      }
    };
    await Promise.all(Array.from({ length: STOPPED_AT_ONCE }, work));
    return sandboxes.length;
  } finally {
    runtime.close();
  }
}
