import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type ApiClient, isReady } from "../../cli/api-client.ts";
import { type ControlPlane, prepareControlPlane } from "../../cli/control-plane/prepare.ts";
import { homeAt, makeHome } from "../../cli/home.ts";
import { freePort } from "./cox.ts";

const READY_SECONDS = 30;
const POLL_MILLISECONDS = 10;

/**
 * A control plane that is killed again and again: workerd as `cox up` runs it, but without the supervisor, which would wait longer
 * and longer before it starts again what dies so often.
 */
export class CrashingControlPlane implements ApiClient {
  readonly url: string;
  readonly token: string;
  readonly caCertificate: string;
  kills = 0;
  readonly #folder: string;
  readonly #controlPlane: ControlPlane;
  #process: ChildProcess | undefined;

  private constructor(folder: string, controlPlane: ControlPlane) {
    this.#folder = folder;
    this.#controlPlane = controlPlane;
    this.url = controlPlane.url;
    this.token = controlPlane.token;
    this.caCertificate = controlPlane.caCertificate;
  }

  static async start(): Promise<CrashingControlPlane> {
    const folder = mkdtempSync(join(tmpdir(), "cox-crash-"));
    const home = homeAt(folder);
    makeHome(home);
    const cluster = new CrashingControlPlane(folder, await prepareControlPlane(home, { port: await freePort() }));
    process.once("exit", cluster.#end);
    cluster.#run();
    await cluster.ready();
    return cluster;
  }

  /** Kills workerd, wherever it is just now, and starts another at once. */
  async crash(): Promise<void> {
    const dying = this.#process!;
    this.kills++;
    const died = once(dying, "exit");
    dying.kill("SIGKILL");
    await died;
    this.#run();
  }

  /** Waits until the control plane answers. */
  async ready(): Promise<void> {
    const deadline = performance.now() + READY_SECONDS * 1000;
    while (!(await isReady(this))) {
      if (this.#process!.exitCode !== null)
        throw new Error(`workerd has ended by itself: see ${this.#controlPlane.plan.log}`);
      if (performance.now() > deadline)
        throw new Error(`not ready after ${READY_SECONDS} s: see ${this.#controlPlane.plan.log}`);
      await sleep(POLL_MILLISECONDS);
    }
  }

  /** Stops workerd and removes the state; `keep`: leaves it there to look at, and tells where. */
  async stop({ keep = false }: { keep?: boolean } = {}): Promise<string> {
    process.off("exit", this.#end);
    const dying = this.#process!;
    if (dying.exitCode === null && dying.signalCode === null) {
      const died = once(dying, "exit");
      this.#end();
      await died;
    }
    if (!keep) rmSync(this.#folder, { recursive: true, force: true });
    return this.#folder;
  }

  readonly #end = (): void => {
    this.#process?.kill("SIGKILL");
  };

  #run(): void {
    const { command, args, environment, log } = this.#controlPlane.plan;
    const output = openSync(log, "a", 0o600);
    this.#process = spawn(command, args, {
      stdio: ["ignore", output, output],
      env: { ...process.env, ...environment },
      cwd: "/",
    });
    closeSync(output);
  }
}
