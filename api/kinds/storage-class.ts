import type { IStorageClass } from "kubernetes-models/storage.k8s.io/v1/StorageClass";
import { sameJson } from "../equality.ts";
import { checkOneOf, checkQualifiedName, checkRequired } from "../field-checks.ts";
import { type FieldError, fieldForbidden } from "../field-error.ts";
import { FieldPath } from "../field-path.ts";
import type { KubeObject } from "../object.ts";
import { validateImmutable } from "../object-meta.ts";
import { defineKind } from "./define-kind.ts";

export type StorageClassObject = Omit<IStorageClass, "apiVersion" | "kind" | "metadata"> & KubeObject;

const DEFAULT_ANNOTATIONS = [
  "storageclass.kubernetes.io/is-default-class",
  "storageclass.beta.kubernetes.io/is-default-class",
];

/** How volumes are made for claims. */
export const StorageClass = defineKind<StorageClassObject>("storage.k8s.io/v1", "StorageClass", {
  resource: "storageclasses",
  namespaced: false,
  columns: [
    {
      name: "Name",
      format: "name",
      description: "Name of the class, and whether it is the default.",
      value({ metadata }) {
        const isDefault = DEFAULT_ANNOTATIONS.some((annotation) => metadata.annotations?.[annotation] === "true");
        return isDefault ? `${metadata.name} (default)` : metadata.name;
      },
    },
    { name: "Provisioner", description: "Who makes the volumes.", value: ({ provisioner }) => provisioner ?? "" },
    {
      name: "ReclaimPolicy",
      description: "What becomes of them without their claims.",
      value: ({ reclaimPolicy }) => reclaimPolicy ?? "Delete",
    },
    {
      name: "VolumeBindingMode",
      description: "When they are made.",
      value: ({ volumeBindingMode }) => volumeBindingMode ?? "Immediate",
    },
    {
      name: "AllowVolumeExpansion",
      description: "Whether they can grow.",
      value: ({ allowVolumeExpansion }) => allowVolumeExpansion ?? false,
    },
  ],
  setDefaults(storageClass) {
    storageClass.reclaimPolicy ??= "Delete";
    storageClass.volumeBindingMode ??= "Immediate";
  },
  validate({ provisioner, reclaimPolicy, volumeBindingMode }) {
    const errors: FieldError[] = [];
    const at = FieldPath.of("provisioner");
    if (checkRequired(provisioner, at, errors)) checkQualifiedName(provisioner.toLowerCase(), at, errors);
    checkOneOf(reclaimPolicy, ["Delete", "Retain"], FieldPath.of("reclaimPolicy"), errors);
    checkOneOf(volumeBindingMode, ["Immediate", "WaitForFirstConsumer"], FieldPath.of("volumeBindingMode"), errors);
    return errors;
  },
  validateUpdate(next, previous) {
    const errors: FieldError[] = [];
    if (!sameJson(next.parameters, previous.parameters)) {
      errors.push(fieldForbidden("parameters", "updates to parameters are forbidden."));
    }
    if (next.provisioner !== previous.provisioner) {
      errors.push(fieldForbidden("provisioner", "updates to provisioner are forbidden."));
    }
    if (next.reclaimPolicy !== previous.reclaimPolicy) {
      errors.push(fieldForbidden("reclaimPolicy", "updates to reclaimPolicy are forbidden."));
    }
    validateImmutable(next.volumeBindingMode, previous.volumeBindingMode, FieldPath.of("volumeBindingMode"), errors);
    return errors;
  },
});
