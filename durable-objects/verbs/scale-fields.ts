import { readManagers, writeManagers } from "../../api/managed-fields/entries.ts";
import type { ManagedKind } from "../../api/managed-fields/managed-kind.ts";
import { managersAfterScale, type ReplicasPath, scaleManagers } from "../../api/managed-fields/scale-fields.ts";
import { managedFieldsOfUpdate, storedManagers } from "../../api/managed-fields/update.ts";
import type { KubeObject } from "../../api/object.ts";
import { type Shape, shapeOfBuiltIn } from "../../api/schema/shape.ts";
import type { Catalog } from "../catalog/catalog.ts";
import { fieldWriterOf, kindInVersion, splitApiVersion } from "./managed-fields.ts";
import type { Writing } from "./scope.ts";
import type { Served } from "./served.ts";

export const SCALE_GVK = { group: "autoscaling", version: "v1", kind: "Scale" };
const SCALE_VERSION = "autoscaling/v1";
export const SCALE_SUBRESOURCE = "scale";

/** A Scale as managed fields see it. Its one version is as old as the program. */
export const SCALE_KIND: ManagedKind = {
  kind: SCALE_GVK.kind,
  apiVersion: SCALE_VERSION,
  schemaMayChange: false,
  shapeIn: (apiVersion): Shape | undefined => (apiVersion === SCALE_VERSION ? shapeOfBuiltIn(SCALE_GVK) : undefined),
  convert: (object) => object,
  withoutReset: (set) => set,
};

/** Where each version of a kind has its replicas. */
function replicasPath(served: Served, catalog: Catalog): ReplicasPath {
  return (apiVersion) => {
    const { group, version } = splitApiVersion(apiVersion);
    if (served.custom) {
      const custom = group === served.info.group ? catalog.custom(group, version, served.info.resource) : undefined;
      return custom && elementsOf(custom.rules.scale?.specReplicas);
    }
    return kindInVersion(served, apiVersion) && elementsOf(served.rules.scale?.specReplicas);
  };
}

const elementsOf = (path: string | undefined): string[] => path?.split(".").map((name) => `f:${name}`) ?? [];

/** An object's Scale with its part of the object's managed fields. */
export function withScaleFields(
  writing: Writing,
  served: Served,
  scale: KubeObject,
  object: Readonly<KubeObject>,
): KubeObject {
  const managers = scaleManagers(
    storedManagers(object.metadata.managedFields),
    replicasPath(served, writing.scope.catalog),
  );
  const managedFields = writeManagers(managers);
  return managedFields ? { ...scale, metadata: { ...scale.metadata, managedFields } } : scale;
}

/** The managed fields of a Scale that was written by anything but an apply. */
export const scaleFieldsOfUpdate = (
  writing: Writing,
  live: Readonly<KubeObject>,
  next: Readonly<KubeObject>,
): unknown[] | undefined => managedFieldsOfUpdate(SCALE_KIND, live, next, fieldWriterOf(writing, SCALE_SUBRESOURCE));

/** The managed fields of an object whose Scale was written and has these now. */
export function fieldsAfterScale(
  writing: Writing,
  served: Served,
  object: Readonly<KubeObject>,
  scaleFields: unknown[] | undefined,
): unknown[] | undefined {
  const managers = storedManagers(object.metadata.managedFields);
  const scale = readManagers(scaleFields, true);
  const pathIn = replicasPath(served, writing.scope.catalog);
  return writeManagers(managersAfterScale(managers, scale, served.apiVersion, pathIn));
}
