import type { ContainerConfig, Namespaces, SandboxConfig } from "../../node-agent/runtime/runtime.ts";

const NAMESPACES: Namespaces = { network: "pod", pid: "container", ipc: "pod" };

/** The least that a runtime needs for a sandbox of its own network; `more` on top. */
export const bareSandbox = (uid: string, logDirectory: string, more: Partial<SandboxConfig> = {}): SandboxConfig => ({
  name: uid,
  namespace: "default",
  uid,
  attempt: 0,
  hostname: uid,
  logDirectory,
  dns: { servers: [], searches: [], options: [] },
  portMappings: [],
  labels: {},
  annotations: {},
  cgroupParent: "",
  sysctls: {},
  namespaces: NAMESPACES,
  privileged: false,
  supplementalGroups: [],
  ...more,
});

/** The least that a runtime needs for a container of an image, with the image's own command; `more` on top. */
export const bareContainer = (image: string, more: Partial<ContainerConfig> = {}): ContainerConfig => ({
  name: "app",
  attempt: 0,
  image,
  command: [],
  args: [],
  workingDir: "",
  env: [],
  mounts: [],
  labels: {},
  annotations: {},
  logPath: "app.log",
  stdin: false,
  stdinOnce: false,
  tty: false,
  resources: { cpuPeriod: 0, cpuQuota: 0, cpuShares: 2, memoryLimitBytes: 0, oomScoreAdj: 1000 },
  security: {
    privileged: false,
    addCapabilities: [],
    dropCapabilities: [],
    namespaces: NAMESPACES,
    readonlyRootfs: false,
    supplementalGroups: [],
    noNewPrivileges: false,
    maskedPaths: [],
    readonlyPaths: [],
  },
  ...more,
});
