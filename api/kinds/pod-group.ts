import { checkRequired } from "../field-checks.ts";
import { type FieldError, fieldInvalid } from "../field-error.ts";
import { SPEC, STATUS } from "../field-path.ts";
import type { KubeObject } from "../object.ts";
import { AGE } from "../table.ts";
import { type Condition, validateConditions } from "./conditions.ts";
import { defineKind } from "./define-kind.ts";
import {
  checkLongName,
  checkShortName,
  checkUnchanged,
  type PodGroupClaim,
  type SchedulingPolicy,
  validatePodGroupClaims,
  validatePolicy,
} from "./pod-group-parts.ts";
import { keepStatus, startStatus } from "./status.ts";

export interface PodGroupObject extends KubeObject {
  spec: {
    podGroupTemplateRef?: { workload?: { workloadName?: string; podGroupTemplateName?: string } | null } | null;
    schedulingPolicy?: SchedulingPolicy;
    resourceClaims?: PodGroupClaim[];
  };
  status?: { conditions?: Condition[]; resourceClaimStatuses?: { name?: string }[] };
}

const TEMPLATE = SPEC.child("podGroupTemplateRef");
const FIELDS = ["podGroupTemplateRef", "schedulingPolicy", "resourceClaims"] as const;

/** Pods that are placed together. */
export const PodGroup = defineKind<PodGroupObject>("scheduling.k8s.io/v1alpha2", "PodGroup", {
  resource: "podgroups",
  columns: [
    {
      name: "Policy",
      description: "Whether all are placed or none.",
      value: ({ spec }) => (spec?.schedulingPolicy?.gang ? "Gang" : "Basic"),
    },
    {
      name: "Workload",
      description: "The Workload that it belongs to.",
      value: ({ spec }) =>
        spec?.podGroupTemplateRef ? (spec.podGroupTemplateRef.workload?.workloadName ?? "") : "<none>",
    },
    { name: "Status", description: "How far it is.", value: describeStatus },
    AGE,
  ],
  setDefaults(group) {
    group.spec ??= {};
    // Upstream writes what is not there.
    group.spec.podGroupTemplateRef ??= null;
    group.spec.schedulingPolicy ??= {};
  },
  prepareForCreate: startStatus({}),
  prepareForUpdate: keepStatus,
  validate({ spec }, _, previous) {
    const errors: FieldError[] = [];
    // It cannot change; what has become stricter since is left in peace.
    if (previous) return errors;
    const { podGroupTemplateRef, schedulingPolicy = {}, resourceClaims } = spec;
    if (podGroupTemplateRef) validateReference(podGroupTemplateRef, errors);
    validatePolicy(schedulingPolicy, SPEC.child("schedulingPolicy"), errors);
    validatePodGroupClaims(resourceClaims, SPEC.child("resourceClaims"), errors);
    return errors;
  },
  validateUpdate({ spec: next }, { spec: previous }) {
    const errors: FieldError[] = [];
    for (const field of FIELDS) checkUnchanged(next[field], previous[field], SPEC.child(field), errors);
    return errors;
  },
  validateStatusUpdate({ spec, status }) {
    const errors: FieldError[] = [];
    validateConditions(status?.conditions ?? [], STATUS.child("conditions"), errors);
    const names = new Set(spec?.resourceClaims?.map(({ name }) => name));
    status?.resourceClaimStatuses?.forEach(({ name = "" }, i) => {
      if (names.has(name)) return;
      const at = STATUS.child("resourceClaimStatuses").index(i).child("name");
      errors.push(fieldInvalid(at, name, "must match the name of an entry in `spec.resourceClaims`"));
    });
    return errors;
  },
});

function validateReference(
  { workload }: NonNullable<PodGroupObject["spec"]["podGroupTemplateRef"]>,
  errors: FieldError[],
): void {
  if (!workload) {
    errors.push(fieldInvalid(TEMPLATE, "", "must specify one of: `workload`"));
    return;
  }
  const at = TEMPLATE.child("workload");
  const { workloadName, podGroupTemplateName } = workload;
  const nameAt = at.child("workloadName");
  if (checkRequired(workloadName, nameAt, errors)) checkLongName(workloadName!, nameAt, errors);
  const templateAt = at.child("podGroupTemplateName");
  if (checkRequired(podGroupTemplateName, templateAt, errors))
    checkShortName(podGroupTemplateName!, templateAt, errors);
}

function describeStatus({ status }: PodGroupObject): string {
  const of = (type: string): Condition | undefined => status?.conditions?.findLast((each) => each.type === type);
  const disrupted = of("DisruptionTarget");
  if (disrupted) return disrupted.reason ?? "";
  const scheduled = of("PodGroupScheduled");
  if (!scheduled) return "Pending";
  return scheduled.status === "True" ? "Scheduled" : "Unschedulable";
}
