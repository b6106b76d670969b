import { checkRequired, complain } from "../field-checks.ts";
import { type FieldError, fieldRequired } from "../field-error.ts";
import { type FieldPath, SPEC } from "../field-path.ts";
import { pathSegmentComplaints } from "../names.ts";
import type { KubeObject } from "../object.ts";
import { defineKind } from "./define-kind.ts";
import { checkSet } from "./device-names.ts";
import {
  checkLongName,
  checkShortName,
  checkUnchanged,
  type PodGroupClaim,
  type SchedulingPolicy,
  validatePodGroupClaims,
  validatePolicy,
} from "./pod-group-parts.ts";

interface PodGroupTemplate {
  name?: string;
  schedulingPolicy?: SchedulingPolicy;
  schedulingConstraints?: object | null;
  resourceClaims?: PodGroupClaim[];
}

export interface WorkloadObject extends KubeObject {
  spec: {
    controllerRef?: { apiGroup?: string; kind?: string; name?: string };
    podGroupTemplates?: PodGroupTemplate[];
  };
}

const CONTROLLER = SPEC.child("controllerRef");
const TEMPLATES = SPEC.child("podGroupTemplates");
const TEMPLATES_MAX = 8;

/** Pods that are placed together, in groups. */
export const Workload = defineKind<WorkloadObject>("scheduling.k8s.io/v1alpha2", "Workload", {
  resource: "workloads",
  columns: [],
  setDefaults({ spec }) {
    // Upstream writes what is not there.
    for (const template of spec?.podGroupTemplates ?? []) template.schedulingConstraints ??= null;
  },
  validate({ spec = {} }, _, previous) {
    const errors: FieldError[] = [];
    if (!spec.podGroupTemplates?.length) errors.push(fieldRequired(TEMPLATES));
    // It cannot change; what has become stricter since is left in peace.
    if (previous) return errors;
    if (spec.controllerRef) validateController(spec.controllerRef, errors);
    const keyOf = ({ name = "" }: PodGroupTemplate): string => name;
    const rules = { max: TEMPLATES_MAX, keyOf, shown: (template: PodGroupTemplate) => template };
    checkSet(spec.podGroupTemplates, rules, TEMPLATES, validateTemplate, errors);
    return errors;
  },
  validateUpdate({ spec: next }, { spec: previous }) {
    const errors: FieldError[] = [];
    checkUnchanged(next?.controllerRef, previous?.controllerRef, CONTROLLER, errors);
    checkUnchanged(next?.podGroupTemplates, previous?.podGroupTemplates, TEMPLATES, errors);
    return errors;
  },
});

function validateController(
  reference: NonNullable<WorkloadObject["spec"]["controllerRef"]>,
  errors: FieldError[],
): void {
  if (reference.apiGroup) checkLongName(reference.apiGroup, CONTROLLER.child("apiGroup"), errors);
  for (const field of ["kind", "name"] as const) {
    const value = reference[field];
    const at = CONTROLLER.child(field);
    if (checkRequired(value, at, errors)) complain(pathSegmentComplaints(value!), value, at, errors);
  }
}

function validateTemplate(template: PodGroupTemplate, path: FieldPath, errors: FieldError[]): void {
  const { name, schedulingPolicy = {}, resourceClaims } = template;
  if (checkRequired(name, path.child("name"), errors)) checkShortName(name!, path.child("name"), errors);
  validatePolicy(schedulingPolicy, path.child("schedulingPolicy"), errors);
  validatePodGroupClaims(resourceClaims, path.child("resourceClaims"), errors);
}
