import type { IPersistentVolumeSpec } from "kubernetes-models/v1/PersistentVolumeSpec";
import type { IPersistentVolumeStatus } from "kubernetes-models/v1/PersistentVolumeStatus";
import { sameJson } from "../equality.ts";
import { checkOneOf, checkSubdomain, checkSupported } from "../field-checks.ts";
import { type FieldError, fieldForbidden, fieldInvalid, fieldNotSupported, fieldRequired } from "../field-error.ts";
import { type FieldPath, SPEC } from "../field-path.ts";
import type { KubeObject } from "../object.ts";
import { validateImmutable } from "../object-meta.ts";
import { roundToMilli } from "../pod-template/defaults.ts";
import { validateNodeSelector } from "../pod-template/placement.ts";
import { checkQuantity } from "../pod-template/resources.ts";
import { canonicalizeQuantity, parseQuantity } from "../quantity.ts";
import { AGE } from "../table.ts";
import { defineKind } from "./define-kind.ts";
import { keepStatus } from "./status.ts";

export interface PersistentVolumeObject extends KubeObject {
  spec: IPersistentVolumeSpec;
  status?: IPersistentVolumeStatus;
}

const MODES: Record<string, string> = {
  ReadWriteOnce: "RWO",
  ReadOnlyMany: "ROX",
  ReadWriteMany: "RWX",
  ReadWriteOncePod: "RWOP",
};
const SHARED = Object.keys(MODES).sort();
/** Fields of a spec that are no volume source. */
const NOT_SOURCES = new Set([
  "capacity",
  "accessModes",
  "claimRef",
  "persistentVolumeReclaimPolicy",
  "storageClassName",
  "mountOptions",
  "volumeMode",
  "nodeAffinity",
  "volumeAttributesClassName",
]);

/** `RWO,ROX`, as the columns have it. */
export const describeAccessModes = (modes: readonly string[] | undefined): string => {
  const given = new Set(modes);
  return Object.entries(MODES)
    .filter(([mode]) => given.has(mode))
    .map(([, short]) => short)
    .join(",");
};

export function validateAccessModes(modes: readonly string[] | undefined, path: FieldPath, errors: FieldError[]): void {
  if (!modes?.length) errors.push(fieldRequired(path, "at least 1 access mode is required"));
  for (const mode of modes ?? []) if (!MODES[mode]) errors.push(fieldNotSupported(path, mode, SHARED));
  if (modes?.includes("ReadWriteOncePod") && modes.length > 1) {
    const why = "may not use ReadWriteOncePod with other access modes";
    errors.push(fieldForbidden(path, why));
  }
}

/** A piece of storage that outlives pods. */
export const PersistentVolume = defineKind<PersistentVolumeObject>("v1", "PersistentVolume", {
  resource: "persistentvolumes",
  namespaced: false,
  columns: [
    {
      name: "Capacity",
      description: "Size.",
      value: ({ spec }) => canonicalizeQuantity(spec.capacity?.["storage"] ?? "0"),
    },
    {
      name: "Access Modes",
      description: "How many may use it.",
      value: ({ spec }) => describeAccessModes(spec.accessModes),
    },
    {
      name: "Reclaim Policy",
      description: "What becomes of it without its claim.",
      value: ({ spec }) => spec.persistentVolumeReclaimPolicy ?? "",
    },
    {
      name: "Status",
      description: "Whether it is bound.",
      value: ({ metadata, status }) => (metadata.deletionTimestamp ? "Terminating" : (status?.phase ?? "")),
    },
    {
      name: "Claim",
      description: "Whose it is.",
      value: ({ spec }) => (spec.claimRef ? `${spec.claimRef.namespace ?? ""}/${spec.claimRef.name ?? ""}` : ""),
    },
    { name: "StorageClass", description: "Its class.", value: ({ spec }) => spec.storageClassName ?? "" },
    {
      name: "VolumeAttributesClass",
      description: "Its class of attributes.",
      value: ({ spec }) => spec.volumeAttributesClassName ?? "<unset>",
    },
    { name: "Reason", description: "Why it failed.", value: ({ status }) => status?.reason ?? "" },
    AGE,
    {
      name: "VolumeMode",
      priority: 1,
      description: "Files or blocks.",
      value: ({ spec }) => spec.volumeMode ?? "<unset>",
    },
  ],
  setDefaults({ spec }) {
    if (!spec) return;
    spec.persistentVolumeReclaimPolicy ||= "Retain";
    spec.volumeMode ??= "Filesystem";
    if (spec.hostPath) spec.hostPath.type ??= "";
    roundToMilli(spec.capacity);
  },
  prepareForCreate(volume) {
    volume.status = { phase: "Pending" };
  },
  prepareForUpdate: keepStatus,
  validate({ spec }) {
    const errors: FieldError[] = [];
    validateAccessModes(spec.accessModes, SPEC.child("accessModes"), errors);
    const capacity = spec.capacity ?? {};
    const at = SPEC.child("capacity");
    if (Object.keys(capacity).length === 0) errors.push(fieldRequired(at));
    else if (capacity["storage"] === undefined || Object.keys(capacity).length > 1) {
      errors.push(fieldNotSupported(at, capacity, ["storage"]));
    }
    for (const name in capacity) {
      if (!checkQuantity(name, capacity[name]!, at.key(name), errors)) continue;
      if (parseQuantity(capacity[name]!).nanos <= 0n) {
        errors.push(fieldInvalid(at.key(name), capacity[name], "must be greater than zero"));
      }
    }
    const policyAt = SPEC.child("persistentVolumeReclaimPolicy");
    checkOneOf(spec.persistentVolumeReclaimPolicy, ["Delete", "Recycle", "Retain"], policyAt, errors);
    if (spec.volumeMode) checkSupported(spec.volumeMode, ["Block", "Filesystem"], SPEC.child("volumeMode"), errors);
    if (spec.storageClassName) checkSubdomain(spec.storageClassName, SPEC.child("storageClassName"), errors);
    const required = spec.nodeAffinity?.required;
    if (required) validateNodeSelector(required, SPEC.child("nodeAffinity").child("required"), errors);
    const sources = sourcesOf(spec);
    if (sources.length === 0) errors.push(fieldRequired(SPEC, "must specify a volume type"));
    for (const source of sources.slice(1)) {
      errors.push(fieldForbidden(SPEC.child(source), "may not specify more than 1 volume type"));
    }
    if (spec.hostPath && spec.hostPath.path === "/" && spec.persistentVolumeReclaimPolicy === "Recycle") {
      const why = "may not be 'recycle' for a hostPath mount of '/'";
      errors.push(fieldForbidden(policyAt, why));
    }
    return errors;
  },
  validateUpdate({ spec: next }, { spec: previous }) {
    const errors: FieldError[] = [];
    const source = (spec: IPersistentVolumeSpec) =>
      Object.fromEntries(Object.entries(spec).filter(([name]) => !NOT_SOURCES.has(name)));
    if (!sameJson(source(next), source(previous))) {
      errors.push(
        fieldForbidden("spec.persistentvolumesource", "spec.persistentvolumesource is immutable after creation"),
      );
    }
    validateImmutable(next.volumeMode, previous.volumeMode, SPEC.child("volumeMode"), errors);
    return errors;
  },
});

function sourcesOf(spec: IPersistentVolumeSpec): string[] {
  return Object.entries(spec)
    .filter(([name, value]) => !NOT_SOURCES.has(name) && value)
    .map(([name]) => name);
}
