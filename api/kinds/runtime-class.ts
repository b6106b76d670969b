import type { IRuntimeClass } from "kubernetes-models/node.k8s.io/v1/RuntimeClass";
import type { KubeObject } from "../object.ts";
import { defineKind } from "./define-kind.ts";

export type RuntimeClassObject = Omit<IRuntimeClass, "apiVersion" | "kind" | "metadata"> & KubeObject;

export const RuntimeClass = defineKind<RuntimeClassObject>("node.k8s.io/v1", "RuntimeClass", {
  resource: "runtimeclasses",
  namespaced: false,
});
