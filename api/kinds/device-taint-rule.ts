import { ageSince } from "../duration.ts";
import { checkLabelName } from "../field-checks.ts";
import { type FieldError, fieldTooMany } from "../field-error.ts";
import { SPEC, STATUS } from "../field-path.ts";
import type { KubeObject } from "../object.ts";
import { checkDriverName } from "../pod-template/volume-sources.ts";
import { AGE } from "../table.ts";
import { type Condition, validateConditions } from "./conditions.ts";
import { defineKind } from "./define-kind.ts";
import { checkPoolName } from "./device-names.ts";
import { type DeviceTaint, validateDeviceTaint } from "./device-taint.ts";
import { keepStatus, startStatus } from "./status.ts";

export interface DeviceTaintRuleObject extends KubeObject {
  spec: { taint?: DeviceTaint; deviceSelector?: { driver?: string; pool?: string; device?: string } };
  status?: { conditions?: Condition[] };
}

const SELECTOR = SPEC.child("deviceSelector");
const CONDITIONS_MAX = 8;

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
  validate({ spec = {} }, _, previous) {
    const errors: FieldError[] = [];
    const { driver, pool, device } = spec.deviceSelector ?? {};
    if (driver !== undefined) checkDriverName(driver, SELECTOR.child("driver"), errors);
    if (pool !== undefined) checkPoolName(pool, SELECTOR.child("pool"), errors);
    if (device !== undefined) checkLabelName(device, SELECTOR.child("device"), errors);
    validateDeviceTaint(spec.taint ?? {}, SPEC.child("taint"), errors, previous?.spec?.taint?.effect);
    return errors;
  },
  validateStatusUpdate({ status }) {
    const errors: FieldError[] = [];
    const { conditions = [] } = status ?? {};
    const at = STATUS.child("conditions");
    validateConditions(conditions, at, errors);
    if (conditions.length > CONDITIONS_MAX) errors.push(fieldTooMany(at, conditions.length, CONDITIONS_MAX));
    return errors;
  },
  hasGeneration: true,
});
