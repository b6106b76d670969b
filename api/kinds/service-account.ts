import type { IServiceAccount } from "kubernetes-models/v1/ServiceAccount";
import type { KubeObject } from "../object.ts";
import { defineKind } from "./define-kind.ts";

export type ServiceAccountObject = Omit<IServiceAccount, "apiVersion" | "kind" | "metadata"> & KubeObject;

/** Who a pod is, to the API. */
export const ServiceAccount = defineKind<ServiceAccountObject>("v1", "ServiceAccount", {
  resource: "serviceaccounts",
  columns: [],
});
