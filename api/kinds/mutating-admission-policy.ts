import type { MutatingPolicyObject } from "../admission/policies.ts";
import { setPolicyDefaults, validateMutatingPolicy } from "./admission-policies.ts";
import { defineKind } from "./define-kind.ts";
import { policyColumns } from "./policy-columns.ts";

/** Rules in CEL that change objects. */
export const MutatingAdmissionPolicy = defineKind<MutatingPolicyObject>(
  "admissionregistration.k8s.io/v1",
  "MutatingAdmissionPolicy",
  {
    resource: "mutatingadmissionpolicies",
    namespaced: false,
    columns: policyColumns("Mutations", "mutations"),
    setDefaults: setPolicyDefaults,
    validate: validateMutatingPolicy,
    hasGeneration: true,
  },
);
