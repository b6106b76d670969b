import { FieldPath } from "../field-path.ts";
import type { KubeObject } from "../object.ts";
import { type LabelSelector, validateLabelSelector } from "../selector.ts";
import { defineKind } from "./define-kind.ts";
import { type PolicyRule, validateRules } from "./rbac.ts";

export interface ClusterRoleObject extends KubeObject {
  rules?: PolicyRule[] | null;
  aggregationRule?: { clusterRoleSelectors?: LabelSelector[] };
}

const SELECTORS = FieldPath.of("aggregationRule").child("clusterRoleSelectors");

/** What may be done in the cluster, or in any namespace where it is bound. */
export const ClusterRole = defineKind<ClusterRoleObject>("rbac.authorization.k8s.io/v1", "ClusterRole", {
  resource: "clusterroles",
  namespaced: false,
  nameRule: "path",
  // Upstream writes what is not there.
  setDefaults(role) {
    if (!role.rules?.length) role.rules = null;
  },
  validate({ rules, aggregationRule }) {
    const errors = validateRules(rules, false);
    if (!aggregationRule) return errors;
    const selectors = aggregationRule.clusterRoleSelectors ?? [];
    if (selectors.length === 0) {
      const detail = "at least one clusterRoleSelector required if aggregationRule is non-nil";
      errors.push({ type: "FieldValueRequired", field: String(SELECTORS), detail });
    }
    selectors.forEach((selector, i) => {
      validateLabelSelector(selector, SELECTORS.index(i), errors);
    });
    return errors;
  },
});
