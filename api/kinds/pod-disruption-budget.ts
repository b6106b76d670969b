import type { IPodDisruptionBudgetSpec } from "kubernetes-models/policy/v1/PodDisruptionBudgetSpec";
import type { IPodDisruptionBudgetStatus } from "kubernetes-models/policy/v1/PodDisruptionBudgetStatus";
import { checkSupported } from "../field-checks.ts";
import { type FieldError, fieldInvalid } from "../field-error.ts";
import { SPEC } from "../field-path.ts";
import type { KubeObject } from "../object.ts";
import { validateLabelSelector } from "../selector.ts";
import { defineKind } from "./define-kind.ts";
import { keepStatus, startStatus } from "./status.ts";
import { validateAtMostHundred, validateCounts, validateIntOrPercent } from "./workload.ts";

export interface PodDisruptionBudgetObject extends KubeObject {
  spec: IPodDisruptionBudgetSpec;
  status?: IPodDisruptionBudgetStatus;
}

const START = { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 };

/** How many of certain pods may be gone at once by somebody's will. */
export const PodDisruptionBudget = defineKind<PodDisruptionBudgetObject>("policy/v1", "PodDisruptionBudget", {
  resource: "poddisruptionbudgets",
  columns: [
    {
      name: "Min Available",
      description: "Pods that must stay.",
      value: ({ spec }) => String(spec?.minAvailable ?? "N/A"),
    },
    {
      name: "Max Unavailable",
      description: "Pods that may go.",
      value: ({ spec }) => String(spec?.maxUnavailable ?? "N/A"),
    },
    {
      name: "Allowed Disruptions",
      type: "integer",
      description: "Pods that may go now.",
      value: ({ status }) => status?.disruptionsAllowed ?? 0,
    },
  ],
  // Upstream has no rule of its own for its names.
  nameRule: "path",
  prepareForCreate: startStatus(START),
  prepareForUpdate: keepStatus,
  validate({ spec = {} }) {
    const errors: FieldError[] = [];
    if (spec.minAvailable !== undefined && spec.maxUnavailable !== undefined) {
      // Shown as upstream's Go type, which has no JSON names.
      const { minAvailable: MinAvailable, maxUnavailable: MaxUnavailable } = spec;
      const { selector: Selector = null, unhealthyPodEvictionPolicy: UnhealthyPodEvictionPolicy = null } = spec;
      const shown = { MinAvailable, Selector, MaxUnavailable, UnhealthyPodEvictionPolicy };
      errors.push(fieldInvalid(SPEC, shown, "minAvailable and maxUnavailable cannot be both set"));
    }
    for (const field of ["minAvailable", "maxUnavailable"] as const) {
      validateIntOrPercent(spec[field], SPEC.child(field), errors);
      validateAtMostHundred(spec[field], SPEC.child(field), errors);
    }
    validateLabelSelector(spec.selector, SPEC.child("selector"), errors);
    if (typeof spec.unhealthyPodEvictionPolicy === "string") {
      const at = SPEC.child("unhealthyPodEvictionPolicy");
      checkSupported(spec.unhealthyPodEvictionPolicy, ["AlwaysAllow", "IfHealthyBudget"], at, errors);
    }
    return errors;
  },
  validateStatusUpdate: ({ status }) =>
    validateCounts(status as unknown as Record<string, unknown>, Object.keys(START), []),
  hasGeneration: true,
});
