import type { KubeObject } from "../object.ts";
import { defineKind } from "./define-kind.ts";

export interface CSIDriverObject extends KubeObject {
  spec: {
    attachRequired?: boolean;
    podInfoOnMount?: boolean;
    storageCapacity?: boolean;
    fsGroupPolicy?: string;
    volumeLifecycleModes?: string[];
    tokenRequests?: { audience: string }[];
    requiresRepublish?: boolean;
    seLinuxMount?: boolean;
  };
}

const flag = (
  name: string,
  field: "podInfoOnMount" | "storageCapacity" | "requiresRepublish",
  description: string,
) => ({
  name,
  type: "boolean" as const,
  description,
  value: ({ spec }: CSIDriverObject) => spec?.[field] ?? false,
});

/** A storage driver, and what it can do. */
export const CSIDriver = defineKind<CSIDriverObject>("storage.k8s.io/v1", "CSIDriver", {
  resource: "csidrivers",
  namespaced: false,
  columns: [
    {
      name: "AttachRequired",
      type: "boolean",
      description: "Whether volumes are attached first.",
      value: ({ spec }) => spec?.attachRequired ?? true,
    },
    flag("PodInfoOnMount", "podInfoOnMount", "Whether it is told of the pod."),
    flag("StorageCapacity", "storageCapacity", "Whether its capacity is asked."),
    {
      name: "TokenRequests",
      description: "Audiences of the tokens that it gets.",
      value: ({ spec }) => spec?.tokenRequests?.map(({ audience }) => audience).join(",") ?? "<unset>",
    },
    flag("RequiresRepublish", "requiresRepublish", "Whether volumes are published again and again."),
    {
      name: "Modes",
      description: "Kinds of volume.",
      value: ({ spec }) => spec?.volumeLifecycleModes?.join(",") || "<none>",
    },
  ],
  setDefaults(driver) {
    driver.spec ??= {};
    driver.spec.attachRequired ??= true;
    driver.spec.podInfoOnMount ??= false;
    driver.spec.storageCapacity ??= false;
    driver.spec.fsGroupPolicy ??= "ReadWriteOnceWithFSType";
    driver.spec.requiresRepublish ??= false;
    driver.spec.seLinuxMount ??= false;
    if (!driver.spec.volumeLifecycleModes?.length) driver.spec.volumeLifecycleModes = ["Persistent"];
  },
  hasGeneration: true,
});
