import type { IJobSpec } from "kubernetes-models/batch/v1/JobSpec";
import type { IJobStatus } from "kubernetes-models/batch/v1/JobStatus";
import { humanDuration } from "../duration.ts";
import { sameJson } from "../equality.ts";
import { checkSupported } from "../field-checks.ts";
import { type FieldError, fieldInvalid, fieldRequired, fieldTooLong } from "../field-error.ts";
import { type FieldPath, METADATA, SPEC } from "../field-path.ts";
import { dnsLabelComplaints, domainPathComplaints } from "../names.ts";
import type { KubeObject } from "../object.ts";
import { validateImmutable, validateNonNegative } from "../object-meta.ts";
import { setPodTemplateDefaults } from "../pod-template/defaults.ts";
import type { PodTemplateSpec } from "../pod-template/types.ts";
import { validatePodTemplate } from "../pod-template/validate.ts";
import { type LabelSelector, labelSelectorMatcher, validateLabelSelector } from "../selector.ts";
import { AGE } from "../table.ts";
import { defineKind } from "./define-kind.ts";
import { validateFailurePolicy, validateSuccessPolicy } from "./job-policies.ts";
import { keepStatus, startStatus } from "./status.ts";
import { notSelected, selectorColumn, templateColumns, validateCounts } from "./workload.ts";

export interface JobObject extends KubeObject {
  spec: IJobSpec;
  status?: IJobStatus;
}

const INT32_MAX = 2 ** 31 - 1;
const INDEXES_MAX = 100_000;
/** The bound of what is done at once, or fails, where there are more indexes than that. */
const MANY_INDEXES_MAX = 10_000;
const MANAGED_BY_LENGTH_MAX = 63;
const UID_LABEL = "batch.kubernetes.io/controller-uid";
const NAME_LABEL = "batch.kubernetes.io/job-name";

/** Pods that run until enough of them have succeeded. */
export const Job = defineKind<JobObject>("batch/v1", "Job", {
  resource: "jobs",
  columns: [
    { name: "Status", description: "Where the job is.", value: describeStatus },
    {
      name: "Completions",
      description: "Pods that succeeded, of those wanted.",
      value({ spec, status }) {
        const succeeded = status?.succeeded ?? 0;
        if (typeof spec.completions === "number") return `${succeeded}/${spec.completions}`;
        const parallelism = spec.parallelism ?? 0;
        return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`;
      },
    },
    {
      name: "Duration",
      description: "How long it took, or has taken so far.",
      value({ status }, now) {
        if (!status?.startTime) return "";
        const end = status.completionTime ? Date.parse(status.completionTime) : now;
        return humanDuration(end - Date.parse(status.startTime));
      },
    },
    AGE,
    ...templateColumns,
    selectorColumn,
  ],
  setDefaults({ metadata, spec }) {
    setJobSpecDefaults(spec);
    if (spec) spec.manualSelector ??= false;
    setLabelDefaults({ metadata, spec });
  },
  /** The name and the uid are there already: the selector is made of them. */
  prepareForCreate(job) {
    startStatus({})(job);
    generateSelector(job);
    setLabelDefaults(job);
  },
  prepareForUpdate: keepStatus,
  validate({ metadata, spec }) {
    const errors: FieldError[] = [];
    validateJobSpec(spec, SPEC, errors);
    // Upstream has no word against an empty selector here: only a Job that selects by hand can have one.
    if (!spec.selector) errors.push(fieldRequired(SPEC.child("selector")));
    else validateLabelSelector(spec.selector, SPEC.child("selector"), errors);
    if (!spec.manualSelector && spec.selector && !isGenerated(spec.selector, metadata.uid)) {
      errors.push(fieldInvalid(SPEC.child("selector"), spec.selector, "`selector` not auto-generated"));
    }
    const selector = labelSelectorMatcher(spec.selector);
    const labels = spec.template?.metadata?.labels;
    if (!selector.matches(labels)) errors.push(notSelected(labels, SPEC.child("template")));
    if (spec.completionMode !== "Indexed" || !spec.completions || spec.completions < 0) return errors;
    const longest = `${metadata.name ?? ""}-${spec.completions - 1}`;
    if (dnsLabelComplaints(longest).length > 0) {
      const why = `will not able to create pod with invalid DNS label: ${longest}`;
      errors.push(fieldInvalid(METADATA.child("name"), metadata.name ?? "", why));
    }
    return errors;
  },
  validateUpdate({ spec: next, status }, { spec: previous }) {
    const errors: FieldError[] = [];
    const at = SPEC.child("completions");
    if (next.completionMode !== "Indexed") validateImmutable(next.completions, previous.completions, at, errors);
    else if (next.completions !== previous.completions && next.completions !== next.parallelism) {
      errors.push(fieldInvalid(at, next.completions ?? null, "can only be modified in tandem with spec.parallelism"));
    }
    for (const field of [
      "selector",
      "completionMode",
      "podFailurePolicy",
      "backoffLimitPerIndex",
      "managedBy",
      "successPolicy",
    ] as const) {
      validateImmutable(next[field], previous[field], SPEC.child(field), errors);
    }
    // Where the pods go may still be said while the job has not begun.
    const open = previous.suspend && !status?.startTime;
    const same = sameJson(
      open ? withoutDirectives(next.template) : next.template,
      open ? withoutDirectives(previous.template) : previous.template,
    );
    if (!same) errors.push(fieldInvalid(SPEC.child("template"), next.template, "field is immutable"));
    return errors;
  },
  validateStatusUpdate: ({ status }) =>
    validateCounts(status as Record<string, unknown>, ["active", "succeeded", "failed", "ready", "terminating"], []),
  unknownField: (field) => `field label ${JSON.stringify(field)} not supported for Job`,
  selectableFields: ({ status }) => ({ "status.successful": String(status?.succeeded ?? 0) }),
  hasGeneration: true,
});

/** A Job's defaults, in a CronJob's template too. */
export function setJobSpecDefaults(spec: IJobSpec | undefined): void {
  if (!spec) return;
  if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1;
  spec.parallelism ??= 1;
  spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? 6 : INT32_MAX;
  spec.completionMode ??= "NonIndexed";
  spec.suspend ??= false;
  spec.podReplacementPolicy ??= spec.podFailurePolicy ? "Failed" : "TerminatingOrFailed";
  for (const rule of spec.podFailurePolicy?.rules ?? []) {
    for (const pattern of rule.onPodConditions ?? []) pattern.status ||= "True";
  }
  setPodTemplateDefaults(spec.template);
}

/** What holds for a Job's spec and for a CronJob's template of it. */
export function validateJobSpec(spec: IJobSpec, path: FieldPath, errors: FieldError[]): void {
  for (const field of [
    "parallelism",
    "completions",
    "activeDeadlineSeconds",
    "backoffLimit",
    "ttlSecondsAfterFinished",
    "backoffLimitPerIndex",
    "maxFailedIndexes",
  ] as const) {
    validateNonNegative(spec[field], path.child(field), errors);
  }
  if (typeof spec.maxFailedIndexes === "number" && typeof spec.backoffLimitPerIndex !== "number") {
    errors.push(fieldRequired(path.child("backoffLimitPerIndex"), "when maxFailedIndexes is specified"));
  }
  validateManagedBy(spec.managedBy, path.child("managedBy"), errors);
  // In a CronJob it may be left out.
  if (spec.completionMode !== undefined) {
    checkSupported(spec.completionMode, ["NonIndexed", "Indexed"], path.child("completionMode"), errors);
  }
  const isIndexed = spec.completionMode === "Indexed";
  if (isIndexed) validateIndexed(spec, path, errors);
  else {
    for (const field of ["backoffLimitPerIndex", "maxFailedIndexes", "successPolicy"] as const) {
      if (spec[field] === undefined) continue;
      errors.push(fieldInvalid(path.child(field), spec[field], "requires indexed completion mode"));
    }
  }
  const at = path.child("template");
  if (!spec.template) {
    errors.push(fieldRequired(at));
    return;
  }
  if (spec.podFailurePolicy) validateFailurePolicy(spec, path.child("podFailurePolicy"), errors);
  if (spec.successPolicy && isIndexed) validateSuccessPolicy(spec, path.child("successPolicy"), errors);
  const replacements = spec.podFailurePolicy ? ["Failed"] : ["Failed", "TerminatingOrFailed"];
  if (spec.podReplacementPolicy !== undefined) {
    checkSupported(spec.podReplacementPolicy, replacements, path.child("podReplacementPolicy"), errors);
  }
  validatePodTemplate(spec.template, at, errors);
  const policy = spec.template.spec?.restartPolicy;
  const policyAt = at.child("spec").child("restartPolicy");
  if (policy === "Always") {
    errors.push(fieldRequired(policyAt, 'valid values: "OnFailure", "Never"'));
  } else if (spec.podFailurePolicy && policy !== "Never") {
    errors.push(fieldInvalid(policyAt, policy, 'only "Never" is supported when podFailurePolicy is specified'));
  }
}

function validateManagedBy(value: string | undefined, path: FieldPath, errors: FieldError[]): void {
  if (value === undefined) return;
  if (value === "") errors.push(fieldRequired(path));
  else for (const { part, complaint } of domainPathComplaints(value)) errors.push(fieldInvalid(path, part, complaint));
  if (value.length > MANAGED_BY_LENGTH_MAX) errors.push(fieldTooLong(path, MANAGED_BY_LENGTH_MAX));
}

function validateIndexed(spec: IJobSpec, path: FieldPath, errors: FieldError[]): void {
  const { completions, parallelism = 0, maxFailedIndexes: failed } = spec;
  const atMost = (field: "parallelism" | "maxFailedIndexes", bound: number | string, when = "") =>
    errors.push(fieldInvalid(path.child(field), spec[field], `must be less than or equal to ${bound}${when}`));
  if (typeof completions !== "number") {
    errors.push(fieldRequired(path.child("completions"), "when completion mode is Indexed"));
  }
  if (parallelism > INDEXES_MAX) atMost("parallelism", INDEXES_MAX, " when completion mode is Indexed");
  if (typeof failed === "number" && typeof completions === "number" && failed > completions) {
    atMost("maxFailedIndexes", "completions");
  }
  if (typeof failed === "number" && failed > INDEXES_MAX) atMost("maxFailedIndexes", INDEXES_MAX);
  if ((completions ?? 0) <= INDEXES_MAX || typeof spec.backoffLimitPerIndex !== "number") return;
  const when = ` when completions are above ${INDEXES_MAX} and used with backoff limit per index`;
  if (typeof failed !== "number") {
    const why = `must be specified when completions is above ${INDEXES_MAX}`;
    errors.push(fieldRequired(path.child("maxFailedIndexes"), why));
  }
  if (parallelism > MANY_INDEXES_MAX) atMost("parallelism", MANY_INDEXES_MAX, when);
  if (typeof failed === "number" && failed > MANY_INDEXES_MAX) atMost("maxFailedIndexes", MANY_INDEXES_MAX, when);
}

function generateSelector({ metadata, spec }: JobObject): void {
  if (spec.manualSelector || !metadata.uid) return;
  const template = spec.template as PodTemplateSpec;
  template.metadata ??= {};
  const name = metadata.name ?? "";
  template.metadata.labels = Object.assign(template.metadata.labels ?? {}, {
    [UID_LABEL]: metadata.uid,
    [NAME_LABEL]: name,
    "controller-uid": metadata.uid,
    "job-name": name,
  });
  spec.selector ??= {};
  spec.selector.matchLabels = { ...spec.selector.matchLabels, [UID_LABEL]: metadata.uid };
}

/** A Job without labels has its template's; upstream sees to that whenever one is read, so those that the selector added are among them. */
function setLabelDefaults({ metadata, spec }: Pick<JobObject, "metadata" | "spec">): void {
  const labels = spec?.template?.metadata?.labels;
  if (labels && Object.keys(metadata.labels ?? {}).length === 0) metadata.labels = { ...labels };
}

const isGenerated = (selector: LabelSelector, uid: string | undefined): boolean =>
  uid === undefined ||
  sameJson(selector, { matchLabels: { [UID_LABEL]: uid } }) ||
  sameJson(selector, { matchLabels: { "controller-uid": uid } });

function withoutDirectives(template: PodTemplateSpec | undefined): PodTemplateSpec {
  const { nodeSelector, tolerations, affinity, schedulingGates, ...spec } = template?.spec ?? { containers: [] };
  return { spec: { ...spec, affinity: affinity && { ...affinity, nodeAffinity: undefined } } };
}

function describeStatus({ metadata, status }: JobObject): string {
  const is = (type: string): boolean =>
    status?.conditions?.find((condition) => condition.type === type)?.status === "True";
  if (is("Complete")) return "Complete";
  if (is("Failed")) return "Failed";
  if (metadata.deletionTimestamp) return "Terminating";
  if (is("Suspended")) return "Suspended";
  return is("FailureTarget") ? "FailureTarget" : "Running";
}
