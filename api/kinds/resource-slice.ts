import type { KubeObject } from "../object.ts";
import { defineKind } from "./define-kind.ts";
import { type ResourceSliceSpec, validateSlice } from "./resource-slice-validation.ts";

export interface ResourceSliceObject extends KubeObject {
  spec: ResourceSliceSpec;
}

/** Devices that a driver offers. */
export const ResourceSlice = defineKind<ResourceSliceObject>("resource.k8s.io/v1", "ResourceSlice", {
  resource: "resourceslices",
  namespaced: false,
  columns: [
    { name: "Node", description: "Where the devices are.", value: ({ spec }) => spec?.nodeName ?? "" },
    { name: "Driver", description: "Who offers them.", value: ({ spec }) => spec?.driver ?? "" },
    { name: "Pool", description: "The pool that they belong to.", value: ({ spec }) => spec?.pool?.name ?? "" },
  ],
  validate: ({ spec = {} }, _, previous) => validateSlice(spec, previous && (previous.spec ?? {})),
  withoutNamespaceField: true,
  unknownField: (field) => `field label not supported for resource.k8s.io/v1, Kind=ResourceSlice: ${field}`,
  selectableFields: ({ spec }) => ({ "spec.nodeName": spec?.nodeName ?? "", "spec.driver": spec?.driver ?? "" }),
  hasGeneration: true,
});
