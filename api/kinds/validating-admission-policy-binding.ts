import type { PolicyBindingObject } from "../admission/policies.ts";
import { setBindingDefaults, validateValidatingBinding } from "./admission-policy-bindings.ts";
import { defineKind } from "./define-kind.ts";
import { policyBindingColumns } from "./policy-columns.ts";

/** Where a ValidatingAdmissionPolicy holds. */
export const ValidatingAdmissionPolicyBinding = defineKind<PolicyBindingObject>(
  "admissionregistration.k8s.io/v1",
  "ValidatingAdmissionPolicyBinding",
  {
    resource: "validatingadmissionpolicybindings",
    namespaced: false,
    columns: policyBindingColumns,
    setDefaults: setBindingDefaults,
    validate: validateValidatingBinding,
    hasGeneration: true,
  },
);
