import type { JsonObject } from "../json-value.ts";
import { type Comparison, compareObjects } from "./compare.ts";
import type { ManagedEntry, Managers } from "./entries.ts";
import { difference, type FieldSet, intersection, setOfFields, union } from "./field-set.ts";
import type { ManagedKind } from "./managed-kind.ts";
import { reconcileFieldSet } from "./remove.ts";

/** What a write took from one manager. */
export interface Taken {
  readonly entry: ManagedEntry;
  readonly fields: FieldSet;
}

export interface OwnershipChange {
  /** The others' entries without what they have lost. */
  readonly managers: Map<string, ManagedEntry>;
  /** What they lost to this write's values, by identity; what the write removed is not a conflict. */
  readonly taken: ReadonlyMap<string, Taken>;
  /** In the request's version, without what is reset. */
  readonly comparison: Comparison;
}

/**
 * What a write of `after` over `before` does to everybody's fields but the writer's (structured-merge-diff, Updater.update).
 * Entries of versions that are not served any more are dropped. `writer`: an entry that is left as it is.
 */
export function changeOwnership(
  kind: ManagedKind,
  before: JsonObject,
  after: JsonObject,
  managers: Managers,
  writer?: string,
): OwnershipChange {
  const compare = comparer(kind, before, after);
  const comparison = compare(kind.apiVersion)!;
  const left = new Map<string, ManagedEntry>();
  const taken = new Map<string, Taken>();
  for (const [identity, entry] of managers) {
    if (identity === writer) {
      left.set(identity, entry);
      continue;
    }
    const inVersion = compare(entry.apiVersion);
    if (!inVersion) continue;
    const { changed, removed } = inVersion;
    const lost = intersection(entry.fields, changed);
    if (lost) taken.set(identity, { entry, fields: lost });
    const fields = difference(difference(entry.fields, lost), removed);
    if (fields) left.set(identity, fields === entry.fields ? entry : { ...entry, fields });
  }
  return { managers: left, taken, comparison };
}

/** Compares in a version of the kind, once each. */
function comparer(kind: ManagedKind, before: JsonObject, after: JsonObject) {
  const known = new Map<string, Comparison>();
  return (apiVersion: string): Comparison | undefined => {
    const had = known.get(apiVersion);
    if (had) return had;
    const shape = kind.shapeIn(apiVersion);
    if (!shape) return undefined;
    const isOwn = apiVersion === kind.apiVersion;
    const { changed, removed } = isOwn
      ? compareObjects(before, after, shape)
      : compareObjects(kind.convert(before, apiVersion), kind.convert(after, apiVersion), shape);
    const comparison = { changed: kind.withoutReset(changed), removed: kind.withoutReset(removed) };
    known.set(apiVersion, comparison);
    return comparison;
  };
}

/** The entries as they are under the present schemas: what was granular may have become atomic since. */
export function reconcileManagers(kind: ManagedKind, managers: Managers): Managers {
  let out: Map<string, ManagedEntry> | undefined;
  for (const [identity, entry] of managers) {
    const shape = kind.shapeIn(entry.apiVersion);
    const fields = shape && reconcileFieldSet(entry.fields, shape);
    if (shape && fields === entry.fields) continue;
    out ??= new Map(managers);
    if (shape) out.set(identity, { ...entry, fields });
    else out.delete(identity);
  }
  return out ?? managers;
}

const NEVER_OWNED = setOfFields(
  "apiVersion",
  "kind",
  "metadata",
  "metadata.name",
  "metadata.namespace",
  "metadata.creationTimestamp",
  "metadata.selfLink",
  "metadata.uid",
  "metadata.clusterName",
  "metadata.generation",
  "metadata.managedFields",
  "metadata.resourceVersion",
);

/** Without the fields that are nobody's. */
export const withoutSystemFields = (set: FieldSet | undefined): FieldSet | undefined => difference(set, NEVER_OWNED);

/** Adds fields to an entry, or makes one. */
export function giveFields(
  managers: Map<string, ManagedEntry>,
  identity: string,
  entry: Omit<ManagedEntry, "fields">,
  fields: FieldSet,
): void {
  managers.set(identity, { ...entry, fields: union(managers.get(identity)?.fields, fields) });
}
