import { defineKind } from "./define-kind.ts";
import { type AdmissionPolicyObject, policyColumns } from "./policy-columns.ts";

/** Rules in CEL that change objects. */
export const MutatingAdmissionPolicy = defineKind<AdmissionPolicyObject>(
  "admissionregistration.k8s.io/v1",
  "MutatingAdmissionPolicy",
  {
    resource: "mutatingadmissionpolicies",
    namespaced: false,
    columns: policyColumns("Mutations", "mutations"),
    hasGeneration: true,
  },
);
