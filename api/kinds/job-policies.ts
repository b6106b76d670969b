import type { IJobSpec } from "kubernetes-models/batch/v1/JobSpec";
import { checkQualifiedName, checkSupported } from "../field-checks.ts";
import {
  type FieldError,
  fieldDuplicate,
  fieldInvalid,
  fieldInvalidUnshown,
  fieldRequired,
  fieldTooLong,
  fieldTooMany,
} from "../field-error.ts";
import type { FieldPath } from "../field-path.ts";
import { validateNonNegative } from "../object-meta.ts";

type FailureRule = NonNullable<NonNullable<IJobSpec["podFailurePolicy"]>["rules"]>[number];
type ExitCodes = NonNullable<FailureRule["onExitCodes"]>;
type SuccessRule = NonNullable<NonNullable<IJobSpec["successPolicy"]>["rules"]>[number];

const FAILURE_RULES_MAX = 20;
const EXIT_CODES_MAX = 255;
const CONDITIONS_MAX = 20;
const SUCCESS_RULES_MAX = 20;
const INDEXES_BYTES_MAX = 64 * 1024;
const ACTIONS = ["Count", "FailIndex", "FailJob", "Ignore"];
const OPERATORS = ["In", "NotIn"];
const STATUSES = ["False", "True", "Unknown"];

/** An enum that has to be there; upstream lists its values the way Go prints them. */
function checkValue(value: string | undefined, supported: string[], path: FieldPath, errors: FieldError[]): void {
  const list = supported.map((each) => JSON.stringify(each)).join(" ");
  if (!value) errors.push(fieldRequired(path, `valid values: [${list}]`));
  else checkSupported(value, supported, path, errors);
}

/** What pods' failures mean to their Job. */
export function validateFailurePolicy(spec: IJobSpec, path: FieldPath, errors: FieldError[]): void {
  const rules = spec.podFailurePolicy?.rules ?? [];
  const at = path.child("rules");
  if (rules.length > FAILURE_RULES_MAX) errors.push(fieldTooMany(at, rules.length, FAILURE_RULES_MAX));
  const pod = spec.template.spec;
  const names = new Set([...(pod?.containers ?? []), ...(pod?.initContainers ?? [])].map(({ name }) => name));
  rules.forEach((rule, i) => {
    validateFailureRule(
      rule,
      { names, at: at.index(i), isPerIndex: typeof spec.backoffLimitPerIndex === "number" },
      errors,
    );
  });
}

interface FailureScope {
  names: ReadonlySet<string>;
  at: FieldPath;
  isPerIndex: boolean;
}

function validateFailureRule(rule: FailureRule, { names, at, isPerIndex }: FailureScope, errors: FieldError[]): void {
  const { action, onExitCodes, onPodConditions = [] } = rule;
  if (action === "FailIndex") {
    const why = "requires the backoffLimitPerIndex to be set";
    if (!isPerIndex) errors.push(fieldInvalid(at.child("action"), action, why));
  } else checkValue(action, ACTIONS, at.child("action"), errors);
  if (onExitCodes) validateExitCodes(onExitCodes, names, at.child("onExitCodes"), errors);
  const conditionsAt = at.child("onPodConditions");
  if (onPodConditions.length > CONDITIONS_MAX) {
    errors.push(fieldTooMany(conditionsAt, onPodConditions.length, CONDITIONS_MAX));
  }
  onPodConditions.forEach(({ type, status }, i) => {
    checkQualifiedName(type ?? "", conditionsAt.index(i).child("type"), errors);
    checkValue(status, STATUSES, conditionsAt.index(i).child("status"), errors);
  });
  const both = "specifying both OnExitCodes and OnPodConditions is not supported";
  const neither = "specifying one of OnExitCodes and OnPodConditions is required";
  if (onExitCodes && onPodConditions.length > 0) errors.push(fieldInvalidUnshown(at, both));
  if (!onExitCodes && onPodConditions.length === 0) errors.push(fieldInvalidUnshown(at, neither));
}

function validateExitCodes(codes: ExitCodes, names: ReadonlySet<string>, at: FieldPath, errors: FieldError[]): void {
  checkValue(codes.operator, OPERATORS, at.child("operator"), errors);
  if (typeof codes.containerName === "string" && !names.has(codes.containerName)) {
    const why = "must be one of the container or initContainer names in the pod template";
    errors.push(fieldInvalid(at.child("containerName"), codes.containerName, why));
  }
  const values = codes.values ?? [];
  const valuesAt = at.child("values");
  if (values.length === 0) errors.push(fieldInvalid(valuesAt, codes.values ?? null, "at least one value is required"));
  else if (values.length > EXIT_CODES_MAX) errors.push(fieldTooMany(valuesAt, values.length, EXIT_CODES_MAX));
  const seen = new Set<number>();
  values.forEach((value, i) => {
    if (codes.operator === "In" && value === 0) {
      errors.push(fieldInvalid(valuesAt.index(i), value, "must not be 0 for the In operator"));
    }
    if (seen.has(value)) errors.push(fieldDuplicate(valuesAt.index(i), value));
    seen.add(value);
  });
  const isOrdered = values.every((value, i) => i === 0 || values[i - 1]! <= value);
  if (!isOrdered) errors.push(fieldInvalid(valuesAt, values, "must be ordered"));
}

/** When an indexed Job has succeeded before all of its pods have. */
export function validateSuccessPolicy(spec: IJobSpec, path: FieldPath, errors: FieldError[]): void {
  const rules = spec.successPolicy?.rules ?? [];
  const at = path.child("rules");
  if (rules.length === 0) {
    errors.push(fieldRequired(at, "at least one rules must be specified when the successPolicy is specified"));
  }
  if (rules.length > SUCCESS_RULES_MAX) errors.push(fieldTooMany(at, rules.length, SUCCESS_RULES_MAX));
  rules.forEach((rule, i) => {
    validateSuccessRule(rule, spec.completions ?? 0, at.index(i), errors);
  });
}

function validateSuccessRule(
  { succeededCount: count, succeededIndexes: indexes }: SuccessRule,
  completions: number,
  at: FieldPath,
  errors: FieldError[],
): void {
  const hasCount = typeof count === "number";
  if (!hasCount && typeof indexes !== "string") {
    errors.push(fieldRequired(at, "at least one of succeededCount or succeededIndexes must be specified"));
  }
  let total = 0;
  if (typeof indexes === "string") {
    const indexesAt = at.child("succeededIndexes");
    if (indexes.length > INDEXES_BYTES_MAX) errors.push(fieldTooLong(indexesAt, INDEXES_BYTES_MAX));
    const counted = countIndexes(indexes, completions);
    if (typeof counted === "number") total = counted;
    else errors.push(fieldInvalid(indexesAt, indexes, `error parsing succeededIndexes: ${counted.why}`));
  }
  if (!hasCount) return;
  const countAt = at.child("succeededCount");
  validateNonNegative(count, countAt, errors);
  const atMost = (bound: number, what: string) =>
    errors.push(fieldInvalid(countAt, count, `must be less than or equal to ${bound} (the number of ${what})`));
  if (count > completions) atMost(completions, "specified completions");
  if (typeof indexes === "string" && count > total) {
    atMost(total, "indexes in the specified succeededIndexes field");
  }
}

/** How many there are in `1,3-5`, or what is wrong with it. */
function countIndexes(text: string, completions: number): number | { why: string } {
  if (text === "") return 0;
  let total = 0;
  let last = -1;
  for (const interval of text.split(",")) {
    const limits = interval.split("-");
    if (limits.length > 2) {
      const why = "violates the requirement that an index interval can have at most two parts separated by '-'";
      return { why: `the fragment ${JSON.stringify(interval)} ${why}` };
    }
    const numbers: number[] = [];
    for (const limit of limits) {
      if (!/^[+-]?\d+$/.test(limit)) {
        return { why: `cannot convert string to integer for index: ${JSON.stringify(limit)}` };
      }
      if (Number(limit) >= completions) return { why: `too large index: ${JSON.stringify(limit)}` };
      numbers.push(Number(limit));
    }
    const [from = 0, to = from] = numbers;
    const isBackward = numbers.length === 2 && from >= to;
    if (isBackward) return { why: `non-increasing order, previous: ${from}, current: ${to}` };
    if (total > 0 && last >= from) return { why: `non-increasing order, previous: ${last}, current: ${from}` };
    total += to - from + 1;
    last = to;
  }
  return total;
}
