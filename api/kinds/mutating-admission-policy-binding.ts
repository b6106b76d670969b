import type { PolicyBindingObject } from "../admission/policies.ts";
import { setBindingDefaults, validateMutatingBinding } from "./admission-policy-bindings.ts";
import { defineKind } from "./define-kind.ts";
import { policyBindingColumns } from "./policy-columns.ts";

/** Where a MutatingAdmissionPolicy holds. */
export const MutatingAdmissionPolicyBinding = defineKind<PolicyBindingObject>(
  "admissionregistration.k8s.io/v1",
  "MutatingAdmissionPolicyBinding",
  {
    resource: "mutatingadmissionpolicybindings",
    namespaced: false,
    columns: policyBindingColumns,
    setDefaults: setBindingDefaults,
    validate: validateMutatingBinding,
    hasGeneration: true,
  },
);
