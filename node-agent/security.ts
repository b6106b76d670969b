import type { IContainer } from "kubernetes-models/v1/Container";
import type { IPodSpec } from "kubernetes-models/v1/PodSpec";
import type { PodObject } from "../api/kinds/pod.ts";
import { ConfigError } from "./env.ts";
import { podLabel } from "./pod-actions.ts";
import type { ContainerSecurity, Image, Namespaces, SecurityProfile } from "./runtime/runtime.ts";

/** What of /proc and /sys containers do not see, or cannot write, unless `procMount: Unmasked`. */
const MASKED_PATHS = [
  "/proc/asound",
  "/proc/acpi",
  "/proc/interrupts",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/sys/firmware",
  "/sys/devices/virtual/powercap",
];
const READONLY_PATHS = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

export function namespacesOf(spec: IPodSpec): Namespaces {
  return {
    network: spec.hostNetwork ? "node" : "pod",
    pid: spec.hostPID ? "node" : spec.shareProcessNamespace ? "pod" : "container",
    ipc: spec.hostIPC ? "node" : "pod",
  };
}

/** A seccomp profile as the runtime takes it; localhost profiles live below kubelet's folder. */
export function seccompOf(
  profile: { type: string; localhostProfile?: string } | undefined,
): SecurityProfile | undefined {
  if (!profile) return { type: "Unconfined" };
  if (profile.type === "Localhost") {
    return { type: "Localhost", localhostRef: `/var/lib/kubelet/seccomp/${profile.localhostProfile}` };
  }
  return { type: profile.type as SecurityProfile["type"] };
}

/** The container's security context over the pod's. Throws ConfigError where runAsNonRoot is not met. */
export function containerSecurity(pod: PodObject, container: IContainer, image: Image | undefined): ContainerSecurity {
  const { spec } = pod;
  const shared = spec.securityContext ?? {};
  const own = container.securityContext ?? {};
  const runAsUser = own.runAsUser ?? shared.runAsUser;
  const runAsGroup = own.runAsGroup ?? shared.runAsGroup;
  if (own.runAsNonRoot ?? shared.runAsNonRoot) {
    const problem = rootProblem(runAsUser, image);
    if (problem) throw new ConfigError(`${problem} (pod: "${podLabel(pod)}", container: ${container.name})`);
  }
  const privileged = own.privileged ?? false;
  const unmasked = privileged || own.procMount === "Unmasked";
  return {
    privileged,
    addCapabilities: own.capabilities?.add ?? [],
    dropCapabilities: own.capabilities?.drop ?? [],
    namespaces: namespacesOf(spec),
    ...(runAsUser !== undefined && { runAsUser }),
    // The runtime takes a group only along with a user.
    ...(runAsGroup !== undefined && { runAsGroup, runAsUser: runAsUser ?? image?.uid ?? 0 }),
    readonlyRootfs: own.readOnlyRootFilesystem ?? false,
    supplementalGroups: supplementalGroups(spec),
    noNewPrivileges: own.allowPrivilegeEscalation === false,
    maskedPaths: unmasked ? [] : MASKED_PATHS,
    readonlyPaths: unmasked ? [] : READONLY_PATHS,
    seccomp: privileged ? { type: "Unconfined" } : seccompOf(own.seccompProfile ?? shared.seccompProfile),
  } as ContainerSecurity;
}

export function supplementalGroups(spec: IPodSpec): number[] {
  const { fsGroup, supplementalGroups: groups = [] } = spec.securityContext ?? {};
  return fsGroup === undefined ? [...groups] : [...groups, fsGroup];
}

/** Why the container would, or might, run as root; undefined where it does not. */
function rootProblem(runAsUser: number | undefined, image: Image | undefined): string | undefined {
  if (runAsUser !== undefined) return runAsUser === 0 ? "container's runAsUser breaks non-root policy" : undefined;
  if (image?.username)
    return `container has runAsNonRoot and image has non-numeric user (${image.username}), cannot verify user is non-root`;
  return (image?.uid ?? 0) === 0 ? "container has runAsNonRoot and image will run as root" : undefined;
}
