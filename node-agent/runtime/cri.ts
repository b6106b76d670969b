import {
  type ChannelOptions,
  credentials,
  type GrpcObject,
  loadPackageDefinition,
  Metadata,
  type ServiceError,
  status,
} from "@grpc/grpc-js";
import { fromJSON } from "@grpc/proto-loader";
import { CRI_ENUMS, CRI_SERVICES, criNamespace } from "./cri-description.ts";
import type {
  Container,
  ContainerConfig,
  ContainerState,
  ContainerStatus,
  Image,
  Mount,
  NamespaceMode,
  Namespaces,
  Runtime,
  Sandbox,
  SandboxConfig,
  SandboxStatus,
  SecurityProfile,
} from "./runtime.ts";
import { RuntimeError, type RuntimeErrorCode } from "./runtime.ts";
import { openPortForward, openRemoteStreams } from "./streaming.ts";

/** Longest that an ordinary call may take. */
const CALL_SECONDS = 120;
/** A pull moves whole images. */
const PULL_SECONDS = 30 * 60;
/** Added to the time a call is asked to take itself (a stop's grace, an exec's time-out). */
const MARGIN_SECONDS = 30;
const MESSAGE_BYTES_MAX = 16 * 1024 * 1024;
const NANOSECONDS_PER_MILLISECOND = 1e6;

const CHANNEL_OPTIONS: ChannelOptions = {
  "grpc.max_receive_message_length": MESSAGE_BYTES_MAX,
  "grpc.max_send_message_length": MESSAGE_BYTES_MAX,
  // containerd restarts: be back soon after it.
  "grpc.max_reconnect_backoff_ms": 2000,
};

type Method = (typeof CRI_SERVICES)[keyof typeof CRI_SERVICES][number];
type Call = (method: Method, request: object, seconds?: number) => Promise<any>;

/** containerd (or another CRI v1 runtime) at a unix socket's path. Connects with the first call, and again when it must. */
export function criRuntime(socketPath: string): Runtime {
  const definition = fromJSON(criNamespace(), {
    longs: Number,
    enums: Number,
    defaults: true,
    arrays: true,
    objects: true,
  });
  const v1 = (loadPackageDefinition(definition) as any).runtime.v1 as GrpcObject;
  const connect = (service: keyof typeof CRI_SERVICES) =>
    new (v1[service] as any)(`unix:${socketPath}`, credentials.createInsecure(), CHANNEL_OPTIONS);
  const services = { RuntimeService: connect("RuntimeService"), ImageService: connect("ImageService") };
  const serviceOf = new Map<string, any>();
  for (const [service, methods] of Object.entries(CRI_SERVICES)) {
    for (const method of methods) serviceOf.set(method, services[service as keyof typeof services]);
  }

  const call: Call = (method, request, seconds = CALL_SECONDS) =>
    new Promise((resolve, reject) => {
      const deadline = Date.now() + seconds * 1000;
      serviceOf
        .get(method)
        [method](request, new Metadata(), { deadline }, (error: ServiceError | null, answer: any) =>
          error ? reject(runtimeError(error)) : resolve(answer),
        );
    });
  const ignoreGone = async (promise: Promise<unknown>): Promise<void> => {
    await promise.catch((error) => {
      if (!(error instanceof RuntimeError && error.code === "not-found")) throw error;
    });
  };
  const undefinedIfGone = <T>(promise: Promise<T>): Promise<T | undefined> =>
    promise.catch((error) => {
      if (error instanceof RuntimeError && error.code === "not-found") return undefined;
      throw error;
    });

  return {
    async version() {
      const answer = await call("Version", {});
      return { name: answer.runtimeName, version: answer.runtimeVersion };
    },
    async conditions() {
      return (await call("Status", {})).status.conditions;
    },

    async runSandbox(config) {
      return (await call("RunPodSandbox", { config: sandboxMessage(config) })).podSandboxId;
    },
    stopSandbox: (id) => ignoreGone(call("StopPodSandbox", { podSandboxId: id })),
    removeSandbox: (id) => ignoreGone(call("RemovePodSandbox", { podSandboxId: id })),
    async listSandboxes() {
      return (await call("ListPodSandbox", {})).items.map(sandboxOf);
    },
    async sandboxStatus(id) {
      const answer = await undefinedIfGone(call("PodSandboxStatus", { podSandboxId: id }));
      return answer && sandboxStatusOf(answer.status);
    },

    async createContainer(sandboxId, config, sandbox) {
      const request = {
        podSandboxId: sandboxId,
        config: containerMessage(config),
        sandboxConfig: sandboxMessage(sandbox),
      };
      return (await call("CreateContainer", request)).containerId;
    },
    async startContainer(id) {
      await call("StartContainer", { containerId: id });
    },
    stopContainer: (id, graceSeconds) =>
      ignoreGone(call("StopContainer", { containerId: id, timeout: graceSeconds }, graceSeconds + MARGIN_SECONDS)),
    removeContainer: (id) => ignoreGone(call("RemoveContainer", { containerId: id })),
    async listContainers(sandboxId) {
      const filter = sandboxId === undefined ? {} : { filter: { podSandboxId: sandboxId } };
      return (await call("ListContainers", filter)).containers.map(containerOf);
    },
    async containerStatus(id) {
      const answer = await undefinedIfGone(call("ContainerStatus", { containerId: id }));
      return answer && containerStatusOf(answer.status);
    },
    async reopenLog(id) {
      await call("ReopenContainerLog", { containerId: id });
    },

    async execSync(id, command, timeoutSeconds) {
      const request = { containerId: id, cmd: command, timeout: timeoutSeconds };
      const { exitCode, stdout, stderr } = await call("ExecSync", request, timeoutSeconds + MARGIN_SECONDS);
      return { exitCode, stdout, stderr };
    },
    async exec(id, options) {
      const { command, ...streams } = options;
      const { url } = await call("Exec", { containerId: id, cmd: command, ...streams });
      return openRemoteStreams(url, streams);
    },
    async attach(id, streams) {
      const { url } = await call("Attach", { containerId: id, ...streams });
      return openRemoteStreams(url, streams);
    },
    async portForward(sandboxId, wanted) {
      const { url } = await call("PortForward", { podSandboxId: sandboxId, port: wanted.ports });
      return openPortForward(url, wanted);
    },

    async imageStatus(name) {
      const { image } = await call("ImageStatus", { image: { image: name } });
      return image ? imageOf(image) : undefined;
    },
    async pullImage(name, auth, sandbox) {
      const request = { image: { image: name }, ...(auth && { auth }), sandboxConfig: sandboxMessage(sandbox) };
      return (await call("PullImage", request, PULL_SECONDS)).imageRef;
    },
    async listImages() {
      return (await call("ListImages", {})).images.map(imageOf);
    },
    close() {
      for (const service of Object.values(services)) service.close();
    },
  };
}

const CODES: Partial<Record<number, RuntimeErrorCode>> = {
  [status.NOT_FOUND]: "not-found",
  [status.DEADLINE_EXCEEDED]: "timeout",
  [status.UNAVAILABLE]: "unavailable",
};

/** The message as kubelet's gRPC client prints it, for those who read events. */
function runtimeError(error: ServiceError): RuntimeError {
  const name = STATUS_NAMES[error.code] ?? "Unknown";
  const message = `rpc error: code = ${name} desc = ${error.details}`;
  return new RuntimeError(CODES[error.code] ?? "failed", message, error.details);
}

/** grpc-go's words for the codes. */
const STATUS_NAMES: Record<number, string> = {
  [status.CANCELLED]: "Canceled",
  [status.UNKNOWN]: "Unknown",
  [status.INVALID_ARGUMENT]: "InvalidArgument",
  [status.DEADLINE_EXCEEDED]: "DeadlineExceeded",
  [status.NOT_FOUND]: "NotFound",
  [status.ALREADY_EXISTS]: "AlreadyExists",
  [status.PERMISSION_DENIED]: "PermissionDenied",
  [status.RESOURCE_EXHAUSTED]: "ResourceExhausted",
  [status.FAILED_PRECONDITION]: "FailedPrecondition",
  [status.ABORTED]: "Aborted",
  [status.OUT_OF_RANGE]: "OutOfRange",
  [status.UNIMPLEMENTED]: "Unimplemented",
  [status.INTERNAL]: "Internal",
  [status.UNAVAILABLE]: "Unavailable",
  [status.DATA_LOSS]: "DataLoss",
  [status.UNAUTHENTICATED]: "Unauthenticated",
};

const MODES: Record<NamespaceMode, number> = { pod: 0, container: 1, node: 2 };
const PROPAGATIONS: Record<Mount["propagation"], number> = { private: 0, "host-to-container": 1, bidirectional: 2 };
const STATES: ContainerState[] = ["created", "running", "exited", "unknown"];

const namespacesMessage = ({ network, pid, ipc }: Namespaces) => ({
  network: MODES[network],
  pid: MODES[pid],
  ipc: MODES[ipc],
});
const int64 = (value: number | undefined) => (value === undefined ? undefined : { value });
const seccompMessage = (profile: SecurityProfile | undefined) =>
  profile && { profileType: CRI_ENUMS.ProfileType!.indexOf(profile.type), localhostRef: profile.localhostRef ?? "" };

const sandboxMessage = (config: SandboxConfig) => ({
  metadata: { name: config.name, namespace: config.namespace, uid: config.uid, attempt: config.attempt },
  hostname: config.hostname,
  logDirectory: config.logDirectory,
  dnsConfig: config.dns,
  portMappings: config.portMappings.map((mapping) => ({
    ...mapping,
    protocol: CRI_ENUMS.Protocol!.indexOf(mapping.protocol),
  })),
  labels: config.labels,
  annotations: config.annotations,
  linux: {
    cgroupParent: config.cgroupParent,
    sysctls: config.sysctls,
    securityContext: {
      namespaceOptions: namespacesMessage(config.namespaces),
      runAsUser: int64(config.runAsUser),
      runAsGroup: int64(config.runAsGroup),
      supplementalGroups: config.supplementalGroups,
      privileged: config.privileged,
      seccomp: seccompMessage(config.seccomp),
    },
  },
});

const containerMessage = (config: ContainerConfig) => ({
  metadata: { name: config.name, attempt: config.attempt },
  image: { image: config.image },
  command: config.command,
  args: config.args,
  workingDir: config.workingDir,
  envs: config.env,
  mounts: config.mounts.map((mount) => ({ ...mount, propagation: PROPAGATIONS[mount.propagation] })),
  labels: config.labels,
  annotations: config.annotations,
  logPath: config.logPath,
  stdin: config.stdin,
  stdinOnce: config.stdinOnce,
  tty: config.tty,
  linux: {
    resources: {
      cpuPeriod: config.resources.cpuPeriod,
      cpuQuota: config.resources.cpuQuota,
      cpuShares: config.resources.cpuShares,
      memoryLimitInBytes: config.resources.memoryLimitBytes,
      oomScoreAdj: config.resources.oomScoreAdj,
    },
    securityContext: {
      capabilities: {
        addCapabilities: config.security.addCapabilities,
        dropCapabilities: config.security.dropCapabilities,
      },
      privileged: config.security.privileged,
      namespaceOptions: namespacesMessage(config.security.namespaces),
      runAsUser: int64(config.security.runAsUser),
      runAsGroup: int64(config.security.runAsGroup),
      readonlyRootfs: config.security.readonlyRootfs,
      supplementalGroups: config.security.supplementalGroups,
      noNewPrivs: config.security.noNewPrivileges,
      maskedPaths: config.security.maskedPaths,
      readonlyPaths: config.security.readonlyPaths,
      seccomp: seccompMessage(config.security.seccomp),
    },
  },
});

const milliseconds = (nanoseconds: number): number => Math.floor(nanoseconds / NANOSECONDS_PER_MILLISECOND);

const sandboxOf = (message: any): Sandbox => ({
  id: message.id,
  name: message.metadata.name,
  namespace: message.metadata.namespace,
  uid: message.metadata.uid,
  attempt: message.metadata.attempt,
  ready: message.state === 0,
  createdAt: milliseconds(message.createdAt),
  labels: message.labels,
  annotations: message.annotations,
});

const sandboxStatusOf = (message: any): SandboxStatus => ({
  ...sandboxOf(message),
  ips: [message.network?.ip, ...(message.network?.additionalIps ?? []).map((more: any) => more.ip)].filter(Boolean),
});

const containerOf = (message: any): Container => ({
  id: message.id,
  sandboxId: message.podSandboxId,
  name: message.metadata.name,
  attempt: message.metadata.attempt,
  state: STATES[message.state] ?? "unknown",
  createdAt: milliseconds(message.createdAt),
  labels: message.labels,
  annotations: message.annotations,
});

const containerStatusOf = (message: any): ContainerStatus => ({
  id: message.id,
  name: message.metadata.name,
  attempt: message.metadata.attempt,
  state: STATES[message.state] ?? "unknown",
  createdAt: milliseconds(message.createdAt),
  startedAt: milliseconds(message.startedAt),
  finishedAt: milliseconds(message.finishedAt),
  exitCode: message.exitCode,
  reason: message.reason,
  message: message.message,
  image: message.image?.image ?? "",
  imageRef: message.imageRef,
  labels: message.labels,
  annotations: message.annotations,
  logPath: message.logPath,
});

const imageOf = (message: any): Image => ({
  id: message.id,
  tags: message.repoTags,
  digests: message.repoDigests,
  sizeBytes: message.size,
  ...(message.uid && { uid: message.uid.value }),
  username: message.username,
});
