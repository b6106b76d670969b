import { type PendingPod, pendingPod, podFacts } from "../../durable-objects/scheduling/pod-facts.ts";
import { nodeFacts, Snapshot } from "../../durable-objects/scheduling/snapshot.ts";
import type { Taint, Toleration } from "../../durable-objects/scheduling/tolerations.ts";

/** Objects for tests: a node of 4 CPUs and 8 GiB, and pods that want nothing, unless said otherwise. */
export interface NodeOptions {
  cpu?: string;
  memory?: string;
  pods?: string;
  /** Further allocatable resources. */
  allocatable?: Record<string, string>;
  labels?: Record<string, string>;
  taints?: Taint[];
  unschedulable?: boolean;
  ready?: boolean;
}

export const node = (name: string, options: NodeOptions = {}): any => ({
  metadata: { name, uid: `uid-${name}`, labels: options.labels ?? {} },
  spec: { taints: options.taints ?? [], unschedulable: options.unschedulable },
  status: {
    allocatable: {
      cpu: options.cpu ?? "4",
      memory: options.memory ?? "8Gi",
      pods: options.pods ?? "110",
      ...options.allocatable,
    },
    conditions: [{ type: "Ready", status: options.ready === false ? "Unknown" : "True" }],
  },
});

export interface PodOptions {
  namespace?: string;
  uid?: string;
  nodeName?: string;
  requests?: Record<string, string>;
  hostPort?: number;
  hostIp?: string;
  priority?: number;
  tolerations?: Toleration[];
  nodeSelector?: Record<string, string>;
  /** spec.affinity.nodeAffinity */
  nodeAffinity?: unknown;
  created?: string;
  phase?: string;
  deleting?: boolean;
  /** Further fields of spec. */
  spec?: Record<string, unknown>;
}

const CREATED = "2026-01-01T00:00:00Z";

export const pod = (name: string, options: PodOptions = {}): any => ({
  metadata: {
    namespace: options.namespace ?? "default",
    name,
    uid: options.uid ?? `uid-${name}`,
    creationTimestamp: options.created ?? CREATED,
    ...(options.deleting && { deletionTimestamp: CREATED }),
  },
  spec: {
    containers: [
      {
        name: "main",
        resources: { requests: options.requests ?? {} },
        ...(options.hostPort && { ports: [{ hostPort: options.hostPort, hostIP: options.hostIp, protocol: "TCP" }] }),
      },
    ],
    ...(options.nodeName && { nodeName: options.nodeName }),
    ...(options.priority !== undefined && { priority: options.priority }),
    ...(options.tolerations && { tolerations: options.tolerations }),
    ...(options.nodeSelector && { nodeSelector: options.nodeSelector }),
    ...(options.nodeAffinity !== undefined && { affinity: { nodeAffinity: options.nodeAffinity } }),
    ...options.spec,
  },
  status: { phase: options.phase ?? "Pending" },
});

export const pending = (name: string, options?: PodOptions): PendingPod => pendingPod(pod(name, options));

/** Pods with a nodeName are counted where they are. */
export function snapshotOf(nodes: any[], pods: any[] = []): Snapshot {
  const snapshot = new Snapshot();
  for (const one of nodes) snapshot.setNode(nodeFacts(one));
  for (const one of pods) snapshot.place(podFacts(one), one.spec.nodeName);
  return snapshot;
}
