import type { IContainer } from "kubernetes-models/v1/Container";
import type { IPodSpec } from "kubernetes-models/v1/PodSpec";
import { quantityToMilli, quantityValue } from "../api/quantity.ts";
import { isSidecar } from "./pod-actions.ts";
import type { LinuxResources } from "./runtime/runtime.ts";

export type QosClass = "Guaranteed" | "Burstable" | "BestEffort";

// The kernel's and kubelet's numbers (pkg/kubelet/cm, pkg/kubelet/qos).
const SHARES_PER_CPU = 1024;
const SHARES_MIN = 2;
const PERIOD_MICROSECONDS = 100_000;
const QUOTA_MIN_MICROSECONDS = 1000;
const OOM_GUARANTEED = -997;
const OOM_BEST_EFFORT = 1000;

type Amounts = Record<string, string | number>;
const requestsOf = (container: IContainer): Amounts => (container.resources?.requests ?? {}) as Amounts;
const limitsOf = (container: IContainer): Amounts => (container.resources?.limits ?? {}) as Amounts;
const isSet = (amount: string | number | undefined): amount is string | number =>
  amount !== undefined && quantityToMilli(amount) !== 0;

/** The quality of service class that kubelet and scheduler derive from cpu and memory of all containers. */
export function qosClass(spec: IPodSpec): QosClass {
  const containers = [...(spec.initContainers ?? []), ...spec.containers];
  const some = containers.some((container) =>
    ["cpu", "memory"].some((name) => isSet(requestsOf(container)[name]) || isSet(limitsOf(container)[name])),
  );
  if (!some) return "BestEffort";
  const guaranteed = containers.every((container) =>
    ["cpu", "memory"].every((name) => {
      const limit = limitsOf(container)[name];
      const request = requestsOf(container)[name] ?? limit;
      return isSet(limit) && request !== undefined && quantityToMilli(request) === quantityToMilli(limit);
    }),
  );
  return guaranteed ? "Guaranteed" : "Burstable";
}

/** A container's cgroup settings. `memoryBytes` is the node's capacity: a burstable container's oom score is its share of it. */
export function containerResources(spec: IPodSpec, container: IContainer, memoryBytes: number): LinuxResources {
  const limits = limitsOf(container);
  const requests = requestsOf(container);
  const cpuRequest = requests["cpu"] ?? limits["cpu"];
  return {
    cpuPeriod: isSet(limits["cpu"]) ? PERIOD_MICROSECONDS : 0,
    cpuQuota: isSet(limits["cpu"]) ? quota(quantityToMilli(limits["cpu"])) : 0,
    cpuShares: shares(cpuRequest === undefined ? 0 : quantityToMilli(cpuRequest)),
    memoryLimitBytes: isSet(limits["memory"]) ? quantityValue(limits["memory"]) : 0,
    oomScoreAdj: oomScore(spec, container, memoryBytes),
  };
}

const shares = (milliCpu: number): number => Math.max(SHARES_MIN, Math.floor((milliCpu * SHARES_PER_CPU) / 1000));
const quota = (milliCpu: number): number =>
  Math.max(QUOTA_MIN_MICROSECONDS, Math.floor((milliCpu * PERIOD_MICROSECONDS) / 1000));

function oomScore(spec: IPodSpec, container: IContainer, memoryBytes: number): number {
  const qos = qosClass(spec);
  if (qos === "Guaranteed") return OOM_GUARANTEED;
  if (qos === "BestEffort") return OOM_BEST_EFFORT;
  const request = requestsOf(container)["memory"] ?? limitsOf(container)["memory"];
  const bytes = request === undefined ? 0 : quantityValue(request);
  const score = Math.floor(1000 - (1000 * bytes) / memoryBytes);
  return Math.min(Math.max(score, 1000 + OOM_GUARANTEED), OOM_BEST_EFFORT - 1);
}

export interface PodCgroup {
  /** From the hierarchy's root, `/coxswain/burstable/pod<uid>`. */
  path: string;
  cpuShares: number;
  cpuPeriod: number;
  /** 0 and below: without limit. */
  cpuQuota: number;
  memoryLimitBytes: number;
}

const TIERS: Record<QosClass, string> = { Guaranteed: "", Burstable: "/burstable", BestEffort: "/besteffort" };

/** Wherever a pod's cgroup may be, if its class is not known. */
export const podCgroupPaths = (root: string, uid: string): string[] =>
  Object.values(TIERS).map((tier) => `${root}${tier}/pod${uid}`);

/** The cgroup around all of a pod's containers; limited only where each container is. */
export function podCgroup(root: string, uid: string, spec: IPodSpec): PodCgroup {
  const qos = qosClass(spec);
  const together = (pick: (container: IContainer) => number | undefined): number | undefined => {
    const inits = spec.initContainers ?? [];
    const main = [...spec.containers, ...inits.filter(isSidecar)].map(pick);
    const once = inits.filter((container) => !isSidecar(container)).map(pick);
    if ([...main, ...once].includes(undefined)) return undefined;
    return Math.max(
      main.reduce<number>((sum, value) => sum + value!, 0),
      ...once.map((value) => value!),
    );
  };
  const cpuRequest = together((container) =>
    quantityToMilli(requestsOf(container)["cpu"] ?? limitsOf(container)["cpu"] ?? 0),
  );
  const limit = (name: string, value: (text: string | number) => number) =>
    together((container) => (isSet(limitsOf(container)[name]) ? value(limitsOf(container)[name]!) : undefined));
  const cpuLimit = limit("cpu", quantityToMilli);
  return {
    path: `${root}${TIERS[qos]}/pod${uid}`,
    cpuShares: qos === "BestEffort" ? SHARES_MIN : shares(cpuRequest ?? 0),
    cpuPeriod: PERIOD_MICROSECONDS,
    cpuQuota: cpuLimit === undefined ? -1 : quota(cpuLimit),
    memoryLimitBytes: limit("memory", quantityValue) ?? 0,
  };
}
