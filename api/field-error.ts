/** The `reason`s of a cause in a 422, as k8s.io/apimachinery/pkg/util/validation/field names them. */
export type FieldErrorType =
  | "FieldValueInvalid"
  | "FieldValueRequired"
  | "FieldValueDuplicate"
  | "FieldValueNotSupported"
  | "FieldValueForbidden"
  | "FieldValueNotFound"
  | "FieldValueTooLong"
  | "FieldValueTooMany"
  | "FieldValueTypeInvalid";

/** One thing wrong with one field. A value, not a thrown error: validation gathers all of them. */
export interface FieldError {
  type: FieldErrorType;
  /** JSON path as upstream writes it: `spec.containers[0].name`, `metadata.labels`, `data[key]`. */
  field: string;
  value?: unknown;
  detail: string;
  /** For FieldValueTooMany: how many there are. */
  actual?: number;
}

export const fieldInvalid = (field: string, value: unknown, detail: string): FieldError => ({
  type: "FieldValueInvalid",
  field,
  value,
  detail,
});
export const fieldRequired = (field: string, detail = ""): FieldError => ({ type: "FieldValueRequired", field, detail });
export const fieldForbidden = (field: string, detail: string): FieldError => ({
  type: "FieldValueForbidden",
  field,
  detail,
});
export const fieldDuplicate = (field: string, value: unknown): FieldError => ({
  type: "FieldValueDuplicate",
  field,
  value,
  detail: "",
});
export const fieldNotFound = (field: string, value: unknown): FieldError => ({
  type: "FieldValueNotFound",
  field,
  value,
  detail: "",
});
export const fieldNotSupported = (field: string, value: unknown, supported: readonly string[]): FieldError => ({
  type: "FieldValueNotSupported",
  field,
  value,
  detail: supported.length > 0 ? `supported values: ${supported.map((s) => JSON.stringify(s)).join(", ")}` : "",
});
export const fieldTooLong = (field: string, maxLength: number): FieldError => ({
  type: "FieldValueTooLong",
  field,
  detail: `may not be more than ${maxLength} bytes`,
});
export const fieldTooMany = (field: string, actual: number, max: number): FieldError => ({
  type: "FieldValueTooMany",
  field,
  actual,
  detail: `must have at most ${max} items`,
});

const TITLES: Record<FieldErrorType, string> = {
  FieldValueInvalid: "Invalid value",
  FieldValueRequired: "Required value",
  FieldValueDuplicate: "Duplicate value",
  FieldValueNotSupported: "Unsupported value",
  FieldValueForbidden: "Forbidden",
  FieldValueNotFound: "Not found",
  FieldValueTooLong: "Too long",
  FieldValueTooMany: "Too many",
  FieldValueTypeInvalid: "Invalid value",
};

/** `spec.replicas: Invalid value: -1: must be greater than or equal to 0`, the sentence of field.Error. */
export function describeFieldError(error: FieldError): string {
  const title = `${error.field}: ${TITLES[error.type]}`;
  const detail = error.detail ? `: ${error.detail}` : "";
  switch (error.type) {
    case "FieldValueRequired":
    case "FieldValueForbidden":
    case "FieldValueTooLong":
      return title + detail;
    case "FieldValueTooMany":
      return `${title}: ${error.actual}${detail}`;
    default:
      return `${title}: ${describeValue(error.value)}${detail}`;
  }
}

const describeValue = (value: unknown): string => (value === undefined || value === null ? "null" : JSON.stringify(value));
