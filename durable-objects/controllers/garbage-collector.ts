import { sameJson } from "../../api/equality.ts";
import type { KubeObject, OwnerReference } from "../../api/object.ts";
import type { HomeView, KindedObject, Plan, UniversalController, Write } from "./controller.ts";

/** Dependents written in one pass; the rest follows in the next. */
const WRITES_MAX = 100;

const FOREGROUND = "foregroundDeletion";
const ORPHAN = "orphan";

type AnyObject = Readonly<KubeObject>;

const isLeaving = ({ metadata }: AnyObject): boolean => Boolean(metadata.deletionTimestamp);
const hasFinalizer = ({ metadata }: AnyObject, finalizer: string): boolean =>
  metadata.finalizers?.includes(finalizer) ?? false;
/** It goes only when what it owns has gone. */
const waitsForDependents = (object: AnyObject): boolean => isLeaving(object) && hasFinalizer(object, FOREGROUND);

/**
 * Deletes what has lost all its owners, and carries out foreground deletion (dependents first) and orphaning (dependents
 * stay, without the reference). An owner of another home or of a kind unknown here counts as alive.
 */
export const garbageCollector: UniversalController = {
  name: "generic-garbage-collector",
  mentions: ["ownerReferences", "finalizers"],

  concerns({ kind, object, previous, deleted }, view) {
    const subjects: { kind: KindedObject["kind"]; name: string }[] = [];
    const add = ({ kind, object }: KindedObject) => void subjects.push({ kind, name: object.metadata.name });
    const references = object.metadata.ownerReferences;
    const hasChanged = !previous || deleted || !sameJson(previous.metadata.ownerReferences, references);
    if (deleted) for (const dependent of view.dependents(object.metadata.uid ?? "")) add(dependent);
    else if (isLeaving(object) && (hasFinalizer(object, FOREGROUND) || hasFinalizer(object, ORPHAN))) {
      add({ kind, object });
      const isNew = !previous || !waitsForDependents(previous);
      if (isNew && hasFinalizer(object, FOREGROUND))
        for (const dependent of view.dependents(object.metadata.uid ?? "")) add(dependent);
    } else if (references?.length && hasChanged) add({ kind, object });
    // An owner that waits may have waited for this one.
    if (hasChanged)
      for (const reference of [...(references ?? []), ...(previous?.metadata.ownerReferences ?? [])]) {
        const owner = view.owner(reference);
        if (typeof owner === "object" && waitsForDependents(owner.object)) add(owner);
      }
    return subjects;
  },

  reconcileAny(subject, view) {
    const { object } = subject;
    if (isLeaving(object) && hasFinalizer(object, ORPHAN)) return orphanDependents(subject, view);
    if (waitsForDependents(object)) return awaitDependents(subject, view);
    if (isLeaving(object) || !object.metadata.ownerReferences?.length) return { writes: [] };
    return judge(subject, object.metadata.ownerReferences, view);
  },
};

/** Deletes an object without living owners, or drops the references to those that are gone. */
function judge(subject: KindedObject, references: readonly OwnerReference[], view: HomeView): Plan {
  const { kind, object } = subject;
  const solid: OwnerReference[] = [];
  let isAwaited = false;
  for (const reference of references) {
    const owner = view.owner(reference);
    if (owner === "unknown") solid.push(reference);
    else if (owner !== "absent") {
      if (waitsForDependents(owner.object)) isAwaited = true;
      else solid.push(reference);
    }
  }
  if (solid.length === references.length) return { writes: [] };
  if (solid.length > 0) return { writes: [withReferences(subject, solid)] };
  const { name, uid } = object.metadata;
  const hasDependents = view.dependents(uid ?? "").length > 0;
  const propagation = hasFinalizer(object, ORPHAN)
    ? "Orphan"
    : hasFinalizer(object, FOREGROUND) || (isAwaited && hasDependents)
      ? "Foreground"
      : "Background";
  return { writes: [{ op: "delete", kind, name, ...(uid && { uid }), propagation }] };
}

function awaitDependents(subject: KindedObject, view: HomeView): Plan {
  const { uid } = subject.object.metadata;
  const isBlocked = view
    .dependents(uid ?? "")
    .some(({ object }) =>
      object.metadata.ownerReferences?.some((owner) => owner.uid === uid && owner.blockOwnerDeletion),
    );
  return { writes: isBlocked ? [] : [withoutFinalizer(subject, FOREGROUND)] };
}

function orphanDependents(subject: KindedObject, view: HomeView): Plan {
  const { uid } = subject.object.metadata;
  const dependents = view.dependents(uid ?? "");
  const writes = dependents.slice(0, WRITES_MAX).map((dependent) =>
    withReferences(
      dependent,
      (dependent.object.metadata.ownerReferences ?? []).filter((owner) => owner.uid !== uid),
    ),
  );
  if (dependents.length > WRITES_MAX) return { writes, again: { inSeconds: 0 } };
  return { writes: [...writes, withoutFinalizer(subject, ORPHAN)] };
}

function withReferences({ kind, object }: KindedObject, ownerReferences: OwnerReference[]): Write {
  return { op: "update", kind, object: { ...object, metadata: { ...object.metadata, ownerReferences } } };
}

function withoutFinalizer({ kind, object }: KindedObject, finalizer: string): Write {
  const finalizers = object.metadata.finalizers?.filter((other) => other !== finalizer) ?? [];
  return { op: "update", kind, object: { ...object, metadata: { ...object.metadata, finalizers } } };
}
