import { defineKind } from "./define-kind.ts";
import { type AdmissionPolicyBindingObject, policyBindingColumns } from "./policy-columns.ts";

/** Where a ValidatingAdmissionPolicy holds. */
export const ValidatingAdmissionPolicyBinding = defineKind<AdmissionPolicyBindingObject>(
  "admissionregistration.k8s.io/v1",
  "ValidatingAdmissionPolicyBinding",
  {
    resource: "validatingadmissionpolicybindings",
    namespaced: false,
    columns: policyBindingColumns,
    hasGeneration: true,
  },
);
