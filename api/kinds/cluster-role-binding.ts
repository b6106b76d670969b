import { defineKind } from "./define-kind.ts";
import {
  type BindingObject,
  bindingColumns,
  setBindingDefaults,
  validateBinding,
  validateBindingUpdate,
} from "./rbac.ts";

export type ClusterRoleBindingObject = BindingObject;

/** Gives a role to some, everywhere. */
export const ClusterRoleBinding = defineKind<ClusterRoleBindingObject>(
  "rbac.authorization.k8s.io/v1",
  "ClusterRoleBinding",
  {
    resource: "clusterrolebindings",
    namespaced: false,
    nameRule: "path",
    columns: bindingColumns,
    setDefaults: setBindingDefaults,
    validate: (binding) => validateBinding(binding, ["ClusterRole"]),
    validateUpdate: validateBindingUpdate,
  },
);
