import type { KubeObject } from "../object.ts";
import { canonicalizeQuantity } from "../quantity.ts";
import { defineKind } from "./define-kind.ts";

export interface CSIStorageCapacityObject extends KubeObject {
  storageClassName: string;
  capacity?: string;
}

/** How much room there is for volumes of a class. */
export const CSIStorageCapacity = defineKind<CSIStorageCapacityObject>("storage.k8s.io/v1", "CSIStorageCapacity", {
  resource: "csistoragecapacities",
  withoutAge: true,
  columns: [
    { name: "StorageClassName", description: "The class.", value: ({ storageClassName }) => storageClassName ?? "" },
    {
      name: "Capacity",
      description: "The room.",
      value: ({ capacity }) => (capacity === undefined ? "<unset>" : canonicalizeQuantity(capacity)),
    },
  ],
});
