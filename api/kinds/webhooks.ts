import { checkOneOf, checkRequired, checkSupported } from "../field-checks.ts";
import { type FieldError, fieldDuplicate, fieldInvalid, fieldRequired } from "../field-error.ts";
import { FieldPath } from "../field-path.ts";
import type { Column } from "../kind.ts";
import { dnsSubdomainComplaints } from "../names.ts";
import type { KubeObject } from "../object.ts";
import { type LabelSelector, validateLabelSelector } from "../selector.ts";

export interface Webhook {
  name: string;
  clientConfig?: {
    url?: string;
    service?: { namespace: string; name: string; path?: string; port?: number };
    caBundle?: string;
  };
  rules?: {
    apiGroups?: string[];
    apiVersions?: string[];
    resources?: string[];
    operations?: string[];
    scope?: string;
  }[];
  failurePolicy?: string;
  matchPolicy?: string;
  namespaceSelector?: LabelSelector;
  objectSelector?: LabelSelector;
  sideEffects?: string;
  timeoutSeconds?: number;
  admissionReviewVersions?: string[];
  reinvocationPolicy?: string;
}

export interface WebhookConfigurationObject extends KubeObject {
  webhooks?: Webhook[];
}

const WEBHOOKS = FieldPath.of("webhooks");
const TIMEOUT_SECONDS_MAX = 30;
const NAME_SEGMENTS_MIN = 3;

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
      webhook.timeoutSeconds ??= 10;
      if (mutating) webhook.reinvocationPolicy ??= "Never";
      for (const rule of webhook.rules ?? []) rule.scope ??= "*";
      if (webhook.clientConfig?.service) webhook.clientConfig.service.port ??= 443;
    }
  };

export function validateWebhooks({ webhooks }: WebhookConfigurationObject): FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set<string>();
  webhooks?.forEach((webhook, i) => {
    const at = WEBHOOKS.index(i);
    if (names.has(webhook.name)) errors.push(fieldDuplicate(at.child("name"), webhook.name));
    names.add(webhook.name);
    validateWebhook(webhook, at, errors);
  });
  return errors;
}

function validateWebhook(webhook: Webhook, path: FieldPath, errors: FieldError[]): void {
  const nameAt = path.child("name");
  if (checkRequired(webhook.name, nameAt, errors)) {
    const complaints = dnsSubdomainComplaints(webhook.name);
    if (complaints.length > 0) errors.push(fieldInvalid(nameAt, webhook.name, complaints.join(",")));
    else if (webhook.name.split(".").length < NAME_SEGMENTS_MIN) {
      errors.push(
        fieldInvalid(nameAt, webhook.name, "should be a domain with at least three segments separated by dots"),
      );
    }
  }
  webhook.rules?.forEach((rule, i) => {
    const at = path.child("rules").index(i);
    for (const field of ["operations", "apiGroups", "apiVersions", "resources"] as const) {
      if (!rule[field]?.length) errors.push(fieldRequired(at.child(field)));
    }
    rule.operations?.forEach((operation, j) => {
      checkSupported(
        operation,
        ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"],
        at.child("operations").index(j),
        errors,
      );
    });
    if (rule.scope) checkSupported(rule.scope, ["*", "Cluster", "Namespaced"], at.child("scope"), errors);
  });
  if (webhook.failurePolicy)
    checkSupported(webhook.failurePolicy, ["Fail", "Ignore"], path.child("failurePolicy"), errors);
  if (webhook.matchPolicy)
    checkSupported(webhook.matchPolicy, ["Equivalent", "Exact"], path.child("matchPolicy"), errors);
  checkOneOf(webhook.sideEffects, ["None", "NoneOnDryRun"], path.child("sideEffects"), errors);
  const seconds = webhook.timeoutSeconds;
  if (typeof seconds === "number" && (seconds < 1 || seconds > TIMEOUT_SECONDS_MAX)) {
    const why = `the timeout value must be between 1 and ${TIMEOUT_SECONDS_MAX} seconds`;
    errors.push(fieldInvalid(path.child("timeoutSeconds"), seconds, why));
  }
  const versions = webhook.admissionReviewVersions ?? [];
  const versionsAt = path.child("admissionReviewVersions");
  if (versions.length === 0) errors.push(fieldRequired(versionsAt, "must specify one of v1, v1beta1"));
  else if (!versions.includes("v1") && !versions.includes("v1beta1")) {
    errors.push(fieldInvalid(versionsAt, versions, "must include at least one of v1, v1beta1"));
  }
  validateLabelSelector(webhook.namespaceSelector, path.child("namespaceSelector"), errors);
  validateLabelSelector(webhook.objectSelector, path.child("objectSelector"), errors);
  const { url, service } = webhook.clientConfig ?? {};
  const configAt = path.child("clientConfig");
  if ((url === undefined) === (service === undefined)) {
    errors.push(fieldRequired(configAt, "exactly one of url or service is required"));
  } else if (url !== undefined && !url.startsWith("https://")) {
    const why = "'https' is the only allowed URL scheme; desired format: https://host[/path]";
    errors.push(fieldInvalid(configAt.child("url"), url, why));
  } else if (service) {
    checkRequired(service.name, configAt.child("service").child("name"), errors, "service name is required");
    checkRequired(
      service.namespace,
      configAt.child("service").child("namespace"),
      errors,
      "service namespace is required",
    );
  }
}
