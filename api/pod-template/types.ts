import type { IContainer } from "kubernetes-models/v1/Container";
import type { IEphemeralContainer } from "kubernetes-models/v1/EphemeralContainer";
import type { IPodSpec } from "kubernetes-models/v1/PodSpec";
import type { IVolume } from "kubernetes-models/v1/Volume";

export type Container = IContainer;
export type EphemeralContainer = IEphemeralContainer;
export type Volume = IVolume;

/** The pod's spec, with what v1.36 has beyond the typings. */
export type PodSpec = IPodSpec & { hostnameOverride?: string };

/** v1 PodTemplateSpec, inside workloads. */
export interface PodTemplateSpec {
  metadata?: { name?: string; labels?: Record<string, string>; annotations?: Record<string, string> };
  spec?: PodSpec;
}

/** What the parts of a pod's spec have to know of the rest of it, to be validated. */
export interface PodContext {
  volumes: ReadonlyMap<string, Volume>;
  claims: ReadonlySet<string>;
  graceSeconds: number;
  restartPolicy: string;
  /** The pod's users are the host's. */
  hostUsers: boolean;
  /** A pod, not a template in a workload: some checks are newer than stored templates. */
  isPod: boolean;
}
