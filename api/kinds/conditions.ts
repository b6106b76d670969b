import { checkQualifiedName, checkSupported } from "../field-checks.ts";
import { type FieldError, fieldDuplicate, fieldInvalid, fieldRequired, fieldTooLong } from "../field-error.ts";
import type { FieldPath } from "../field-path.ts";

/** metav1.Condition. */
export interface Condition {
  type?: string;
  status?: string;
  observedGeneration?: number;
  lastTransitionTime?: string;
  reason?: string;
  message?: string;
}

const CONDITION_STATUSES = ["False", "True", "Unknown"];
const REASON = /^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/;
const REASON_LENGTH_MAX = 1024;
const MESSAGE_LENGTH_MAX = 32768;

/** k8s.io/apimachinery/pkg/apis/meta/v1/validation ValidateConditions. */
export function validateConditions(conditions: readonly Condition[], path: FieldPath, errors: FieldError[]): void {
  conditions.forEach((condition, i) => {
    const at = path.index(i);
    const { type = "", status, observedGeneration = 0, lastTransitionTime, reason = "", message = "" } = condition;
    if (conditions.findIndex((other) => (other.type ?? "") === type) < i) {
      errors.push(fieldDuplicate(at.child("type"), type));
    }
    checkQualifiedName(type, at.child("type"), errors);
    checkSupported(status ?? "", CONDITION_STATUSES, at.child("status"), errors);
    if (observedGeneration < 0) {
      const why = "must be greater than or equal to zero";
      errors.push(fieldInvalid(at.child("observedGeneration"), observedGeneration, why));
    }
    if (!lastTransitionTime) errors.push(fieldRequired(at.child("lastTransitionTime")));
    const reasonAt = at.child("reason");
    if (reason === "") errors.push(fieldRequired(reasonAt));
    else if (!REASON.test(reason)) {
      const why =
        "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName',  or 'ReasonA,ReasonB',  or 'ReasonA:ReasonB', regex used for validation is '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?')";
      errors.push(fieldInvalid(reasonAt, reason, why));
    }
    if (reason.length > REASON_LENGTH_MAX) errors.push(fieldTooLong(reasonAt, REASON_LENGTH_MAX));
    if (message.length > MESSAGE_LENGTH_MAX) errors.push(fieldTooLong(at.child("message"), MESSAGE_LENGTH_MAX));
  });
}
