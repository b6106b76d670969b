import { equalJson, type JsonObject } from "../../api/json-value.ts";
import type { KindInfo } from "../../api/kind.ts";
import { apiVersionOf } from "../../api/kinds/define-kind.ts";
import { findKind } from "../../api/kinds.ts";
import { BadManagedFields, readManagers, writeManagers } from "../../api/managed-fields/entries.ts";
import type { FieldWriter, ManagedKind } from "../../api/managed-fields/managed-kind.ts";
import { NoPathElement } from "../../api/managed-fields/path-element.ts";
import { resetFilterOf } from "../../api/managed-fields/reset-fields.ts";
import { managedFieldsOfUpdate } from "../../api/managed-fields/update.ts";
import type { KubeObject } from "../../api/object.ts";
import { convert } from "../../api/schema/convert.ts";
import { shapeOfBuiltIn } from "../../api/schema/shape.ts";
import { timestampOf, type Writing } from "./scope.ts";
import type { Served } from "./served.ts";

/** metadata.managedFields within the verbs: who changed what (KEP-555), noted on every write that is not an apply. */

const builtIn = new WeakMap<Served, Map<string, ManagedKind>>();

/** A served kind as managed fields see it, written through the object itself (`subresource` empty) or a subresource. */
export function managedKindOf(writing: Writing, served: Served, subresource: string): ManagedKind {
  if (served.custom) return customKind(writing, served, subresource);
  let kinds = builtIn.get(served);
  if (!kinds) {
    kinds = new Map();
    builtIn.set(served, kinds);
  }
  let kind = kinds.get(subresource);
  if (!kind) {
    kind = builtInKind(served, subresource);
    kinds.set(subresource, kind);
  }
  return kind;
}

function builtInKind(served: Served, subresource: string): ManagedKind {
  const { info, apiVersion, hasStatus } = served;
  return {
    kind: info.kind,
    apiVersion,
    schemaMayChange: false,
    withoutReset: resetFilterOf(info, subresource, { hasStatus, isCustom: false }),
    shapeIn(version) {
      const inVersion = version === apiVersion ? info : kindInVersion(served, version);
      return inVersion && shapeOfBuiltIn(inVersion);
    },
    convert(object, version) {
      const to = object["apiVersion"] === version ? undefined : kindInVersion(served, version);
      return to ? (convert(structuredClone(object) as unknown as KubeObject, to) as unknown as JsonObject) : object;
    },
  };
}

function customKind({ scope: { catalog }, answers }: Writing, served: Served, subresource: string): ManagedKind {
  const { info, apiVersion, hasStatus } = served;
  const inVersion = (version: string) => {
    const { group, version: name } = splitApiVersion(version);
    return group === info.group ? catalog.custom(group, name, info.resource) : undefined;
  };
  let conversions = 0;
  return {
    kind: info.kind,
    apiVersion,
    schemaMayChange: true,
    withoutReset: resetFilterOf(info, subresource, { hasStatus, isCustom: true }),
    shapeIn: (version) => (version === apiVersion ? served.shape : inVersion(version)?.shape),
    convert(object, version) {
      const to = object["apiVersion"] === version ? undefined : inVersion(version)?.info;
      if (!to || !served.inVersion) return object;
      // Each try of a write makes the same conversions in the same order.
      const about = `managed fields ${conversions++}`;
      return served.inVersion(object as unknown as KubeObject, to, answers, about) as unknown as JsonObject;
    },
  };
}

export function splitApiVersion(apiVersion: string): { group: string; version: string } {
  const slash = apiVersion.indexOf("/");
  return { group: slash < 0 ? "" : apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) };
}

/** A built-in kind in another of its versions; undefined where that is not served. */
export function kindInVersion({ info: { resource, kind } }: Served, apiVersion: string): KindInfo | undefined {
  const { group, version } = splitApiVersion(apiVersion);
  const info = findKind(group, version, resource);
  return info?.kind === kind ? info : undefined;
}

/** Whose fields a write's are, by what the write goes through. */
export const fieldWriterOf = ({ manager, draws }: Writing, subresource: string): FieldWriter => ({
  manager,
  subresource,
  time: timestampOf(draws.now()),
});

/** An object of the working version in the version that the request speaks; the same one where they are one. */
export function inRequestVersion(served: Served, object: Readonly<KubeObject>): Readonly<KubeObject> {
  if (apiVersionOf(served.working) === served.apiVersion) return object;
  const { managedFields } = object.metadata;
  const converted = served.asInfo(object);
  if (managedFields) converted.metadata.managedFields = managedFields;
  return converted;
}

/** Notes in `next` what this write changes of `previous` (undefined: it is created). Both are of the working version. */
export function manageFields(
  writing: Writing,
  served: Served,
  subresource: string,
  previous: Readonly<KubeObject> | undefined,
  next: KubeObject,
): void {
  const kind = managedKindOf(writing, served, subresource);
  let managedFields: unknown[] | undefined;
  try {
    managedFields = managedFieldsOfUpdate(
      kind,
      previous && inRequestVersion(served, previous),
      inRequestVersion(served, next),
      fieldWriterOf(writing, subresource),
    );
  } catch (error) {
    // Lists whose elements have no keys: of such an object nothing is noted, upstream neither.
    if (!(error instanceof NoPathElement)) throw error;
  }
  setManagedFields(next, managedFields);
}

function setManagedFields({ metadata }: KubeObject, managedFields: unknown[] | undefined): void {
  if (managedFields) metadata.managedFields = managedFields;
  else delete metadata.managedFields;
}

/** What admission made of the managed fields is brought into order, or undone with a warning where it makes none. */
export function checkManagedFields(writing: Writing, object: KubeObject, before: unknown[] | undefined): void {
  const { managedFields } = object.metadata;
  if (managedFields === before) return;
  if (equalJson(managedFields, before)) {
    setManagedFields(object, before);
    return;
  }
  try {
    setManagedFields(object, writeManagers(readManagers(managedFields, false)));
  } catch (error) {
    if (!(error instanceof BadManagedFields)) throw error;
    setManagedFields(object, before);
    writing.warnings.push(
      `.metadata.managedFields was in an invalid state after admission; this could be caused by an outdated mutating admission controller; please fix your requests: ${error.message}`,
    );
  }
}

/** The entries but for their times. (That leaves of FieldsV1 are empty objects has a meaning here: `sameJson` does not see it.) */
function equalButForTimes(a: readonly unknown[] | undefined, b: readonly unknown[] | undefined): boolean {
  if (a === b) return true;
  if (a?.length !== b?.length || !a || !b) return false;
  return a.every((entry, i) =>
    equalJson({ ...(entry as JsonObject), time: "" }, { ...(b[i] as JsonObject), time: "" }),
  );
}

/**
 * Whether a write changes nothing by `isSame`: times at which managers set what was there already do not count. They are as before
 * then.
 */
export function isUnchanged(
  object: KubeObject,
  previous: Readonly<KubeObject>,
  isSame: (a: unknown, b: unknown) => boolean,
): boolean {
  const { managedFields } = object.metadata;
  const had = previous.metadata.managedFields;
  if (!equalButForTimes(managedFields, had)) return false;
  setManagedFields(object, had);
  if (isSame(object, previous)) return true;
  setManagedFields(object, managedFields);
  return false;
}

/** The manager of writes of our own, by who makes them: the programs that do it upstream. */
export function managerOfUser(name: string): string {
  if (name.startsWith("system:node:")) return "kubelet";
  if (name === "system:kube-scheduler") return "kube-scheduler";
  if (name.startsWith("system:serviceaccount:kube-system:")) return "kube-controller-manager";
  return "kube-apiserver";
}
