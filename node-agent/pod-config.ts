import type { IContainer } from "kubernetes-models/v1/Container";
import type { PodObject } from "../api/kinds/pod.ts";
import { expand } from "./env.ts";
import { logPath } from "./paths.ts";
import { containerHash } from "./pod-actions.ts";
import type { PodDns } from "./pod-dns.ts";
import { hostnameOf } from "./pod-dns.ts";
import type { ContainerConfig, ContainerSecurity, LinuxResources, Mount, SandboxConfig } from "./runtime/runtime.ts";
import { namespacesOf, seccompOf, supplementalGroups } from "./security.ts";

// Labels and annotations are kubelet's, so that crictl and whoever reads containerd find what they expect.
export const LABEL = {
  podName: "io.kubernetes.pod.name",
  podNamespace: "io.kubernetes.pod.namespace",
  podUid: "io.kubernetes.pod.uid",
  containerName: "io.kubernetes.container.name",
} as const;
export const ANNOTATION = {
  hash: "io.kubernetes.container.hash",
  restartCount: "io.kubernetes.container.restartCount",
  terminationMessagePath: "io.kubernetes.container.terminationMessagePath",
  terminationMessagePolicy: "io.kubernetes.container.terminationMessagePolicy",
  terminationGracePeriod: "io.kubernetes.pod.terminationGracePeriod",
  deletionGracePeriod: "io.kubernetes.pod.deletionGracePeriod",
  /** Ours: which node's sandbox it is, where several agents share a containerd. */
  node: "coxswain.dev/node",
} as const;

const podLabels = ({ metadata }: PodObject): Record<string, string> => ({
  [LABEL.podName]: metadata.name,
  [LABEL.podNamespace]: metadata.namespace ?? "default",
  [LABEL.podUid]: metadata.uid ?? "",
});

export interface SandboxContext {
  nodeName: string;
  attempt: number;
  logDirectory: string;
  cgroupParent: string;
  dns: PodDns;
}

export function sandboxConfig(pod: PodObject, context: SandboxContext): SandboxConfig {
  const { metadata, spec } = pod;
  const security = spec.securityContext ?? {};
  const containers = [...(spec.initContainers ?? []), ...spec.containers];
  const sandbox = {
    name: metadata.name,
    namespace: metadata.namespace ?? "default",
    uid: metadata.uid ?? "",
    attempt: context.attempt,
    // A sandbox on the node's network shares its name too; runtimes refuse to set it.
    hostname: spec.hostNetwork ? "" : hostnameOf(pod),
    logDirectory: context.logDirectory,
    dns: context.dns,
    portMappings: spec.hostNetwork
      ? []
      : containers.flatMap(({ ports = [] }) =>
          ports
            .filter(({ hostPort }) => hostPort)
            .map(({ protocol, containerPort, hostPort, hostIP }) => ({
              protocol: (protocol ?? "TCP") as "TCP",
              containerPort,
              hostPort: hostPort!,
              hostIp: hostIP ?? "",
            })),
        ),
    labels: { ...metadata.labels, ...podLabels(pod) },
    annotations: { ...metadata.annotations, [ANNOTATION.node]: context.nodeName },
    cgroupParent: context.cgroupParent,
    sysctls: Object.fromEntries((security.sysctls ?? []).map(({ name, value }) => [name, value])),
    namespaces: namespacesOf(spec),
    privileged: containers.some(({ securityContext }) => securityContext?.privileged === true),
    supplementalGroups: supplementalGroups(spec),
    seccomp: seccompOf(undefined),
  };
  const { runAsUser, runAsGroup } = security;
  return {
    ...sandbox,
    ...(runAsUser !== undefined && { runAsUser }),
    ...(runAsUser !== undefined && runAsGroup !== undefined && { runAsGroup }),
  } as SandboxConfig;
}

export interface ContainerContext {
  restartCount: number;
  /** The runtime's handle. */
  image: string;
  env: ReadonlyMap<string, string>;
  mounts: Mount[];
  resources: LinuxResources;
  security: ContainerSecurity;
}

export function containerConfig(pod: PodObject, container: IContainer, context: ContainerContext): ContainerConfig {
  const lookUp = (name: string) => context.env.get(name);
  const expandAll = (words: readonly string[] | undefined) => (words ?? []).map((word) => expand(word, lookUp));
  return {
    name: container.name,
    attempt: context.restartCount,
    image: context.image,
    command: expandAll(container.command),
    args: expandAll(container.args),
    workingDir: container.workingDir ?? "",
    env: [...context.env].map(([key, value]) => ({ key, value })),
    mounts: context.mounts,
    labels: { ...podLabels(pod), [LABEL.containerName]: container.name },
    annotations: {
      [ANNOTATION.hash]: containerHash(container),
      [ANNOTATION.restartCount]: String(context.restartCount),
      [ANNOTATION.terminationMessagePath]: container.terminationMessagePath ?? TERMINATION_MESSAGE_PATH,
      [ANNOTATION.terminationMessagePolicy]: container.terminationMessagePolicy ?? "File",
      ...(pod.spec.terminationGracePeriodSeconds !== undefined && {
        [ANNOTATION.terminationGracePeriod]: String(pod.spec.terminationGracePeriodSeconds),
      }),
    },
    logPath: logPath(container.name, context.restartCount),
    stdin: container.stdin ?? false,
    stdinOnce: container.stdinOnce ?? false,
    tty: container.tty ?? false,
    resources: context.resources,
    security: context.security,
  };
}

export const TERMINATION_MESSAGE_PATH = "/dev/termination-log";
