import type { KubeObject, ObjectMeta } from "../../api/object.ts";
import { changesBetween } from "./changes.ts";
import type { ObjectVersion } from "./object-history.ts";

/** What `cox undo` does. */
export type UndoPlan =
  /** Put over the present object, which has to be at `resourceVersion` still: that is in the object. */
  | { do: "update"; object: KubeObject; revision: number }
  | { do: "create"; object: KubeObject; revision: number }
  /** It is as it was at the revision. */
  | { do: "nothing"; revision: number }
  | { do: "refuse"; why: string };

/** What the Deployment controller keeps in annotations: of the present, whatever the user goes back to. `kubectl rollout undo` leaves it as well. */
const CONTROLLERS_ANNOTATIONS = "deployment.kubernetes.io/";
/** How an object is being deleted: not what it was. */
const DELETION_FINALIZERS = ["foregroundDeletion", "orphan"];

type Version = Pick<ObjectVersion, "revision" | "type" | "object">;

/**
 * Brings an object back to an earlier version, in what its users own.
 *
 * @param versions all that history keeps, the newest first; at least one
 * @param to the revision to go back to; without it, the last version in which the user's part was another
 */
export function planUndo(versions: readonly Version[], to?: number): UndoPlan {
  const present = versions[0]!;
  const isGone = present.type === "DELETED";
  if (!isGone && present.object.metadata.deletionTimestamp)
    return { do: "refuse", why: "it is being deleted: once it is gone, this brings it back" };
  const target = to === undefined ? versionBefore(versions) : versions.find(({ revision }) => revision <= to);
  if (!target) return { do: "refuse", why: noVersion(versions, to) };
  if (target.type === "DELETED") {
    if (isGone && target === present) return { do: "nothing", revision: to! };
    return { do: "refuse", why: `it did not exist at revision ${to}` };
  }
  const revision = to ?? target.revision;
  if (isGone) return { do: "create", object: createdAnew(target.object), revision };
  const object = updated(present, target.object);
  if (changesBetween(present.object, object).length === 0) return { do: "nothing", revision };
  return { do: "update", object, revision };
}

function versionBefore([present, ...earlier]: readonly Version[]): Version | undefined {
  if (present!.type === "DELETED") return earlier[0];
  // Not one that a controller's report alone made: to go back to that would undo nothing.
  return earlier.find(
    ({ type, object }) => type !== "DELETED" && changesBetween(present!.object, updated(present!, object)).length > 0,
  );
}

function noVersion(versions: readonly Version[], to: number | undefined): string {
  const oldest = versions.at(-1)!.revision;
  if (to !== undefined) return `history keeps nothing of it before revision ${oldest}`;
  return versions.length === 1
    ? "history keeps no earlier version of it"
    : `nothing that a user owns was changed since revision ${oldest}, and history shows no earlier version`;
}

/** The present object with what its users own as it was. Status, and what of the metadata the API or controllers own, stay. */
function updated({ object: present, revision }: Version, target: KubeObject): KubeObject {
  const { apiVersion, kind, metadata, status } = present;
  const { apiVersion: _apiVersion, kind: _kind, metadata: _metadata, status: _status, ...owned } = target;
  return {
    apiVersion,
    kind,
    metadata: {
      ...metadata,
      labels: target.metadata.labels,
      annotations: annotationsOf(present, target),
      resourceVersion: String(revision),
    },
    ...owned,
    ...(status !== undefined && { status }),
  };
}

function annotationsOf(present: KubeObject, target: KubeObject): Record<string, string> | undefined {
  const isOurs = ([key]: [string, string]) => !key.startsWith(CONTROLLERS_ANNOTATIONS);
  const entries = [
    ...Object.entries(present.metadata.annotations ?? {}).filter((entry) => !isOurs(entry)),
    ...Object.entries(target.metadata.annotations ?? {}).filter(isOurs),
  ];
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

/** An object that is gone, as a new one: what the API gave the old one (uid, resourceVersion, times, status) is left away. */
function createdAnew(target: KubeObject): KubeObject {
  const { status: _, metadata, ...owned } = target;
  const { name, namespace, labels, annotations, ownerReferences, finalizers = [] }: ObjectMeta = metadata;
  const kept = finalizers.filter((finalizer) => !DELETION_FINALIZERS.includes(finalizer));
  return {
    ...owned,
    metadata: {
      name,
      ...(namespace && { namespace }),
      ...(labels && { labels }),
      ...(annotations && { annotations }),
      ...(ownerReferences && { ownerReferences }),
      ...(kept.length > 0 && { finalizers: kept }),
    },
  } as KubeObject;
}
