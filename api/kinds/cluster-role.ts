import type { IClusterRole } from "kubernetes-models/rbac.authorization.k8s.io/v1/ClusterRole";
import type { KubeObject } from "../object.ts";
import { defineKind } from "./define-kind.ts";

export type ClusterRoleObject = Omit<IClusterRole, "apiVersion" | "kind" | "metadata"> & KubeObject;

export const ClusterRole = defineKind<ClusterRoleObject>("rbac.authorization.k8s.io/v1", "ClusterRole", {
  resource: "clusterroles",
  namespaced: false,
});
