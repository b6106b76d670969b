import type { IReplicaSetSpec } from "kubernetes-models/apps/v1/ReplicaSetSpec";
import type { IReplicaSetStatus } from "kubernetes-models/apps/v1/ReplicaSetStatus";
import type { FieldError } from "../field-error.ts";
import { SPEC } from "../field-path.ts";
import type { KubeObject } from "../object.ts";
import { validateImmutable, validateNonNegative } from "../object-meta.ts";
import { setPodTemplateDefaults } from "../pod-template/defaults.ts";
import { AGE } from "../table.ts";
import { defineKind } from "./define-kind.ts";
import { keepStatus, startStatus } from "./status.ts";
import { selectorColumn, templateColumns, validateCounts, validateSelector, validateTemplate } from "./workload.ts";

export interface ReplicaSetObject extends KubeObject {
  spec: IReplicaSetSpec;
  status?: IReplicaSetStatus;
}

const COUNTS = ["replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas", "observedGeneration"];

/** As many pods of one template as wanted. */
export const ReplicaSet = defineKind<ReplicaSetObject>("apps/v1", "ReplicaSet", {
  resource: "replicasets",
  columns: [
    { name: "Desired", type: "integer", description: "Pods wanted.", value: ({ spec }) => spec.replicas ?? 0 },
    { name: "Current", type: "integer", description: "Pods there are.", value: ({ status }) => status?.replicas ?? 0 },
    { name: "Ready", type: "integer", description: "Pods ready.", value: ({ status }) => status?.readyReplicas ?? 0 },
    AGE,
    ...templateColumns,
    selectorColumn,
  ],
  setDefaults({ spec }) {
    if (!spec) return;
    spec.replicas ??= 1;
    setPodTemplateDefaults(spec.template);
  },
  prepareForCreate: startStatus({ replicas: 0 }),
  prepareForUpdate: keepStatus,
  validate({ spec }) {
    const errors: FieldError[] = [];
    validateNonNegative(spec.replicas, SPEC.child("replicas"), errors);
    validateNonNegative(spec.minReadySeconds, SPEC.child("minReadySeconds"), errors);
    // The word is upstream's, for replica sets too.
    const selector = validateSelector(spec.selector, "deployment", SPEC, errors);
    validateTemplate(spec.template, { selector, kind: "ReplicaSet", path: SPEC.child("template") }, errors);
    return errors;
  },
  validateUpdate(next, previous) {
    const errors: FieldError[] = [];
    validateImmutable(next.spec.selector, previous.spec.selector, SPEC.child("selector"), errors);
    return errors;
  },
  validateStatusUpdate: ({ status }) =>
    validateCounts(status as unknown as Record<string, unknown>, COUNTS, [
      ["fullyLabeledReplicas", "replicas"],
      ["readyReplicas", "replicas"],
      ["availableReplicas", "replicas"],
      ["availableReplicas", "readyReplicas"],
    ]),
  scale: { specReplicas: "spec.replicas", statusReplicas: "status.replicas", selector: "spec.selector" },
  hasGeneration: true,
});
