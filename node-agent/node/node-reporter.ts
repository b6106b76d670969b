import { isDeepStrictEqual } from "node:util";
import type { INodeStatus } from "kubernetes-models/v1/NodeStatus";
import type { Logger } from "pino";
import type { AgentRequest } from "../../api/node-link.ts";
import type { Answer } from "../link/link.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { type Machine, readPressure } from "./machine.ts";
import { nodeObject, nodeStatus, nodeTransitions, withoutHeartbeats } from "./node-status.ts";

// kubelet's nodeStatusUpdateFrequency and nodeStatusReportFrequency.
const LOOK_MILLISECONDS = 10_000;
const REPORT_MILLISECONDS = 5 * 60_000;
/** While the node is not ready, its way there should be noticed soon. */
const IMPATIENT_MILLISECONDS = 250;

export interface NodeReporterOptions {
  nodeName: string;
  addresses: readonly string[];
  machine: Machine;
  runtime: Runtime;
  runtimeVersion: string;
  /** Undefined: this node has no disk that could fill up (a simulated one). */
  stateDir: string | undefined;
  request(request: AgentRequest): Promise<Answer>;
  /** False while the pods' loop hears nothing from the runtime. */
  healthy(): boolean;
  /** A Normal event about the node. */
  event(reason: string, message: string): void;
  log: Logger;
  now(): number;
  onReady(ready: boolean): void;
}

/** Registers the node, and keeps its status true. */
export class NodeReporter {
  readonly #options: NodeReporterOptions;
  #status: INodeStatus | undefined;
  #sent: INodeStatus | undefined;
  #sentAt = 0;
  #registered = false;
  #connected = false;
  #looking = false;
  #again = false;
  #stopped = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: NodeReporterOptions) {
    this.#options = options;
  }

  /** The link is up: register (again). */
  connected(): void {
    this.#connected = true;
    this.#registered = false;
    this.look();
  }

  disconnected(): void {
    this.#connected = false;
  }

  /** Looks now. */
  look(): void {
    clearTimeout(this.#timer);
    if (this.#looking) this.#again = true;
    else void this.#look();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  async #look(): Promise<void> {
    this.#looking = true;
    const { nodeName, machine, log, now, request, onReady } = this.#options;
    let ready = false;
    try {
      const status = await this.#read();
      ready = status.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True") ?? false;
      onReady(ready);
      if (!this.#connected) {
        // Reported with the next connection.
      } else if (!this.#registered) {
        const { code, body } = await request({ do: "register-node", node: nodeObject(nodeName, status, machine) });
        if (code >= 300) throw new Error(`the node could not be registered: ${code} ${String(body["message"] ?? "")}`);
        this.#registered = true;
        this.#accept(status);
      } else if (this.#isDue(status, now())) {
        const { code } = await request({ do: "node-status", status: status as Record<string, unknown> });
        if (code === 404)
          this.#registered = false; // Somebody deleted the Node: register again.
        else if (code >= 300) throw new Error(`the node's status was not taken: ${code}`);
        else this.#accept(status);
      }
    } catch (error) {
      log.debug({ error: (error as Error).message }, "the node could not be reported");
    }
    this.#looking = false;
    if (this.#stopped) return;
    const impatient = this.#connected && (!this.#registered || !ready);
    const wait = this.#again ? 0 : impatient ? IMPATIENT_MILLISECONDS : LOOK_MILLISECONDS;
    this.#again = false;
    this.#timer = setTimeout(() => void this.#look(), wait);
  }

  #accept(status: INodeStatus): void {
    this.#sent = status;
    this.#sentAt = this.#options.now();
  }

  #isDue(status: INodeStatus, now: number): boolean {
    if (!this.#sent || now - this.#sentAt >= REPORT_MILLISECONDS) return true;
    return !isDeepStrictEqual(withoutHeartbeats(status), withoutHeartbeats(this.#sent));
  }

  async #read(): Promise<INodeStatus> {
    const { nodeName, machine, addresses, runtime, runtimeVersion, stateDir, healthy, now } = this.#options;
    const problems: string[] = [];
    const [conditions, images, pressure] = await Promise.all([
      runtime.conditions().catch((error: Error) => {
        problems.push(`container runtime is down: ${error.message}`);
        return [];
      }),
      runtime.listImages().catch(() => []),
      stateDir === undefined ? { memory: false, disk: false, pids: false } : readPressure(stateDir),
    ]);
    for (const { type, status, reason, message } of conditions) {
      if (status) continue;
      if (type === "NetworkReady") {
        problems.push(`container runtime network not ready: NetworkReady=false reason:${reason} message:${message}`);
      } else if (type === "RuntimeReady") {
        problems.push(`container runtime not ready: RuntimeReady=false reason:${reason} message:${message}`);
      }
    }
    if (!healthy()) problems.push("PLEG is not healthy");
    const facts = { machine, addresses, runtimeVersion, images, pressure, problems };
    const status = nodeStatus(nodeName, facts, this.#status, now());
    for (const reason of nodeTransitions(this.#status, status))
      this.#options.event(reason, `Node ${nodeName} status is now: ${reason}`);
    this.#status = status;
    return status;
  }
}
