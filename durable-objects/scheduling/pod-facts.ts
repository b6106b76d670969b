import { DEFAULT_MEMORY, DEFAULT_MILLI_CPU, podRequests, type Resources } from "./resources.ts";
import type { Toleration } from "./tolerations.ts";

/** A port of the node that a pod takes. */
export interface HostPort {
  ip: string;
  protocol: string;
  port: number;
}

/** What is kept of a pod that is on a node: enough to give back what it takes, and to evict it. */
export interface PodFacts {
  /** `namespace/name`. */
  key: string;
  namespace: string;
  name: string;
  uid: string;
  priority: number;
  requests: Resources;
  /** For scoring: as `requests`, with what containers are assumed to use that request nothing. */
  scored: { milliCpu: number; memory: number };
  hostPorts: HostPort[];
  tolerations: Toleration[];
  /** Being deleted: counts until its node lets go of it, and is never evicted again. */
  terminating: boolean;
  /** Succeeded or failed: takes nothing any more. */
  finished: boolean;
  /** Milliseconds since 1970 at which it was bound, or else created. */
  since: number;
}

/** A pod waiting for a node. */
export interface PendingPod extends PodFacts {
  /** Of the pod; loose, as the API's types hinder more than they help here. */
  spec: any;
  /** Milliseconds since 1970. */
  created: number;
  /** Pods that are equal in this are decided together. */
  signature: string;
}

const DEFAULT_SCHEDULER = "default-scheduler";

/** Phases in which a pod takes nothing of its node any more. */
const isFinished = (pod: any): boolean => pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";

/** Is this pod ours to place: unbound, not gated (KEP-3521), not being deleted, not another scheduler's? */
export const isSchedulable = (pod: any): boolean =>
  !pod.spec.nodeName &&
  !pod.metadata.deletionTimestamp &&
  !isFinished(pod) &&
  (pod.spec.schedulerName ?? DEFAULT_SCHEDULER) === DEFAULT_SCHEDULER &&
  !pod.spec.schedulingGates?.length;

export function podFacts(pod: any): PodFacts {
  const { metadata, spec } = pod;
  const scheduled = pod.status?.conditions?.find((c: any) => c.type === "PodScheduled" && c.status === "True");
  const { milliCpu, memory } = podRequests(spec, { milliCpu: DEFAULT_MILLI_CPU, memory: DEFAULT_MEMORY });
  return {
    key: `${metadata.namespace}/${metadata.name}`,
    namespace: metadata.namespace,
    name: metadata.name,
    uid: metadata.uid,
    priority: spec.priority ?? 0,
    requests: podRequests(spec),
    scored: { milliCpu, memory },
    hostPorts: hostPorts(spec),
    tolerations: spec.tolerations ?? [],
    terminating: Boolean(metadata.deletionTimestamp),
    finished: isFinished(pod),
    since: Date.parse(scheduled?.lastTransitionTime ?? metadata.creationTimestamp) || 0,
  };
}

export function pendingPod(pod: any): PendingPod {
  const facts = podFacts(pod);
  const { spec } = pod;
  const { requests, scored, hostPorts, tolerations } = facts;
  return {
    ...facts,
    spec,
    created: Date.parse(pod.metadata.creationTimestamp) || 0,
    signature: JSON.stringify([
      requests.milliCpu,
      requests.memory,
      requests.ephemeralStorage,
      [...requests.scalars],
      scored,
      hostPorts,
      tolerations,
      spec.nodeSelector,
      spec.affinity?.nodeAffinity,
      spec.preemptionPolicy,
    ]),
  };
}

function hostPorts(spec: any): HostPort[] {
  const sidecars = (spec.initContainers ?? []).filter((container: any) => container.restartPolicy === "Always");
  const ports: HostPort[] = [];
  for (const container of [...(spec.containers ?? []), ...sidecars]) {
    for (const port of container.ports ?? []) {
      if (port.hostPort > 0) {
        ports.push({ ip: port.hostIP || "0.0.0.0", protocol: port.protocol || "TCP", port: port.hostPort });
      }
    }
  }
  return ports;
}
