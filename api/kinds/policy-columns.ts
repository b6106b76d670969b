import type { MutatingPolicyObject, PolicyBindingObject, ValidatingPolicyObject } from "../admission/policies.ts";
import type { Column } from "../kind.ts";
import { formatLabelSelector } from "../selector.ts";

type AnyPolicy = ValidatingPolicyObject & MutatingPolicyObject;

/** What ValidatingAdmissionPolicy and MutatingAdmissionPolicy are printed with. */
export const policyColumns = (name: string, rules: "validations" | "mutations"): Column<any>[] => [
  {
    name,
    type: "integer",
    description: "How many there are.",
    value: ({ spec }: AnyPolicy) => spec?.[rules]?.length ?? 0,
  },
  {
    name: "ParamKind",
    description: "The kind that the policy's parameters are of.",
    value({ spec }: AnyPolicy) {
      const kind = spec?.paramKind;
      return kind ? `${kind.apiVersion ?? ""}/${kind.kind ?? ""}` : "<unset>";
    },
  },
];

export const policyBindingColumns: Column<PolicyBindingObject>[] = [
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
