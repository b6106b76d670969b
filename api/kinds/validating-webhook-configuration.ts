import type { KubeObject } from "../object.ts";
import { defineKind } from "./define-kind.ts";

export type ValidatingWebhookConfigurationObject = KubeObject;

export const ValidatingWebhookConfiguration = defineKind<ValidatingWebhookConfigurationObject>(
  "admissionregistration.k8s.io/v1",
  "ValidatingWebhookConfiguration",
  {
    resource: "validatingwebhookconfigurations",
    namespaced: false,
  },
);
