import type { ValidatingPolicyObject } from "../admission/policies.ts";
import { setPolicyDefaults, validateValidatingPolicy, validateValidatingPolicyStatus } from "./admission-policies.ts";
import { defineKind } from "./define-kind.ts";
import { policyColumns } from "./policy-columns.ts";

/** Rules in CEL that refuse requests. */
export const ValidatingAdmissionPolicy = defineKind<ValidatingPolicyObject>(
  "admissionregistration.k8s.io/v1",
  "ValidatingAdmissionPolicy",
  {
    resource: "validatingadmissionpolicies",
    namespaced: false,
    columns: policyColumns("Validations", "validations"),
    setDefaults: setPolicyDefaults,
    validate: validateValidatingPolicy,
    validateStatusUpdate: validateValidatingPolicyStatus,
    hasGeneration: true,
  },
);
