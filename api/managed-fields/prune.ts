import type { JsonObject } from "../json-value.ts";
import { fieldSetOf, withNamedFields } from "./applied-fields.ts";
import type { ManagedEntry, Managers } from "./entries.ts";
import { difference, type FieldSet, intersection, union } from "./field-set.ts";
import type { ManagedKind } from "./managed-kind.ts";
import { removeFields } from "./remove.ts";

/**
 * The merged object without what its applier has let go: what it applied the last time (`last`) and does not now, unless somebody
 * else owns it (structured-merge-diff, Updater.prune). `managers` has the applier's new fields.
 */
export function prune(kind: ManagedKind, merged: JsonObject, managers: Managers, last: ManagedEntry): JsonObject {
  const version = last.apiVersion;
  const shape = kind.shapeIn(version);
  if (!shape) return merged;
  const then = kind.convert(merged, version);
  let pruned = removeFields(then, withNamedFields(last.fields, shape), shape);
  pruned = addBackOwned(kind, then, pruned, version, managers);
  // Nobody else may own what was on the way, and still it is not the applier's to take away.
  const prunedFields = withNamedFields(fieldSetOf(kind.convert(pruned, version), shape), shape);
  const mergedFields = withNamedFields(fieldSetOf(then, shape), shape);
  const gone = intersection(difference(mergedFields, prunedFields), withNamedFields(last.fields, shape));
  return kind.convert(removeFields(then, gone, shape), kind.apiVersion);
}

/** Puts back what others own, or the applier does under its new configuration; version by version. */
function addBackOwned(
  kind: ManagedKind,
  merged: JsonObject,
  pruned: JsonObject,
  version: string,
  managers: Managers,
): JsonObject {
  const owned = new Map<string, FieldSet | undefined>();
  // The version that was pruned comes first: other versions may need its fields to be converted.
  owned.set(version, undefined);
  for (const { apiVersion, fields } of managers.values()) owned.set(apiVersion, union(owned.get(apiVersion), fields));
  let kept = pruned;
  for (const [apiVersion, fields] of owned) {
    const shape = fields && kind.shapeIn(apiVersion);
    if (!shape) continue;
    const whole = kind.convert(merged, apiVersion);
    const prunedFields = withNamedFields(fieldSetOf(kind.convert(kept, apiVersion), shape), shape);
    const keep = union(prunedFields, withNamedFields(fields, shape));
    const wholeFields = withNamedFields(fieldSetOf(whole, shape), shape);
    kept = removeFields(whole, difference(wholeFields, keep), shape);
  }
  return kept;
}
