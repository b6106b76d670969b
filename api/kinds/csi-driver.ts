import type { KubeObject } from "../object.ts";
import { defineKind } from "./define-kind.ts";

export type CSIDriverObject = KubeObject;

export const CSIDriver = defineKind<CSIDriverObject>("storage.k8s.io/v1", "CSIDriver", {
  resource: "csidrivers",
  namespaced: false,
});
