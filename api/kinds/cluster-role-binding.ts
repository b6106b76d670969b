import type { IClusterRoleBinding } from "kubernetes-models/rbac.authorization.k8s.io/v1/ClusterRoleBinding";
import type { KubeObject } from "../object.ts";
import { defineKind } from "./define-kind.ts";

export type ClusterRoleBindingObject = Omit<IClusterRoleBinding, "apiVersion" | "kind" | "metadata"> & KubeObject;

export const ClusterRoleBinding = defineKind<ClusterRoleBindingObject>(
  "rbac.authorization.k8s.io/v1",
  "ClusterRoleBinding",
  {
    resource: "clusterrolebindings",
    namespaced: false,
  },
);
