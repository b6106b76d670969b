import type { IStorageClass } from "kubernetes-models/storage.k8s.io/v1/StorageClass";
import { sameJson } from "../equality.ts";
import { checkQualifiedName, checkRequired, checkSupported } from "../field-checks.ts";
import {
  type FieldError,
  fieldDuplicate,
  fieldForbidden,
  fieldInvalid,
  fieldRequired,
  fieldTooLong,
} from "../field-error.ts";
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
  validate({ provisioner, reclaimPolicy, volumeBindingMode, parameters, allowedTopologies }) {
    const errors: FieldError[] = [];
    const at = FieldPath.of("provisioner");
    if (checkRequired(provisioner, at, errors)) checkQualifiedName(provisioner.toLowerCase(), at, errors);
    validateParameters(parameters ?? {}, { isEmptyAllowed: true }, errors);
    if (reclaimPolicy) checkSupported(reclaimPolicy, ["Delete", "Retain"], FieldPath.of("reclaimPolicy"), errors);
    const modes = ["Immediate", "WaitForFirstConsumer"];
    checkSupported(volumeBindingMode, modes, FieldPath.of("volumeBindingMode"), errors);
    validateTopologies(allowedTopologies ?? [], errors);
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

const PARAMETERS = FieldPath.of("parameters");
const PARAMETERS_MAX = 512;
const PARAMETERS_BYTES_MAX = 256 * 1024;

/** What drivers are told; of VolumeAttributesClasses, too, which need some. */
export function validateParameters(
  parameters: Record<string, string>,
  { isEmptyAllowed }: { isEmptyAllowed: boolean },
  errors: FieldError[],
): void {
  const entries = Object.entries(parameters);
  if (entries.length > PARAMETERS_MAX) errors.push(fieldTooLong(PARAMETERS, PARAMETERS_MAX));
  let size = 0;
  for (const [key, value] of entries) {
    if (key === "") errors.push(fieldInvalid(PARAMETERS, key, "field can not be empty."));
    size += key.length + value.length;
  }
  if (size > PARAMETERS_BYTES_MAX) errors.push(fieldTooLong(PARAMETERS, PARAMETERS_BYTES_MAX));
  if (!isEmptyAllowed && entries.length === 0) {
    errors.push(fieldRequired(PARAMETERS, "must contain at least one key/value pair"));
  }
}

interface TopologyTerm {
  matchLabelExpressions?: { key: string; values: string[] }[];
}

function validateTopologies(terms: readonly TopologyTerm[], errors: FieldError[]): void {
  const seen = new Set<string>();
  terms.forEach(({ matchLabelExpressions = [] }, i) => {
    const at = FieldPath.of("allowedTopologies").index(i).child("matchLabelExpressions");
    const keys = new Set<string>();
    matchLabelExpressions.forEach(({ key, values = [] }, j) => {
      const valuesAt = at.index(j).child("values");
      if (values.length === 0) errors.push(fieldRequired(valuesAt));
      values.forEach((value, k) => {
        if (values.indexOf(value) < k) errors.push(fieldDuplicate(valuesAt.index(k), value));
      });
      checkQualifiedName(key ?? "", at.index(j).child("key"), errors);
      if (keys.has(key)) errors.push(fieldDuplicate(at.index(j).child("key"), key));
      keys.add(key);
    });
    const term = JSON.stringify(
      [...matchLabelExpressions].map(({ key, values = [] }) => [key, [...values].sort()]).sort(),
    );
    if (seen.has(term)) errors.push(fieldDuplicate(at, ""));
    seen.add(term);
  });
}
