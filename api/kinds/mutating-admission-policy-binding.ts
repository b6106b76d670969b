import { defineKind } from "./define-kind.ts";
import { type AdmissionPolicyBindingObject, policyBindingColumns } from "./policy-columns.ts";

/** Where a MutatingAdmissionPolicy holds. */
export const MutatingAdmissionPolicyBinding = defineKind<AdmissionPolicyBindingObject>(
  "admissionregistration.k8s.io/v1",
  "MutatingAdmissionPolicyBinding",
  {
    resource: "mutatingadmissionpolicybindings",
    namespaced: false,
    columns: policyBindingColumns,
    hasGeneration: true,
  },
);
