import { Pod } from "../../api/kinds/pod.ts";
import { resourceName } from "../../api/status.ts";
import { type Condition, findCondition } from "./conditions.ts";
import type { HomeView, Plan, Write } from "./controller.ts";

/** Objects deleted in one call; the caller asks again until nothing remains. */
const DELETES_MAX = 200;

/** What a namespace that is being deleted still holds. */
export interface Remaining {
  /** Numbers of objects by resource, as `pods` or `deployments.apps`. */
  resources: Record<string, number>;
  /** Numbers of objects by finalizer. */
  finalizers: Record<string, number>;
}

/**
 * Deletes a namespace's contents: the pods, gracefully, and when they are gone everything else (KEP-5080: nothing that
 * protects a pod goes before it). `remaining` is before the writes. Call again until it is empty.
 */
export function namespaceDeletion(view: HomeView): Plan & { remaining: Remaining } {
  const remaining: Remaining = { resources: {}, finalizers: {} };
  const writes: Write[] = [];
  const kinds = view.kinds();
  const hasPods = kinds.some(({ group, kind }) => group === Pod.group && kind === Pod.kind);
  for (const kind of kinds) {
    const objects = view.list(kind);
    if (objects.length === 0) continue;
    // While there are pods, they alone are told of: upstream does not look at the others before their turn.
    if (hasPods && (kind.group !== Pod.group || kind.kind !== Pod.kind)) continue;
    remaining.resources[resourceName(kind)] = objects.length;
    for (const { metadata } of objects) {
      for (const finalizer of metadata.finalizers ?? [])
        remaining.finalizers[finalizer] = (remaining.finalizers[finalizer] ?? 0) + 1;
      if (metadata.deletionTimestamp || writes.length >= DELETES_MAX) continue;
      const { name, uid } = metadata;
      writes.push({ op: "delete", kind, name, ...(uid && { uid }), propagation: "Background" });
    }
  }
  return { writes, remaining };
}

/** The conditions of a Namespace that is being deleted; those that stay the same keep their lastTransitionTime. */
export function namespaceConditions(
  known: readonly Condition[] | undefined,
  remaining: Remaining,
  timestamp: string,
  /** Why something could not be deleted. */
  failures: readonly string[] = [],
): Condition[] {
  const contents = Object.entries(remaining.resources)
    .map(([resource, n]) => `${resource.includes(".") ? resource : `${resource}.`} has ${n} resource instances`)
    .sort();
  const finalizers = Object.entries(remaining.finalizers)
    .map(([finalizer, n]) => `${finalizer} in ${n} resource instances`)
    .sort();
  const wanted: [type: string, isTrue: boolean, reason: string, message: string][] = [
    ["NamespaceDeletionDiscoveryFailure", false, "ResourcesDiscovered", "All resources successfully discovered"],
    [
      "NamespaceDeletionGroupVersionParsingFailure",
      false,
      "ParsedGroupVersions",
      "All legacy kube types successfully parsed",
    ],
    failures.length > 0
      ? [
          "NamespaceDeletionContentFailure",
          true,
          "ContentDeletionFailed",
          `Failed to delete all resource types, ${failures.length} remaining: ${[...failures].sort().join(", ")}`,
        ]
      : [
          "NamespaceDeletionContentFailure",
          false,
          "ContentDeleted",
          "All content successfully deleted, may be waiting on finalization",
        ],
    contents.length > 0
      ? [
          "NamespaceContentRemaining",
          true,
          "SomeResourcesRemain",
          `Some resources are remaining: ${contents.join(", ")}`,
        ]
      : ["NamespaceContentRemaining", false, "ContentRemoved", "All content successfully removed"],
    finalizers.length > 0
      ? [
          "NamespaceFinalizersRemaining",
          true,
          "SomeFinalizersRemain",
          `Some content in the namespace has finalizers remaining: ${finalizers.join(", ")}`,
        ]
      : ["NamespaceFinalizersRemaining", false, "ContentHasNoFinalizers", "All content-preserving finalizers finished"],
  ];
  const others = (known ?? []).filter(({ type }) => !wanted.some(([name]) => name === type));
  return [
    ...others,
    ...wanted.map(([type, isTrue, reason, message]) => {
      const status = isTrue ? "True" : "False";
      const before = findCondition(known, type);
      const lastTransitionTime = before?.status === status ? (before.lastTransitionTime ?? timestamp) : timestamp;
      return { type, status, lastTransitionTime, reason, message };
    }),
  ];
}
