import { mkdir, readFile } from "node:fs/promises";
import { isDeepStrictEqual } from "node:util";
import type { Logger } from "pino";
import type { ServiceObject } from "../api/kinds/service.ts";
import type { KubeObject } from "../api/object.ts";
import type { PodCgroups } from "./cgroups.ts";
import { EventRecorder } from "./event-recorder.ts";
import { limit } from "./limit.ts";
import { Link } from "./link/link.ts";
import type { Network } from "./network/network.ts";
import { type Machine, readMachine } from "./node/machine.ts";
import { NodeReporter } from "./node/node-reporter.ts";
import { allocatable } from "./node/node-status.ts";
import { Observations } from "./observations.ts";
import { agentPaths } from "./paths.ts";
import { parseResolvConf } from "./pod-dns.ts";
import type { PodHost } from "./pod-host.ts";
import { PodLoop } from "./pod-loop.ts";
import { ReferenceCache } from "./reference-cache.ts";
import type { Runtime } from "./runtime/runtime.ts";
import { SavedState } from "./saved-state.ts";
import { StatusSender } from "./status-sender.ts";
import { serveStream } from "./streams/serve-stream.ts";
import { terminationMessage } from "./termination-message.ts";
import type { PodVolumes } from "./volumes/pod-volumes.ts";

/** How many of each run at once; more would only make all of them slower. */
const STARTS_MAX = 16;
const PULLS_MAX = 5;
const STOPS_MAX = 64;
const RUNTIME_TRIES_MAX = 120;
const RUNTIME_TRY_MILLISECONDS = 500;

export interface AgentOptions {
  server: string;
  token: string;
  ca?: string;
  nodeName: string;
  nodeIps: readonly string[];
  stateDir: string;
  runtime: Runtime;
  volumes(paths: ReturnType<typeof agentPaths>): PodVolumes;
  cgroups: PodCgroups;
  cgroupRoot: string;
  clusterDns: { address?: string; domain: string };
  /** Absent for a simulated node: nothing of it touches the machine's network or disk. */
  network?: Network;
  simulated: boolean;
  log: Logger;
  now?(): number;
  random?(): number;
}

export interface Agent {
  /** Ends the agent; containers go on. */
  stop(): Promise<void>;
}

/** Runs one node: connects the runtime, the pods' loop and the link to the control plane. */
export async function startAgent(options: AgentOptions): Promise<Agent> {
  const { nodeName, nodeIps, stateDir, runtime, network, simulated, log } = options;
  const now = options.now ?? Date.now;
  const random = options.random ?? Math.random;
  const paths = agentPaths(stateDir);
  if (!simulated) await mkdir(stateDir, { recursive: true, mode: 0o700 });
  const machine: Machine = await readMachine(simulated ? "/" : stateDir);
  const { name: runtimeName, version } = await firstAnswer(runtime, log);
  const volumes = options.volumes(paths);
  await volumes.start();
  const services = new Map<string, ServiceObject>();

  const events = new EventRecorder({ nodeName, now, random, onQueued: () => sender.eventsWait() });
  const link = new Link({
    server: options.server,
    nodeName,
    token: options.token,
    ...(options.ca !== undefined && { ca: options.ca }),
    log,
    random,
    onWatch(message) {
      if (message.resource === "services") rememberServices(services, message);
      loop.apply(message);
      network?.update(message);
      if (message.resource === "pods" && message.synced) resend();
    },
    onStream: (stream, request) => serveStream(streamServer, request, link.dialStream(stream)),
    onConnected() {
      sender.setConnected(true);
      reporter.connected();
    },
    onDisconnected() {
      sender.setConnected(false);
      reporter.disconnected();
    },
  });
  const sender = new StatusSender({ request: (request) => link.request(request), events });
  const references = new ReferenceCache({
    now,
    async fetch(resource, namespace, name) {
      const { code, body } = await link.request({ do: "get", resource, namespace, name });
      if (code === 200) return body as unknown as KubeObject;
      if (code === 404) return undefined;
      throw new Error(String(body["message"] ?? `the control plane answered ${code}`));
    },
  });
  const observations = new Observations({
    runtime,
    nodeName,
    now,
    terminationMessage: (container, uid) => terminationMessage(volumes, container, uid),
  });
  const host: PodHost = {
    nodeName,
    nodeIps,
    runtimeName,
    runtime,
    observations,
    volumes,
    cgroups: options.cgroups,
    cgroupRoot: options.cgroupRoot,
    references,
    events,
    paths,
    hasDisk: !simulated,
    services: () => services.values(),
    allocatable: allocatable(machine),
    memoryBytes: machine.memoryBytes,
    clusterDns: options.clusterDns,
    nodeDns: parseResolvConf(await readFile("/etc/resolv.conf", "utf8").catch(() => "")),
    limits: { start: limit(STARTS_MAX), pull: limit(PULLS_MAX), stop: limit(STOPS_MAX) },
    log,
    now,
  };
  const loop: PodLoop = new PodLoop(host, {
    onStatus: (pod, status) => sender.status(pod, status),
    onPodGone: (pod) => sender.gone(pod),
    onDesired: () => saved?.changed(),
  });
  const saved = simulated
    ? undefined
    : new SavedState({
        file: paths.savedState,
        pods: () => loop.pods(),
        onError: (error) => log.error({ error: error.message }, "the desired pods could not be saved or read"),
      });
  const reporter = new NodeReporter({
    nodeName,
    addresses: nodeIps,
    machine,
    runtime,
    runtimeVersion: `${runtimeName}://${version.replace(/~.*$/, "")}`,
    stateDir: simulated ? undefined : stateDir,
    request: (request) => link.request(request),
    healthy: () => loop.healthy(),
    event: nodeEvent,
    log,
    now,
    onReady: () => {},
  });
  const streamServer = {
    runtime,
    observations,
    nodeIp: nodeIps[0] ?? "",
    findPod: (uid: string) => loop.find(uid),
    containerStatus: (uid: string, container: string) => {
      const status = loop.statusOf(uid);
      const all = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
      return all.find(({ name }) => name === container);
    },
    log,
    now,
  };

  /** As kubelet has it, the node's name stands for its uid: kubectl looks for that. */
  function nodeEvent(reason: string, message: string): void {
    const about = { apiVersion: "v1", kind: "Node", name: nodeName, uid: nodeName };
    events.record(about, { type: "Normal", reason, message });
  }

  /** The control plane may have missed what was sent before the link broke. */
  function resend(): void {
    for (const { pod, status } of loop.statuses())
      if (!isDeepStrictEqual(pod.status, status)) sender.status(pod, status);
  }

  nodeEvent("Starting", "Starting kubelet.");
  await loop.start((await saved?.load()) ?? []);
  link.start();
  return {
    async stop() {
      loop.stop();
      reporter.stop();
      sender.stop();
      link.stop();
      await saved?.close();
      await network?.close();
      runtime.close();
    },
  };
}

/** The runtime may be starting just as the agent is. */
async function firstAnswer(runtime: Runtime, log: Logger): ReturnType<Runtime["version"]> {
  for (let tries = 1; ; tries++) {
    try {
      return await runtime.version();
    } catch (error) {
      if (tries >= RUNTIME_TRIES_MAX) throw error;
      if (tries === 1) log.warn({ error: (error as Error).message }, "waiting for the runtime");
      await new Promise((resolve) => setTimeout(resolve, RUNTIME_TRY_MILLISECONDS));
    }
  }
}

type WatchMessage = Parameters<PodLoop["apply"]>[0];

function rememberServices(services: Map<string, ServiceObject>, message: WatchMessage): void {
  if (message.reset) services.clear();
  for (const { type, object } of message.events) {
    const service = object as unknown as ServiceObject;
    const key = `${service.metadata.namespace}/${service.metadata.name}`;
    if (type === "DELETED") services.delete(key);
    else services.set(key, service);
  }
}
