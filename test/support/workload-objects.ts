import type { DeploymentObject } from "../../api/kinds/deployment.ts";
import type { PodObject } from "../../api/kinds/pod.ts";
import type { ReplicaSetObject } from "../../api/kinds/replica-set.ts";
import type { ServiceObject } from "../../api/kinds/service.ts";
import type { KubeObject, OwnerReference } from "../../api/object.ts";
import { NOON } from "./view-of.ts";

/** Seconds before noon as a timestamp. */
export const ago = (seconds: number): string => `${new Date(NOON - seconds * 1_000).toISOString().slice(0, 19)}Z`;

export const controlledBy = ({ apiVersion, kind, metadata }: KubeObject): OwnerReference => ({
  apiVersion,
  kind,
  name: metadata.name,
  uid: metadata.uid ?? "",
  controller: true,
  blockOwnerDeletion: true,
});

interface PodOptions {
  owner?: KubeObject;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  node?: string;
  phase?: string;
  /** Seconds ago since when it is ready. */
  ready?: number;
  /** It is not ready, and says so. */
  unready?: boolean;
  ip?: string;
  restarts?: number;
  /** Seconds ago it was created. */
  age?: number;
  deleted?: boolean;
  spec?: Partial<PodObject["spec"]>;
}

export function pod(name: string, options: PodOptions = {}): PodObject {
  const {
    owner,
    labels = { app: "web" },
    annotations,
    node,
    ready,
    unready,
    ip,
    restarts,
    age = 100,
    deleted,
    spec,
  } = options;
  const hasReady = ready !== undefined || unready;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace: "default",
      uid: `uid-${name}`,
      resourceVersion: "1",
      creationTimestamp: ago(age),
      labels,
      ...(annotations && { annotations }),
      ...(owner && { ownerReferences: [controlledBy(owner)] }),
      ...(deleted && { deletionTimestamp: ago(1) }),
    },
    spec: {
      containers: [{ name: "web", image: "web:1", ports: [{ name: "http", containerPort: 8080 }] }],
      ...(node && { nodeName: node }),
      ...spec,
    },
    status: {
      phase: (options.phase ?? (hasReady ? "Running" : "Pending")) as "Running",
      ...(ip && { podIP: ip, podIPs: [{ ip }] }),
      ...(hasReady && {
        conditions: [{ type: "Ready", status: unready ? "False" : "True", lastTransitionTime: ago(ready ?? 5) }],
      }),
      ...(restarts !== undefined && {
        containerStatuses: [{ name: "web", image: "web:1", imageID: "", ready: true, restartCount: restarts }],
      }),
    },
  };
}

const template = (image = "web:1", labels: Record<string, string> = { app: "web" }) => ({
  metadata: { labels },
  spec: { containers: [{ name: "web", image }] },
});

interface SetOptions {
  replicas?: number;
  owner?: KubeObject;
  image?: string;
  hash?: string;
  minReadySeconds?: number;
  annotations?: Record<string, string>;
  status?: ReplicaSetObject["status"];
  age?: number;
  deleted?: boolean;
  generation?: number;
}

export function replicaSetOf(name: string, options: SetOptions = {}): ReplicaSetObject {
  const {
    replicas = 1,
    owner,
    image,
    hash,
    minReadySeconds,
    annotations,
    status,
    age = 1_000,
    deleted,
    generation = 1,
  } = options;
  const labels = { app: "web", ...(hash && { "pod-template-hash": hash }) };
  return {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: {
      name,
      namespace: "default",
      uid: `uid-${name}`,
      resourceVersion: "1",
      generation,
      creationTimestamp: ago(age),
      labels,
      ...(annotations && { annotations }),
      ...(owner && { ownerReferences: [controlledBy(owner)] }),
      ...(deleted && { deletionTimestamp: ago(1) }),
    },
    spec: {
      replicas,
      ...(minReadySeconds && { minReadySeconds }),
      selector: { matchLabels: labels },
      template: template(image, labels),
    },
    ...(status && { status }),
  };
}

interface DeploymentOptions {
  replicas?: number;
  image?: string;
  type?: "RollingUpdate" | "Recreate";
  maxSurge?: number | string;
  maxUnavailable?: number | string;
  paused?: boolean;
  deadline?: number;
  historyLimit?: number;
  annotations?: Record<string, string>;
  status?: DeploymentObject["status"];
  minReadySeconds?: number;
}

export function deploymentOf(name: string, options: DeploymentOptions = {}): DeploymentObject {
  const {
    replicas = 3,
    image,
    type = "RollingUpdate",
    maxSurge = "25%",
    maxUnavailable = "25%",
    paused,
    annotations,
    status,
  } = options;
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: {
      name,
      namespace: "default",
      uid: `uid-${name}`,
      resourceVersion: "1",
      generation: 1,
      creationTimestamp: ago(1_000),
      ...(annotations && { annotations }),
    },
    spec: {
      replicas,
      selector: { matchLabels: { app: "web" } },
      template: template(image),
      strategy: type === "Recreate" ? { type } : { type, rollingUpdate: { maxSurge, maxUnavailable } },
      progressDeadlineSeconds: options.deadline ?? 600,
      revisionHistoryLimit: options.historyLimit ?? 10,
      ...(options.minReadySeconds && { minReadySeconds: options.minReadySeconds }),
      ...(paused && { paused }),
    },
    ...(status && { status }),
  };
}

export function service(
  name: string,
  spec: Partial<ServiceObject["spec"]> = {},
  labels?: Record<string, string>,
): ServiceObject {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace: "default", uid: `uid-${name}`, resourceVersion: "1", ...(labels && { labels }) },
    spec: {
      type: "ClusterIP",
      clusterIP: "10.96.0.10",
      ipFamilies: ["IPv4"],
      selector: { app: "web" },
      ports: [{ name: "http", port: 80, targetPort: "http", protocol: "TCP" }],
      ...spec,
    },
  };
}
