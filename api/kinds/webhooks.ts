import { validateMatchConditions } from "../admission/validate-conditions.ts";
import { checkSupported } from "../field-checks.ts";
import { type FieldError, fieldDuplicate, fieldInvalid, fieldNotSupported, fieldRequired } from "../field-error.ts";
import { FieldPath } from "../field-path.ts";
import type { Column } from "../kind.ts";
import { dns1035LabelComplaints, dnsSubdomainComplaints } from "../names.ts";
import type { KubeObject } from "../object.ts";
import { type LabelSelector, validateLabelSelector } from "../selector.ts";
import {
  type AdmissionRule,
  checkMatchPolicy,
  FAILURE_POLICIES,
  setRuleDefaults,
  validateRule,
} from "./admission-rules.ts";
import { SERVICE_PORT, validateClientConfig, type WebhookClientConfig } from "./webhook-client-config.ts";

/** admissionregistration.k8s.io/v1 MatchCondition. */
export interface MatchCondition {
  name?: string;
  expression?: string;
}

/** admissionregistration.k8s.io/v1 MutatingWebhook and ValidatingWebhook. */
export interface Webhook {
  name: string;
  clientConfig?: WebhookClientConfig;
  rules?: AdmissionRule[];
  failurePolicy?: string;
  matchPolicy?: string;
  namespaceSelector?: LabelSelector;
  objectSelector?: LabelSelector;
  sideEffects?: string;
  timeoutSeconds?: number;
  admissionReviewVersions?: string[];
  matchConditions?: MatchCondition[];
  /** Of mutating webhooks. */
  reinvocationPolicy?: string;
}

export interface WebhookConfigurationObject extends KubeObject {
  webhooks?: Webhook[];
}

const WEBHOOKS = FieldPath.of("webhooks");
export const TIMEOUT_SECONDS = 10;
const TIMEOUT_SECONDS_MAX = 30;
const NAME_SEGMENTS_MIN = 3;
const SIDE_EFFECTS = ["None", "NoneOnDryRun"];
export const REINVOCATION_POLICIES = ["IfNeeded", "Never"];
/** Versions of AdmissionReview; a webhook has to know one of them, and may know others. */
const REVIEW_VERSIONS = ["v1", "v1beta1"];

export const webhookColumns: Column<WebhookConfigurationObject>[] = [
  {
    name: "Webhooks",
    type: "integer",
    description: "How many there are.",
    value: ({ webhooks }) => webhooks?.length ?? 0,
  },
];

export const setWebhookDefaults =
  (mutating: boolean) =>
  ({ webhooks }: WebhookConfigurationObject): void => {
    for (const webhook of webhooks ?? []) {
      webhook.failurePolicy ??= "Fail";
      webhook.matchPolicy ??= "Equivalent";
      webhook.namespaceSelector ??= {};
      webhook.objectSelector ??= {};
      webhook.timeoutSeconds ??= TIMEOUT_SECONDS;
      if (mutating) webhook.reinvocationPolicy ??= "Never";
      setRuleDefaults(webhook.rules);
      if (webhook.clientConfig?.service) webhook.clientConfig.service.port ??= SERVICE_PORT;
    }
  };

export function validateWebhooks({ webhooks }: WebhookConfigurationObject): FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set<string>();
  webhooks?.forEach((webhook, i) => {
    const at = WEBHOOKS.index(i);
    validateWebhook(webhook, at, errors);
    validateReviewVersions(webhook.admissionReviewVersions ?? [], at.child("admissionReviewVersions"), errors);
    if (names.has(webhook.name)) errors.push(fieldDuplicate(at.child("name"), webhook.name));
    if (webhook.name) names.add(webhook.name);
  });
  return errors;
}

function validateWebhook(webhook: Webhook, path: FieldPath, errors: FieldError[]): void {
  checkQualified(webhook.name, path.child("name"), errors);
  webhook.rules?.forEach((rule, i) => {
    validateRule(rule, path.child("rules").index(i), errors);
  });
  const { failurePolicy, matchPolicy, sideEffects, timeoutSeconds, reinvocationPolicy } = webhook;
  if (failurePolicy !== undefined) {
    checkSupported(failurePolicy, FAILURE_POLICIES, path.child("failurePolicy"), errors);
  }
  if (matchPolicy !== undefined) checkMatchPolicy(matchPolicy, path.child("matchPolicy"), errors);
  const sideEffectsAt = path.child("sideEffects");
  if (sideEffects === undefined) {
    errors.push(fieldRequired(sideEffectsAt, `must specify one of ${SIDE_EFFECTS.join(", ")}`));
  } else if (!SIDE_EFFECTS.includes(sideEffects)) {
    errors.push(fieldNotSupported(sideEffectsAt, sideEffects, SIDE_EFFECTS));
  }
  if (typeof timeoutSeconds === "number" && (timeoutSeconds < 1 || timeoutSeconds > TIMEOUT_SECONDS_MAX)) {
    const why = `the timeout value must be between 1 and ${TIMEOUT_SECONDS_MAX} seconds`;
    errors.push(fieldInvalid(path.child("timeoutSeconds"), timeoutSeconds, why));
  }
  validateLabelSelector(webhook.namespaceSelector, path.child("namespaceSelector"), errors);
  validateLabelSelector(webhook.objectSelector, path.child("objectSelector"), errors);
  if (reinvocationPolicy !== undefined) {
    checkSupported(reinvocationPolicy, REINVOCATION_POLICIES, path.child("reinvocationPolicy"), errors);
  }
  validateConfig(webhook.clientConfig ?? {}, path.child("clientConfig"), errors);
  validateMatchConditions(webhook.matchConditions, false, path.child("matchConditions"), errors);
}

/** Upstream passes a Service's name as its namespace and the other way round here: what is missing is told under the other's name. */
function validateConfig(config: WebhookClientConfig, path: FieldPath, errors: FieldError[]): void {
  const { service } = config;
  const swapped = service && { ...service, name: service.namespace, namespace: service.name };
  validateClientConfig(swapped ? { ...config, service: swapped } : config, path, errors);
}

function checkQualified(name: string, path: FieldPath, errors: FieldError[]): void {
  if (!name) {
    errors.push(fieldRequired(path));
    return;
  }
  const complaints = dnsSubdomainComplaints(name);
  if (complaints.length > 0) errors.push(fieldInvalid(path, name, complaints.join(",")));
  else if (name.split(".").length < NAME_SEGMENTS_MIN) {
    errors.push(fieldInvalid(path, name, "should be a domain with at least three segments separated by dots"));
  }
}

function validateReviewVersions(versions: readonly string[], path: FieldPath, errors: FieldError[]): void {
  if (versions.length === 0) {
    errors.push(fieldRequired(path, `must specify one of ${REVIEW_VERSIONS.join(", ")}`));
    return;
  }
  versions.forEach((version, i) => {
    const at = path.index(i);
    if (versions.indexOf(version) < i) errors.push(fieldInvalid(at, version, "duplicate version"));
    else for (const complaint of dns1035LabelComplaints(version)) errors.push(fieldInvalid(at, version, complaint));
  });
  if (!versions.some((version) => REVIEW_VERSIONS.includes(version))) {
    errors.push(fieldInvalid(path, versions, `must include at least one of ${REVIEW_VERSIONS.join(", ")}`));
  }
}
