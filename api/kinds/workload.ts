import { checkSupported } from "../field-checks.ts";
import { type FieldError, fieldForbidden, fieldInvalid, fieldRequired } from "../field-error.ts";
import { type FieldPath, STATUS } from "../field-path.ts";
import type { Column } from "../kind.ts";
import { percentComplaints } from "../names.ts";
import { validateNonNegative } from "../object-meta.ts";
import type { PodTemplateSpec } from "../pod-template/types.ts";
import { validatePodTemplate } from "../pod-template/validate.ts";
import {
  formatLabelSelector,
  type LabelSelector,
  type Labels,
  labelSelectorMatcher,
  type Matcher,
  validateLabelSelector,
} from "../selector.ts";

interface Named {
  name: string;
  image?: string;
}

/** The wide columns of what makes pods. */
export const containerColumns = <T>(containersOf: (object: T) => readonly Named[] | undefined): Column<T>[] => [
  {
    name: "Containers",
    priority: 1,
    description: "Names of the containers in the template.",
    value: (object) => (containersOf(object) ?? []).map(({ name }) => name).join(","),
  },
  {
    name: "Images",
    priority: 1,
    description: "Images of the containers in the template.",
    value: (object) => (containersOf(object) ?? []).map(({ image }) => image ?? "").join(","),
  },
];

interface Workload {
  spec: { selector?: LabelSelector; template?: PodTemplateSpec };
}

export const templateColumns: Column<Workload>[] = containerColumns(({ spec }) => spec.template?.spec?.containers);

export const selectorColumn: Column<Workload> = {
  name: "Selector",
  priority: 1,
  description: "Label selector of the pods.",
  value: ({ spec }) => formatLabelSelector(spec.selector),
};

/** spec.selector is there, says something and is well-formed. `what`: as upstream's message has it. */
export function validateSelector(
  selector: LabelSelector | undefined,
  what: string,
  path: FieldPath,
  errors: FieldError[],
): Matcher | undefined {
  const at = path.child("selector");
  if (!selector) {
    errors.push(fieldRequired(at));
    return undefined;
  }
  const before = errors.length;
  validateLabelSelector(selector, at, errors);
  const empty = Object.keys(selector.matchLabels ?? {}).length + (selector.matchExpressions?.length ?? 0) === 0;
  if (empty) errors.push(fieldInvalid(at, selector, `empty selector is invalid for ${what}`));
  if (errors.length === before) return labelSelectorMatcher(selector);
  if (!empty) errors.push(fieldInvalid(at, selector, what === "statefulset" ? "" : "invalid label selector"));
  return undefined;
}

/** spec.template: selected by its own workload, restarting always, without an end. */
export function validateTemplate(
  template: PodTemplateSpec | undefined,
  { selector, kind, path }: { selector: Matcher | undefined; kind: string; path: FieldPath },
  errors: FieldError[],
): void {
  if (!template) {
    errors.push(fieldRequired(path));
    return;
  }
  validateTemplateLabels(template.metadata?.labels, selector, path, errors);
  validatePodTemplate(template, path, errors);
  const at = path.child("spec");
  if (template.spec?.restartPolicy !== "Always") {
    checkSupported(template.spec?.restartPolicy, ["Always"], at.child("restartPolicy"), errors);
  }
  if (typeof template.spec?.activeDeadlineSeconds === "number") {
    const why = `activeDeadlineSeconds in ${kind} is not Supported`;
    errors.push(fieldForbidden(at.child("activeDeadlineSeconds"), why));
  }
}

function validateTemplateLabels(
  labels: Labels | undefined,
  selector: Matcher | undefined,
  path: FieldPath,
  errors: FieldError[],
): void {
  if (!selector || selector.requirements.length === 0 || selector.matches(labels)) return;
  errors.push(notSelected(labels, path));
}

/** `path`: the template's. */
export const notSelected = (labels: Labels | undefined, path: FieldPath): FieldError =>
  fieldInvalid(path.child("metadata").child("labels"), labels ?? null, "`selector` does not match template `labels`");

export type IntOrPercent = number | string;

/** A count or a percentage, neither below zero. */
export function validateIntOrPercent(value: IntOrPercent | undefined, path: FieldPath, errors: FieldError[]): void {
  if (typeof value === "string") {
    for (const complaint of percentComplaints(value)) errors.push(fieldInvalid(path, value, complaint));
  } else {
    validateNonNegative(value, path, errors);
  }
}

/** The number of an IntOrString, and of a percentage its number too: for comparing with zero. */
export const intOf = (value: IntOrPercent | undefined): number =>
  typeof value === "string" ? Number.parseInt(value, 10) || 0 : (value ?? 0);

export function validateAtMostHundred(value: IntOrPercent | undefined, path: FieldPath, errors: FieldError[]): void {
  if (typeof value === "string" && percentComplaints(value).length === 0 && intOf(value) > 100) {
    errors.push(fieldInvalid(path, value, "must not be greater than 100%"));
  }
}

/** A strategy as upstream's errors show it: the fields of its Go types, which carry no JSON names. */
export const shownStrategy = (
  type: string | undefined,
  rollingUpdate: object | undefined,
  fields: Record<string, unknown>,
): object => ({ Type: type ?? "", RollingUpdate: rollingUpdate ? fields : null });

type Counts = Record<string, unknown>;

/** Status counts: none negative, and those named in `bounds` no greater than another. */
export function validateCounts(
  status: Counts | undefined,
  counts: readonly string[],
  bounds: readonly (readonly [lesser: string, greater: string, shown?: string])[],
): FieldError[] {
  const errors: FieldError[] = [];
  if (!status) return errors;
  const count = (name: string): number => (status[name] as number | undefined) ?? 0;
  for (const name of counts) validateNonNegative(count(name), STATUS.child(name), errors);
  for (const [lesser, greater, shown] of bounds) {
    if (count(lesser) <= count(greater)) continue;
    const than = shown ?? (greater === "replicas" ? "status.replicas" : greater);
    errors.push(fieldInvalid(STATUS.child(lesser), count(lesser), `cannot be greater than ${than}`));
  }
  return errors;
}

/** `status.collisionCount` only grows: names are made of it. */
export function validateCollisionCount(
  next: Counts | undefined,
  previous: Counts | undefined,
  errors: FieldError[],
): void {
  const was = previous?.["collisionCount"] as number | undefined;
  const is = next?.["collisionCount"] as number | undefined;
  if (typeof was !== "number") return;
  const at = STATUS.child("collisionCount");
  if (typeof is !== "number" || is < was) errors.push(fieldInvalid(at, is ?? 0, "cannot be decremented"));
}
