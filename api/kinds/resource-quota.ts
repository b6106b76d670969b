import type { IResourceQuotaSpec } from "kubernetes-models/v1/ResourceQuotaSpec";
import type { IResourceQuotaStatus } from "kubernetes-models/v1/ResourceQuotaStatus";
import { sameJson } from "../equality.ts";
import { type FieldError, fieldInvalid, fieldRequired } from "../field-error.ts";
import { SPEC } from "../field-path.ts";
import type { KubeObject } from "../object.ts";
import { roundToMilli } from "../pod-template/defaults.ts";
import { checkQuantity, checkResourceName, isQuotaResource } from "../pod-template/resources.ts";
import { defineKind } from "./define-kind.ts";
import { keepStatus, startStatus } from "./status.ts";

export interface ResourceQuotaObject extends KubeObject {
  spec: IResourceQuotaSpec;
  status?: IResourceQuotaStatus;
}

const SCOPES = new Set([
  "Terminating",
  "NotTerminating",
  "BestEffort",
  "NotBestEffort",
  "PriorityClass",
  "CrossNamespacePodAffinity",
  "VolumeAttributesClass",
]);
const CONFLICTING = [
  ["BestEffort", "NotBestEffort"],
  ["Terminating", "NotTerminating"],
] as const;

/** What a namespace may ask for in all. */
export const ResourceQuota = defineKind<ResourceQuotaObject>("v1", "ResourceQuota", {
  resource: "resourcequotas",
  columns: [
    {
      name: "Request",
      description: "Requests and counts: used, of how much.",
      value: (quota) => describe(quota, false),
    },
    { name: "Limit", description: "Limits: used, of how much.", value: (quota) => describe(quota, true) },
  ],
  setDefaults: ({ spec, status }) => {
    roundToMilli(spec?.hard);
    roundToMilli(status?.hard);
    roundToMilli(status?.used);
  },
  prepareForCreate: startStatus({}),
  prepareForUpdate: keepStatus,
  validate({ spec }) {
    const errors: FieldError[] = [];
    for (const [name, value] of Object.entries(spec?.hard ?? {})) {
      const at = SPEC.child("hard").key(name);
      checkResourceName(name, at, errors);
      if (!name.includes("/") && !isQuotaResource(name)) {
        errors.push(fieldInvalid(at, name, "must be a standard resource for quota"));
      }
      checkQuantity(name, value, at, errors);
    }
    const scopes: readonly string[] = spec?.scopes ?? [];
    const at = SPEC.child("scopes");
    for (const scope of scopes) if (!SCOPES.has(scope)) errors.push(fieldInvalid(at, scopes, "unsupported scope"));
    for (const pair of CONFLICTING) {
      if (pair.every((scope) => scopes.includes(scope))) errors.push(fieldInvalid(at, scopes, "conflicting scopes"));
    }
    if (spec?.scopeSelector) validateScopeSelector(spec, errors);
    return errors;
  },
  validateUpdate(next, previous) {
    const [is, was] = [[...(next.spec?.scopes ?? [])].sort(), [...(previous.spec?.scopes ?? [])].sort()];
    if (sameJson(is, was)) return [];
    return [fieldInvalid(SPEC.child("scopes"), next.spec?.scopes ?? null, "field is immutable")];
  },
});

const WITHOUT_VALUES = new Set([
  "Terminating",
  "NotTerminating",
  "BestEffort",
  "NotBestEffort",
  "CrossNamespacePodAffinity",
]);
const EXISTS_ONLY =
  "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity";

function validateScopeSelector({ scopeSelector, scopes }: IResourceQuotaSpec, errors: FieldError[]): void {
  const at = SPEC.child("scopeSelector").child("matchExpressions");
  const seen = new Set<string>();
  for (const { scopeName = "", operator = "", values = [] } of scopeSelector?.matchExpressions ?? []) {
    seen.add(scopeName);
    if (!SCOPES.has(scopeName)) errors.push(fieldInvalid(at.child("scopeName"), scopeName, "unsupported scope"));
    if (WITHOUT_VALUES.has(scopeName) && operator !== "Exists") {
      errors.push(fieldInvalid(at.child("operator"), operator, EXISTS_ONLY));
    }
    if (operator === "In" || operator === "NotIn") {
      const why = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector";
      if (values.length === 0) errors.push(fieldRequired(at.child("values"), why));
    } else if (operator === "Exists" || operator === "DoesNotExist") {
      const why = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector";
      if (values.length > 0) errors.push(fieldInvalid(at.child("values"), values, why));
    } else errors.push(fieldInvalid(at.child("operator"), operator, "not a valid selector operator"));
  }
  for (const pair of CONFLICTING) {
    if (pair.every((scope) => seen.has(scope))) errors.push(fieldInvalid(at, scopes ?? null, "conflicting scopes"));
  }
}

function describe({ status }: ResourceQuotaObject, limits: boolean): string {
  return Object.keys(status?.hard ?? {})
    .filter((name) => name.startsWith("limits.") === limits)
    .sort()
    .map((name) => `${name}: ${status?.used?.[name] ?? "0"}/${status!.hard![name]}`)
    .join(", ");
}
