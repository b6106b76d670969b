import type { Logger } from "pino";
import type { PodObject } from "../api/kinds/pod.ts";
import type { ServiceObject } from "../api/kinds/service.ts";
import type { PodCgroups } from "./cgroups.ts";
import type { EventOptions, EventRecorder } from "./event-recorder.ts";
import type { Allocatable } from "./fields.ts";
import type { limit } from "./limit.ts";
import type { Observations } from "./observations.ts";
import type { AgentPaths } from "./paths.ts";
import type { ClusterDns, PodDns } from "./pod-dns.ts";
import type { ReferenceCache } from "./reference-cache.ts";
import type { Runtime } from "./runtime/runtime.ts";
import type { PodVolumes } from "./volumes/pod-volumes.ts";

type Limit = ReturnType<typeof limit>;

/** What the pods of one node share. */
export interface PodHost {
  nodeName: string;
  nodeIps: readonly string[];
  runtimeName: string;
  runtime: Runtime;
  observations: Observations;
  volumes: PodVolumes;
  cgroups: PodCgroups;
  cgroupRoot: string;
  references: ReferenceCache;
  events: EventRecorder;
  paths: AgentPaths;
  /** Log folders and the like exist on disk. */
  hasDisk: boolean;
  services(): Iterable<ServiceObject>;
  allocatable: Allocatable;
  memoryBytes: number;
  clusterDns: ClusterDns;
  nodeDns: PodDns;
  limits: { start: Limit; pull: Limit; stop: Limit };
  log: Logger;
  now(): number;
}

/** Records an event about a pod, or one of its containers. */
export function podEvent(
  host: PodHost,
  pod: PodObject,
  event: Omit<EventOptions, "fieldPath"> & { container?: string },
): void {
  const { container, ...rest } = event;
  const { name, namespace, uid, resourceVersion } = pod.metadata;
  const init = pod.spec.initContainers?.some((candidate) => candidate.name === container);
  host.events.record(
    {
      apiVersion: "v1",
      kind: "Pod",
      name,
      ...(namespace && { namespace }),
      ...(uid && { uid }),
      ...(resourceVersion && { resourceVersion }),
    },
    { ...rest, ...(container && { fieldPath: `spec.${init ? "initContainers" : "containers"}{${container}}` }) },
  );
}
