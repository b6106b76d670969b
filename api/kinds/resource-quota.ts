import type { IResourceQuotaSpec } from "kubernetes-models/v1/ResourceQuotaSpec";
import type { IResourceQuotaStatus } from "kubernetes-models/v1/ResourceQuotaStatus";
import { sameJson } from "../equality.ts";
import { type FieldError, fieldForbidden, fieldInvalid } from "../field-error.ts";
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
    return errors;
  },
  validateUpdate(next, previous) {
    const [is, was] = [[...(next.spec?.scopes ?? [])].sort(), [...(previous.spec?.scopes ?? [])].sort()];
    return sameJson(is, was) ? [] : [fieldForbidden(SPEC.child("scopes"), "field is immutable")];
  },
});

function describe({ status }: ResourceQuotaObject, limits: boolean): string {
  return Object.keys(status?.hard ?? {})
    .filter((name) => name.startsWith("limits.") === limits)
    .sort()
    .map((name) => `${name}: ${status?.used?.[name] ?? "0"}/${status!.hard![name]}`)
    .join(", ");
}
