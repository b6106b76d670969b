import type { ILeaseSpec } from "kubernetes-models/coordination.k8s.io/v1/LeaseSpec";
import { type FieldError, fieldInvalid } from "../field-error.ts";
import { SPEC } from "../field-path.ts";
import type { KubeObject } from "../object.ts";
import { validateNonNegative } from "../object-meta.ts";
import { defineKind } from "./define-kind.ts";

export interface LeaseObject extends KubeObject {
  spec: ILeaseSpec;
}

/** Who holds what, until when: leaders and heartbeats. */
export const Lease = defineKind<LeaseObject>("coordination.k8s.io/v1", "Lease", {
  resource: "leases",
  columns: [{ name: "Holder", description: "Who holds it.", value: ({ spec }) => spec?.holderIdentity ?? "" }],
  validate({ spec = {} }) {
    const errors: FieldError[] = [];
    if (typeof spec.leaseDurationSeconds === "number" && spec.leaseDurationSeconds <= 0) {
      errors.push(
        fieldInvalid(SPEC.child("leaseDurationSeconds"), spec.leaseDurationSeconds, "must be greater than 0"),
      );
    }
    validateNonNegative(spec.leaseTransitions, SPEC.child("leaseTransitions"), errors);
    return errors;
  },
});
