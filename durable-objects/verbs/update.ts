import { sameJson } from "../../api/equality.ts";
import { type FieldError, fieldInvalid } from "../../api/field-error.ts";
import { apiVersionOf } from "../../api/kinds/define-kind.ts";
import type { KubeObject } from "../../api/object.ts";
import { validateObjectMetaUpdate } from "../../api/object-meta.ts";
import { badRequest, conflict, invalid, notFound, OBJECT_MODIFIED } from "../../api/status.ts";
import { admit, begin, validateAdmission } from "../admission/admit.ts";
import { authorize } from "../admission/authorize.ts";
import type { Guise } from "../admission/plugin.ts";
import type { HomeAnswer } from "../protocol.ts";
import type { Stored } from "../store/stored.ts";
import { textAnswer } from "./answer.ts";
import { createObject } from "./create.ts";
import { checkManagedFields, isUnchanged, manageFields } from "./managed-fields.ts";
import { objectText } from "./object-text.ts";
import {
  AFTER_ADMISSION,
  decodeBody,
  dropDuplicateOwners,
  matchNamespace,
  refuseInvalid,
  validateMeta,
} from "./prepare.ts";
import { CREATED_BY_UPDATE, NEEDS_VERSION } from "./put-rules.ts";
import { type Call, timestampOf, type Writing } from "./scope.ts";
import type { Served } from "./served.ts";
import { commit } from "./write.ts";

/** How one way of writing treats what the client may not touch by it. */
export interface UpdateStrategy {
  /** As admission is told. */
  readonly subresource: string;
  /** What travels, where that is not the object. */
  readonly guise?: Guise;
  /** What is changed comes with its managedFields: who made the change has seen to them (apply, scale). */
  readonly fieldsAreManaged?: boolean;
  /** Takes into `next` what this way may not change; changes it in place. */
  /** `now`: RFC 3339, to the second. */
  keep(next: KubeObject, previous: Readonly<KubeObject>, served: Served, now: string): void;
  validate(next: KubeObject, previous: Readonly<KubeObject>, served: Served, warnings: string[]): FieldError[];
}

/** The object itself: everything but status. */
export const MAIN: UpdateStrategy = {
  subresource: "",
  keep(next, previous, { hasStatus, rules }) {
    if (hasStatus) keepField(next, previous, "status");
    rules.prepareForUpdate?.(next, previous as KubeObject);
    if (!rules.hasGeneration) return;
    if (hasSpecChanged(next, previous)) next.metadata.generation = (previous.metadata.generation ?? 0) + 1;
  },
  validate: (next, previous, served, warnings) => served.validateUpdate(next, previous, warnings),
};

/** Whose labels `status` does not change (deploymentStatusStrategy). */
const KEEPS_LABELS = new Set(["deployments.apps"]);

/** `status`, and of the metadata what upstream's status strategies let through: nothing of a custom kind's. */
export const STATUS: UpdateStrategy = {
  subresource: "status",
  keep(next, previous, { custom, resource }) {
    for (const field of new Set([...Object.keys(next), ...Object.keys(previous)])) {
      if (field !== "status" && field !== "metadata") keepField(next, previous, field);
    }
    const { labels, annotations, finalizers, managedFields, resourceVersion, name, namespace, uid } = next.metadata;
    const { managedFields: _, ...had } = previous.metadata;
    next.metadata = {
      ...structuredClone(had),
      ...(labels && !custom && !KEEPS_LABELS.has(resource) && { labels }),
      ...(annotations && !custom && { annotations }),
      ...(finalizers && !custom && { finalizers }),
      ...(managedFields && { managedFields }),
      name,
      ...(namespace && { namespace }),
      ...(uid && { uid }),
      ...(resourceVersion && { resourceVersion }),
    };
  },
  validate: (next, previous, served, warnings) => served.validateStatusUpdate(next, previous, warnings),
};

export function keepField(next: KubeObject, previous: Readonly<KubeObject>, field: string): void {
  if (previous[field] === undefined) delete next[field];
  else next[field] = structuredClone(previous[field]);
}

/** What lies beyond metadata and status is what the generation counts; for nearly all kinds that is `spec`. */
function hasSpecChanged(next: KubeObject, previous: Readonly<KubeObject>): boolean {
  for (const field of new Set([...Object.keys(next), ...Object.keys(previous)])) {
    if (field === "metadata" || field === "status") continue;
    if (!sameJson(next[field], previous[field])) return true;
  }
  return false;
}

export async function update(call: Call, strategy: UpdateStrategy = MAIN): Promise<HomeAnswer> {
  const { served, request, scope, warnings } = call;
  const { name } = request.target;
  const decode = () => {
    const decoded = decodeBody(call);
    matchName(decoded.object, name);
    matchNamespace(decoded.object.metadata, scope.namespace);
    dropDuplicateOwners(decoded.object.metadata, decoded.warnings);
    return decoded;
  };
  const decoded = decode();
  warnings.push(...decoded.warnings);
  let object: KubeObject | undefined = decoded.object;
  let code = 200;
  const json = await commit(call, (writing) => {
    // A try uses its object up.
    const own = object ?? decode().object;
    object = undefined;
    const isThere = writing.tx.get(served.resource, name) !== undefined;
    const isNew = !isThere && strategy === MAIN && CREATED_BY_UPDATE.has(served.resource);
    code = isNew ? 201 : 200;
    if (isNew) return createByUpdate(call, writing, own);
    if (isThere) requireVersion(served, own);
    const change = (current: Readonly<KubeObject>) => {
      checkUid(served, name, own.metadata.uid, current.metadata.uid ?? "");
      return own;
    };
    return updateObject(writing, served, name, change, strategy);
  });
  return textAnswer(code, served.present(json), warnings);
}

/** As upstream's registry does it: who may update it must be allowed to create it too, and no old object can be meant. */
function createByUpdate({ scope, request, served }: Call, writing: Writing, object: KubeObject): string {
  const { metadata } = object;
  authorize(scope, { ...request, verb: "create" });
  checkUid(served, metadata.name, metadata.uid, "");
  delete metadata.resourceVersion;
  return createObject(writing, served, object);
}

function requireVersion({ groupResource, resource, custom }: Served, { metadata }: KubeObject): void {
  if (!(custom || NEEDS_VERSION.has(resource)) || (metadata.resourceVersion && metadata.resourceVersion !== "0"))
    return;
  throw invalid({ group: groupResource.group, kind: groupResource.resource }, metadata.name, [
    fieldInvalid("metadata.resourceVersion", 0, "must be specified for an update"),
  ]);
}

export function matchName(object: KubeObject, name: string): void {
  const given = object.metadata.name;
  if (!given) {
    throw badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`);
  }
  if (given !== name) {
    throw badRequest(`the name of the object (${given}) does not match the name on the URL (${name})`);
  }
}

/**
 * Replaces an object by what `change` makes of it (decoded and defaulted, of the working version, not to be used again by the caller);
 * answers the text. A resourceVersion in it is a precondition. A change that changes nothing writes nothing. The order is upstream's:
 * endpoints/handlers/update.go and patch.go, then registry.Store.Update.
 */
export function updateObject(
  writing: Writing,
  served: Served,
  name: string,
  change: (current: Readonly<KubeObject>) => KubeObject,
  strategy: UpdateStrategy,
): string {
  const { tx, answers } = writing;
  const stored = tx.get(served.resource, name);
  if (!stored) throw notFound(served.groupResource, name);
  const previous = served.current(stored, answers);
  const next = change(previous);
  const { subresource, guise, fieldsAreManaged } = strategy;
  if (!fieldsAreManaged) manageFields(writing, served, subresource, previous, next);
  const { managedFields } = next.metadata;
  const write = { operation: "update" as const, served, subresource, name, object: next, previous, guise };
  write.object = admit(writing, write);
  dropDuplicateOwners(write.object.metadata, writing.warnings, AFTER_ADMISSION);
  checkManagedFields(writing, write.object, managedFields);

  const { object } = write;
  checkVersion(served, name, object, stored);
  keepGeneration(object, previous);
  strategy.keep(object, previous, served, timestampOf(writing.draws.now()));
  keepIdentity(object, previous);
  begin(writing, write);
  const warnings: string[] = [];
  refuseInvalid(served, name, [
    ...validateMeta(served, object.metadata),
    ...validateObjectMetaUpdate(object.metadata, previous.metadata),
    ...strategy.validate(object, previous, served, warnings),
  ]);
  // Of what is refused nobody is warned.
  writing.warnings.push(...warnings);
  validateAdmission(writing, write);

  if (isDeletionComplete(served, object)) return removeObject(writing, served, served.toStored(object, answers));
  // What is stored in another version than it would be now is written anew: so it is migrated.
  if (isUnchanged(object, previous, sameJson) && stored.object.apiVersion === apiVersionOf(served.storage))
    return stored.json;
  const text = served.toStored(object, answers);
  if (writing.dryRun) return objectText(text, stored.revision);
  return tx.put(served.resource, name, (revision) => objectText(text, revision)).json;
}

function checkVersion(served: Served, name: string, { metadata }: KubeObject, stored: Stored): void {
  const version = metadata.resourceVersion;
  if (version && version !== "0" && version !== String(stored.revision)) {
    throw conflict(served.groupResource, name, OBJECT_MODIFIED);
  }
  metadata.resourceVersion = String(stored.revision);
}

/** The uid in what replaces an object is a precondition; in what a patch makes of it, it is a field like others. */
export function checkUid({ groupResource }: Served, name: string, given: string | undefined, actual: string): void {
  if (!given || given === actual) return;
  const why = `Precondition failed: UID in precondition: ${given}, UID in object meta: ${actual}`;
  throw conflict(groupResource, name, why);
}

/** What is the server's own: clients may leave it out, and cannot change it (rest.BeforeUpdate). */
function keepIdentity({ metadata }: KubeObject, { metadata: had }: Readonly<KubeObject>): void {
  metadata.uid ||= had.uid!;
  metadata.creationTimestamp = had.creationTimestamp!;
  if (had.generateName && !metadata.generateName) metadata.generateName = had.generateName;
  if (had.deletionTimestamp) metadata.deletionTimestamp = had.deletionTimestamp;
  if (had.deletionGracePeriodSeconds !== undefined) {
    metadata.deletionGracePeriodSeconds ??= had.deletionGracePeriodSeconds;
  }
}

/** Clients do not say how often an object was changed. */
function keepGeneration({ metadata }: KubeObject, { metadata: { generation } }: Readonly<KubeObject>): void {
  if (generation === undefined) delete metadata.generation;
  else metadata.generation = generation;
}

/** The last finalizer is gone from an object that waited for nothing else. */
const isDeletionComplete = (served: Served, object: KubeObject): boolean =>
  Boolean(object.metadata.deletionTimestamp) &&
  !object.metadata.finalizers?.length &&
  !object.metadata.deletionGracePeriodSeconds &&
  !awaitsContents(served, object);

/** A namespace goes when its contents have: it has finalizers of its own for that, in spec. */
export const awaitsContents = ({ resource }: Served, object: Readonly<KubeObject>): boolean =>
  resource === "namespaces" && (object["spec"]?.finalizers?.length ?? 0) > 0;

/** Takes the object out of the store; answers its last state. */
export function removeObject({ tx, dryRun }: Writing, served: Served, object: KubeObject): string {
  const { name, resourceVersion } = object.metadata;
  if (dryRun) return objectText(object, Number(resourceVersion));
  return tx.remove(served.resource, name, (revision) => objectText(object, revision)).json;
}
