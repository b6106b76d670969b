import type { IDeploymentSpec } from "kubernetes-models/apps/v1/DeploymentSpec";
import type { IDeploymentStatus } from "kubernetes-models/apps/v1/DeploymentStatus";
import { type FieldError, fieldForbidden, fieldInvalid, fieldNotSupported, fieldRequired } from "../field-error.ts";
import { type FieldPath, SPEC } from "../field-path.ts";
import type { KubeObject } from "../object.ts";
import { validateImmutable, validateNonNegative } from "../object-meta.ts";
import { setPodTemplateDefaults } from "../pod-template/defaults.ts";
import { AGE } from "../table.ts";
import { defineKind } from "./define-kind.ts";
import { keepStatus, startStatus } from "./status.ts";
import {
  intOf,
  selectorColumn,
  shownStrategy,
  templateColumns,
  validateAtMostHundred,
  validateCollisionCount,
  validateCounts,
  validateIntOrPercent,
  validateSelector,
  validateTemplate,
} from "./workload.ts";

export interface DeploymentObject extends KubeObject {
  spec: IDeploymentSpec;
  status?: IDeploymentStatus;
}

const COUNTS = [
  "observedGeneration",
  "replicas",
  "updatedReplicas",
  "readyReplicas",
  "availableReplicas",
  "unavailableReplicas",
  "collisionCount",
];

/** Pods of one template, replaced step by step when the template changes. */
export const Deployment = defineKind<DeploymentObject>("apps/v1", "Deployment", {
  resource: "deployments",
  columns: [
    {
      name: "Ready",
      description: "Ready pods, of those wanted.",
      value: ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec.replicas ?? 0}`,
    },
    {
      name: "Up-to-date",
      description: "Pods of the current template.",
      value: ({ status }) => status?.updatedReplicas ?? 0,
    },
    {
      name: "Available",
      description: "Pods ready for at least minReadySeconds.",
      value: ({ status }) => status?.availableReplicas ?? 0,
    },
    AGE,
    ...templateColumns,
    selectorColumn,
  ],
  setDefaults({ spec }) {
    if (!spec) return;
    spec.replicas ??= 1;
    spec.strategy ??= {};
    spec.strategy.type ||= "RollingUpdate";
    if (spec.strategy.type === "RollingUpdate") {
      spec.strategy.rollingUpdate ??= {};
      spec.strategy.rollingUpdate.maxUnavailable ??= "25%";
      spec.strategy.rollingUpdate.maxSurge ??= "25%";
    }
    spec.revisionHistoryLimit ??= 10;
    spec.progressDeadlineSeconds ??= 600;
    setPodTemplateDefaults(spec.template);
  },
  prepareForCreate: startStatus({}),
  prepareForUpdate: keepStatus,
  validate({ spec }) {
    const errors: FieldError[] = [];
    validateNonNegative(spec.replicas, SPEC.child("replicas"), errors);
    const selector = validateSelector(spec.selector, "deployment", SPEC, errors);
    validateTemplate(spec.template, { selector, kind: "ReplicaSet", path: SPEC.child("template") }, errors);
    validateStrategy(spec.strategy ?? {}, SPEC.child("strategy"), errors);
    validateNonNegative(spec.minReadySeconds, SPEC.child("minReadySeconds"), errors);
    validateNonNegative(spec.revisionHistoryLimit, SPEC.child("revisionHistoryLimit"), errors);
    const deadline = spec.progressDeadlineSeconds;
    if (typeof deadline === "number") {
      validateNonNegative(deadline, SPEC.child("progressDeadlineSeconds"), errors);
      if (deadline <= (spec.minReadySeconds ?? 0)) {
        errors.push(
          fieldInvalid(SPEC.child("progressDeadlineSeconds"), deadline, "must be greater than minReadySeconds"),
        );
      }
    }
    return errors;
  },
  validateUpdate(next, previous) {
    const errors: FieldError[] = [];
    validateImmutable(next.spec.selector, previous.spec.selector, SPEC.child("selector"), errors);
    return errors;
  },
  validateStatusUpdate(next, previous) {
    const errors = validateCounts(next.status as Record<string, unknown>, COUNTS, [
      ["updatedReplicas", "replicas"],
      ["readyReplicas", "replicas"],
      ["availableReplicas", "replicas"],
      ["availableReplicas", "readyReplicas"],
    ]);
    validateCollisionCount(next.status as Record<string, unknown>, previous.status as Record<string, unknown>, errors);
    return errors;
  },
  scale: { specReplicas: "spec.replicas", statusReplicas: "status.replicas", selector: "spec.selector" },
  hasGeneration: true,
});

function validateStrategy(
  strategy: NonNullable<IDeploymentSpec["strategy"]>,
  path: FieldPath,
  errors: FieldError[],
): void {
  const { type, rollingUpdate } = strategy;
  const at = path.child("rollingUpdate");
  if (type === "Recreate") {
    if (rollingUpdate) errors.push(fieldForbidden(at, "may not be specified when strategy `type` is 'Recreate'"));
    return;
  }
  if (type !== "RollingUpdate") {
    const { maxUnavailable: MaxUnavailable = 0, maxSurge: MaxSurge = 0 } = rollingUpdate ?? {};
    const shown = shownStrategy(type, rollingUpdate, { MaxUnavailable, MaxSurge });
    errors.push(fieldNotSupported(path, shown, ["Recreate", "RollingUpdate"]));
    return;
  }
  if (!rollingUpdate) {
    errors.push(fieldRequired(at, "this should be defaulted and never be nil"));
    return;
  }
  const { maxUnavailable, maxSurge } = rollingUpdate;
  validateIntOrPercent(maxUnavailable, at.child("maxUnavailable"), errors);
  validateIntOrPercent(maxSurge, at.child("maxSurge"), errors);
  if (intOf(maxUnavailable) === 0 && intOf(maxSurge) === 0) {
    errors.push(fieldInvalid(at.child("maxUnavailable"), maxUnavailable, "may not be 0 when `maxSurge` is 0"));
  }
  validateAtMostHundred(maxUnavailable, at.child("maxUnavailable"), errors);
}
