import { checkOneOf, checkQualifiedName, complain } from "../field-checks.ts";
import type { FieldError } from "../field-error.ts";
import type { FieldPath } from "../field-path.ts";
import { labelValueComplaints } from "../names.ts";
import { DEVICE_TAINT_EFFECTS } from "./device-requests.ts";

export interface DeviceTaint {
  key?: string;
  value?: string;
  effect?: string;
  timeAdded?: string;
}

/** `hadEffect`: an effect that was there before is left in peace. */
export function validateDeviceTaint(
  { key = "", value, effect }: DeviceTaint,
  path: FieldPath,
  errors: FieldError[],
  hadEffect?: string,
): void {
  checkQualifiedName(key, path.child("key"), errors);
  if (value) complain(labelValueComplaints(value), value, path.child("value"), errors);
  if (hadEffect === undefined || hadEffect !== effect) {
    checkOneOf(effect, DEVICE_TAINT_EFFECTS, path.child("effect"), errors);
  }
}
