import type { KubeObject } from "../object.ts";
import { defineKind } from "./define-kind.ts";

export type MutatingWebhookConfigurationObject = KubeObject;

export const MutatingWebhookConfiguration = defineKind<MutatingWebhookConfigurationObject>(
  "admissionregistration.k8s.io/v1",
  "MutatingWebhookConfiguration",
  {
    resource: "mutatingwebhookconfigurations",
    namespaced: false,
  },
);
