import { ageSince } from "../duration.ts";
import type { KubeObject } from "../object.ts";
import { AGE } from "../table.ts";
import { defineKind } from "./define-kind.ts";
import { keepStatus, startStatus } from "./status.ts";

export interface DeviceTaintRuleObject extends KubeObject {
  spec: { taint?: { key?: string; value?: string; effect?: string; timeAdded?: string } };
}

/** Taints devices from outside of their driver. */
export const DeviceTaintRule = defineKind<DeviceTaintRuleObject>("resource.k8s.io/v1beta2", "DeviceTaintRule", {
  resource: "devicetaintrules",
  namespaced: false,
  columns: [
    { name: "Key", description: "The taint's key.", value: ({ spec }) => spec?.taint?.key ?? "" },
    { name: "Value", description: "The taint's value.", value: ({ spec }) => spec?.taint?.value ?? "" },
    { name: "Effect", description: "What it does to claims.", value: ({ spec }) => spec?.taint?.effect ?? "" },
    {
      name: "TimeAdded",
      description: "Since when it holds.",
      value: ({ spec }, now) => (spec?.taint?.timeAdded ? ageSince(spec.taint.timeAdded, now) : ""),
    },
    AGE,
  ],
  prepareForCreate(rule) {
    startStatus({})(rule);
    const { creationTimestamp } = rule.metadata;
    if (rule.spec?.taint && creationTimestamp) rule.spec.taint.timeAdded ??= creationTimestamp;
  },
  prepareForUpdate: keepStatus,
  hasGeneration: true,
});
