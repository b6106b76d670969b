import { equalJson, isObject, type Json, type JsonObject } from "../json-value.ts";
import type { KubeObject } from "../object.ts";
import {
  BadManagedFields,
  capUpdateManagers,
  identityOf,
  type Managers,
  readManagers,
  writeManagers,
} from "./entries.ts";
import { emptyObject, type FieldWriter, type ManagedKind } from "./managed-kind.ts";
import { changeOwnership, giveFields, reconcileManagers } from "./ownership.ts";

/**
 * The managedFields of an object that is written by anything but an apply: whoever changes a field owns it from then on, and
 * nobody else does (managedfields.FieldManager.Update). `before` is undefined for a new object. Both are in the kind's version and
 * left as they are; `after.metadata.managedFields` is what the client sent. The same array where nothing has changed.
 * @throws NoPathElement where an object is not of its kind's shape: upstream keeps no managed fields then
 */
export function managedFieldsOfUpdate(
  kind: ManagedKind,
  before: Readonly<KubeObject> | undefined,
  after: Readonly<KubeObject>,
  writer: FieldWriter,
): unknown[] | undefined {
  const had = before?.metadata.managedFields;
  const managers = managersOf(had, after.metadata.managedFields, writer.subresource);
  // Whose fields were not kept from the beginning has none that are: until somebody applies it.
  if (managers.size === 0 && before) return undefined;
  const left = updateManagers(
    kind,
    (before ?? emptyObject(kind)) as JsonObject,
    after as unknown as JsonObject,
    managers,
    writer,
  );
  return left === undefined && managers === storedManagers(had) ? had : writeManagers(left ?? managers);
}

/** Entries that the server wrote, read once for each array. */
const trusted = new WeakMap<readonly unknown[], Managers>();
const NO_MANAGERS: Managers = new Map();

/** The entries of a stored object. */
export function storedManagers(managedFields: readonly unknown[] | undefined): Managers {
  if (!managedFields || managedFields.length === 0) return NO_MANAGERS;
  let managers = trusted.get(managedFields);
  if (!managers) {
    managers = readOrNone(managedFields, true);
    trusted.set(managedFields, managers);
  }
  return managers;
}

/** A client may write entries itself, or reset them (`[]`, `[{}]`); what is no good, or nothing, is as if it had not been sent. */
function managersOf(
  had: readonly unknown[] | undefined,
  sent: readonly unknown[] | null | undefined,
  subresource: string,
) {
  if (sent === undefined || sent === null || subresource !== "" || equalJson(sent, had)) return storedManagers(had);
  if (isReset(sent)) return NO_MANAGERS;
  const managers = readOrNone(sent, false);
  return managers.size > 0 ? managers : storedManagers(had);
}

function readOrNone(managedFields: readonly unknown[], isTrusted: boolean): Managers {
  try {
    return readManagers(managedFields, isTrusted);
  } catch (error) {
    if (error instanceof BadManagedFields) return NO_MANAGERS;
    throw error;
  }
}

const isReset = (sent: readonly Json[]): boolean =>
  sent.length === 0 || (sent.length === 1 && isObject(sent[0]) && Object.keys(sent[0]).length === 0);

/** The entries after an update; undefined where they are as before. */
export function updateManagers(
  kind: ManagedKind,
  before: JsonObject,
  after: JsonObject,
  managers: Managers,
  { manager, subresource, time }: FieldWriter,
): Managers | undefined {
  const reconciled = kind.schemaMayChange ? reconcileManagers(kind, managers) : managers;
  const { managers: left, comparison } = changeOwnership(kind, before, after, reconciled);
  if (!comparison.changed && !comparison.removed && reconciled === managers && left.size === managers.size) {
    return undefined;
  }
  if (comparison.changed) {
    const entry = {
      manager: manager || "unknown",
      operation: "Update" as const,
      apiVersion: kind.apiVersion,
      subresource,
      time,
    };
    giveFields(left, identityOf(entry), entry, comparison.changed);
  }
  capUpdateManagers(left);
  return left;
}
