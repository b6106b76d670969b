import { defineKind } from "./define-kind.ts";
import {
  type BindingObject,
  bindingColumns,
  setBindingDefaults,
  validateBinding,
  validateBindingUpdate,
} from "./rbac.ts";

export type RoleBindingObject = BindingObject;

/** Gives a role to some, in a namespace. */
export const RoleBinding = defineKind<RoleBindingObject>("rbac.authorization.k8s.io/v1", "RoleBinding", {
  resource: "rolebindings",
  nameRule: "path",
  columns: bindingColumns,
  setDefaults: setBindingDefaults,
  validate: (binding) => validateBinding(binding, ["Role", "ClusterRole"]),
  validateUpdate: validateBindingUpdate,
});
