import { defineKind } from "./define-kind.ts";

/** A sort of devices that claims ask for. */
export const DeviceClass = defineKind("resource.k8s.io/v1", "DeviceClass", {
  resource: "deviceclasses",
  namespaced: false,
  columns: [],
  hasGeneration: true,
});
