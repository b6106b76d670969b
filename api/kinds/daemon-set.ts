import type { IDaemonSetSpec } from "kubernetes-models/apps/v1/DaemonSetSpec";
import type { IDaemonSetStatus } from "kubernetes-models/apps/v1/DaemonSetStatus";
import { type FieldError, fieldInvalid, fieldNotSupported, fieldRequired } from "../field-error.ts";
import { type FieldPath, SPEC } from "../field-path.ts";
import type { KubeObject } from "../object.ts";
import { validateImmutable, validateNonNegative } from "../object-meta.ts";
import { setPodTemplateDefaults } from "../pod-template/defaults.ts";
import { formatLabels, type Matcher } from "../selector.ts";
import { AGE } from "../table.ts";
import { defineKind } from "./define-kind.ts";
import { keepStatus, startStatus } from "./status.ts";
import {
  intOf,
  notSelected,
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

export interface DaemonSetObject extends KubeObject {
  spec: IDaemonSetSpec;
  status?: IDaemonSetStatus;
}

type Count =
  | "desiredNumberScheduled"
  | "currentNumberScheduled"
  | "numberReady"
  | "updatedNumberScheduled"
  | "numberAvailable";

const COUNTS = [
  "currentNumberScheduled",
  "numberMisscheduled",
  "desiredNumberScheduled",
  "numberReady",
  "observedGeneration",
  "updatedNumberScheduled",
  "numberAvailable",
  "numberUnavailable",
  "collisionCount",
];

const countColumn = (name: string, count: Count, description: string) => ({
  name,
  type: "integer" as const,
  description,
  value: ({ status }: DaemonSetObject) => status?.[count] ?? 0,
});

/** Old clients read the template's number there. */
const TEMPLATE_GENERATION = "deprecated.daemonset.template.generation";
const START = startStatus({
  currentNumberScheduled: 0,
  desiredNumberScheduled: 0,
  numberMisscheduled: 0,
  numberReady: 0,
});

/** A pod on every node that fits. */
export const DaemonSet = defineKind<DaemonSetObject>("apps/v1", "DaemonSet", {
  resource: "daemonsets",
  columns: [
    countColumn("Desired", "desiredNumberScheduled", "Nodes that should run the pod."),
    countColumn("Current", "currentNumberScheduled", "Nodes that run it."),
    countColumn("Ready", "numberReady", "Nodes where it is ready."),
    countColumn("Up-to-date", "updatedNumberScheduled", "Nodes that run the current template."),
    countColumn("Available", "numberAvailable", "Nodes where it has been ready for minReadySeconds."),
    {
      name: "Node Selector",
      description: "Labels that nodes must have.",
      value: ({ spec }) => formatLabels(spec.template?.spec?.nodeSelector),
    },
    AGE,
    ...templateColumns,
    selectorColumn,
  ],
  setDefaults({ spec }) {
    if (!spec) return;
    spec.updateStrategy ??= {};
    spec.updateStrategy.type ||= "RollingUpdate";
    if (spec.updateStrategy.type === "RollingUpdate") {
      spec.updateStrategy.rollingUpdate ??= {};
      spec.updateStrategy.rollingUpdate.maxUnavailable ??= 1;
      spec.updateStrategy.rollingUpdate.maxSurge ??= 0;
    }
    spec.revisionHistoryLimit ??= 10;
    setPodTemplateDefaults(spec.template);
  },
  prepareForCreate(set) {
    START(set);
    set.metadata.annotations = { ...set.metadata.annotations, [TEMPLATE_GENERATION]: "1" };
  },
  prepareForUpdate: keepStatus,
  validate({ spec }) {
    const errors: FieldError[] = [];
    let selector: Matcher | undefined;
    if (spec.selector) selector = validateSelector(spec.selector, "daemonset", SPEC, errors);
    // Unlike its kin, upstream takes a missing selector for one that selects nothing.
    else errors.push(notSelected(spec.template?.metadata?.labels, SPEC.child("template")));
    validateTemplate(spec.template, { selector, kind: "DaemonSet", path: SPEC.child("template") }, errors);
    validateNonNegative(spec.minReadySeconds, SPEC.child("minReadySeconds"), errors);
    validateNonNegative(spec.revisionHistoryLimit, SPEC.child("revisionHistoryLimit"), errors);
    validateStrategy(spec.updateStrategy ?? {}, SPEC.child("updateStrategy"), errors);
    return errors;
  },
  validateUpdate(next, previous) {
    const errors: FieldError[] = [];
    validateImmutable(next.spec.selector, previous.spec.selector, SPEC.child("selector"), errors);
    return errors;
  },
  validateStatusUpdate(next, previous) {
    const [is, was] = [next.status as unknown, previous.status as unknown] as Record<string, unknown>[];
    const errors = validateCounts(is, COUNTS, []);
    validateCollisionCount(is, was, errors);
    return errors;
  },
  hasGeneration: true,
});

function validateStrategy(
  strategy: NonNullable<IDaemonSetSpec["updateStrategy"]>,
  path: FieldPath,
  errors: FieldError[],
): void {
  if (strategy.type === "OnDelete") return;
  if (strategy.type !== "RollingUpdate") {
    const { maxUnavailable: MaxUnavailable = 0, maxSurge: MaxSurge = 0 } = strategy.rollingUpdate ?? {};
    const shown = shownStrategy(strategy.type, strategy.rollingUpdate, { MaxUnavailable, MaxSurge });
    errors.push(fieldNotSupported(path, shown, ["RollingUpdate", "OnDelete"]));
    return;
  }
  const at = path.child("rollingUpdate");
  if (!strategy.rollingUpdate) {
    errors.push(fieldRequired(at));
    return;
  }
  const { maxUnavailable, maxSurge } = strategy.rollingUpdate;
  for (const [name, value] of [
    ["maxUnavailable", maxUnavailable],
    ["maxSurge", maxSurge],
  ] as const) {
    validateIntOrPercent(value, at.child(name), errors);
    validateAtMostHundred(value, at.child(name), errors);
  }
  if (intOf(maxUnavailable) > 0 && intOf(maxSurge) > 0) {
    errors.push(fieldInvalid(at.child("maxSurge"), maxSurge, "may not be set when maxUnavailable is non-zero"));
  }
  if (intOf(maxUnavailable) === 0 && intOf(maxSurge) === 0) {
    errors.push(fieldRequired(at.child("maxUnavailable"), "cannot be 0 when maxSurge is 0"));
  }
}
