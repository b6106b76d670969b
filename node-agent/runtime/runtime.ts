import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import type { PORT_FORWARD_PROTOCOLS } from "../../api/node-link.ts";

/**
 * What the agent asks of a container runtime: the part of CRI (kubernetes/cri-api, runtime.v1) that it uses, with
 * JavaScript's types. `cri.ts` speaks it to containerd, `fake.ts` keeps it in memory; `test/support/runtime-contract.ts` holds both to the same.
 * Calls reject with `RuntimeError`. Times are milliseconds since 1970. Ids and handles are the runtime's own.
 */
export interface Runtime {
  /** CRI's runtime name and version, as nodeInfo.containerRuntimeVersion joins them: `containerd://1.6.20`. */
  version(): Promise<{ name: string; version: string }>;
  /** `RuntimeReady` and `NetworkReady`. */
  conditions(): Promise<RuntimeCondition[]>;

  runSandbox(config: SandboxConfig): Promise<string>;
  /** Stops what runs in it and gives its network back. Stopping twice, or what is gone, succeeds. */
  stopSandbox(id: string): Promise<void>;
  /** Removes it and its containers; a sandbox that is gone succeeds. */
  removeSandbox(id: string): Promise<void>;
  listSandboxes(): Promise<Sandbox[]>;
  /** With its addresses; undefined where there is none of this id. */
  sandboxStatus(id: string): Promise<SandboxStatus | undefined>;

  createContainer(sandboxId: string, config: ContainerConfig, sandbox: SandboxConfig): Promise<string>;
  startContainer(id: string): Promise<void>;
  /** TERM, and KILL after `graceSeconds`; resolves once it is dead. A container that is gone succeeds. */
  stopContainer(id: string, graceSeconds: number): Promise<void>;
  removeContainer(id: string): Promise<void>;
  /** Of one sandbox, or of all. */
  listContainers(sandboxId?: string): Promise<Container[]>;
  containerStatus(id: string): Promise<ContainerStatus | undefined>;
  /** Goes on writing to a new file at the log's path, the old one having been moved away. */
  reopenLog(id: string): Promise<void>;

  /** Runs a command to its end; rejects with code `timeout` after `timeoutSeconds`. */
  execSync(id: string, command: string[], timeoutSeconds: number): Promise<ExecResult>;
  exec(id: string, options: ExecOptions): Promise<RemoteStreams>;
  attach(id: string, options: Omit<ExecOptions, "command">): Promise<RemoteStreams>;
  /** A connection to who forwards to ports of a sandbox: bytes of SPDY/3.1, or the messages of `v4.channel.k8s.io`; paused. */
  portForward(sandboxId: string, wanted: PortForward): Promise<Duplex | WebSocket>;

  /** Undefined where the image is not here. */
  imageStatus(name: string): Promise<Image | undefined>;
  /** The id or digest under which containers name it. */
  pullImage(name: string, auth: RegistryAuth | undefined, sandbox: SandboxConfig): Promise<string>;
  listImages(): Promise<Image[]>;
  close(): void;
}

export interface PortForward {
  protocol: (typeof PORT_FORWARD_PROTOCOLS)[number];
  /** What SPDY names by itself. */
  ports: number[];
}

export type RuntimeErrorCode = "not-found" | "timeout" | "unavailable" | "failed";

/** Anything a runtime refuses; the message is the runtime's own, for events and statuses. */
export class RuntimeError extends Error {
  readonly code: RuntimeErrorCode;
  /** The message without what its transport put before it: kubelet tells some failures so. */
  readonly details: string;
  constructor(code: RuntimeErrorCode, message: string, details = message) {
    super(message);
    this.name = "RuntimeError";
    this.code = code;
    this.details = details;
  }
}

export interface RuntimeCondition {
  type: string;
  status: boolean;
  reason: string;
  message: string;
}

/** CRI's namespace modes that are used: the pod's own (shared by its containers), the container's own, the node's. */
export type NamespaceMode = "pod" | "container" | "node";

export interface Namespaces {
  network: NamespaceMode;
  pid: NamespaceMode;
  ipc: NamespaceMode;
}

export interface SecurityProfile {
  type: "RuntimeDefault" | "Unconfined" | "Localhost";
  localhostRef?: string;
}

export interface SandboxConfig {
  name: string;
  namespace: string;
  uid: string;
  attempt: number;
  hostname: string;
  logDirectory: string;
  dns: { servers: string[]; searches: string[]; options: string[] };
  portMappings: { protocol: "TCP" | "UDP" | "SCTP"; containerPort: number; hostPort: number; hostIp: string }[];
  labels: Record<string, string>;
  annotations: Record<string, string>;
  cgroupParent: string;
  sysctls: Record<string, string>;
  namespaces: Namespaces;
  privileged: boolean;
  runAsUser?: number;
  runAsGroup?: number;
  supplementalGroups: number[];
  seccomp?: SecurityProfile;
}

/** Linux limits as CRI takes them; 0 means unset. */
export interface LinuxResources {
  cpuPeriod: number;
  cpuQuota: number;
  cpuShares: number;
  memoryLimitBytes: number;
  oomScoreAdj: number;
}

export interface Mount {
  containerPath: string;
  hostPath: string;
  readonly: boolean;
  propagation: "private" | "host-to-container" | "bidirectional";
}

export interface ContainerSecurity {
  privileged: boolean;
  addCapabilities: string[];
  dropCapabilities: string[];
  namespaces: Namespaces;
  runAsUser?: number;
  runAsGroup?: number;
  readonlyRootfs: boolean;
  supplementalGroups: number[];
  noNewPrivileges: boolean;
  maskedPaths: string[];
  readonlyPaths: string[];
  seccomp?: SecurityProfile;
}

export interface ContainerConfig {
  name: string;
  attempt: number;
  /** What `imageStatus` called `id`, or a name. */
  image: string;
  command: string[];
  args: string[];
  workingDir: string;
  env: { key: string; value: string }[];
  mounts: Mount[];
  labels: Record<string, string>;
  annotations: Record<string, string>;
  /** Relative to the sandbox's logDirectory. */
  logPath: string;
  stdin: boolean;
  stdinOnce: boolean;
  tty: boolean;
  resources: LinuxResources;
  security: ContainerSecurity;
}

export interface Sandbox {
  id: string;
  name: string;
  namespace: string;
  uid: string;
  attempt: number;
  ready: boolean;
  createdAt: number;
  labels: Record<string, string>;
  annotations: Record<string, string>;
}

export interface SandboxStatus extends Sandbox {
  /** First the primary one; empty while there is none, and for the node's network. */
  ips: string[];
}

export type ContainerState = "created" | "running" | "exited" | "unknown";

export interface Container {
  id: string;
  sandboxId: string;
  name: string;
  attempt: number;
  state: ContainerState;
  createdAt: number;
  labels: Record<string, string>;
  annotations: Record<string, string>;
}

export interface ContainerStatus extends Omit<Container, "sandboxId"> {
  /** 0 where it has not come to that. */
  startedAt: number;
  finishedAt: number;
  exitCode: number;
  /** `Completed`, `Error`, `OOMKilled`, … */
  reason: string;
  message: string;
  /** As the config named it, and the digest behind it. */
  image: string;
  imageRef: string;
  /** Absolute; empty where the runtime keeps none. */
  logPath: string;
}

export interface ExecResult {
  exitCode: number;
  stdout: Uint8Array;
  stderr: Uint8Array;
}

export interface ExecOptions {
  command: string[];
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
  tty: boolean;
}

export const CHANNEL = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4 } as const;
export type Channel = (typeof CHANNEL)[keyof typeof CHANNEL];

/** The open streams of an exec or attach. The error channel carries one metav1.Status as JSON, at the end. */
export interface RemoteStreams {
  /** Set before the first turn of the event loop after opening; nothing is lost before it. */
  onData: (channel: Channel, data: Uint8Array) => void;
  /** Everything has been said; `error` where the connection broke. */
  onEnd: (error?: Error) => void;
  /** False: wait for `onDrain` before sending more. */
  send(channel: Channel, data: Uint8Array): boolean;
  onDrain: () => void;
  /** Half-closes stdin. */
  closeChannel(channel: Channel): void;
  /** Stops and starts `onData`, for a reader that is slower than the process. */
  pause(): void;
  resume(): void;
  close(): void;
}

export interface Image {
  id: string;
  tags: string[];
  digests: string[];
  sizeBytes: number;
  /** The user it runs as: a number, or a name that only the image's passwd resolves. */
  uid?: number;
  username: string;
}

/** One registry's credentials; never logged. */
export interface RegistryAuth {
  username?: string;
  password?: string;
  auth?: string;
  serverAddress?: string;
  identityToken?: string;
}
