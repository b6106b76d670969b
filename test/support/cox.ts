import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { load } from "js-yaml";

const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));

export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

/** What `cox status --json` tells. */
export interface CoxStatus {
  workerd: { pid: number; url: string };
  nodes: { name: string; pid: number; runtime: string; ready: boolean }[];
}

/** A whole cluster as a user starts it: `cox up --detach` under a home of its own, real kubectl beside it. */
export class Cox {
  readonly home: string;
  readonly port: number;

  private constructor(home: string, port: number) {
    this.home = home;
    this.port = port;
  }

  static async up(...flags: string[]): Promise<Cox> {
    const cox = new Cox(await mkdtemp(join(tmpdir(), "coxswain-test-")), await freePort());
    try {
      await cox.start(...flags);
    } catch (error) {
      await cox.destroy();
      throw error;
    }
    return cox;
  }

  /** `cox up` again on the same home: what is kept is kept. */
  async start(...flags: string[]): Promise<void> {
    await this.cox(["up", "--detach", "--port", String(this.port), ...flags]);
  }

  /** Stops and removes everything, the state too. */
  async destroy(): Promise<void> {
    await this.try("cox", ["down"]);
    const reset = await this.try("cox", ["reset", "--yes"]);
    // Before anything is removed: what is still mounted below it could not be.
    if (reset.code !== 0) throw new Error(`cox reset --yes: ${reset.stderr}`);
    await rm(this.home, { recursive: true, force: true });
  }

  async status(): Promise<CoxStatus> {
    return JSON.parse(await this.cox(["status", "--json"])) as CoxStatus;
  }

  /** Standard output of a `cox` command; throws with its standard error where it fails. */
  async cox(args: string[]): Promise<string> {
    return succeeded(`cox ${args.join(" ")}`, await this.try("cox", args));
  }

  /** Standard output of a kubectl command; throws with its standard error where it fails. */
  async kubectl(args: string[], stdin?: string): Promise<string> {
    return succeeded(`kubectl ${args.join(" ")}`, await this.try("kubectl", args, stdin));
  }

  async try(command: "cox" | "kubectl", args: string[], stdin?: string): Promise<Ran> {
    const environment = { ...process.env, COXSWAIN_HOME: this.home, KUBECONFIG: join(this.home, "kubeconfig") };
    if (command === "kubectl") return await run("kubectl", args, environment, stdin);
    return await run("node", [join(REPOSITORY, "cli/bin.js"), ...args], environment, stdin);
  }

  /** How a client without kubectl speaks to the API: as the kubeconfig's admin. */
  async credentials(): Promise<{ url: string; token: string; ca: string }> {
    const config = load(await readFile(join(this.home, "kubeconfig"), "utf8")) as any;
    const { server, "certificate-authority-data": ca } = config.clusters[0].cluster;
    return { url: server, token: config.users[0].user.token, ca: Buffer.from(ca, "base64").toString("utf8") };
  }

  /** What the API says, parsed. */
  async get<T = any>(...args: string[]): Promise<T> {
    return JSON.parse(await this.kubectl(["get", ...args, "-o", "json"])) as T;
  }
}

function succeeded(what: string, { code, stdout, stderr }: Ran): string {
  if (code !== 0) throw new Error(`${what} exited with ${code}: ${stderr || stdout}`);
  return stdout;
}

export async function run(
  command: string,
  args: string[],
  environment: NodeJS.ProcessEnv = process.env,
  stdin?: string,
): Promise<Ran> {
  const child = spawn(command, args, { env: environment, stdio: ["pipe", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  child.stdin.on("error", () => {}); // A command that does not read its input may close it.
  child.stdin.end(stdin);
  const code = await new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    // Not "close": a detached supervisor may keep the pipes open.
    child.once("exit", (status) => setTimeout(() => resolve(status ?? 1), 20));
  });
  return { code, stdout, stderr };
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (typeof address !== "object" || !address) throw new Error("no port was given");
  return address.port;
}

/** Waits until `look` no longer throws and gives its answer; in the end, throws what it threw last. */
export async function eventually<T>(what: string, look: () => Promise<T> | T, seconds = 60): Promise<T> {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    try {
      return await look();
    } catch (error) {
      if (Date.now() > deadline)
        throw new Error(
          `${what}: not so after ${seconds} s: ${error instanceof Error ? error.message : String(error)}`,
        );
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
