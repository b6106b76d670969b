import { checkEach, checkLabelName, checkQualifiedName, checkSupported, complain } from "../field-checks.ts";
import { type FieldError, fieldDuplicate, fieldForbidden, fieldInvalid, fieldRequired } from "../field-error.ts";
import type { FieldPath } from "../field-path.ts";
import { dnsSubdomainComplaints, labelValueComplaints } from "../names.ts";
import { type LabelSelector, validateLabelSelector } from "../selector.ts";
import type { PodSpec } from "./types.ts";

export const TAINT_EFFECTS = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

type Affinity = NonNullable<PodSpec["affinity"]>;
type Toleration = NonNullable<PodSpec["tolerations"]>[number];
type SpreadConstraint = NonNullable<PodSpec["topologySpreadConstraints"]>[number];

interface NodeRequirement {
  key: string;
  operator: string;
  values?: string[];
}
interface NodeTerm {
  matchExpressions?: NodeRequirement[];
  matchFields?: NodeRequirement[];
}
interface PodTerm {
  labelSelector?: LabelSelector;
  namespaceSelector?: LabelSelector;
  namespaces?: string[];
  topologyKey: string;
  matchLabelKeys?: string[];
  mismatchLabelKeys?: string[];
}

const REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution";

export function validateAffinity(affinity: Affinity, path: FieldPath, errors: FieldError[]): void {
  const { nodeAffinity } = affinity;
  const nodeAt = path.child("nodeAffinity");
  if (nodeAffinity?.[REQUIRED]) validateNodeSelector(nodeAffinity[REQUIRED], nodeAt.child(REQUIRED), errors);
  nodeAffinity?.[PREFERRED]?.forEach((term, i) => {
    const at = nodeAt.child(PREFERRED).index(i);
    checkWeight(term.weight, at, errors);
    validateNodeTerm(term.preference, false, at.child("preference"), errors);
  });
  for (const kind of ["podAffinity", "podAntiAffinity"] as const) {
    const at = path.child(kind);
    checkEach(affinity[kind]?.[REQUIRED], at.child(REQUIRED), validatePodTerm, errors);
    affinity[kind]?.[PREFERRED]?.forEach((term, i) => {
      checkWeight(term.weight, at.child(PREFERRED).index(i), errors);
      validatePodTerm(term.podAffinityTerm, at.child(PREFERRED).index(i).child("podAffinityTerm"), errors);
    });
  }
}

function checkWeight(weight: number, path: FieldPath, errors: FieldError[]): void {
  if (weight <= 0 || weight > 100)
    errors.push(fieldInvalid(path.child("weight"), weight, "must be in the range 1-100"));
}

/** A NodeSelector: of a pod's affinity, of a persistent volume. */
export function validateNodeSelector(
  selector: { nodeSelectorTerms?: NodeTerm[] },
  path: FieldPath,
  errors: FieldError[],
): void {
  const at = path.child("nodeSelectorTerms");
  if (!selector.nodeSelectorTerms?.length) errors.push(fieldRequired(at, "must have at least one node selector term"));
  selector.nodeSelectorTerms?.forEach((term, i) => {
    validateNodeTerm(term, true, at.index(i), errors);
  });
}

/** What is only preferred may have values that no label has. */
function validateNodeTerm(term: NodeTerm, isRequired: boolean, path: FieldPath, errors: FieldError[]): void {
  term.matchExpressions?.forEach((requirement, i) => {
    const at = path.child("matchExpressions").index(i);
    const values = requirement.values ?? [];
    switch (requirement.operator) {
      case "In":
      case "NotIn":
        if (values.length > 0) break;
        errors.push(fieldRequired(at.child("values"), "must be specified when `operator` is 'In' or 'NotIn'"));
        break;
      case "Exists":
      case "DoesNotExist":
        if (values.length === 0) break;
        errors.push(
          fieldForbidden(at.child("values"), "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"),
        );
        break;
      case "Gt":
      case "Lt":
        if (values.length === 1) break;
        errors.push(
          fieldRequired(at.child("values"), "must be specified single value when `operator` is 'Lt' or 'Gt'"),
        );
        break;
      default:
        errors.push(fieldInvalid(at.child("operator"), requirement.operator, "not a valid selector operator"));
    }
    checkQualifiedName(requirement.key, at.child("key"), errors);
    if (isRequired) {
      values.forEach((value, j) => {
        complain(labelValueComplaints(value), value, at.child("values").index(j), errors);
      });
    }
  });
  term.matchFields?.forEach(({ key, operator, values = [] }, i) => {
    const at = path.child("matchFields").index(i);
    if (operator !== "In" && operator !== "NotIn") {
      errors.push(fieldInvalid(at.child("operator"), operator, "not a valid selector operator"));
    } else if (values.length !== 1) {
      const why = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
      errors.push(fieldRequired(at.child("values"), why));
    }
    if (key !== "metadata.name") errors.push(fieldInvalid(at.child("key"), key, "not a valid field selector key"));
    else {
      values.forEach((value, j) => {
        for (const complaint of dnsSubdomainComplaints(value)) {
          errors.push(fieldInvalid(at.child("values").index(j), value, complaint));
        }
      });
    }
  });
}

function validatePodTerm(term: PodTerm, path: FieldPath, errors: FieldError[]): void {
  validateLabelSelector(term.labelSelector, path.child("labelSelector"), errors);
  validateLabelSelector(term.namespaceSelector, path.child("namespaceSelector"), errors);
  for (const namespace of term.namespaces ?? []) checkLabelName(namespace, path.child("namespace"), errors);
  validateMatchKeys(term, path, errors);
  if (!term.topologyKey) errors.push(fieldRequired(path.child("topologyKey"), "can not be empty"));
  checkQualifiedName(term.topologyKey ?? "", path.child("topologyKey"), errors);
}

interface MatchKeys {
  matchLabelKeys?: string[];
  mismatchLabelKeys?: string[];
  labelSelector?: LabelSelector;
}

/** Keys whose values come from the pod's own labels (core/validation ValidateMatchLabelKeysAndMismatchLabelKeys). */
function validateMatchKeys(term: MatchKeys, path: FieldPath, errors: FieldError[]): void {
  const { matchLabelKeys = [], mismatchLabelKeys = [], labelSelector } = term;
  for (const kind of ["matchLabelKeys", "mismatchLabelKeys"] as const) {
    const keys = term[kind] ?? [];
    if (keys.length > 0 && !labelSelector) {
      errors.push(fieldForbidden(path.child(kind), "must not be specified when labelSelector is not set"));
    }
    checkEach(keys, path.child(kind), checkQualifiedName, errors);
  }
  matchLabelKeys.forEach((key, i) => {
    if (!mismatchLabelKeys.includes(key)) return;
    const why = `exists in both matchLabelKeys and mismatchLabelKeys`;
    errors.push(fieldInvalid(path.child("matchLabelKeys").index(i), key, why));
  });
}

const pairOf = ({ topologyKey, whenUnsatisfiable }: SpreadConstraint): string =>
  `{${topologyKey ?? ""}, ${whenUnsatisfiable ?? ""}}`;

export function validateTolerations(tolerations: readonly Toleration[], path: FieldPath, errors: FieldError[]): void {
  tolerations.forEach((toleration, i) => {
    const at = path.index(i);
    const { key, operator, value, effect, tolerationSeconds } = toleration;
    if (key) checkQualifiedName(key, at.child("key"), errors);
    else if (operator !== "Exists") {
      const why = 'operator must be Exists when `key` is empty, which means "match all values and all keys"';
      errors.push(fieldInvalid(at.child("operator"), operator ?? "", why));
    }
    if (tolerationSeconds !== undefined && tolerationSeconds !== null && effect !== "NoExecute") {
      const why = "effect must be 'NoExecute' when `tolerationSeconds` is set";
      errors.push(fieldInvalid(at.child("effect"), effect ?? "", why));
    }
    if (!operator || operator === "Equal") {
      const complaints = labelValueComplaints(value ?? "");
      if (complaints.length > 0) errors.push(fieldInvalid(at.child("operator"), value, complaints.join(";")));
    } else if (operator === "Exists") {
      if (value)
        errors.push(fieldInvalid(at.child("operator"), toleration, "value must be empty when `operator` is 'Exists'"));
    } else {
      checkSupported(operator, ["Equal", "Exists"], at.child("operator"), errors);
    }
    if (effect) checkSupported(effect, TAINT_EFFECTS, at.child("effect"), errors);
  });
}

export function validateSpreadConstraints(
  constraints: readonly SpreadConstraint[],
  path: FieldPath,
  errors: FieldError[],
): void {
  constraints.forEach((constraint, i) => {
    const at = path.index(i);
    const { maxSkew, topologyKey, whenUnsatisfiable, minDomains } = constraint;
    if (!(maxSkew > 0)) errors.push(fieldInvalid(at.child("maxSkew"), maxSkew ?? 0, "must be greater than zero"));
    if (!topologyKey) errors.push(fieldRequired(at.child("topologyKey"), "can not be empty"));
    checkSupported(whenUnsatisfiable ?? "", ["DoNotSchedule", "ScheduleAnyway"], at.child("whenUnsatisfiable"), errors);
    // Upstream tells it of the first of two.
    const pair = pairOf(constraint);
    const repeats = constraints.slice(i + 1).some((later) => pairOf(later) === pair);
    if (repeats) errors.push(fieldDuplicate(at.child("{topologyKey, whenUnsatisfiable}"), pair));
    if (minDomains !== undefined && minDomains !== null) {
      if (minDomains <= 0) errors.push(fieldInvalid(at.child("minDomains"), minDomains, "must be greater than zero"));
      if (whenUnsatisfiable !== "DoNotSchedule") {
        const why = `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable}`;
        errors.push(fieldInvalid(at.child("minDomains"), minDomains, why));
      }
    }
    for (const policy of ["nodeAffinityPolicy", "nodeTaintsPolicy"] as const) {
      const value = constraint[policy];
      if (typeof value === "string") checkSupported(value, ["Honor", "Ignore"], at.child(policy), errors);
    }
    validateMatchKeys(constraint, at, errors);
    validateLabelSelector(constraint.labelSelector, at.child("labelSelector"), errors);
  });
}
