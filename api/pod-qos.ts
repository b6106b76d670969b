import type { Container, PodSpec } from "./pod-template/types.ts";
import { quantityToMilli } from "./quantity.ts";

export type QosClass = "Guaranteed" | "Burstable" | "BestEffort";

type Resources = Container["resources"];

const COUNTED = ["cpu", "memory"] as const;

/** A pod's quality of service: which pods a node in need kills first (`status.qosClass`). */
export function qosClassOf(spec: PodSpec): QosClass {
  // Resources of the pod as a whole stand above those of its containers.
  const podLevel = spec.resources && [spec.resources];
  const all: Resources[] =
    podLevel ?? [...(spec.containers ?? []), ...(spec.initContainers ?? [])].map(({ resources }) => resources);
  if (!all.some((resources) => hasAny(resources))) return "BestEffort";
  const guaranteed = all.every((resources) =>
    COUNTED.every((name) => {
      const limit = amount(resources?.limits?.[name]);
      return limit > 0 && (amount(resources?.requests?.[name]) || limit) === limit;
    }),
  );
  return guaranteed ? "Guaranteed" : "Burstable";
}

const hasAny = (resources: Resources): boolean =>
  COUNTED.some((name) => amount(resources?.limits?.[name]) > 0 || amount(resources?.requests?.[name]) > 0);

function amount(quantity: string | number | undefined): number {
  try {
    return quantity === undefined ? 0 : quantityToMilli(quantity);
  } catch {
    return 0; // Validation refuses the pod.
  }
}
