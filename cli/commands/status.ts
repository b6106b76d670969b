import { type ApiClient, isReady } from "../api-client.ts";
import { colors } from "../colors.ts";
import { clientOfHome } from "../control-plane/kubeconfig.ts";
import { chosenHome, type Home } from "../home.ts";
import { readyNodes } from "../node/agent.ts";
import { isRunning } from "../processes.ts";
import type { ProcessStatus } from "../supervise.ts";
import { readSupervisorStatus } from "../supervisor-client.ts";

/** A node as `cox status --json` tells it. */
interface NodeStatus {
  name: string;
  /** Of its node-agent; null while that is down. */
  pid: number | null;
  runtime: string;
  ready: boolean;
}

/** The shape of `cox status --json`. */
interface ClusterStatus {
  home: string;
  kubeconfig: string;
  supervisor: { pid: number } | null;
  workerd: { pid: number | null; url: string; ready: boolean; restarts: number } | null;
  containerds: { node: string; pid: number | null; restarts: number }[];
  nodes: NodeStatus[];
}

/** `cox status`: exit code 1 where no cluster runs. */
export async function status(options: { state?: string; json?: boolean }): Promise<void> {
  const home = chosenHome(options.state, process.env);
  const found = await clusterStatus(home);
  process.stdout.write(options.json ? `${JSON.stringify(found, null, 2)}\n` : describe(found));
  if (!found.workerd) process.exitCode = 1;
}

/** What the supervisor and the API say, together. */
export async function clusterStatus(home: Home): Promise<ClusterStatus> {
  const supervisor = readSupervisorStatus(home);
  const none = {
    home: home.root,
    kubeconfig: home.kubeconfig,
    supervisor: null,
    workerd: null,
    containerds: [],
    nodes: [],
  };
  if (!supervisor || !isRunning(supervisor.supervisor)) return none;
  const { processes } = supervisor;
  const workerd = processes.find((entry) => entry.role === "workerd");
  const client: ApiClient | undefined = clientOfHome(home);
  const ready = client ? await readyNodes(client) : new Set<string>();
  return {
    ...none,
    supervisor: { pid: supervisor.supervisor.pid },
    workerd: workerd
      ? {
          pid: pidOf(workerd),
          url: workerd.url!,
          ready: client !== undefined && (await isReady(client)),
          restarts: workerd.restarts,
        }
      : null,
    containerds: processes
      .filter((entry) => entry.role === "containerd")
      .map((entry) => ({ node: entry.nodes![0]!, pid: pidOf(entry), restarts: entry.restarts })),
    nodes: processes
      .filter((entry) => entry.role === "node-agent")
      .flatMap((entry) =>
        entry.nodes!.map((name) => ({ name, pid: pidOf(entry), runtime: entry.runtime!, ready: ready.has(name) })),
      ),
  };
}

const pidOf = (entry: ProcessStatus): number | null => entry.process?.pid ?? null;

const NODES_SHOWN_MAX = 20;

function describe(found: ClusterStatus): string {
  const { workerd, nodes } = found;
  if (!workerd) return `Nothing is running in ${found.home}: start it with \`cox up\`.\n`;
  const state = (ready: boolean): string => (ready ? colors.green("Ready") : colors.red("NotReady"));
  const pid = (number: number | null): string => (number === null ? "down" : `pid ${number}`);
  const lines = [
    `control plane  ${state(workerd.ready)}  ${workerd.url}  ${pid(workerd.pid)}`,
    ...nodes
      .slice(0, NODES_SHOWN_MAX)
      .map((node) => `node ${node.name}  ${state(node.ready)}  ${node.runtime}  ${pid(node.pid)}`),
    ...(nodes.length > NODES_SHOWN_MAX ? [`and ${nodes.length - NODES_SHOWN_MAX} more nodes`] : []),
    `kubeconfig     ${found.kubeconfig}`,
  ];
  return `${lines.join("\n")}\n`;
}
