import { defineKind } from "./define-kind.ts";
import { setWebhookDefaults, validateWebhooks, type WebhookConfigurationObject, webhookColumns } from "./webhooks.ts";

export type MutatingWebhookConfigurationObject = WebhookConfigurationObject;

/** Webhooks that may change what is written. */
export const MutatingWebhookConfiguration = defineKind<MutatingWebhookConfigurationObject>(
  "admissionregistration.k8s.io/v1",
  "MutatingWebhookConfiguration",
  {
    resource: "mutatingwebhookconfigurations",
    namespaced: false,
    columns: webhookColumns,
    setDefaults: setWebhookDefaults(true),
    validate: validateWebhooks,
    hasGeneration: true,
  },
);
