import { defineKind } from "./define-kind.ts";
import { type AdmissionPolicyObject, policyColumns } from "./policy-columns.ts";

/** Rules in CEL that refuse requests. */
export const ValidatingAdmissionPolicy = defineKind<AdmissionPolicyObject>(
  "admissionregistration.k8s.io/v1",
  "ValidatingAdmissionPolicy",
  {
    resource: "validatingadmissionpolicies",
    namespaced: false,
    columns: policyColumns("Validations", "validations"),
    hasGeneration: true,
  },
);
