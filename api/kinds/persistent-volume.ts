import type { IPersistentVolumeSpec } from "kubernetes-models/v1/PersistentVolumeSpec";
import type { IPersistentVolumeStatus } from "kubernetes-models/v1/PersistentVolumeStatus";
import { sameJson } from "../equality.ts";
import { checkOneOf, checkRequired, checkSubdomain, checkSupported } from "../field-checks.ts";
import { type FieldError, fieldForbidden, fieldInvalid, fieldNotSupported, fieldRequired } from "../field-error.ts";
import { type FieldPath, SPEC } from "../field-path.ts";
import type { KubeObject } from "../object.ts";
import { validateImmutable } from "../object-meta.ts";
import { roundToMilli } from "../pod-template/defaults.ts";
import { validateNodeSelector } from "../pod-template/placement.ts";
import { checkQuantity } from "../pod-template/resources.ts";
import { checkNoBacksteps } from "../pod-template/volume-paths.ts";
import { checkDriverName, SHARED_SOURCES, SOURCE_PATHS, type SourceCheck } from "../pod-template/volume-sources.ts";
import { canonicalizeQuantity, parseQuantity } from "../quantity.ts";
import { AGE } from "../table.ts";
import { validateAccessModes } from "./claim-spec.ts";
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
    const { creationTimestamp } = volume.metadata;
    volume.status = { phase: "Pending", ...(creationTimestamp && { lastPhaseTransitionTime: creationTimestamp }) };
  },
  prepareForUpdate: keepStatus,
  validate({ spec }) {
    const errors: FieldError[] = [];
    validateAccessModes(spec.accessModes, "", SPEC.child("accessModes"), errors);
    const capacity = spec.capacity ?? {};
    const at = SPEC.child("capacity");
    if (Object.keys(capacity).length === 0) errors.push(fieldRequired(at));
    if (capacity["storage"] === undefined || Object.keys(capacity).length > 1) {
      errors.push(fieldNotSupported(at, spec.capacity, ["storage"]));
    }
    for (const name in capacity) {
      if (!checkQuantity(name, capacity[name]!, at.key(name), errors)) continue;
      if (parseQuantity(capacity[name]!).nanos <= 0n) {
        errors.push(fieldInvalid(at.key(name), capacity[name], "must be greater than zero"));
      }
    }
    const policyAt = SPEC.child("persistentVolumeReclaimPolicy");
    checkOneOf(spec.persistentVolumeReclaimPolicy, ["Delete", "Recycle", "Retain"], policyAt, errors);
    if (typeof spec.volumeMode === "string")
      checkSupported(spec.volumeMode, ["Block", "Filesystem"], SPEC.child("volumeMode"), errors);
    if (spec.storageClassName) checkSubdomain(spec.storageClassName, SPEC.child("storageClassName"), errors);
    if (spec.nodeAffinity) {
      const requiredAt = SPEC.child("nodeAffinity").child("required");
      const { required } = spec.nodeAffinity;
      if (required) validateNodeSelector(required, requiredAt, errors);
      else errors.push(fieldRequired(requiredAt, "must specify required node constraints"));
    }
    validateSources(spec, errors);
    const { volumeAttributesClassName } = spec;
    if (typeof volumeAttributesClassName === "string") {
      const classAt = SPEC.child("volumeAttributesClassName");
      if (checkRequired(volumeAttributesClassName, classAt, errors, "an empty string is disallowed")) {
        checkSubdomain(volumeAttributesClassName, classAt, errors);
      }
      const why = "has to be specified when using volumeAttributesClassName";
      if (!spec.csi) errors.push(fieldRequired(SPEC.child("csi"), why));
    }
    if (/^\/+$/.test(spec.hostPath?.path ?? "") && spec.persistentVolumeReclaimPolicy === "Recycle") {
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
    if (previous.nodeAffinity && !sameJson(next.nodeAffinity, previous.nodeAffinity)) {
      const why = "field is immutable, except for updating from beta label to GA";
      errors.push(fieldInvalid("nodeAffinity", shownAffinity(next.nodeAffinity), why));
    }
    return errors;
  },
});

/** Secrets of a volume lie in some namespace, since the volume lies in none. */
const secretReference = (reference: any, path: FieldPath, errors: FieldError[]): void => {
  if (!reference) return;
  for (const field of ["name", "namespace"]) {
    if (checkRequired(reference[field], path.child(field), errors))
      checkSubdomain(reference[field], path.child(field), errors);
  }
};

const CSI_SECRETS = [
  "controllerPublishSecretRef",
  "controllerExpandSecretRef",
  "nodePublishSecretRef",
  "nodeExpandSecretRef",
] as const;

/** What differs from, or is beyond, the sources that pods have. */
const PERSISTENT_SOURCES: Readonly<Record<string, SourceCheck>> = {
  ...SHARED_SOURCES,
  local: (source, path, errors) => {
    if (checkRequired(source.path, path.child("path"), errors))
      checkNoBacksteps(source.path, path.child("path"), errors);
  },
  csi: (source, path, errors) => {
    checkDriverName(source.driver, path.child("driver"), errors);
    checkRequired(source.volumeHandle, path.child("volumeHandle"), errors);
    for (const field of CSI_SECRETS) secretReference(source[field], path.child(field), errors);
  },
  azureFile: (source, path, errors) => {
    for (const field of ["secretName", "shareName"]) checkRequired(source[field], path.child(field), errors);
    if (source.secretNamespace === "") errors.push(fieldRequired(path.child("secretNamespace")));
  },
};

function validateSources(spec: IPersistentVolumeSpec, errors: FieldError[]): void {
  let seen = false;
  for (const [name, source] of Object.entries(spec)) {
    if (NOT_SOURCES.has(name) || !source) continue;
    if (seen) errors.push(fieldForbidden(SPEC.child(name), "may not specify more than 1 volume type"));
    else PERSISTENT_SOURCES[name]?.(source, SPEC.child(SOURCE_PATHS[name] ?? name), errors);
    seen = true;
  }
  if (!seen) errors.push(fieldRequired(SPEC, "must specify a volume type"));
  if (spec.local && !spec.nodeAffinity) {
    errors.push(fieldRequired(SPEC.child("nodeAffinity"), "Local volume requires node affinity"));
  }
}

/** Shown as upstream's Go types, which have no JSON names. */
function shownAffinity(affinity: IPersistentVolumeSpec["nodeAffinity"]): unknown {
  if (!affinity) return null;
  const requirements = (list: readonly { key: string; operator: string; values?: string[] }[] | undefined) =>
    list?.map(({ key, operator, values }) => ({ Key: key, Operator: operator, Values: values ?? null })) ?? null;
  const terms = affinity.required?.nodeSelectorTerms?.map(({ matchExpressions, matchFields }) => ({
    MatchExpressions: requirements(matchExpressions),
    MatchFields: requirements(matchFields),
  }));
  return { Required: affinity.required ? { NodeSelectorTerms: terms ?? null } : null };
}
