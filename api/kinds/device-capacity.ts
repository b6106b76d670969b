import { type FieldError, fieldForbidden, fieldInvalid, fieldRequired } from "../field-error.ts";
import type { FieldPath } from "../field-path.ts";
import { addQuantities, compareQuantities, quantityValue } from "../quantity.ts";
import { checkSet } from "./device-names.ts";

/** How much of something a device has, and of one that is shared: in which portions it is given away (KEP-5075). */
export interface DeviceCapacity {
  value?: string;
  requestPolicy?: RequestPolicy;
}

interface RequestPolicy {
  default?: string;
  validValues?: string[];
  validRange?: Range;
}

interface Range {
  min?: string;
  max?: string;
  step?: string;
}

const OPTIONS_MAX = 10;

export function validateCapacity(
  { value = "0", requestPolicy: policy }: DeviceCapacity,
  isShared: boolean,
  path: FieldPath,
  errors: FieldError[],
): void {
  if (!policy) return;
  const at = path.child("requestPolicy");
  const { default: preset, validValues = [], validRange } = policy;
  if (!isShared) errors.push(fieldForbidden(at, "allowMultipleAllocations must be true"));
  else if (validValues.length > 0 && validRange) {
    const why = `exactly one policy can be specified, cannot specify "validValues" and "validRange" at the same time`;
    errors.push(fieldForbidden(at, why));
  } else if (validValues.length > 0) {
    if (preset === undefined) errors.push(fieldRequired(at.child("default"), "required when validValues is defined"));
    else validateOptions(validValues, preset, value, at.child("validValues"), errors);
  } else if (validRange) {
    if (preset === undefined) errors.push(fieldRequired(at.child("default"), "required when validRange is defined"));
    else validateRange(validRange, preset, value, at.child("validRange"), errors);
  }
}

function validateOptions(
  options: readonly string[],
  preset: string,
  most: string,
  path: FieldPath,
  errors: FieldError[],
): void {
  options.forEach((option, i) => {
    if (i === 0 || compareQuantities(options[i - 1]!, option) <= 0) return;
    errors.push(fieldInvalid(path.index(i), option, "values must be sorted in ascending order"));
  });
  const keyOf = (option: string): string => String(quantityValue(option));
  const check = (option: string, at: FieldPath): void => {
    if (compareQuantities(option, most) <= 0) return;
    errors.push(fieldInvalid(at, option, `option is larger than capacity value: ${most}`));
  };
  checkSet(options, { max: OPTIONS_MAX, keyOf }, path, check, errors);
  if (options.length <= OPTIONS_MAX && options.some((option) => compareQuantities(option, preset) === 0)) return;
  errors.push(fieldInvalid(path, preset, "default value is not valid according to the requestPolicy"));
}

function validateRange(range: Range, preset: string, most: string, path: FieldPath, errors: FieldError[]): void {
  const { min, max, step } = range;
  if (min === undefined) {
    errors.push(fieldRequired(path.child("min"), "required when validRange is defined"));
    return;
  }
  const refuse = (field: keyof Range, value: string, why: string): void => {
    errors.push(fieldInvalid(path.child(field), value, why));
  };
  const isMore = (a: string, b: string): boolean => compareQuantities(a, b) > 0;
  if (isMore(min, most)) refuse("min", min, `min is larger than capacity value: ${most}`);
  if (isMore(min, preset)) refuse("min", preset, `default is less than min: ${min}`);
  if (max !== undefined) {
    if (isMore(min, max)) refuse("max", min, `min is larger than max: ${max}`);
    if (isMore(max, most)) refuse("max", max, `max is larger than capacity value: ${most}`);
    if (isMore(preset, max)) refuse("max", preset, `default is more than max: ${max}`);
  }
  if (step === undefined) return;
  const next = addQuantities(min, step);
  if (isMore(next, most)) refuse("step", step, `one step ${next} is larger than capacity value: ${most}`);
  for (const value of max === undefined ? [preset] : [preset, max]) {
    const size = quantityValue(step);
    // Upstream divides by it; a step of nothing leads nowhere.
    if (size !== 0 && (quantityValue(value) - quantityValue(min)) % size === 0) continue;
    refuse("step", value, `value is not a multiple of a given step (${step}) from (${min})`);
  }
}
