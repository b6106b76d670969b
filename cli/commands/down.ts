import { rmSync } from "node:fs";
import { readClusterRecord } from "../cluster-record.ts";
import { Failure } from "../failure.ts";
import { chosenHome, type Home, nodeHome } from "../home.ts";
import { lockHolder, releaseLock } from "../lock.ts";
import { shimsOf } from "../node/containerd.ts";
import { removeNetwork } from "../node/network.ts";
import { isRunning, signal, terminate, waitGone } from "../processes.ts";
import { STOP_ORDER } from "../supervise.ts";
import { readSupervisorStatus } from "../supervisor-client.ts";

/** The supervisor gives each group of processes ten seconds. */
const STOP_SECONDS_MAX = 60;
const LEFTOVER_GRACE_SECONDS = 5;

/** `cox down`: stops the cluster; objects and running containers stay. */
export async function down(options: { state?: string }): Promise<void> {
  const home = chosenHome(options.state, process.env);
  process.stdout.write((await stopCluster(home)) ? "Stopped.\n" : `Nothing is running in ${home.root}.\n`);
}

/** Stops whatever runs for a home, its supervisor first. @returns whether anything did */
export async function stopCluster(home: Home): Promise<boolean> {
  const holder = lockHolder(home);
  if (holder) {
    signal(holder, "SIGTERM");
    if (!(await waitGone(holder, STOP_SECONDS_MAX * 1000))) signal(holder, "SIGKILL");
  }
  const leftovers = await stopLeftovers(home);
  await dropIdleNetwork(home);
  return holder !== undefined || leftovers;
}

/** Stops what a supervisor that was killed left running. @returns whether anything was */
export async function stopLeftovers(home: Home): Promise<boolean> {
  const status = readSupervisorStatus(home);
  if (!status || (status.supervisor.pid !== process.pid && isRunning(status.supervisor))) return false;
  let found = false;
  for (const role of STOP_ORDER) {
    const left = status.processes.filter((entry) => entry.role === role && entry.process && isRunning(entry.process));
    found ||= left.length > 0;
    await Promise.all(left.map((entry) => terminate(entry.process!, LEFTOVER_GRACE_SECONDS)));
  }
  rmSync(home.processes, { force: true });
  releaseLock(home, status.supervisor.pid);
  return found;
}

/**
 * Takes the nodes' network away where no container is left that uses it. Containers go on running while the cluster is
 * down, and those of further nodes could reach nobody without it.
 */
export async function dropIdleNetwork(home: Home): Promise<void> {
  const { bridge, nodes } = readClusterRecord(home);
  if (!bridge || nodes.some((name) => shimsOf(nodeHome(home, name)).length > 0)) return;
  await removeNetwork(bridge);
}

/** The status of a running cluster's processes; fails where none runs. */
export function runningProcesses(home: Home) {
  const status = readSupervisorStatus(home);
  if (!status || !isRunning(status.supervisor))
    throw new Failure(`nothing is running in ${home.root}: start it with \`cox up\``);
  return status.processes;
}
