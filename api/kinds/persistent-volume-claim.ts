import type { IPersistentVolumeClaimSpec } from "kubernetes-models/v1/PersistentVolumeClaimSpec";
import type { IPersistentVolumeClaimStatus } from "kubernetes-models/v1/PersistentVolumeClaimStatus";
import { sameJson } from "../equality.ts";
import { type FieldError, fieldForbidden } from "../field-error.ts";
import { FieldPath, SPEC } from "../field-path.ts";
import type { KubeObject } from "../object.ts";
import { validateImmutable } from "../object-meta.ts";
import { roundToMilli } from "../pod-template/defaults.ts";
import { canonicalizeQuantity, compareQuantities } from "../quantity.ts";
import { AGE } from "../table.ts";
import { type ClaimSpec, validateClaimSpec } from "./claim-spec.ts";
import { defineKind } from "./define-kind.ts";
import { describeAccessModes } from "./persistent-volume.ts";
import { keepStatus } from "./status.ts";

export interface PersistentVolumeClaimObject extends KubeObject {
  spec: IPersistentVolumeClaimSpec;
  status?: IPersistentVolumeClaimStatus;
}

const REQUEST = SPEC.child("resources").child("requests").child("storage");

/** A wish for storage. */
export const PersistentVolumeClaim = defineKind<PersistentVolumeClaimObject>("v1", "PersistentVolumeClaim", {
  resource: "persistentvolumeclaims",
  columns: [
    {
      name: "Status",
      description: "Whether it is bound.",
      value: ({ metadata, status }) => (metadata.deletionTimestamp ? "Terminating" : (status?.phase ?? "")),
    },
    { name: "Volume", description: "The volume it got.", value: ({ spec }) => spec.volumeName ?? "" },
    {
      name: "Capacity",
      description: "Size of the volume.",
      value: ({ spec, status }) => (spec.volumeName ? canonicalizeQuantity(status?.capacity?.["storage"] ?? "0") : ""),
    },
    {
      name: "Access Modes",
      description: "How many may use it.",
      value: ({ spec, status }) => (spec.volumeName ? describeAccessModes(status?.accessModes) : ""),
    },
    { name: "StorageClass", description: "Its class.", value: ({ spec }) => spec.storageClassName ?? "" },
    {
      name: "VolumeAttributesClass",
      description: "Its class of attributes.",
      value: ({ spec }) => spec.volumeAttributesClassName ?? "<unset>",
    },
    AGE,
    {
      name: "VolumeMode",
      priority: 1,
      description: "Files or blocks.",
      value: ({ spec }) => spec.volumeMode ?? "<unset>",
    },
  ],
  setDefaults({ spec }) {
    if (!spec) return;
    spec.volumeMode ??= "Filesystem";
    roundToMilli(spec.resources?.requests);
    roundToMilli(spec.resources?.limits);
  },
  prepareForCreate(claim) {
    claim.status = { phase: "Pending" };
    normalizeDataSources(claim.spec);
  },
  prepareForUpdate(next, previous) {
    keepStatus(next, previous);
    if (next.spec) normalizeDataSources(next.spec);
  },
  validate({ spec }) {
    const errors: FieldError[] = [];
    validateClaimSpec(spec as ClaimSpec, SPEC, errors);
    return errors;
  },
  validateUpdate({ spec: next, status }, { spec: previous, status: before }) {
    const errors: FieldError[] = [];
    const comparable: IPersistentVolumeClaimSpec = { ...next };
    // Binding names the volume, once; a class may be said where none was.
    if (!previous.volumeName) comparable.volumeName = previous.volumeName;
    if (previous.storageClassName === undefined) delete comparable.storageClassName;
    if (status?.phase === "Bound") {
      comparable.resources = previous.resources;
      comparable.volumeAttributesClassName = previous.volumeAttributesClassName;
    }
    if (!sameJson(comparable, previous)) {
      const why =
        "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";
      errors.push(fieldForbidden(SPEC, why));
    }
    const [is, was] = [next.resources?.requests?.["storage"] ?? "0", previous.resources?.requests?.["storage"] ?? "0"];
    if (compareQuantities(is, was) < 0 && compareQuantities(is, before?.capacity?.["storage"] ?? "0") <= 0) {
      errors.push(fieldForbidden(REQUEST, "field can not be less than status.capacity"));
    }
    validateImmutable(next.volumeMode, previous.volumeMode, FieldPath.of("volumeMode"), errors);
    return errors;
  },
});

/** The older of two names for the same thing is filled from the newer, and the other way round (strategy NormalizeDataSources). */
function normalizeDataSources(spec: IPersistentVolumeClaimSpec): void {
  const { dataSource, dataSourceRef } = spec;
  if (dataSource && !dataSourceRef) spec.dataSourceRef = { ...dataSource };
  else if (dataSourceRef && !dataSource && !dataSourceRef.namespace) {
    const { namespace: _, ...local } = dataSourceRef;
    spec.dataSource = local;
  }
}
