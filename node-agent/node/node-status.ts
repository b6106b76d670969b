import type { INodeCondition } from "kubernetes-models/v1/NodeCondition";
import type { INodeStatus } from "kubernetes-models/v1/NodeStatus";
import type { KubeObject } from "../../api/object.ts";
import { timestamp } from "../pod-status.ts";
import type { Image } from "../runtime/runtime.ts";
import type { Machine, Pressure } from "./machine.ts";

export const KUBELET_VERSION = "v1.36.0+coxswain";
const PODS_MAX = 110;
/** kubelet's nodeStatusMaxImages. */
const IMAGES_MAX = 50;
/** Kept back for the system, as kubelet's default hard eviction thresholds do. */
const MEMORY_KEPT_BYTES = 100 * 1024 * 1024;
const DISK_ALLOCATABLE = 0.9;

export interface NodeFacts {
  machine: Machine;
  addresses: readonly string[];
  /** `containerd://1.6.20` */
  runtimeVersion: string;
  images: readonly Image[];
  pressure: Pressure;
  /** Why the node cannot run pods now; empty: it can. */
  problems: readonly string[];
}

/** The Node object that an agent registers. */
export function nodeObject(name: string, status: INodeStatus, machine: Machine): KubeObject {
  const platform = { arch: machine.architecture, os: "linux" };
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name,
      labels: {
        "beta.kubernetes.io/arch": platform.arch,
        "beta.kubernetes.io/os": platform.os,
        "kubernetes.io/arch": platform.arch,
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": platform.os,
      },
      annotations: { "volumes.kubernetes.io/controller-managed-attach-detach": "true" },
    },
    spec: {},
    status,
  };
}

/** The node's allocatable amounts as quantities. */
export function allocatable(machine: Machine): Record<string, string> {
  return {
    cpu: String(machine.cpus),
    "ephemeral-storage": String(Math.floor(machine.diskBytes * DISK_ALLOCATABLE)),
    "hugepages-1Gi": "0",
    "hugepages-2Mi": "0",
    memory: kibibytes(machine.memoryBytes - MEMORY_KEPT_BYTES),
    pods: String(PODS_MAX),
  };
}

const kibibytes = (bytes: number): string => `${Math.floor(bytes / 1024)}Ki`;

/** The node's status in kubelet's words. Conditions keep their transition times from `previous` while they stay. */
export function nodeStatus(
  name: string,
  facts: NodeFacts,
  previous: INodeStatus | undefined,
  now: number,
): INodeStatus {
  const { machine, pressure, problems } = facts;
  const condition = (type: string, status: boolean, reason: string, message: string): INodeCondition => {
    const old = previous?.conditions?.find((candidate) => candidate.type === type);
    const text = status ? "True" : "False";
    return {
      type,
      status: text,
      lastHeartbeatTime: timestamp(now),
      lastTransitionTime: old?.status === text ? old.lastTransitionTime! : timestamp(now),
      reason,
      message,
    };
  };
  return {
    capacity: {
      cpu: String(machine.cpus),
      "ephemeral-storage": kibibytes(machine.diskBytes),
      "hugepages-1Gi": "0",
      "hugepages-2Mi": "0",
      memory: kibibytes(machine.memoryBytes),
      pods: String(PODS_MAX),
    },
    allocatable: allocatable(machine),
    conditions: [
      pressure.memory
        ? condition("MemoryPressure", true, "KubeletHasInsufficientMemory", "kubelet has insufficient memory available")
        : condition("MemoryPressure", false, "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
      pressure.disk
        ? condition("DiskPressure", true, "KubeletHasDiskPressure", "kubelet has disk pressure")
        : condition("DiskPressure", false, "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
      pressure.pids
        ? condition("PIDPressure", true, "KubeletHasInsufficientPID", "kubelet has insufficient PID available")
        : condition("PIDPressure", false, "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
      problems.length > 0
        ? condition(
            "Ready",
            false,
            "KubeletNotReady",
            problems.length === 1 ? problems[0]! : `[${problems.join(", ")}]`,
          )
        : condition("Ready", true, "KubeletReady", "kubelet is posting ready status"),
    ],
    addresses: [
      ...facts.addresses.map((address) => ({ type: "InternalIP", address })),
      { type: "Hostname", address: name },
    ],
    daemonEndpoints: { kubeletEndpoint: { Port: 0 } },
    nodeInfo: {
      architecture: machine.architecture,
      bootID: machine.bootId,
      containerRuntimeVersion: facts.runtimeVersion,
      kernelVersion: machine.kernelVersion,
      kubeProxyVersion: "",
      kubeletVersion: KUBELET_VERSION,
      machineID: machine.machineId,
      operatingSystem: "linux",
      osImage: machine.osImage,
      systemUUID: machine.machineId,
    },
    images: [...facts.images]
      .sort((a, b) => b.sizeBytes - a.sizeBytes)
      .slice(0, IMAGES_MAX)
      .map(({ tags, digests, sizeBytes }) => ({ names: [...digests, ...tags], sizeBytes })),
  };
}

const TRANSITIONS: Record<string, { True: string; False: string }> = {
  MemoryPressure: { True: "NodeHasInsufficientMemory", False: "NodeHasSufficientMemory" },
  DiskPressure: { True: "NodeHasDiskPressure", False: "NodeHasNoDiskPressure" },
  PIDPressure: { True: "NodeHasInsufficientPID", False: "NodeHasSufficientPID" },
  Ready: { True: "NodeReady", False: "NodeNotReady" },
};

/** Reasons of the events that kubelet makes of what changed; of everything, where there was nothing before. */
export function nodeTransitions(previous: INodeStatus | undefined, next: INodeStatus): string[] {
  return (next.conditions ?? []).flatMap(({ type, status }) => {
    const before = previous?.conditions?.find((condition) => condition.type === type);
    return before?.status === status ? [] : (TRANSITIONS[type]?.[status as "True" | "False"] ?? []);
  });
}

/** The same but for heartbeats. */
export function withoutHeartbeats(status: INodeStatus): INodeStatus {
  const conditions = (status.conditions ?? []).map(({ lastHeartbeatTime: _, ...condition }) => condition);
  return { ...status, conditions };
}
