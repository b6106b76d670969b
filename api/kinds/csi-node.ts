import type { KubeObject } from "../object.ts";
import { defineKind } from "./define-kind.ts";

export type CSINodeObject = KubeObject;

export const CSINode = defineKind<CSINodeObject>("storage.k8s.io/v1", "CSINode", {
  resource: "csinodes",
  namespaced: false,
});
