import { sameJson } from "../../api/equality.ts";
import { fieldInvalid } from "../../api/field-error.ts";
import type { KubeObject } from "../../api/object.ts";
import { validateObjectMetaUpdate } from "../../api/object-meta.ts";
import { badRequest, conflict, invalid, notFound, OBJECT_MODIFIED } from "../../api/status.ts";
import { admit } from "../admission/admit.ts";
import { authorize } from "../admission/authorize.ts";
import type { HomeAnswer } from "../protocol.ts";
import type { Stored } from "../store/stored.ts";
import { textAnswer } from "./answer.ts";
import { createObject } from "./create.ts";
import { objectText } from "./object-text.ts";
import { decodeBody, matchNamespace, refuseInvalid, validateMeta } from "./prepare.ts";
import { CREATED_BY_UPDATE, NEEDS_VERSION } from "./put-rules.ts";
import { copyOf, type Writing } from "./scope.ts";
import type { Served } from "./served.ts";
import { commit, type WriteCall } from "./write.ts";

/** How one way of writing treats what the client may not touch by it. */
export interface UpdateStrategy {
  /** As admission is told. */
  readonly subresource: string;
  /** Takes into `next` what this way may not change; changes it in place. */
  keep(next: KubeObject, previous: Readonly<KubeObject>, served: Served): void;
  validate(next: KubeObject, previous: Readonly<KubeObject>, served: Served): ReturnType<typeof validateMeta>;
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
  validate: (next, previous, { rules }) => [
    ...(rules.validate?.(next) ?? []),
    ...(rules.validateUpdate?.(next, previous as KubeObject) ?? []),
  ],
};

/** `status`, and of the metadata what upstream's status strategies let through. */
export const STATUS: UpdateStrategy = {
  subresource: "status",
  keep(next, previous) {
    for (const field of new Set([...Object.keys(next), ...Object.keys(previous)])) {
      if (field !== "status" && field !== "metadata") keepField(next, previous, field);
    }
    const { labels, annotations, finalizers, resourceVersion, name, namespace, uid } = next.metadata;
    next.metadata = {
      ...copyOf(previous).metadata,
      ...(labels && { labels }),
      ...(annotations && { annotations }),
      ...(finalizers && { finalizers }),
      name,
      ...(namespace && { namespace }),
      ...(uid && { uid }),
      ...(resourceVersion && { resourceVersion }),
    };
  },
  validate: (next, previous, { rules }) => rules.validateStatusUpdate?.(next, previous as KubeObject) ?? [],
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

export async function update(call: WriteCall, strategy: UpdateStrategy = MAIN): Promise<HomeAnswer> {
  const { served, request, options, scope } = call;
  const { object, warnings } = decodeBody(served, request.body ?? "", options);
  const { name } = request.target;
  matchName(object, name);
  matchNamespace(object.metadata, scope.namespace);
  // The revision is filled in where the client left it out: a second try must not take it for the client's.
  const fresh = () => ({ ...object, metadata: { ...object.metadata } });
  let code = 200;
  const json = await commit(call, (writing) => {
    const isNew = strategy === MAIN && CREATED_BY_UPDATE.has(served.resource) && !writing.tx.get(served.resource, name);
    code = isNew ? 201 : 200;
    if (isNew) return createByUpdate(call, writing, structuredClone(object));
    if (writing.tx.get(served.resource, name)) requireVersion(served, object);
    return updateObject(writing, served, name, fresh, strategy);
  });
  return textAnswer(code, served.present(json), warnings);
}

/** As upstream's registry does it: who may update it must be allowed to create it too, and no old object can be meant. */
function createByUpdate({ scope, request, served }: WriteCall, writing: Writing, object: KubeObject): string {
  const { metadata } = object;
  authorize(scope, { ...request, verb: "create" });
  checkUid(served, metadata.name, metadata.uid, "");
  delete metadata.resourceVersion;
  return createObject(writing, served, object);
}

function requireVersion({ groupResource, resource }: Served, { metadata }: KubeObject): void {
  if (!NEEDS_VERSION.has(resource) || (metadata.resourceVersion && metadata.resourceVersion !== "0")) return;
  throw invalid({ group: groupResource.group, kind: groupResource.resource }, metadata.name, [
    fieldInvalid("metadata.resourceVersion", 0, "must be specified for an update"),
  ]);
}

export function matchName(object: KubeObject, name: string): void {
  const given = object.metadata.name;
  if (given && given !== name) {
    throw badRequest(`the name of the object (${given}) does not match the name on the URL (${name})`);
  }
  object.metadata.name = name;
}

/**
 * Replaces an object by what `change` makes of it (decoded and defaulted, not to be used again by the caller); answers
 * the text. A resourceVersion in it is a precondition. A change that changes nothing writes nothing.
 */
export function updateObject(
  writing: Writing,
  served: Served,
  name: string,
  change: (current: Stored) => KubeObject,
  strategy: UpdateStrategy,
): string {
  const { tx } = writing;
  const stored = tx.get(served.resource, name);
  if (!stored) throw notFound(served.groupResource, name);
  const previous = stored.object;
  const next = change(stored);
  checkPreconditions(served, name, next, stored);
  strategy.keep(next, previous, served);
  keepIdentity(next, previous);

  admit(writing, { operation: "update", served, subresource: strategy.subresource, name, object: next, previous });

  refuseInvalid(served, name, [
    ...validateMeta(served, next.metadata),
    ...validateObjectMetaUpdate(next.metadata, previous.metadata),
    ...strategy.validate(next, previous, served),
  ]);
  if (isDeletionComplete(served, next)) return removeObject(writing, served, next);
  if (sameJson(next, previous)) return stored.json;
  if (writing.dryRun) return objectText(next, stored.revision);
  return tx.put(served.resource, name, (revision) => objectText(next, revision)).json;
}

function checkPreconditions(served: Served, name: string, { metadata }: KubeObject, stored: Stored): void {
  checkUid(served, name, metadata.uid, stored.object.metadata.uid ?? "");
  const version = metadata.resourceVersion;
  if (version && version !== "0" && version !== String(stored.revision)) {
    throw conflict(served.groupResource, name, OBJECT_MODIFIED);
  }
  metadata.resourceVersion = String(stored.revision);
}

function checkUid({ groupResource }: Served, name: string, given: string | undefined, actual: string): void {
  if (!given || given === actual) return;
  const why = `Precondition failed: UID in precondition: ${given}, UID in object meta: ${actual}`;
  throw conflict(groupResource, name, why);
}

/** What is the server's own: clients may leave it out, and cannot change it (rest.BeforeUpdate). */
function keepIdentity({ metadata }: KubeObject, { metadata: had }: Readonly<KubeObject>): void {
  metadata.uid = had.uid!;
  metadata.creationTimestamp = had.creationTimestamp!;
  if (had.generateName && !metadata.generateName) metadata.generateName = had.generateName;
  if (had.deletionTimestamp) metadata.deletionTimestamp = had.deletionTimestamp;
  if (had.deletionGracePeriodSeconds !== undefined) {
    metadata.deletionGracePeriodSeconds ??= had.deletionGracePeriodSeconds;
  }
  if (had.generation === undefined) delete metadata.generation;
  else metadata.generation = Math.max(metadata.generation ?? 0, had.generation);
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
