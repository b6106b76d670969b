import type { IRoleBinding } from "kubernetes-models/rbac.authorization.k8s.io/v1/RoleBinding";
import type { KubeObject } from "../object.ts";
import { defineKind } from "./define-kind.ts";

export type RoleBindingObject = Omit<IRoleBinding, "apiVersion" | "kind" | "metadata"> & KubeObject;

export const RoleBinding = defineKind<RoleBindingObject>("rbac.authorization.k8s.io/v1", "RoleBinding", {
  resource: "rolebindings",
});
