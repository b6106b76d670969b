import type { KubeObject } from "../object.ts";
import { defineKind } from "./define-kind.ts";

export type IPAddressObject = KubeObject;

export const IPAddress = defineKind<IPAddressObject>("networking.k8s.io/v1", "IPAddress", {
  resource: "ipaddresses",
  namespaced: false,
});
