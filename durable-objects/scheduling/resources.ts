import { quantityToMilli, quantityValue } from "../../api/quantity.ts";

/** Amounts the scheduler counts with: millicores, bytes, and whole units of extended resources and huge pages. */
export interface Resources {
  milliCpu: number;
  memory: number;
  ephemeralStorage: number;
  scalars: Map<string, number>;
}

/** What a pod that requests nothing is taken to use when nodes are scored (upstream's schedutil, so that such pods spread). */
export const DEFAULT_MILLI_CPU = 100;
export const DEFAULT_MEMORY = 200 * 1024 * 1024;

export const noResources = (): Resources => ({ milliCpu: 0, memory: 0, ephemeralStorage: 0, scalars: new Map() });

type ResourceList = Record<string, string | number> | undefined;

/** Reads a ResourceList; `pods` is no amount of a resource and left out. */
export function parseResources(list: ResourceList): Resources {
  const result = noResources();
  for (const name in list) setResource(result, name, list[name]!);
  return result;
}

/** Sets one amount in place. */
export function setResource(resources: Resources, name: string, amount: string | number): void {
  if (name === "cpu") resources.milliCpu = quantityToMilli(amount);
  else if (name === "memory") resources.memory = quantityValue(amount);
  else if (name === "ephemeral-storage") resources.ephemeralStorage = quantityValue(amount);
  else if (name !== "pods") resources.scalars.set(name, quantityValue(amount));
}

/** Adds `other`, `sign` times, in place. */
export function addResources(to: Resources, other: Resources, sign: 1 | -1 = 1): void {
  to.milliCpu += sign * other.milliCpu;
  to.memory += sign * other.memory;
  to.ephemeralStorage += sign * other.ephemeralStorage;
  for (const [name, amount] of other.scalars) to.scalars.set(name, (to.scalars.get(name) ?? 0) + sign * amount);
}

/** Raises each amount to the other's, in place. */
function raiseResources(to: Resources, other: Resources): void {
  to.milliCpu = Math.max(to.milliCpu, other.milliCpu);
  to.memory = Math.max(to.memory, other.memory);
  to.ephemeralStorage = Math.max(to.ephemeralStorage, other.ephemeralStorage);
  for (const [name, amount] of other.scalars) to.scalars.set(name, Math.max(to.scalars.get(name) ?? 0, amount));
}

/** Resources that spec.resources of a pod may set for all of its containers together (KEP-2837). */
const isPodLevel = (name: string): boolean => name === "cpu" || name === "memory" || name.startsWith("hugepages-");

/**
 * What a pod requests of its node: the sum of its containers and sidecars (restartable init containers), or the most that
 * one init container needs beside the sidecars started before it; pod-level requests instead, where set; and the overhead.
 * `assumed` fills in for containers that name no CPU or memory (KEP-753, KEP-2837, component-helpers' PodRequests).
 */
export function podRequests(spec: any, assumed?: { milliCpu: number; memory: number }): Resources {
  const total = noResources();
  for (const container of spec.containers ?? []) addResources(total, requestsOf(container, assumed));

  const sidecars = noResources();
  const starting = noResources();
  for (const container of spec.initContainers ?? []) {
    const requests = requestsOf(container, assumed);
    if (container.restartPolicy === "Always") {
      addResources(total, requests);
      addResources(sidecars, requests);
      raiseResources(starting, sidecars);
    } else {
      addResources(requests, sidecars);
      raiseResources(starting, requests);
    }
  }
  raiseResources(total, starting);

  const podLevel = spec.resources?.requests;
  for (const name in podLevel) if (isPodLevel(name)) setResource(total, name, podLevel[name]);
  if (spec.overhead) addResources(total, parseResources(spec.overhead));
  return total;
}

function requestsOf(container: any, assumed: { milliCpu: number; memory: number } | undefined): Resources {
  const requests = container.resources?.requests;
  const result = parseResources(requests);
  if (assumed) {
    if (requests?.cpu === undefined) result.milliCpu = assumed.milliCpu;
    if (requests?.memory === undefined) result.memory = assumed.memory;
  }
  return result;
}
