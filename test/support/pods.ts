import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Cox, eventually, type Ran, run } from "./cox.ts";
import { type Image, makeBusyboxImage, ociArchive } from "./images.ts";

/** busybox with nothing but its shell: what pods of the tests run. */
export const SHELL_IMAGE = "shell:v1";
/** A script that does nothing, and ends at once at SIGTERM. */
export const STAYS = "trap 'exit 0' TERM; while :; do sleep 0.1; done";
const WAIT_SECONDS = 60;
/** Events come in their own time; asking for them costs a process. */
const EVENT_LOOK_MILLISECONDS = 300;

/** Puts an image onto the nodes of a cluster. */
export async function loadImage(cox: Cox, image: Image): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "coxswain-image-"));
  try {
    const file = join(folder, "image.tar");
    await writeFile(file, await ociArchive(image));
    await cox.cox(["image", "load", file]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export const loadShellImage = async (cox: Cox): Promise<void> =>
  loadImage(cox, await makeBusyboxImage(SHELL_IMAGE, [], {}));

/** A container that runs a shell script. */
export const shell = (name: string, script: string, more: object = {}) => ({
  name,
  image: SHELL_IMAGE,
  command: ["/bin/sh", "-c", script],
  ...more,
});

export const configMap = (name: string, data: Record<string, string>) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name },
  data,
});

export const secret = (name: string, stringData: Record<string, string>) => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name },
  stringData,
});

/** Pods of one cluster, by name, as somebody with kubectl makes and looks at them. */
export class Pods {
  readonly #cox: Cox;

  constructor(cox: Cox) {
    this.#cox = cox;
  }

  async apply(...objects: object[]): Promise<void> {
    const list = { apiVersion: "v1", kind: "List", items: objects };
    await this.#cox.kubectl(["apply", "-f", "-"], JSON.stringify(list));
  }

  /** A grace of a few seconds, so that no test waits long for its end. */
  async create(name: string, spec: object, metadata: object = {}): Promise<void> {
    await this.apply({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name, labels: { app: name }, ...metadata },
      spec: { terminationGracePeriodSeconds: 2, ...spec },
    });
  }

  async run(name: string, spec: object, metadata: object = {}): Promise<void> {
    await this.create(name, spec, metadata);
    await this.until(name, "{.status.phase}", "Running");
  }

  async runReady(name: string, spec: object, metadata: object = {}): Promise<void> {
    await this.create(name, spec, metadata);
    await this.#cox.kubectl(["wait", `pod/${name}`, "--for=condition=Ready", `--timeout=${WAIT_SECONDS}s`]);
  }

  /** A field of the pod has this value; in the end, throws with the pod's status. */
  async until(name: string, jsonPath: string, value: string, seconds = WAIT_SECONDS): Promise<void> {
    const waited = await this.#cox.try("kubectl", [
      "wait",
      `pod/${name}`,
      `--for=jsonpath=${jsonPath}=${value}`,
      `--timeout=${seconds}s`,
    ]);
    if (waited.code === 0) return;
    const { status } = await this.get(name);
    throw new Error(`${name}: ${jsonPath} is not ${value}: ${waited.stderr} ${JSON.stringify(status, undefined, 1)}`);
  }

  async untilWaiting(name: string, reason: string, seconds = WAIT_SECONDS): Promise<any> {
    await this.until(name, "{.status.containerStatuses[0].state.waiting.reason}", reason, seconds);
    return (await this.container(name)).state.waiting;
  }

  async get(name: string): Promise<any> {
    return this.#cox.get("pod", name);
  }

  /** The status of a container. */
  async container(name: string, container?: string): Promise<any> {
    const { containerStatuses, initContainerStatuses = [] } = (await this.get(name)).status;
    if (container === undefined) return containerStatuses[0];
    return [...initContainerStatuses, ...containerStatuses].find((status: any) => status.name === container);
  }

  /** What a script prints in the pod. */
  async inside(name: string, script: string, container?: string): Promise<string> {
    const which = container === undefined ? [] : ["-c", container];
    return this.#cox.kubectl(["exec", name, ...which, "--", "/bin/sh", "-c", script]);
  }

  logs(name: string, ...flags: string[]): Promise<string> {
    return this.#cox.kubectl(["logs", name, ...flags]);
  }

  /** STATUS as `kubectl get pods` prints it. */
  async column(name: string): Promise<string> {
    const line = await this.#cox.kubectl(["get", "pod", name, "--no-headers"]);
    return line.trim().split(/ +/)[2]!;
  }

  /** `Reason: message` of the pod's events, oldest first. */
  async events(name: string): Promise<string[]> {
    const { items } = await this.#cox.get("events", "--field-selector", `involvedObject.name=${name}`);
    return items.map(({ reason, message }: any) => `${reason}: ${message}`);
  }

  async untilEvent(name: string, pattern: string | RegExp, seconds = WAIT_SECONDS): Promise<string> {
    return eventually(
      `event ${pattern} of ${name}`,
      async () => {
        const events = await this.events(name);
        const found = events.find((text) => (typeof pattern === "string" ? text === pattern : pattern.test(text)));
        if (found) return found;
        await new Promise((resolve) => setTimeout(resolve, EVENT_LOOK_MILLISECONDS));
        throw new Error(`there are only:\n${events.join("\n")}`);
      },
      seconds,
    );
  }

  /** Deletes and waits until it is gone; the seconds that took. */
  async delete(name: string, ...flags: string[]): Promise<number> {
    const begun = Date.now();
    await this.#cox.kubectl(["delete", "pod", name, ...flags]);
    return (Date.now() - begun) / 1000;
  }
}

/** A kubectl command line on a terminal of its own, of this size. */
export async function onTerminal(cox: Cox, commandLine: string, input = "", size = "24 80"): Promise<Ran> {
  const [rows, columns] = size.split(" ");
  const command = `stty rows ${rows} cols ${columns}; ${commandLine}`;
  const environment = { ...process.env, KUBECONFIG: join(cox.home, "kubeconfig"), TERM: "xterm" };
  return run("script", ["-qec", command, "/dev/null"], environment, input);
}
