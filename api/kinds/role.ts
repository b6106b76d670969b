import type { KubeObject } from "../object.ts";
import { defineKind } from "./define-kind.ts";
import { type PolicyRule, validateRules } from "./rbac.ts";

export interface RoleObject extends KubeObject {
  rules?: PolicyRule[] | null;
}

/** What may be done in a namespace. */
export const Role = defineKind<RoleObject>("rbac.authorization.k8s.io/v1", "Role", {
  resource: "roles",
  nameRule: "path",
  // Upstream writes what is not there.
  setDefaults(role) {
    if (!role.rules?.length) role.rules = null;
  },
  validate: ({ rules }) => validateRules(rules, true),
});
