import type { LabelSelector } from "../selector.ts";
import type { PodSpec } from "./types.ts";

interface Term {
  labelSelector?: LabelSelector;
  matchLabelKeys?: string[];
  mismatchLabelKeys?: string[];
}

const REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution";

/**
 * What `matchLabelKeys` and `mismatchLabelKeys` name becomes a part of the selectors when the pod is created, with the values that
 * its labels have then (KEP-3633, KEP-3243): later its labels may change, and whom it is placed with does not. Changes the spec in place.
 */
export function mergeLabelKeys({ affinity, topologySpreadConstraints }: PodSpec, labels: Labels = {}): void {
  for (const kind of ["podAffinity", "podAntiAffinity"] as const) {
    for (const { podAffinityTerm } of affinity?.[kind]?.[PREFERRED] ?? []) merge(podAffinityTerm, labels);
    for (const term of affinity?.[kind]?.[REQUIRED] ?? []) merge(term, labels);
  }
  for (const constraint of topologySpreadConstraints ?? []) merge(constraint, labels);
}

type Labels = Readonly<Record<string, string>>;

/** Without a selector nothing is selected, and keys change nothing about that. */
function merge({ labelSelector, matchLabelKeys = [], mismatchLabelKeys = [] }: Term, labels: Labels): void {
  if (!labelSelector) return;
  const added = [
    ...requirementsOf(matchLabelKeys, "In", labels),
    ...requirementsOf(mismatchLabelKeys, "NotIn", labels),
  ];
  if (added.length > 0) labelSelector.matchExpressions = [...(labelSelector.matchExpressions ?? []), ...added];
}

const requirementsOf = (keys: readonly string[], operator: "In" | "NotIn", labels: Labels) =>
  keys.filter((key) => Object.hasOwn(labels, key)).map((key) => ({ key, operator, values: [labels[key]!] }));
