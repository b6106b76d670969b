import { type Ran, run } from "./cox.ts";

/** Real kubectl against one cluster, with nothing of the user's own configuration. */
export class Kubectl {
  readonly #environment: NodeJS.ProcessEnv;
  readonly #program: string;

  /** @param options program: the machine's kubectl unless said; environment: variables beside those of the test */
  constructor(
    kubeconfig: string,
    { program = "kubectl", environment = {} }: { program?: string; environment?: NodeJS.ProcessEnv } = {},
  ) {
    this.#program = program;
    const own = { KUBECONFIG: kubeconfig, KUBECACHEDIR: `${kubeconfig}.cache` };
    this.#environment = { ...process.env, ...own, ...environment };
  }

  /** Whatever it exits with. */
  async try(args: string[], stdin?: string): Promise<Ran> {
    return await run(this.#program, args, this.#environment, stdin);
  }

  /** A command line, split at spaces; its standard output. Throws with its standard error where it fails. */
  async run(commandLine: string, stdin?: string | object): Promise<string> {
    const text = typeof stdin === "object" ? JSON.stringify(stdin) : stdin;
    const { code, stdout, stderr } = await this.try(commandLine.split(" "), text);
    if (code !== 0) throw new Error(`kubectl ${commandLine} exited with ${code}: ${stderr || stdout}`);
    return stdout;
  }

  /** The standard error of a command that has to fail. */
  async refused(commandLine: string, stdin?: string | object): Promise<string> {
    const text = typeof stdin === "object" ? JSON.stringify(stdin) : stdin;
    const { code, stdout, stderr } = await this.try(commandLine.split(" "), text);
    if (code === 0) throw new Error(`kubectl ${commandLine} succeeded: ${stdout}`);
    return stderr.trim();
  }

  async get<T = any>(what: string): Promise<T> {
    return JSON.parse(await this.run(`get ${what} -o json`)) as T;
  }
}
