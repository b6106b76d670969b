import { sameJson } from "../../api/equality.ts";
import type { FieldError } from "../../api/field-error.ts";
import type { KubeObject, ObjectMeta, OwnerReference, User } from "../../api/object.ts";
import { validateFinalizerNames, validateObjectMeta } from "../../api/object-meta.ts";
import type { Decoded } from "../../api/schema/decode.ts";
import { badRequest, invalid } from "../../api/status.ts";
import type { Call } from "./scope.ts";
import type { Served } from "./served.ts";

/** Resources whose creator may say the status: a node registers with it. */
const STATUS_ON_CREATE = new Set(["nodes"]);

/** The request's object with all defaults, in the working version. Each call makes it anew. */
export function decodeBody({ served, request, options }: Pick<Call, "served" | "request" | "options">): Decoded {
  const { object, warnings } = served.decodeText(request.body ?? "", options.fieldValidation);
  return { object: served.complete(object), warnings };
}

/** What no client may say of an object that is yet to be (rest.WipeObjectMetaSystemFields). */
export function wipeSystemFields(metadata: ObjectMeta): void {
  delete metadata.uid;
  delete metadata.creationTimestamp;
  delete metadata.deletionTimestamp;
  delete metadata.deletionGracePeriodSeconds;
}

/** An owner counts once, however often it is named; whoever names it twice is warned. `when`: empty, or how it came about. */
export function dropDuplicateOwners(metadata: ObjectMeta, warnings: string[], when = ""): void {
  const owners = metadata.ownerReferences;
  if (!owners || owners.length < 2) return;
  const uids = new Set<string>();
  const duplicates: string[] = [];
  const kept: OwnerReference[] = [];
  for (const owner of owners) {
    if (uids.has(owner.uid) && kept.some((other) => sameJson(other, owner))) duplicates.push(owner.uid);
    else kept.push(owner);
    uids.add(owner.uid);
  }
  if (duplicates.length === 0) return;
  metadata.ownerReferences = kept;
  warnings.push(
    `.metadata.ownerReferences contains duplicate entries${when}; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ${duplicates.join(", ")}`,
  );
}

export const AFTER_ADMISSION = " after mutating admission happens";

/** What the kind's strategy takes away of an object that is yet to be, and adds to it (rest.BeforeCreate). */
export function resetForCreate({ rules, hasStatus, resource }: Served, object: KubeObject, user: User): void {
  if (hasStatus && !STATUS_ON_CREATE.has(resource)) delete object["status"];
  const { metadata } = object;
  delete metadata.resourceVersion;
  if (rules.hasGeneration) metadata.generation = 1;
  else delete metadata.generation;
  rules.prepareForCreate?.(object, user);
}

/** Sets the namespace where the object leaves it out. @throws ApiError BadRequest where it names another. */
export function matchNamespace(meta: ObjectMeta, namespace: string): void {
  if (namespace === "") delete meta.namespace;
  else if (!meta.namespace) meta.namespace = namespace;
  else if (meta.namespace !== namespace) {
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  }
}

export const validateMeta = ({ info, rules }: Served, meta: ObjectMeta): FieldError[] =>
  validateObjectMeta(meta, {
    namespaced: info.namespaced,
    ...(rules.nameRule && { nameRule: rules.nameRule }),
  });

/** Whose strategies check metadata as they do any object's, not as Kubernetes' own. */
const GENERIC_GROUPS = new Set(["admissionregistration.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io"]);

/** As `validateMeta`, of an object that is yet to be. */
export const validateNewMeta = (served: Served, meta: ObjectMeta): FieldError[] => [
  ...validateMeta(served, meta),
  ...(served.custom || GENERIC_GROUPS.has(served.info.group) ? [] : validateFinalizerNames(meta)),
];

export function refuseInvalid({ info: { group, kind } }: Served, name: string, errors: FieldError[]): void {
  if (errors.length > 0) throw invalid({ group, kind }, name, errors);
}
