import type { FieldError } from "../field-error.ts";
import { ApiError } from "../status.ts";

/**
 * Visits of a value by a schema, and characters looked at, in one validation. Alternatives in long lists multiply: what takes
 * more is refused.
 */
const VALIDATION_STEPS_MAX = 2_000_000;

/** Where a value is: text only when an error needs it. */
export type Place = { readonly parent: Place; readonly segment: string | number } | undefined;

/** `count`: how much of a value fitted; the alternative where most did is the one whose errors are told. */
export interface Result {
  errors: FieldError[];
  count: number;
}

/** What one validation has cost so far. */
export interface Validation {
  steps: number;
}

/** Upstream's path of nothing in particular: what alternatives and ranges are told at. */
export const NOWHERE = "<nil>";

export function textOf(place: Place): string {
  if (place === undefined) return "";
  const parent = textOf(place.parent);
  if (typeof place.segment === "number") return `${parent}[${place.segment}]`;
  return parent === "" ? place.segment : `${parent}.${place.segment}`;
}

export function spend(validation: Validation, steps: number): void {
  validation.steps += steps;
  if (validation.steps > VALIDATION_STEPS_MAX) {
    throw new ApiError(
      "RequestEntityTooLarge",
      `Request entity too large: validation takes more than ${VALIDATION_STEPS_MAX} steps`,
    );
  }
}
