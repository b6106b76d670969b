import type { IReplicationControllerSpec } from "kubernetes-models/v1/ReplicationControllerSpec";
import type { IReplicationControllerStatus } from "kubernetes-models/v1/ReplicationControllerStatus";
import { type FieldError, fieldRequired } from "../field-error.ts";
import { SPEC } from "../field-path.ts";
import type { KubeObject } from "../object.ts";
import { validateNonNegative } from "../object-meta.ts";
import { setPodTemplateDefaults } from "../pod-template/defaults.ts";
import { formatLabels, labelMapMatcher } from "../selector.ts";
import { AGE } from "../table.ts";
import { defineKind } from "./define-kind.ts";
import { keepStatus, startStatus } from "./status.ts";
import { containerColumns, validateCounts, validateTemplate } from "./workload.ts";

export interface ReplicationControllerObject extends KubeObject {
  spec: IReplicationControllerSpec;
  status?: IReplicationControllerStatus;
}

const COUNTS = ["replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas", "observedGeneration"];

/** What ReplicaSet came from. */
export const ReplicationController = defineKind<ReplicationControllerObject>("v1", "ReplicationController", {
  resource: "replicationcontrollers",
  columns: [
    { name: "Desired", type: "integer", description: "Pods wanted.", value: ({ spec }) => spec.replicas ?? 0 },
    { name: "Current", type: "integer", description: "Pods there are.", value: ({ status }) => status?.replicas ?? 0 },
    { name: "Ready", type: "integer", description: "Pods ready.", value: ({ status }) => status?.readyReplicas ?? 0 },
    AGE,
    ...containerColumns<ReplicationControllerObject>(({ spec }) => spec.template?.spec?.containers),
    {
      name: "Selector",
      priority: 1,
      description: "Labels of the pods.",
      value: ({ spec }) => formatLabels(spec.selector),
    },
  ],
  setDefaults({ metadata, spec }) {
    if (!spec) return;
    const labels = spec.template?.metadata?.labels;
    if (labels) {
      if (Object.keys(spec.selector ?? {}).length === 0) spec.selector = { ...labels };
      if (Object.keys(metadata.labels ?? {}).length === 0) metadata.labels = { ...labels };
    }
    spec.replicas ??= 1;
    setPodTemplateDefaults(spec.template);
  },
  prepareForCreate: startStatus({ replicas: 0 }),
  prepareForUpdate: keepStatus,
  validate({ spec }) {
    const errors: FieldError[] = [];
    validateNonNegative(spec.minReadySeconds, SPEC.child("minReadySeconds"), errors);
    const selector = labelMapMatcher(spec.selector);
    if (selector.requirements.length === 0) errors.push(fieldRequired(SPEC.child("selector")));
    validateNonNegative(spec.replicas, SPEC.child("replicas"), errors);
    validateTemplate(spec.template, { selector, kind: "ReplicationController", path: SPEC.child("template") }, errors);
    return errors;
  },
  validateStatusUpdate: ({ status }) =>
    validateCounts(status as unknown as Record<string, unknown>, COUNTS, [
      ["fullyLabeledReplicas", "replicas"],
      ["readyReplicas", "replicas"],
      ["availableReplicas", "replicas"],
      ["availableReplicas", "readyReplicas"],
    ]),
  selectableFields: ({ status }) => ({ "status.replicas": String(status?.replicas ?? 0) }),
  scale: { specReplicas: "spec.replicas", statusReplicas: "status.replicas", selector: "spec.selector" },
  hasGeneration: true,
});
