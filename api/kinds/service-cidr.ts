import type { KubeObject } from "../object.ts";
import { defineKind } from "./define-kind.ts";

export type ServiceCIDRObject = KubeObject;

export const ServiceCIDR = defineKind<ServiceCIDRObject>("networking.k8s.io/v1", "ServiceCIDR", {
  resource: "servicecidrs",
  namespaced: false,
});
