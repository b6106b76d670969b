import { checkSubdomain } from "../field-checks.ts";
import { type FieldError, fieldInvalid } from "../field-error.ts";
import { FieldPath } from "../field-path.ts";
import type { KubeObject } from "../object.ts";
import { validateImmutable } from "../object-meta.ts";
import { parseQuantity } from "../quantity.ts";
import { type LabelSelector, validateLabelSelector } from "../selector.ts";
import { defineKind } from "./define-kind.ts";

export interface CSIStorageCapacityObject extends KubeObject {
  storageClassName: string;
  capacity?: string;
  maximumVolumeSize?: string;
  nodeTopology?: LabelSelector;
}

/** How much room there is for volumes of a class. */
export const CSIStorageCapacity = defineKind<CSIStorageCapacityObject>("storage.k8s.io/v1", "CSIStorageCapacity", {
  resource: "csistoragecapacities",
  validate(room) {
    const errors: FieldError[] = [];
    checkSubdomain(room.storageClassName ?? "", FieldPath.of("storageClassName"), errors);
    validateLabelSelector(room.nodeTopology, FieldPath.of("nodeTopology"), errors);
    for (const field of ["capacity", "maximumVolumeSize"] as const) {
      const size = room[field];
      if (size === undefined || parseQuantity(size).nanos >= 0n) continue;
      errors.push(fieldInvalid(field, size, "must be greater than or equal to 0"));
    }
    return errors;
  },
  validateUpdate(next, previous) {
    const errors: FieldError[] = [];
    for (const field of ["nodeTopology", "storageClassName"] as const) {
      validateImmutable(next[field], previous[field], FieldPath.of(field), errors);
    }
    return errors;
  },
});
