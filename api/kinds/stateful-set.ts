import type { IStatefulSetSpec } from "kubernetes-models/apps/v1/StatefulSetSpec";
import type { IStatefulSetStatus } from "kubernetes-models/apps/v1/StatefulSetStatus";
import { sameJson } from "../equality.ts";
import { checkLabelName, checkRequired, checkSupported } from "../field-checks.ts";
import { type FieldError, fieldForbidden, fieldInvalid } from "../field-error.ts";
import { type FieldPath, SPEC } from "../field-path.ts";
import type { KubeObject } from "../object.ts";
import { validateNonNegative } from "../object-meta.ts";
import { roundToMilli, setPodTemplateDefaults } from "../pod-template/defaults.ts";
import type { PodTemplateSpec } from "../pod-template/types.ts";
import { AGE } from "../table.ts";
import { type ClaimSpec, validateClaimSpec } from "./claim-spec.ts";
import { defineKind } from "./define-kind.ts";
import { keepStatus, startStatus } from "./status.ts";
import {
  intOf,
  shownStrategy,
  templateColumns,
  validateAtMostHundred,
  validateCollisionCount,
  validateCounts,
  validateIntOrPercent,
  validateSelector,
  validateTemplate,
} from "./workload.ts";

export interface StatefulSetObject extends KubeObject {
  spec: IStatefulSetSpec;
  status?: IStatefulSetStatus;
}

const COUNTS = [
  "replicas",
  "readyReplicas",
  "currentReplicas",
  "updatedReplicas",
  "availableReplicas",
  "observedGeneration",
  "collisionCount",
];
const MUTABLE = [
  "replicas",
  "ordinals",
  "template",
  "updateStrategy",
  "revisionHistoryLimit",
  "persistentVolumeClaimRetentionPolicy",
  "minReadySeconds",
];
const MUTABLE_ONLY =
  "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', " +
  "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";

/** Pods that each keep their name and their volumes. */
export const StatefulSet = defineKind<StatefulSetObject>("apps/v1", "StatefulSet", {
  resource: "statefulsets",
  // Its pods' names, which are host names, are made of it.
  nameRule: "label",
  columns: [
    {
      name: "Ready",
      description: "Ready pods, of those wanted.",
      value: ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec.replicas ?? 0}`,
    },
    AGE,
    ...templateColumns,
  ],
  setDefaults({ spec }) {
    if (!spec) return;
    spec.podManagementPolicy ||= "OrderedReady";
    spec.updateStrategy ??= {};
    spec.updateStrategy.type ||= "RollingUpdate";
    if (spec.updateStrategy.type === "RollingUpdate") {
      spec.updateStrategy.rollingUpdate ??= {};
      spec.updateStrategy.rollingUpdate.partition ??= 0;
    }
    spec.persistentVolumeClaimRetentionPolicy ??= {};
    spec.persistentVolumeClaimRetentionPolicy.whenDeleted ||= "Retain";
    spec.persistentVolumeClaimRetentionPolicy.whenScaled ||= "Retain";
    spec.replicas ??= 1;
    // Upstream writes what is not there.
    spec.serviceName ??= "";
    if (spec.ordinals) spec.ordinals.start ??= 0;
    spec.revisionHistoryLimit ??= 10;
    setPodTemplateDefaults(spec.template);
    for (const claim of spec.volumeClaimTemplates ?? []) {
      const template = claim as KubeObject;
      template.apiVersion ??= "v1";
      template.kind ??= "PersistentVolumeClaim";
      template["status"] ??= {};
      template["status"].phase ??= "Pending";
      if (!claim.spec) continue;
      claim.spec.volumeMode ??= "Filesystem";
      roundToMilli(claim.spec.resources?.requests);
    }
  },
  prepareForCreate: startStatus({ availableReplicas: 0, replicas: 0 }),
  prepareForUpdate: keepStatus,
  validate({ spec }) {
    const errors: FieldError[] = [];
    const policyAt = SPEC.child("podManagementPolicy");
    const policy = spec.podManagementPolicy;
    if (checkRequired(policy, policyAt, errors) && policy !== "OrderedReady" && policy !== "Parallel") {
      errors.push(fieldInvalid(policyAt, policy, "must be 'OrderedReady' or 'Parallel'"));
    }
    validateStrategy(spec.updateStrategy ?? {}, SPEC.child("updateStrategy"), errors);
    for (const when of ["whenDeleted", "whenScaled"] as const) {
      const retention = spec.persistentVolumeClaimRetentionPolicy?.[when] ?? "";
      const at = SPEC.child("persistentVolumeClaimRetentionPolicy").child(when);
      checkSupported(retention, ["Retain", "Delete"], at, errors);
    }
    validateNonNegative(spec.replicas, SPEC.child("replicas"), errors);
    validateNonNegative(spec.minReadySeconds, SPEC.child("minReadySeconds"), errors);
    validateNonNegative(spec.ordinals?.start, SPEC.child("ordinals").child("start"), errors);
    for (const [i, claim] of (spec.volumeClaimTemplates ?? []).entries()) {
      validateClaimSpec(
        (claim.spec ?? {}) as ClaimSpec,
        SPEC.child("volumeClaimTemplates").index(i).child("spec"),
        errors,
      );
    }
    if (spec.serviceName) checkLabelName(spec.serviceName, SPEC.child("serviceName"), errors);
    const selector = validateSelector(spec.selector, "statefulset", SPEC, errors);
    const template = spec.template && asInPods(spec);
    validateTemplate(template, { selector, kind: "StatefulSet", path: SPEC.child("template") }, errors);
    return errors;
  },
  validateUpdate({ spec: next }, { spec: previous }) {
    const [left, right] = [next as unknown as Record<string, unknown>, previous as unknown as Record<string, unknown>];
    const fields = new Set([...Object.keys(left), ...Object.keys(right)]);
    const changed = [...fields].some((field) => !MUTABLE.includes(field) && !sameJson(left[field], right[field]));
    return changed ? [fieldForbidden(SPEC, MUTABLE_ONLY)] : [];
  },
  validateStatusUpdate(next, previous) {
    const errors = validateCounts(next.status as unknown as Record<string, unknown>, COUNTS, [
      ["readyReplicas", "replicas"],
      ["currentReplicas", "replicas"],
      ["updatedReplicas", "replicas"],
      ["availableReplicas", "replicas"],
      ["availableReplicas", "readyReplicas", "status.readyReplicas"],
    ]);
    const [is, was] = [next.status as unknown, previous.status as unknown] as Record<string, unknown>[];
    validateCollisionCount(is, was, errors);
    return errors;
  },
  scale: { specReplicas: "spec.replicas", statusReplicas: "status.replicas", selector: "spec.selector" },
  hasGeneration: true,
});

/** The template as each pod has it: with the claims as volumes, and under a name that is made for it. */
function asInPods({ template, volumeClaimTemplates = [] }: IStatefulSetSpec): PodTemplateSpec {
  if (!template.spec) return template as PodTemplateSpec;
  const claims = new Set(volumeClaimTemplates.map(({ metadata }) => metadata?.name ?? ""));
  const { subdomain: _, hostname: __, ...spec } = template.spec;
  const own = (spec.volumes ?? []).filter(({ name }) => !claims.has(name));
  const claimed = [...claims].map((name) => ({ name, persistentVolumeClaim: { claimName: name } }));
  return { ...template, spec: { ...spec, volumes: [...claimed, ...own] } } as PodTemplateSpec;
}

function validateStrategy(
  { type, rollingUpdate }: NonNullable<IStatefulSetSpec["updateStrategy"]>,
  path: FieldPath,
  errors: FieldError[],
): void {
  const at = path.child("rollingUpdate");
  const shown = { Partition: rollingUpdate?.partition ?? 0, MaxUnavailable: rollingUpdate?.maxUnavailable ?? null };
  if (!checkRequired(type, path, errors)) return;
  if (type === "OnDelete") {
    if (rollingUpdate) errors.push(fieldInvalid(at, shown, "only allowed for updateStrategy 'RollingUpdate'"));
    return;
  }
  if (type !== "RollingUpdate") {
    const why = "must be 'RollingUpdate' or 'OnDelete'";
    errors.push(fieldInvalid(path, shownStrategy(type, rollingUpdate, shown), why));
    return;
  }
  validateNonNegative(rollingUpdate?.partition, at.child("partition"), errors);
  const unavailable = rollingUpdate?.maxUnavailable;
  if (unavailable === undefined || unavailable === null) return;
  validateIntOrPercent(unavailable, at.child("maxUnavailable"), errors);
  if (intOf(unavailable) === 0) errors.push(fieldInvalid(at.child("maxUnavailable"), unavailable, "cannot be 0"));
  validateAtMostHundred(unavailable, at.child("maxUnavailable"), errors);
}
