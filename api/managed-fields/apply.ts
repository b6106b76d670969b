import { equalJson, isObject, type JsonObject } from "../json-value.ts";
import type { KubeObject } from "../object.ts";
import { badRequest, unknownError } from "../status.ts";
import { fieldSetOf } from "./applied-fields.ts";
import { checkShape, ShapeError } from "./check-shape.ts";
import { applyConflict } from "./conflict.ts";
import { identityOf, type ManagedEntry, type Managers, writeManagers } from "./entries.ts";
import { difference, type FieldSet } from "./field-set.ts";
import { KUBECTL, lastAppliedOf, mayTakeFrom, withLastApplied } from "./last-applied.ts";
import { emptyObject, type FieldWriter, type ManagedKind } from "./managed-kind.ts";
import { mergeApplied } from "./merge-applied.ts";
import { changeOwnership, type OwnershipChange, reconcileManagers, withoutSystemFields } from "./ownership.ts";
import { NoPathElement } from "./path-element.ts";
import { prune } from "./prune.ts";
import { storedManagers, updateManagers } from "./update.ts";

/** Owns what was there before the first apply, if nobody was noted then. */
const BEFORE_FIRST_APPLY = "before-first-apply";

/**
 * Server-side apply (KEP-555; managedfields.FieldManager.Apply): the live object with what the configuration says, and without
 * what the manager applied before and now leaves out; with its managedFields, in the kind's version, neither decoded nor
 * defaulted. It shares parts with both. `live` is undefined where there is nothing yet.
 * @throws ApiError 409 where others own fields that would change (unless `force`), 400 for a configuration of another type, 500 in
 *   upstream's words for one that does not have the kind's shape
 */
export function applyConfiguration(
  kind: ManagedKind,
  live: Readonly<KubeObject> | undefined,
  config: JsonObject,
  writer: FieldWriter,
  force: boolean,
): JsonObject {
  checkConfiguration(kind, config);
  const shape = kind.shapeIn(kind.apiVersion)!;
  const before = withoutManagedFields((live ?? emptyObject(kind)) as JsonObject);
  let managers = storedManagers(live?.metadata.managedFields);
  const attempt = (forced: boolean) => merge(kind, before, config, managers, writer, forced);
  let outcome: Merged;
  try {
    if (managers.size === 0 && live) {
      const first = { ...writer, manager: BEFORE_FIRST_APPLY };
      managers = updateManagers(kind, emptyObject(kind), before, managers, first) ?? managers;
    }
    checkShape(config, shape);
    outcome = attempt(force);
    if (outcome.taken.size > 0 && !force) {
      const refused = mayTakeFrom(kind, writer.manager, before, outcome.taken);
      if (refused.size > 0) throw applyConflict(refused);
      outcome = attempt(true);
    }
  } catch (error) {
    throw shapeFailure(error, config);
  }
  let { object } = outcome;
  const changed = live === undefined || !equalJson(object, before);
  const identity = identityOf(applierOf(kind, writer));
  const entry = outcome.managers.get(identity);
  const previous = managers.get(identity);
  if (entry && !changed) outcome.managers.set(identity, { ...entry, time: previous?.time });
  if (writer.manager === KUBECTL && lastAppliedOf(object) !== undefined) object = withLastApplied(object, config);
  const managedFields = writeManagers(outcome.managers);
  const metadata = { ...(object["metadata"] as JsonObject), ...(managedFields && { managedFields }) };
  return { ...object, metadata };
}

interface Merged extends Pick<OwnershipChange, "taken"> {
  object: JsonObject;
  managers: Map<string, ManagedEntry>;
}

const applierOf = ({ apiVersion }: ManagedKind, { manager, subresource, time }: FieldWriter) => ({
  manager: manager || "unknown",
  operation: "Apply" as const,
  apiVersion,
  subresource,
  time,
});

/** One try: merges, prunes and sees whom that costs fields. Unforced, the result is of use only if that is nobody. */
function merge(
  kind: ManagedKind,
  before: JsonObject,
  config: JsonObject,
  given: Managers,
  writer: FieldWriter,
  force: boolean,
): Merged {
  const shape = kind.shapeIn(kind.apiVersion)!;
  const managers = new Map(reconcileManagers(kind, given));
  let object: JsonObject;
  try {
    object = mergeApplied(before, config, shape);
  } catch (error) {
    throw error instanceof ShapeError ? unknownError(`failed to merge config: ${error.message}`) : error;
  }
  const applier = applierOf(kind, writer);
  const identity = identityOf(applier);
  const last = managers.get(identity);
  const fields = kind.withoutReset(fieldSetOf(config, shape));
  managers.set(identity, { ...applier, fields });
  if (last?.fields && letsGo(kind, last, fields)) object = prune(kind, object, managers, last);
  const { managers: left, taken } = changeOwnership(kind, before, object, managers, identity);
  const owned = withoutSystemFields(fields);
  if (owned) left.set(identity, { ...applier, fields: owned });
  else left.delete(identity);
  return { object, managers: left, taken: force ? new Map() : taken };
}

/** Whether the applier may own less than it did; of another version nothing is known. */
const letsGo = (kind: ManagedKind, last: ManagedEntry, fields: FieldSet | undefined): boolean =>
  last.apiVersion !== kind.apiVersion || difference(last.fields, fields) !== undefined;

function withoutManagedFields(object: JsonObject): JsonObject {
  const { metadata } = object;
  if (!isObject(metadata) || !Object.hasOwn(metadata, "managedFields")) return object;
  const { managedFields: _, ...rest } = metadata;
  return { ...object, metadata: rest };
}

function checkConfiguration({ apiVersion, kind }: ManagedKind, config: JsonObject): void {
  const given = { apiVersion: textOf(config["apiVersion"]), kind: textOf(config["kind"]) };
  if (given.apiVersion !== apiVersion || given.kind !== kind) {
    throw badRequest(`invalid object type: ${goGvk(given.apiVersion, given.kind)}`);
  }
  const { metadata } = config;
  const managedFields = isObject(metadata) ? metadata["managedFields"] : undefined;
  if (Array.isArray(managedFields)) throw badRequest("metadata.managedFields must be nil");
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");

/** `apps/v1, Kind=Deployment`; of the core group `/v1, Kind=Pod`. */
const goGvk = (apiVersion: string, kind: string): string =>
  `${apiVersion.includes("/") ? apiVersion : `/${apiVersion}`}, Kind=${kind}`;

function shapeFailure(error: unknown, config: JsonObject): unknown {
  if (!(error instanceof ShapeError) && !(error instanceof NoPathElement)) return error;
  const metadata = isObject(config["metadata"]) ? config["metadata"] : {};
  const name = `${textOf(metadata["namespace"])}/${textOf(metadata["name"])}`;
  const type = goGvk(textOf(config["apiVersion"]), textOf(config["kind"]));
  return unknownError(`failed to create typed patch object (${name}; ${type}): ${error.message}`);
}
