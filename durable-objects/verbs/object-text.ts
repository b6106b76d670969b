import type { KubeObject, ObjectMeta } from "../../api/object.ts";

/**
 * The text of an object: what is stored and what clients are sent. metadata comes early and has a fixed order, so that nothing
 * a client chose can stand before `"resourceVersion":"`: the revision can be replaced without parsing.
 */
export function objectText(object: KubeObject, revision: number | undefined): string {
  const { apiVersion, kind, metadata, ...rest } = object;
  return JSON.stringify({ kind, apiVersion, metadata: orderedMeta(metadata, revision), ...rest });
}

/** Unknown fields were refused or pruned before: these are all that there are. */
function orderedMeta(meta: ObjectMeta, revision: number | undefined): ObjectMeta {
  return {
    name: meta.name,
    generateName: meta.generateName,
    namespace: meta.namespace,
    uid: meta.uid,
    resourceVersion: revision === undefined ? undefined : String(revision),
    generation: meta.generation,
    creationTimestamp: meta.creationTimestamp,
    deletionTimestamp: meta.deletionTimestamp,
    deletionGracePeriodSeconds: meta.deletionGracePeriodSeconds,
    labels: meta.labels,
    annotations: meta.annotations,
    ownerReferences: meta.ownerReferences,
    finalizers: meta.finalizers,
    managedFields: meta.managedFields,
  } as ObjectMeta;
}

const REVISION = '"resourceVersion":"';

/** The same text under another revision. */
export function withRevision(json: string, revision: number): string {
  const start = json.indexOf(REVISION) + REVISION.length;
  return `${json.slice(0, start)}${revision}${json.slice(json.indexOf('"', start))}`;
}

/** The revision that an object's text carries; 0 where it has none. */
export function revisionIn(json: string): number {
  const at = json.indexOf(REVISION);
  if (at < 0) return 0;
  const start = at + REVISION.length;
  return Number(json.slice(start, json.indexOf('"', start)));
}
