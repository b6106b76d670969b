import { readdirSync } from "node:fs";
import { homeAt, nodeHome } from "../../cli/home.ts";
import { criRuntime } from "../../node-agent/runtime/cri.ts";
import type { Runtime } from "../../node-agent/runtime/runtime.ts";
import { run } from "./cox.ts";

/** A running container, seen past Coxswain: by containerd. */
export interface RunningContainer {
  id: string;
  pid: number;
  socket: string;
}

/** The containerd sockets of a cluster's nodes. */
export function socketsOf(home: string): string[] {
  const layout = homeAt(home);
  return readdirSync(layout.nodes).map((node) => nodeHome(layout, node).containerdSocket);
}

async function withRuntime<T>(socket: string, work: (runtime: Runtime) => Promise<T>): Promise<T> {
  const runtime = criRuntime(socket);
  try {
    return await work(runtime);
  } finally {
    runtime.close();
  }
}

/** The running containers of a pod, on whichever node it is. */
export async function containersOf(home: string, pod: string): Promise<RunningContainer[]> {
  const found: RunningContainer[] = [];
  for (const socket of socketsOf(home)) {
    const containers = await withRuntime(socket, (runtime) => runtime.listContainers());
    const tasks = await run("ctr", ["--address", socket, "--namespace", "k8s.io", "tasks", "list"]);
    for (const { id, labels } of containers) {
      const task = new RegExp(`^${id} +(\\d+) +RUNNING`, "m").exec(tasks.stdout);
      if (task && labels["io.kubernetes.pod.name"] === pod) found.push({ id, pid: Number(task[1]), socket });
    }
  }
  return found;
}

/** Takes a running container away, as somebody with access to the runtime could. */
export async function removeContainer({ id, socket }: RunningContainer): Promise<void> {
  await withRuntime(socket, (runtime) => runtime.removeContainer(id));
}

/** What there is on a machine because of its pods, beside what its nodes themselves have. */
export async function leftovers(home: string, services: string[]) {
  const containers: string[] = [];
  for (const socket of socketsOf(home)) {
    const sandboxes = await withRuntime(socket, (runtime) => runtime.listSandboxes());
    containers.push(...sandboxes.map(({ id }) => id));
  }
  const lines = async (command: string, ...args: string[]) => (await run(command, args)).stdout.split("\n");
  const mounts = await lines("findmnt", "--raw", "--noheadings", "--output", "TARGET");
  const bridges = (await lines("ip", "-brief", "link", "show", "type", "bridge")).map((line) => line.split(" ")[0]!);
  const veths: string[] = [];
  for (const bridge of bridges.filter((name) => name.startsWith("cox-")))
    veths.push(...(await lines("ip", "-brief", "link", "show", "master", bridge)));
  const rules = await lines("iptables-save");
  return {
    containers,
    mounts: mounts.filter((target) => target.startsWith(`${home}/`)),
    veths: veths.filter((line) => line !== ""),
    rules: rules.filter((line) => services.some((name) => line.includes(`default/${name}`))),
  };
}
