import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ApiAnswer, type ApiClient, callApi, isReady } from "../../cli/api-client.ts";
import { type AuditOptions, prepareAudit } from "../../cli/audit/prepare-audit.ts";
import { type ControlPlane, prepareControlPlane } from "../../cli/control-plane/prepare.ts";
import { type Home, homeAt, makeHome, makeNodeHome, nodeHome } from "../../cli/home.ts";
import { takeLock } from "../../cli/lock.ts";
import { agentPlan, createBootstrapToken, readyNodes, writeBootstrapToken } from "../../cli/node/agent.ts";
import { readSupervisorStatus, type Supervisor, startSupervisor } from "../../cli/supervisor-client.ts";
import { freePort } from "./cox.ts";

const READY_SECONDS = 30;
const SIMULATED = "simulated";

/**
 * A control plane as `cox up` starts it (the real bundle on workerd, TLS, a supervisor), in a temporary home and on a free
 * port, without root: for tests that speak to the API, and need no containers.
 */
export class TestCluster implements ApiClient {
  readonly url: string;
  readonly token: string;
  readonly caCertificate: string;
  /** The path of the admin's kubeconfig. */
  readonly kubeconfig: string;
  readonly home: Home;
  readonly #simulated: number;
  readonly #controlPlane: ControlPlane;
  #supervisor: Supervisor | undefined;

  private constructor(home: Home, controlPlane: ControlPlane, simulated: number) {
    this.home = home;
    this.url = controlPlane.url;
    this.token = controlPlane.token;
    this.caCertificate = controlPlane.caCertificate;
    this.kubeconfig = home.kubeconfig;
    this.#controlPlane = controlPlane;
    this.#simulated = simulated;
  }

  /** @param options simulated: how many nodes that pretend to run containers (`simulated-0` …); audit: absent, nothing is audited */
  static async start({
    simulated = 0,
    audit,
  }: {
    simulated?: number;
    audit?: AuditOptions;
  } = {}): Promise<TestCluster> {
    const home = homeAt(mkdtempSync(join(tmpdir(), "cox-api-")));
    makeHome(home);
    const controlPlane = await prepareControlPlane(home, {
      port: await freePort(),
      audit: audit && prepareAudit(home, audit),
    });
    const cluster = new TestCluster(home, controlPlane, simulated);
    try {
      await cluster.#start();
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    return cluster;
  }

  /** A request as the admin. */
  async call(method: string, path: string, body?: unknown): Promise<ApiAnswer> {
    return await callApi(this, method, path, body);
  }

  /** Waits until the control plane answers. */
  async ready(): Promise<void> {
    const { plan } = this.#controlPlane;
    await this.#supervisor!.waitFor(plan, "the control plane", READY_SECONDS, () => isReady(this));
  }

  /** workerd's process; undefined for the moment in which it is being started again. */
  get pid(): number | undefined {
    return readSupervisorStatus(this.home)?.processes.find(({ role }) => role === "workerd")?.process?.pid;
  }

  /** Kills workerd as a crash would. It is started again at once: `ready()` waits for that. */
  kill9(): void {
    const { pid } = this;
    if (pid !== undefined) process.kill(pid, "SIGKILL");
  }

  /** Stops everything in order and starts it again, on the same state and port. */
  async restart(): Promise<void> {
    await this.#supervisor!.stop();
    await this.#start();
  }

  /** Stops everything and removes the state. */
  async stop(): Promise<void> {
    await this.#supervisor?.stop();
    rmSync(this.home.root, { recursive: true, force: true });
  }

  async #start(): Promise<void> {
    takeLock(this.home);
    this.#supervisor = await startSupervisor(this.home);
    const { plan, auditPlan } = this.#controlPlane;
    if (auditPlan) this.#supervisor.start(auditPlan);
    this.#supervisor.start(plan);
    await this.ready();
    if (this.#simulated > 0) await this.#joinSimulatedNodes();
  }

  async #joinSimulatedNodes(): Promise<void> {
    makeNodeHome(nodeHome(this.home, SIMULATED), "fake");
    writeBootstrapToken(this.home, SIMULATED, await createBootstrapToken(this, new Date()));
    const agent = agentPlan(this.home, { name: SIMULATED, server: this.url, simulated: this.#simulated });
    this.#supervisor!.start(agent);
    await this.#supervisor!.waitFor(agent, "joining the simulated nodes", READY_SECONDS, async () => {
      const ready = await readyNodes(this);
      return agent.nodes!.every((name) => ready.has(name));
    });
  }
}
