import { defineKind } from "./define-kind.ts";
import { setWebhookDefaults, validateWebhooks, type WebhookConfigurationObject, webhookColumns } from "./webhooks.ts";

export type ValidatingWebhookConfigurationObject = WebhookConfigurationObject;

/** Webhooks that may refuse what is written. */
export const ValidatingWebhookConfiguration = defineKind<ValidatingWebhookConfigurationObject>(
  "admissionregistration.k8s.io/v1",
  "ValidatingWebhookConfiguration",
  {
    resource: "validatingwebhookconfigurations",
    namespaced: false,
    columns: webhookColumns,
    setDefaults: setWebhookDefaults(false),
    validate: validateWebhooks,
    hasGeneration: true,
  },
);
