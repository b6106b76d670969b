import type { IStatefulSetSpec } from "kubernetes-models/apps/v1/StatefulSetSpec";
import type { IStatefulSetStatus } from "kubernetes-models/apps/v1/StatefulSetStatus";
import { sameJson } from "../equality.ts";
import { checkOneOf, checkSubdomain } from "../field-checks.ts";
import { type FieldError, fieldForbidden, fieldInvalid } from "../field-error.ts";
import { SPEC } from "../field-path.ts";
import type { KubeObject } from "../object.ts";
import { validateNonNegative } from "../object-meta.ts";
import { roundToMilli, setPodTemplateDefaults } from "../pod-template/defaults.ts";
import { AGE } from "../table.ts";
import { defineKind } from "./define-kind.ts";
import { keepStatus, startStatus } from "./status.ts";
import {
  intOf,
  templateColumns,
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
      spec.updateStrategy.rollingUpdate.maxUnavailable ??= 1;
    }
    spec.persistentVolumeClaimRetentionPolicy ??= {};
    spec.persistentVolumeClaimRetentionPolicy.whenDeleted ||= "Retain";
    spec.persistentVolumeClaimRetentionPolicy.whenScaled ||= "Retain";
    spec.replicas ??= 1;
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
    checkOneOf(spec.podManagementPolicy, ["OrderedReady", "Parallel"], SPEC.child("podManagementPolicy"), errors);
    const strategy = spec.updateStrategy ?? {};
    const at = SPEC.child("updateStrategy");
    checkOneOf(strategy.type, ["RollingUpdate", "OnDelete"], at.child("type"), errors);
    if (strategy.type === "OnDelete" && strategy.rollingUpdate) {
      const why = "only allowed for updateStrategy 'RollingUpdate'";
      errors.push(fieldInvalid(at.child("rollingUpdate"), strategy.rollingUpdate, why));
    }
    validateNonNegative(strategy.rollingUpdate?.partition, at.child("rollingUpdate").child("partition"), errors);
    const unavailable = strategy.rollingUpdate?.maxUnavailable;
    if (unavailable !== undefined && unavailable !== null) {
      validateIntOrPercent(unavailable, at.child("rollingUpdate").child("maxUnavailable"), errors);
      if (intOf(unavailable) === 0) {
        errors.push(fieldInvalid(at.child("rollingUpdate").child("maxUnavailable"), unavailable, "cannot be 0"));
      }
    }
    for (const when of ["whenDeleted", "whenScaled"] as const) {
      const policy = spec.persistentVolumeClaimRetentionPolicy?.[when];
      checkOneOf(policy, ["Delete", "Retain"], SPEC.child("persistentVolumeClaimRetentionPolicy").child(when), errors);
    }
    validateNonNegative(spec.replicas, SPEC.child("replicas"), errors);
    validateNonNegative(spec.minReadySeconds, SPEC.child("minReadySeconds"), errors);
    validateNonNegative(spec.ordinals?.start, SPEC.child("ordinals").child("start"), errors);
    if (spec.serviceName) checkSubdomain(spec.serviceName, SPEC.child("serviceName"), errors);
    const selector = validateSelector(spec.selector, "statefulset", SPEC, errors);
    validateTemplate(spec.template, { selector, kind: "StatefulSet", path: SPEC.child("template") }, errors);
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
      ["availableReplicas", "readyReplicas"],
    ]);
    const [is, was] = [next.status as unknown, previous.status as unknown] as Record<string, unknown>[];
    validateCollisionCount(is, was, errors);
    return errors;
  },
  scale: { specReplicas: "spec.replicas", statusReplicas: "status.replicas", selector: "spec.selector" },
  hasGeneration: true,
});
