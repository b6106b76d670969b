import type { Column } from "../kind.ts";
import type { KubeObject } from "../object.ts";
import { formatLabelSelector, type LabelSelector } from "../selector.ts";

/** What ValidatingAdmissionPolicy and MutatingAdmissionPolicy, and their bindings, are printed with. */
export interface AdmissionPolicyObject extends KubeObject {
  spec: { paramKind?: { apiVersion?: string; kind?: string }; validations?: unknown[]; mutations?: unknown[] };
}

export interface AdmissionPolicyBindingObject extends KubeObject {
  spec: { policyName?: string; paramRef?: { name?: string; namespace?: string; selector?: LabelSelector } };
}

export const policyColumns = (name: string, rules: "validations" | "mutations"): Column<AdmissionPolicyObject>[] => [
  { name, type: "integer", description: "How many there are.", value: ({ spec }) => spec?.[rules]?.length ?? 0 },
  {
    name: "ParamKind",
    description: "The kind that the policy's parameters are of.",
    value({ spec }) {
      const kind = spec?.paramKind;
      return kind ? `${kind.apiVersion ?? ""}/${kind.kind ?? ""}` : "<unset>";
    },
  },
];

export const policyBindingColumns: Column<AdmissionPolicyBindingObject>[] = [
  { name: "PolicyName", description: "The policy that is bound.", value: ({ spec }) => spec?.policyName ?? "" },
  {
    name: "ParamRef",
    description: "Where its parameters are.",
    value({ spec }) {
      const { name, namespace, selector } = spec?.paramRef ?? {};
      if (name) return `${namespace || "*"}/${name}`;
      return selector ? formatLabelSelector(selector) : "<unset>";
    },
  },
];
