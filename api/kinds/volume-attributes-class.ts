import type { KubeObject } from "../object.ts";
import { defineKind } from "./define-kind.ts";

export interface VolumeAttributesClassObject extends KubeObject {
  driverName: string;
  parameters?: Record<string, string>;
}

const DEFAULT_ANNOTATION = "volumeattributesclass.alpha.kubernetes.io/is-default-class";

/** Attributes that a volume may be given, and given anew. */
export const VolumeAttributesClass = defineKind<VolumeAttributesClassObject>(
  "storage.k8s.io/v1",
  "VolumeAttributesClass",
  {
    resource: "volumeattributesclasses",
    namespaced: false,
    columns: [
      {
        name: "Name",
        format: "name",
        description: "Name of the class, and whether it is the default.",
        value: ({ metadata }) =>
          metadata.annotations?.[DEFAULT_ANNOTATION] === "true" ? `${metadata.name} (default)` : metadata.name,
      },
      { name: "DriverName", description: "The driver.", value: ({ driverName }) => driverName ?? "" },
    ],
  },
);
