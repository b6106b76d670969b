/**
 * The messages of CRI (package runtime.v1) as far as the agent speaks them: `name: "type number"`, `repeated` and
 * `map` said before the type. `cri-description.test.ts` checks every line against a descriptor set of the real one.
 */
export const CRI_MESSAGES: Record<string, Record<string, string>> = {
  Int64Value: { value: "int64 1" },
  UInt64Value: { value: "uint64 1" },
  VersionRequest: { version: "string 1" },
  VersionResponse: { version: "string 1", runtimeName: "string 2", runtimeVersion: "string 3" },
  StatusRequest: { verbose: "bool 1" },
  RuntimeCondition: { type: "string 1", status: "bool 2", reason: "string 3", message: "string 4" },
  RuntimeStatus: { conditions: "repeated RuntimeCondition 1" },
  StatusResponse: { status: "RuntimeStatus 1" },

  DNSConfig: { servers: "repeated string 1", searches: "repeated string 2", options: "repeated string 3" },
  PortMapping: { protocol: "Protocol 1", containerPort: "int32 2", hostPort: "int32 3", hostIp: "string 4" },
  NamespaceOption: { network: "NamespaceMode 1", pid: "NamespaceMode 2", ipc: "NamespaceMode 3" },
  SecurityProfile: { profileType: "ProfileType 1", localhostRef: "string 2" },
  LinuxSandboxSecurityContext: {
    namespaceOptions: "NamespaceOption 1",
    runAsUser: "Int64Value 3",
    runAsGroup: "Int64Value 8",
    supplementalGroups: "repeated int64 5",
    privileged: "bool 6",
    seccomp: "SecurityProfile 9",
  },
  LinuxPodSandboxConfig: {
    cgroupParent: "string 1",
    securityContext: "LinuxSandboxSecurityContext 2",
    sysctls: "map string 3",
  },
  PodSandboxMetadata: { name: "string 1", uid: "string 2", namespace: "string 3", attempt: "uint32 4" },
  PodSandboxConfig: {
    metadata: "PodSandboxMetadata 1",
    hostname: "string 2",
    logDirectory: "string 3",
    dnsConfig: "DNSConfig 4",
    portMappings: "repeated PortMapping 5",
    labels: "map string 6",
    annotations: "map string 7",
    linux: "LinuxPodSandboxConfig 8",
  },
  RunPodSandboxRequest: { config: "PodSandboxConfig 1", runtimeHandler: "string 2" },
  RunPodSandboxResponse: { podSandboxId: "string 1" },
  StopPodSandboxRequest: { podSandboxId: "string 1" },
  StopPodSandboxResponse: {},
  RemovePodSandboxRequest: { podSandboxId: "string 1" },
  RemovePodSandboxResponse: {},
  PodSandboxStatusRequest: { podSandboxId: "string 1" },
  PodIP: { ip: "string 1" },
  PodSandboxNetworkStatus: { ip: "string 1", additionalIps: "repeated PodIP 2" },
  PodSandboxStatus: {
    id: "string 1",
    metadata: "PodSandboxMetadata 2",
    state: "PodSandboxState 3",
    createdAt: "int64 4",
    network: "PodSandboxNetworkStatus 5",
    labels: "map string 7",
    annotations: "map string 8",
  },
  PodSandboxStatusResponse: { status: "PodSandboxStatus 1" },
  PodSandboxFilter: { id: "string 1" },
  ListPodSandboxRequest: { filter: "PodSandboxFilter 1" },
  PodSandbox: {
    id: "string 1",
    metadata: "PodSandboxMetadata 2",
    state: "PodSandboxState 3",
    createdAt: "int64 4",
    labels: "map string 5",
    annotations: "map string 6",
  },
  ListPodSandboxResponse: { items: "repeated PodSandbox 1" },

  ImageSpec: { image: "string 1" },
  KeyValue: { key: "string 1", value: "string 2" },
  Mount: {
    containerPath: "string 1",
    hostPath: "string 2",
    readonly: "bool 3",
    propagation: "MountPropagation 5",
  },
  LinuxContainerResources: {
    cpuPeriod: "int64 1",
    cpuQuota: "int64 2",
    cpuShares: "int64 3",
    memoryLimitInBytes: "int64 4",
    oomScoreAdj: "int64 5",
  },
  Capability: { addCapabilities: "repeated string 1", dropCapabilities: "repeated string 2" },
  LinuxContainerSecurityContext: {
    capabilities: "Capability 1",
    privileged: "bool 2",
    namespaceOptions: "NamespaceOption 3",
    runAsUser: "Int64Value 5",
    runAsGroup: "Int64Value 12",
    readonlyRootfs: "bool 7",
    supplementalGroups: "repeated int64 8",
    noNewPrivs: "bool 11",
    maskedPaths: "repeated string 13",
    readonlyPaths: "repeated string 14",
    seccomp: "SecurityProfile 15",
  },
  LinuxContainerConfig: { resources: "LinuxContainerResources 1", securityContext: "LinuxContainerSecurityContext 2" },
  ContainerMetadata: { name: "string 1", attempt: "uint32 2" },
  ContainerConfig: {
    metadata: "ContainerMetadata 1",
    image: "ImageSpec 2",
    command: "repeated string 3",
    args: "repeated string 4",
    workingDir: "string 5",
    envs: "repeated KeyValue 6",
    mounts: "repeated Mount 7",
    labels: "map string 9",
    annotations: "map string 10",
    logPath: "string 11",
    stdin: "bool 12",
    stdinOnce: "bool 13",
    tty: "bool 14",
    linux: "LinuxContainerConfig 15",
  },
  CreateContainerRequest: {
    podSandboxId: "string 1",
    config: "ContainerConfig 2",
    sandboxConfig: "PodSandboxConfig 3",
  },
  CreateContainerResponse: { containerId: "string 1" },
  StartContainerRequest: { containerId: "string 1" },
  StartContainerResponse: {},
  StopContainerRequest: { containerId: "string 1", timeout: "int64 2" },
  StopContainerResponse: {},
  RemoveContainerRequest: { containerId: "string 1" },
  RemoveContainerResponse: {},
  ContainerFilter: { podSandboxId: "string 3" },
  ListContainersRequest: { filter: "ContainerFilter 1" },
  Container: {
    id: "string 1",
    podSandboxId: "string 2",
    metadata: "ContainerMetadata 3",
    state: "ContainerState 6",
    createdAt: "int64 7",
    labels: "map string 8",
    annotations: "map string 9",
  },
  ListContainersResponse: { containers: "repeated Container 1" },
  ContainerStatusRequest: { containerId: "string 1" },
  ContainerStatus: {
    id: "string 1",
    metadata: "ContainerMetadata 2",
    state: "ContainerState 3",
    createdAt: "int64 4",
    startedAt: "int64 5",
    finishedAt: "int64 6",
    exitCode: "int32 7",
    image: "ImageSpec 8",
    imageRef: "string 9",
    reason: "string 10",
    message: "string 11",
    labels: "map string 12",
    annotations: "map string 13",
    logPath: "string 15",
  },
  ContainerStatusResponse: { status: "ContainerStatus 1" },
  ReopenContainerLogRequest: { containerId: "string 1" },
  ReopenContainerLogResponse: {},
  ExecSyncRequest: { containerId: "string 1", cmd: "repeated string 2", timeout: "int64 3" },
  ExecSyncResponse: { stdout: "bytes 1", stderr: "bytes 2", exitCode: "int32 3" },
  ExecRequest: {
    containerId: "string 1",
    cmd: "repeated string 2",
    tty: "bool 3",
    stdin: "bool 4",
    stdout: "bool 5",
    stderr: "bool 6",
  },
  ExecResponse: { url: "string 1" },
  AttachRequest: { containerId: "string 1", stdin: "bool 2", tty: "bool 3", stdout: "bool 4", stderr: "bool 5" },
  AttachResponse: { url: "string 1" },
  PortForwardRequest: { podSandboxId: "string 1", port: "repeated int32 2" },
  PortForwardResponse: { url: "string 1" },

  ListImagesRequest: {},
  Image: {
    id: "string 1",
    repoTags: "repeated string 2",
    repoDigests: "repeated string 3",
    size: "uint64 4",
    uid: "Int64Value 5",
    username: "string 6",
  },
  ListImagesResponse: { images: "repeated Image 1" },
  ImageStatusRequest: { image: "ImageSpec 1" },
  ImageStatusResponse: { image: "Image 1" },
  AuthConfig: {
    username: "string 1",
    password: "string 2",
    auth: "string 3",
    serverAddress: "string 4",
    identityToken: "string 5",
  },
  PullImageRequest: { image: "ImageSpec 1", auth: "AuthConfig 2", sandboxConfig: "PodSandboxConfig 3" },
  PullImageResponse: { imageRef: "string 1" },
};

/** Enums, each name in the order of its number. */
export const CRI_ENUMS: Record<string, readonly string[]> = {
  Protocol: ["TCP", "UDP", "SCTP"],
  NamespaceMode: ["POD", "CONTAINER", "NODE", "TARGET"],
  ProfileType: ["RuntimeDefault", "Unconfined", "Localhost"],
  MountPropagation: ["PROPAGATION_PRIVATE", "PROPAGATION_HOST_TO_CONTAINER", "PROPAGATION_BIDIRECTIONAL"],
  PodSandboxState: ["SANDBOX_READY", "SANDBOX_NOTREADY"],
  ContainerState: ["CONTAINER_CREATED", "CONTAINER_RUNNING", "CONTAINER_EXITED", "CONTAINER_UNKNOWN"],
};

/** Method names; a method takes `<Name>Request` and gives `<Name>Response`. */
export const CRI_SERVICES = {
  RuntimeService: [
    "Version",
    "Status",
    "RunPodSandbox",
    "StopPodSandbox",
    "RemovePodSandbox",
    "PodSandboxStatus",
    "ListPodSandbox",
    "CreateContainer",
    "StartContainer",
    "StopContainer",
    "RemoveContainer",
    "ListContainers",
    "ContainerStatus",
    "ReopenContainerLog",
    "ExecSync",
    "Exec",
    "Attach",
    "PortForward",
  ],
  ImageService: ["ListImages", "ImageStatus", "PullImage"],
} as const;

/** `"repeated string 3"` in its parts. */
export function parseField(text: string): { rule?: "repeated" | "map"; type: string; id: number } {
  const words = text.split(" ");
  const id = Number(words.at(-1));
  const type = words.at(-2)!;
  return words.length === 3 ? { rule: words[0] as "repeated" | "map", type, id } : { type, id };
}

/** The description as protobufjs (`Root.fromJSON`) takes it. */
export function criNamespace(): { nested: Record<string, any> } {
  const nested: Record<string, any> = {};
  for (const [name, fields] of Object.entries(CRI_MESSAGES)) {
    nested[name] = {
      fields: Object.fromEntries(
        Object.entries(fields).map(([field, text]) => {
          const { rule, type, id } = parseField(text);
          if (rule === "map") return [field, { keyType: "string", type, id }];
          return [field, { ...(rule && { rule }), type, id }];
        }),
      ),
    };
  }
  for (const [name, values] of Object.entries(CRI_ENUMS)) {
    nested[name] = { values: Object.fromEntries(values.map((value, index) => [value, index])) };
  }
  for (const [service, methods] of Object.entries(CRI_SERVICES)) {
    nested[service] = {
      methods: Object.fromEntries(
        methods.map((method) => [method, { requestType: `${method}Request`, responseType: `${method}Response` }]),
      ),
    };
  }
  return { nested: { runtime: { nested: { v1: { nested } } } } };
}
