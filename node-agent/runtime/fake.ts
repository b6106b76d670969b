import type {
  Container,
  ContainerConfig,
  ContainerState,
  ContainerStatus,
  ExecOptions,
  ExecResult,
  Image,
  RemoteStreams,
  Runtime,
  SandboxConfig,
  SandboxStatus,
} from "./runtime.ts";
import { CHANNEL, RuntimeError } from "./runtime.ts";

/** What a fake container does, decided from its image and command. */
export interface FakeProgram {
  /** Ends by itself after this long; absent: it runs until it is stopped. */
  exitAfterMilliseconds?: number;
  exitCode?: number;
  /** Answers `execSync` and `exec`. */
  exec?(command: string[], stdin: Uint8Array): ExecResult;
}

export type FakeOperation =
  | "runSandbox"
  | "createContainer"
  | "startContainer"
  | "stopContainer"
  | "pullImage"
  | "execSync";

export interface FakeOptions {
  /** Milliseconds that an operation takes; absent: none. */
  delays?: Partial<Record<FakeOperation, number>>;
  /** Asked before each operation: a message makes it fail. */
  fail?(operation: FakeOperation, what: string): string | undefined;
  program?(config: ContainerConfig): FakeProgram;
  /** Images that can be pulled; absent: all. */
  registry?: readonly string[];
  /** Images that are there from the beginning. */
  images?: readonly string[];
  /** The first two numbers of the sandboxes' addresses. */
  network?: string;
  now?(): number;
}

interface FakeSandbox {
  config: SandboxConfig;
  status: SandboxStatus;
}

interface FakeContainer {
  config: ContainerConfig;
  sandboxId: string;
  status: ContainerStatus;
  program: FakeProgram;
  timer: NodeJS.Timeout | undefined;
}

/** Sandboxes that fit a fake node's network. */
const ADDRESSES_MAX = 65_000;

/** A runtime in memory: for tests, and for simulated nodes. `test/support/runtime-contract.ts` says what it has in common with a real one. */
export function fakeRuntime(options: FakeOptions = {}): Runtime {
  const { delays = {}, fail, registry, network = "10.244", now = Date.now } = options;
  const program = options.program ?? (() => ({}));
  const sandboxes = new Map<string, FakeSandbox>();
  const containers = new Map<string, FakeContainer>();
  const images = new Map<string, Image>();
  let ids = 0;
  const newId = () => (++ids).toString(16).padStart(64, "0");
  const addImage = (name: string): Image => {
    const image = { id: `sha256:${name}`, tags: [name], digests: [], sizeBytes: 1000, username: "" };
    images.set(name, image);
    return image;
  };
  for (const name of options.images ?? []) addImage(name);

  const perform = async (operation: FakeOperation, what: string): Promise<void> => {
    const delay = delays[operation];
    if (delay !== undefined) await new Promise((resolve) => setTimeout(resolve, delay));
    const problem = fail?.(operation, what);
    if (problem !== undefined) throw new RuntimeError("failed", problem);
  };
  const containerOf = (id: string): FakeContainer => {
    const container = containers.get(id);
    if (!container)
      throw new RuntimeError("not-found", `an error occurred when try to find container "${id}": not found`);
    return container;
  };
  const exit = (container: FakeContainer, exitCode: number): void => {
    if (container.status.state !== "running") return;
    clearTimeout(container.timer);
    const reason = exitCode === 0 ? "Completed" : "Error";
    container.status = { ...container.status, state: "exited", exitCode, reason, finishedAt: now() };
  };
  const running = (id: string): FakeContainer => {
    const container = containerOf(id);
    if (container.status.state === "running") return container;
    throw new RuntimeError("failed", `failed to exec in container: container is in ${container.status.state} state`);
  };
  const answer = ({ program: { exec } }: FakeContainer, command: string[], stdin: Uint8Array): ExecResult =>
    exec?.(command, stdin) ?? { exitCode: 0, stdout: new Uint8Array(), stderr: new Uint8Array() };

  return {
    version: async () => ({ name: "fake", version: "1.0.0" }),
    conditions: async () =>
      ["RuntimeReady", "NetworkReady"].map((type) => ({ type, status: true, reason: "", message: "" })),

    async runSandbox(config) {
      await perform("runSandbox", config.name);
      const id = newId();
      const number = ids % ADDRESSES_MAX;
      const { name, namespace, uid, attempt, labels, annotations } = config;
      const ips = config.namespaces.network === "node" ? [] : [`${network}.${number >> 8}.${number & 255}`];
      const status = { id, name, namespace, uid, attempt, ready: true, createdAt: now(), labels, annotations, ips };
      sandboxes.set(id, { config, status });
      return id;
    },
    async stopSandbox(id) {
      const sandbox = sandboxes.get(id);
      if (!sandbox) return;
      for (const container of containers.values()) if (container.sandboxId === id) exit(container, 137);
      sandbox.status = { ...sandbox.status, ready: false, ips: [] };
    },
    async removeSandbox(id) {
      for (const [key, container] of containers) {
        if (container.sandboxId !== id) continue;
        clearTimeout(container.timer);
        containers.delete(key);
      }
      sandboxes.delete(id);
    },
    listSandboxes: async () => [...sandboxes.values()].map(({ status: { ips: _, ...sandbox } }) => sandbox),
    sandboxStatus: async (id) => sandboxes.get(id)?.status,

    async createContainer(sandboxId, config) {
      await perform("createContainer", config.name);
      if (!sandboxes.get(sandboxId)?.status.ready)
        throw new RuntimeError("failed", `sandbox "${sandboxId}" is not ready`);
      const image = [...images.values()].find(({ id, tags }) => id === config.image || tags.includes(config.image));
      if (!image) throw new RuntimeError("not-found", `image "${config.image}" not found`);
      const id = newId();
      const status: ContainerStatus = {
        id,
        name: config.name,
        attempt: config.attempt,
        state: "created",
        createdAt: now(),
        startedAt: 0,
        finishedAt: 0,
        exitCode: 0,
        reason: "",
        message: "",
        image: image.tags[0]!,
        imageRef: image.id,
        labels: config.labels,
        annotations: config.annotations,
        logPath: "",
      };
      containers.set(id, { config, sandboxId, status, program: program(config), timer: undefined });
      return id;
    },
    async startContainer(id) {
      const container = containerOf(id);
      await perform("startContainer", container.config.name);
      if (container.status.state !== "created")
        throw new RuntimeError("failed", `container is in ${container.status.state} state`);
      container.status = { ...container.status, state: "running", startedAt: now() };
      const { exitAfterMilliseconds, exitCode = 0 } = container.program;
      if (exitAfterMilliseconds !== undefined) {
        container.timer = setTimeout(() => exit(container, exitCode), exitAfterMilliseconds);
        container.timer.unref();
      }
    },
    async stopContainer(id) {
      const container = containers.get(id);
      if (!container) return;
      await perform("stopContainer", container.config.name);
      exit(container, 137);
    },
    async removeContainer(id) {
      const container = containers.get(id);
      if (container) exit(container, 137);
      containers.delete(id);
    },
    listContainers: async (sandboxId) =>
      [...containers.values()]
        .filter((container) => sandboxId === undefined || container.sandboxId === sandboxId)
        .map(({ status, sandboxId: sandbox }) => listed(status, sandbox)),
    containerStatus: async (id) => containers.get(id)?.status,
    reopenLog: async (id) => void running(id),

    async execSync(id, command) {
      const container = running(id);
      await perform("execSync", container.config.name);
      return answer(container, command, new Uint8Array());
    },
    async exec(id, execOptions) {
      const container = running(id);
      return fakeStreams((stdin) => answer(container, execOptions.command, stdin), execOptions);
    },
    async attach(id, streams) {
      running(id);
      return fakeStreams(() => ({ exitCode: 0, stdout: new Uint8Array(), stderr: new Uint8Array() }), streams);
    },

    imageStatus: async (name) => images.get(name),
    async pullImage(name) {
      await perform("pullImage", name);
      if (registry && !registry.includes(name))
        throw new RuntimeError("not-found", `failed to resolve reference "${name}": not found`);
      return (images.get(name) ?? addImage(name)).id;
    },
    portForward: () => Promise.reject(new RuntimeError("failed", "a simulated pod has no ports")),
    listImages: async () => [...images.values()],
    close() {
      for (const { timer } of containers.values()) clearTimeout(timer);
    },
  };
}

function listed(status: ContainerStatus, sandboxId: string): Container {
  const { id, name, attempt, state, createdAt, labels, annotations } = status;
  return { id, sandboxId, name, attempt, state: state as ContainerState, createdAt, labels, annotations };
}

/** Runs once stdin is closed (or is not wanted), then says how it ended on the error channel, as a real server does. */
function fakeStreams(run: (stdin: Uint8Array) => ExecResult, { stdin }: Pick<ExecOptions, "stdin">): RemoteStreams {
  const input: Uint8Array[] = [];
  let ended = false;
  const finish = () => {
    if (ended) return;
    ended = true;
    const { exitCode, stdout, stderr } = run(Buffer.concat(input));
    if (stdout.length > 0) streams.onData(CHANNEL.stdout, stdout);
    if (stderr.length > 0) streams.onData(CHANNEL.stderr, stderr);
    streams.onData(CHANNEL.error, Buffer.from(JSON.stringify(exitStatus(exitCode))));
    streams.onEnd();
  };
  const streams: RemoteStreams = {
    onData: () => {},
    onEnd: () => {},
    onDrain: () => {},
    send(channel, data) {
      if (channel === CHANNEL.stdin) input.push(data);
      return true;
    },
    closeChannel(channel) {
      if (channel === CHANNEL.stdin) setImmediate(finish);
    },
    pause: () => {},
    resume: () => {},
    close: () => {
      ended = true;
    },
  };
  if (!stdin) setImmediate(finish);
  return streams;
}

const exitStatus = (exitCode: number) =>
  exitCode === 0
    ? { metadata: {}, status: "Success" }
    : {
        metadata: {},
        status: "Failure",
        message: `command terminated with non-zero exit code: exit code ${exitCode}`,
        reason: "NonZeroExitCode",
        details: { causes: [{ reason: "ExitCode", message: String(exitCode) }] },
      };
