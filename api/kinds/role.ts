import type { IRole } from "kubernetes-models/rbac.authorization.k8s.io/v1/Role";
import type { KubeObject } from "../object.ts";
import { defineKind } from "./define-kind.ts";

export type RoleObject = Omit<IRole, "apiVersion" | "kind" | "metadata"> & KubeObject;

export const Role = defineKind<RoleObject>("rbac.authorization.k8s.io/v1", "Role", {
  resource: "roles",
});
