import type { KubeObject } from "../../api/object.ts";
import { conflict, notFound, type Status } from "../../api/status.ts";
import { admit, validateAdmission } from "../admission/admit.ts";
import type { HomeAnswer } from "../protocol.ts";
import type { Stored } from "../store/stored.ts";
import { textAnswer } from "./answer.ts";
import { type DeleteOptions, deleteOptionsOf } from "./delete-options.ts";
import { objectText } from "./object-text.ts";
import { type Call, copyOf, timestampOf, type Writing } from "./scope.ts";
import type { Served } from "./served.ts";
import { awaitsContents, removeObject } from "./update.ts";
import { commit } from "./write.ts";

export const ORPHAN = "orphan";
export const FOREGROUND = "foregroundDeletion";

/** Resources whose deletion is answered with the object though it is gone (upstream's ReturnDeletedObject). */
const RETURNS_OBJECT = new Set([
  "pods",
  "services",
  "serviceaccounts",
  "persistentvolumes",
  "persistentvolumeclaims",
  "podtemplates",
  "resourcequotas",
  "csidrivers.storage.k8s.io",
  "csinodes.storage.k8s.io",
  "storageclasses.storage.k8s.io",
  "volumeattachments.storage.k8s.io",
  "volumeattributesclasses.storage.k8s.io",
]);

/** Whose dependents stay where neither the request nor a finalizer says what is to become of them (DefaultGarbageCollectionPolicy). */
const ORPHANS_BY_DEFAULT = new Set(["jobs.batch", "replicationcontrollers"]);
const JOB_WARNING =
  "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning";

/** Upstream marks these by a hand of their own, which says nothing of grace and counts no generation. */
const MARKED_ALONE = new Set(["namespaces", "customresourcedefinitions.apiextensions.k8s.io"]);

/** What became of a deletion: `gone`, or marked and waiting for its finalizers or its grace. */
export interface Deletion {
  gone: boolean;
  json: string;
  uid: string;
}

export async function deleteOne(call: Call): Promise<HomeAnswer> {
  const { served, request } = call;
  const { name } = request.target;
  const options = clientDeletion(call);
  const { gone, json, uid } = await commit(
    { ...call, options: { ...call.options, dryRun: options.dryRun } },
    (writing) => deleteObject(writing, served, name, options),
  );
  if (!gone || RETURNS_OBJECT.has(served.resource)) return textAnswer(200, served.present(json), call.warnings);
  const { group } = served.info;
  const status: Status = {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Success",
    details: { name, ...(group && { group }), kind: served.info.resource, uid },
  };
  return textAnswer(200, JSON.stringify(status), call.warnings);
}

/** What a client asks for, with what its silence means for the kind. Who says nothing of a Job's pods is warned that they stay. */
export function clientDeletion({ served: { resource }, request, warnings }: Call): DeleteOptions {
  const options = deleteOptionsOf(request);
  if (options.propagation !== undefined) return options;
  if (resource === "jobs.batch") warnings.push(JOB_WARNING);
  return { ...options, orphansByDefault: ORPHANS_BY_DEFAULT.has(resource) };
}

/** Deletes an object, or marks it (registry.Store.Delete and rest.BeforeDelete upstream). `admits`: false where admission has had its say. */
export function deleteObject(
  writing: Writing,
  served: Served,
  name: string,
  options: Omit<DeleteOptions, "dryRun">,
  { admits = true }: { readonly admits?: boolean } = {},
): Deletion {
  const { tx, dryRun } = writing;
  const stored = tx.get(served.resource, name);
  if (!stored) throw notFound(served.groupResource, name);
  const object = copyOf(stored.object);
  const uid = object.metadata.uid ?? "";
  checkPreconditions(served, stored, options);
  const previous = served.current(stored, writing.answers);
  const write = {
    operation: "delete" as const,
    served,
    subresource: "",
    name,
    object,
    previous,
    deleteOptions: options,
  };
  if (admits) {
    admit(writing, write);
    validateAdmission(writing, write);
  }

  const grace = graceOf(writing, served, object, options.graceSeconds);
  if (grace === "pending") return { gone: false, json: stored.json, uid };
  const finalizers = finalizersFor(object, options);
  if (finalizers.length > 0) object.metadata.finalizers = finalizers;
  else delete object.metadata.finalizers;
  const waits = finalizers.length > 0 || awaitsContents(served, object);
  if (waits && grace === "none") markAsDeleting(served, object, writing.draws.now());
  if (awaitsContents(served, object)) object["status"] = { ...object["status"], phase: "Terminating" };
  if (!waits && (grace === "none" || grace === 0))
    return { gone: true, json: removeObject(writing, served, object), uid };
  if (dryRun) return { gone: false, json: objectText(object, stored.revision), uid };
  return { gone: false, json: tx.put(served.resource, name, (revision) => objectText(object, revision)).json, uid };
}

function checkPreconditions(
  served: Served,
  stored: Stored,
  { uid, resourceVersion }: Omit<DeleteOptions, "dryRun">,
): void {
  // The Kind in the resource's place, as rest.BeforeDelete has it.
  const what = { group: served.info.group, resource: served.info.kind };
  const actual = stored.object.metadata.uid;
  if (uid !== undefined && uid !== actual) {
    const why = `the UID in the precondition (${uid}) does not match the UID in record (${actual}). The object might have been deleted and then recreated`;
    throw conflict(what, stored.name, why);
  }
  if (resourceVersion !== undefined && resourceVersion !== String(stored.revision)) {
    const why = `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${stored.revision}). The object might have been modified`;
    throw conflict(what, stored.name, why);
  }
}

/**
 * The seconds the object now has (marked so), `none` where its kind knows no grace, `pending` where it is being
 * deleted already and this request does not shorten that.
 */
function graceOf(
  { draws }: Writing,
  { rules }: Served,
  object: KubeObject,
  asked: number | undefined,
): number | "none" | "pending" {
  const { metadata } = object;
  const requested = asked !== undefined && asked < 0 ? 1 : asked;
  if (metadata.deletionTimestamp) {
    const had = metadata.deletionGracePeriodSeconds;
    if (!had) return "none";
    if (requested === undefined || requested >= had) return "pending";
    const due = Date.parse(metadata.deletionTimestamp) - had * 1000 + requested * 1000;
    const isPast = due < draws.now();
    metadata.deletionTimestamp = timestampOf(isPast ? draws.now() : due);
    // What is over already is still to be ended by who runs it, unless it is to go at once.
    metadata.deletionGracePeriodSeconds = isPast && requested !== 0 ? 1 : requested;
    return metadata.deletionGracePeriodSeconds;
  }
  if (!rules.deletionGraceSeconds) return "none";
  const seconds = rules.deletionGraceSeconds(object, requested);
  metadata.deletionTimestamp = timestampOf(draws.now() + seconds * 1000);
  metadata.deletionGracePeriodSeconds = seconds;
  if (metadata.generation) metadata.generation++;
  return seconds;
}

function markAsDeleting({ resource }: Served, { metadata }: KubeObject, now: number): void {
  const isFirst = (metadata.deletionGracePeriodSeconds ?? undefined) === undefined;
  if (!metadata.deletionTimestamp || Date.parse(metadata.deletionTimestamp) > now) {
    metadata.deletionTimestamp = timestampOf(now);
  }
  if (MARKED_ALONE.has(resource)) return;
  if (isFirst && metadata.generation) metadata.generation++;
  metadata.deletionGracePeriodSeconds = 0;
}

/** What becomes of the dependents is said by a finalizer, which the garbage collector takes away when it has done so. */
function finalizersFor(
  { metadata: { finalizers = [] } }: KubeObject,
  { propagation, orphansByDefault }: Omit<DeleteOptions, "dryRun">,
): string[] {
  const others = finalizers.filter((finalizer) => finalizer !== ORPHAN && finalizer !== FOREGROUND);
  switch (propagation) {
    case "Orphan":
      return [...others, ORPHAN];
    case "Foreground":
      return [...others, FOREGROUND];
    case "Background":
      return others;
    case undefined:
      return orphansByDefault && others.length === finalizers.length ? [...others, ORPHAN] : finalizers;
  }
}
