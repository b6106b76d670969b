import { createServer } from "node:net";
import { hostname } from "node:os";
import { isReady } from "../api-client.ts";
import { type PreparedAudit, prepareAudit } from "../audit/prepare-audit.ts";
import { type ClusterRecord, readClusterRecord, writeClusterRecord } from "../cluster-record.ts";
import { colors } from "../colors.ts";
import { type ControlPlane, prepareControlPlane } from "../control-plane/prepare.ts";
import { Failure } from "../failure.ts";
import { chosenHome, cniFolder, type Home, makeHome, makeNodeHome, nodeHome } from "../home.ts";
import { releaseLock, takeLock } from "../lock.ts";
import { agentPlan, createBootstrapToken, readyNodes, writeBootstrapToken } from "../node/agent.ts";
import {
  checkContainerd,
  importPauseImage,
  isContainerdReady,
  type NodeNetwork,
  prepareContainerd,
} from "../node/containerd.ts";
import { loadExamples } from "../node/examples.ts";
import { addressOnBridge, cgroupRoot, chooseBridge, namespaceOf, raiseNetwork } from "../node/network.ts";
import { canInstallPackages, installPackages, missingPackages } from "../node/packages.ts";
import { runSteps, type Step } from "../progress.ts";
import type { ProcessPlan } from "../supervise.ts";
import { type Supervisor, startSupervisor } from "../supervisor-client.ts";
import { dropIdleNetwork, stopLeftovers } from "./down.ts";

const READY_SECONDS = 60;
const NODES_READY_SECONDS = 120;

export interface UpOptions {
  detach?: boolean;
  nodes: number;
  simulated: number;
  state?: string;
  containerd?: string;
  examples?: boolean;
  port: number;
  auditPolicy?: string;
  auditLog?: string;
}

/** What the steps have found out so far. */
interface Run {
  home: Home;
  options: UpOptions;
  record: ClusterRecord;
  /** Real nodes' names; empty where this machine cannot have any. */
  nodes: string[];
  simulated: number;
  audit: PreparedAudit | undefined;
  controlPlane?: ControlPlane;
  supervisor?: Supervisor;
  stopped: AbortSignal;
}

/** `cox up`: starts the cluster and, unless detached, stays until it is to stop. */
export async function up(options: UpOptions): Promise<void> {
  const home = chosenHome(options.state, process.env);
  const { auditPolicy, auditLog } = options;
  const audit = auditPolicy ? prepareAudit(home, { policy: auditPolicy, log: auditLog }) : undefined;
  makeHome(home);
  takeLock(home);
  const interrupt = new AbortController();
  const onSignal = () => interrupt.abort(new Failure("stopped"));
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, onSignal);
  const run: Run = {
    home,
    options,
    record: readClusterRecord(home),
    nodes: [],
    simulated: options.simulated,
    audit,
    stopped: interrupt.signal,
  };

  try {
    await runSteps(stepsOf(run));
  } catch (error) {
    await stop(run);
    throw error;
  }
  print(welcome(run));
  const { supervisor } = run;
  if (options.detach) {
    supervisor!.detach();
    return;
  }
  print(colors.dim("Ctrl-C stops it; objects and running containers stay as they are."));
  await Promise.race([
    supervisor!.ended,
    new Promise((resolve) => interrupt.signal.addEventListener("abort", resolve)),
  ]);
  if (interrupt.signal.aborted) print("Stopping …");
  await stop(run);
  print("Stopped.");
}

async function stop({ supervisor, home }: Run): Promise<void> {
  if (supervisor) await supervisor.stop();
  await dropIdleNetwork(home);
  releaseLock(home);
}

function stepsOf(run: Run): Step[] {
  const { home, options } = run;
  const step = (title: string, work: Step["run"]): Step => ({
    title,
    run: async (report) => {
      run.stopped.throwIfAborted();
      return await work(report);
    },
  });
  return [
    step("Look at this machine", (report) => lookAtMachine(run, report)),
    step("Prepare the control plane", async () => {
      await stopLeftovers(home);
      await checkPort(options.port);
      await raiseNodeNetwork(run);
      const { bridge } = run.record;
      run.controlPlane = await prepareControlPlane(home, {
        port: options.port,
        audit: run.audit,
        ...(bridge ? { bridgeAddress: addressOnBridge(bridge, 1) } : {}),
      });
      return home.root;
    }),
    step("Start the control plane", async () => {
      run.supervisor = await startSupervisor(home);
      const { plan, auditPlan } = run.controlPlane!;
      if (auditPlan) run.supervisor.start(auditPlan);
      run.supervisor.start(plan);
      await run.supervisor.waitFor(
        plan,
        "the control plane",
        READY_SECONDS,
        () => isReady(run.controlPlane!),
        run.stopped,
      );
      return run.controlPlane!.url;
    }),
    ...(options.nodes + options.simulated > 0 ? [step("Start the nodes", (report) => startNodes(run, report))] : []),
    ...(options.examples ? [step("Make the examples' images", (report) => loadExamples(socketsOf(run), report))] : []),
  ];
}

/** Installs what is missing for containers, or finds out why there can be none. */
async function lookAtMachine(run: Run, report: (text: string) => void): Promise<string | undefined> {
  const { options } = run;
  if (options.nodes === 0) return "no nodes asked for";
  const why = await whyNoContainers(options, report);
  if (why !== undefined) {
    if (options.nodes > 1) throw new Failure(`${options.nodes} nodes need containers: ${why}`);
    run.simulated = Math.max(1, options.simulated);
    return `${why}: going on with ${run.simulated === 1 ? "one simulated node" : "simulated nodes"}`;
  }
  run.nodes = Array.from({ length: options.nodes }, (_, index) =>
    index === 0 ? nodeName() : `${nodeName()}-${index + 1}`,
  );
  for (const name of run.nodes) makeNodeHome(nodeHome(run.home, name), "containerd");
  return "can run containers";
}

async function whyNoContainers(options: UpOptions, report: (text: string) => void): Promise<string | undefined> {
  if (process.platform !== "linux") return "containers need Linux";
  if (process.getuid?.() !== 0) return "containers need root";
  if (options.containerd) await checkContainerd(options.containerd);
  const ownContainerd = options.containerd === undefined;
  let missing = missingPackages(ownContainerd);
  if (missing.length > 0 && canInstallPackages()) {
    const problem = await installPackages(missing, report);
    if (problem !== undefined) report(problem);
    missing = missingPackages(ownContainerd);
  }
  return missing.length > 0 ? `containers need ${missing.join(", ")}` : undefined;
}

/** The machine's name, as far as a Kubernetes name may hold it. */
const nodeName = (): string =>
  hostname()
    .toLowerCase()
    .replace(/[^a-z0-9.-]+/g, "-")
    .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, "") || "node";

async function raiseNodeNetwork(run: Run): Promise<void> {
  const { home, record, nodes } = run;
  if (nodes.length === 0) return;
  record.bridge ??= await chooseBridge();
  record.nodes = [...new Set([...nodes, ...record.nodes])];
  if (run.options.containerd) record.containerd = run.options.containerd;
  else delete record.containerd;
  writeClusterRecord(home, record); // Before anything is made, so that `cox reset` finds it.
  await raiseNetwork(record.bridge, nodes.length);
}

async function startNodes(run: Run, report: (text: string) => void): Promise<string> {
  const { home, options, supervisor, controlPlane, record } = run;
  const token = await createBootstrapToken(controlPlane!, new Date());
  const agents: ProcessPlan[] = [];
  for (const [index, name] of run.nodes.entries()) {
    const number = index + 1;
    const namespace = namespaceOf(record.bridge!, number);
    const hostAddress = number === 1 ? "127.0.0.1" : addressOnBridge(record.bridge!, 1);
    const socket = options.containerd ?? (await startContainerd(run, name, { namespace, hostAddress }, report));
    agents.push(
      agentPlan(home, {
        name,
        server: `https://${hostAddress}:${options.port}`,
        containerd: socket,
        cni: cniFolder(nodeHome(home, name), options.containerd),
        namespace,
        cgroupRoot: cgroupRoot(record.bridge!),
        address: run.nodes.length > 1 ? addressOnBridge(record.bridge!, number) : undefined,
      }),
    );
    writeBootstrapToken(home, name, token);
  }
  if (run.simulated > 0) {
    const name = "simulated";
    makeNodeHome(nodeHome(home, name), "fake");
    writeBootstrapToken(home, name, token);
    agents.push(agentPlan(home, { name, server: controlPlane!.url, simulated: run.simulated }));
  }
  for (const agent of agents) {
    report(`joining ${agent.nodes!.length === 1 ? agent.nodes![0] : `${agent.nodes!.length} simulated nodes`}`);
    supervisor!.start(agent);
  }
  for (const agent of agents) {
    const allReady = async () => {
      const ready = await readyNodes(controlPlane!);
      return agent.nodes!.every((name) => ready.has(name));
    };
    await supervisor!.waitFor(agent, `joining ${agent.nodes![0]}`, NODES_READY_SECONDS, allReady, run.stopped);
  }
  const names = agents.flatMap((agent) => agent.nodes!);
  return names.length > 3 ? `${names.length} nodes Ready` : `${names.join(", ")} Ready`;
}

/** The containerds of the real nodes. */
const socketsOf = ({ home, nodes, options }: Run): string[] =>
  nodes.map((name) => options.containerd ?? nodeHome(home, name).containerdSocket);

async function startContainerd(
  run: Run,
  name: string,
  network: NodeNetwork,
  report: (text: string) => void,
): Promise<string> {
  const { home, supervisor } = run;
  const socket = nodeHome(home, name).containerdSocket;
  report(`starting containerd for ${name}`);
  const plan = await prepareContainerd(home, name, network);
  supervisor!.start(plan);
  await supervisor!.waitFor(plan, "containerd", READY_SECONDS, () => isContainerdReady(socket), run.stopped);
  await importPauseImage(socket);
  return socket;
}

/** Says plainly that the port is taken, before workerd says it in its own way. */
async function checkPort(port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => {
      const why = error.code === "EADDRINUSE" ? "another program listens there" : error.message;
      reject(new Failure(`cannot listen on 127.0.0.1:${port} (${why}): choose another with --port`));
    });
    server.listen(port, "127.0.0.1", () => server.close(() => resolve()));
  });
}

function welcome({ home, nodes, options }: Run): string {
  const third =
    nodes.length === 0
      ? "kubectl create deployment web --image=web:1 --replicas=3"
      : options.examples
        ? "kubectl apply -f examples/guestbook/"
        : `kubectl describe node ${nodes[0]}`;
  return [
    "",
    `${colors.bold("The cluster is ready.")} Its kubeconfig: ${home.kubeconfig}`,
    "Try:",
    `  export KUBECONFIG=${home.kubeconfig}`,
    "  kubectl get nodes",
    `  ${third}`,
    "",
  ].join("\n");
}

const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};
