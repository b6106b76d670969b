import type { IPersistentVolumeClaimSpec } from "kubernetes-models/v1/PersistentVolumeClaimSpec";
import type { IPersistentVolumeClaimStatus } from "kubernetes-models/v1/PersistentVolumeClaimStatus";
import { sameJson } from "../equality.ts";
import { checkSubdomain, checkSupported } from "../field-checks.ts";
import { type FieldError, fieldForbidden, fieldInvalid, fieldRequired } from "../field-error.ts";
import { FieldPath, SPEC } from "../field-path.ts";
import type { KubeObject } from "../object.ts";
import { validateImmutable } from "../object-meta.ts";
import { roundToMilli } from "../pod-template/defaults.ts";
import { checkQuantity } from "../pod-template/resources.ts";
import { canonicalizeQuantity, compareQuantities, parseQuantity } from "../quantity.ts";
import { validateLabelSelector } from "../selector.ts";
import { AGE } from "../table.ts";
import { defineKind } from "./define-kind.ts";
import { describeAccessModes, validateAccessModes } from "./persistent-volume.ts";
import { keepStatus } from "./status.ts";

export interface PersistentVolumeClaimObject extends KubeObject {
  spec: IPersistentVolumeClaimSpec;
  status?: IPersistentVolumeClaimStatus;
}

const STORAGE = SPEC.child("resources").key("storage");
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
  },
  prepareForUpdate: keepStatus,
  validate({ spec }) {
    const errors: FieldError[] = [];
    validateAccessModes(spec.accessModes, SPEC.child("accessModes"), errors);
    validateLabelSelector(spec.selector, SPEC.child("selector"), errors);
    const size = spec.resources?.requests?.["storage"];
    if (size === undefined) errors.push(fieldRequired(STORAGE));
    else if (checkQuantity("storage", size, STORAGE, errors) && parseQuantity(size).nanos <= 0n) {
      errors.push(fieldInvalid(STORAGE, size, "must be greater than zero"));
    }
    if (spec.storageClassName) checkSubdomain(spec.storageClassName, SPEC.child("storageClassName"), errors);
    if (spec.volumeMode) checkSupported(spec.volumeMode, ["Block", "Filesystem"], SPEC.child("volumeMode"), errors);
    return errors;
  },
  validateUpdate({ spec: next, status }, { spec: previous, status: before }) {
    const errors: FieldError[] = [];
    const comparable: IPersistentVolumeClaimSpec = {
      ...next,
      volumeAttributesClassName: previous.volumeAttributesClassName,
    };
    // Binding names the volume, once; a class may be said where none was.
    if (!previous.volumeName) comparable.volumeName = previous.volumeName;
    if (previous.storageClassName === undefined) delete comparable.storageClassName;
    if (status?.phase === "Bound") comparable.resources = previous.resources;
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
