import { sameJson } from "../equality.ts";
import { checkRequired, complain } from "../field-checks.ts";
import { type FieldError, fieldInvalid } from "../field-error.ts";
import type { FieldPath } from "../field-path.ts";
import { longNameComplaints, shortNameComplaints } from "../names.ts";
import { checkSet } from "./device-names.ts";

/** What Workloads and PodGroups have in common (KEP-4671; the declarative tags of k8s.io/api/scheduling/v1alpha2). */
export interface SchedulingPolicy {
  basic?: object;
  gang?: { minCount?: number };
}

export interface PodGroupClaim {
  name?: string;
  resourceClaimName?: string;
  resourceClaimTemplateName?: string;
}

const CLAIMS_MAX = 4;

export function validatePolicy({ basic, gang }: SchedulingPolicy, path: FieldPath, errors: FieldError[]): void {
  if (basic && gang) {
    errors.push(fieldInvalid(path, "{`basic`, `gang`}", "must specify exactly one of: `basic`, `gang`"));
  } else if (!basic && !gang) errors.push(fieldInvalid(path, "", "must specify one of: `basic`, `gang`"));
  if (!gang) return;
  const at = path.child("gang").child("minCount");
  // Zero is what is not there.
  if (!checkRequired(gang.minCount || undefined, at, errors)) return;
  if (gang.minCount! < 1) errors.push(fieldInvalid(at, gang.minCount, "must be greater than or equal to 1"));
}

export function validatePodGroupClaims(
  claims: readonly PodGroupClaim[] | undefined,
  path: FieldPath,
  errors: FieldError[],
): void {
  const keyOf = ({ name = "" }: PodGroupClaim): string => name;
  checkSet(claims, { max: CLAIMS_MAX, keyOf, shown: (claim) => claim }, path, validateClaim, errors);
}

function validateClaim(claim: PodGroupClaim, path: FieldPath, errors: FieldError[]): void {
  const { name, resourceClaimName: own, resourceClaimTemplateName: template } = claim;
  const fields = "`resourceClaimName`, `resourceClaimTemplateName`";
  if (own !== undefined && template !== undefined) {
    errors.push(fieldInvalid(path, `{${fields}}`, `must specify exactly one of: ${fields}`));
  } else if (own === undefined && template === undefined) {
    errors.push(fieldInvalid(path, "", `must specify one of: ${fields}`));
  }
  if (checkRequired(name, path.child("name"), errors)) checkShortName(name!, path.child("name"), errors);
  if (own !== undefined) checkLongName(own, path.child("resourceClaimName"), errors);
  if (template !== undefined) checkLongName(template, path.child("resourceClaimTemplateName"), errors);
}

export const checkShortName = (value: string, path: FieldPath, errors: FieldError[]): void =>
  complain(shortNameComplaints(value), value, path, errors);
export const checkLongName = (value: string, path: FieldPath, errors: FieldError[]): void =>
  complain(longNameComplaints(value), value, path, errors);

/** As upstream's declarative validation says it: without the value. */
export function checkUnchanged(next: unknown, previous: unknown, path: FieldPath, errors: FieldError[]): void {
  if (!sameJson(next ?? null, previous ?? null)) errors.push(fieldInvalid(path, null, "field is immutable"));
}
