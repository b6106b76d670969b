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
  | "FieldValueTypeInvalid"
  | "InternalError";

/** One thing wrong with one field. A value, not a thrown error: validation gathers all of them. */
export interface FieldError {
  type: FieldErrorType;
  /** JSON path as upstream writes it: `spec.containers[0].name`, `metadata.labels`, `data[key]`. */
  field: string;
  value?: unknown;
  /** The value is not shown (upstream's OmitValueType). */
  omitsValue?: true;
  detail: string;
  /** For FieldValueTooMany: how many there are. */
  actual?: number;
}

/** A path as text, or something that becomes text only when an error needs it (`FieldPath`). */
type Field = { toString(): string };

export const fieldInvalid = (field: Field, value: unknown, detail: string): FieldError => ({
  type: "FieldValueInvalid",
  field: String(field),
  value,
  detail,
});
/** As `fieldInvalid` of a value that says nothing: one too large, or not there. */
export const fieldInvalidUnshown = (field: Field, detail: string): FieldError => ({
  type: "FieldValueInvalid",
  field: String(field),
  omitsValue: true,
  detail,
});
export const fieldRequired = (field: Field, detail = ""): FieldError => ({
  type: "FieldValueRequired",
  field: String(field),
  detail,
});
export const fieldForbidden = (field: Field, detail: string): FieldError => ({
  type: "FieldValueForbidden",
  field: String(field),
  detail,
});
export const fieldDuplicate = (field: Field, value: unknown): FieldError => ({
  type: "FieldValueDuplicate",
  field: String(field),
  value,
  detail: "",
});
export const fieldNotFound = (field: Field, value: unknown): FieldError => ({
  type: "FieldValueNotFound",
  field: String(field),
  value,
  detail: "",
});
export const fieldNotSupported = (field: Field, value: unknown, supported: readonly string[]): FieldError => ({
  type: "FieldValueNotSupported",
  field: String(field),
  value,
  detail: supported.length > 0 ? `supported values: ${supported.map((s) => JSON.stringify(s)).join(", ")}` : "",
});
/** What the server itself cannot do with a field. */
export const fieldInternal = (field: Field, detail: string): FieldError => ({
  type: "InternalError",
  field: String(field),
  detail,
});
export const fieldTooLong = (field: Field, maxLength: number): FieldError => ({
  type: "FieldValueTooLong",
  field: String(field),
  detail: `may not be more than ${maxLength} bytes`,
});
export const fieldTooMany = (field: Field, actual: number, max: number): FieldError => ({
  type: "FieldValueTooMany",
  field: String(field),
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
  InternalError: "Internal error",
};

/** `spec.replicas: Invalid value: -1: must be greater than or equal to 0`, the sentence of field.Error. */
export function describeFieldError(error: FieldError): string {
  const title = `${error.field}: ${TITLES[error.type]}`;
  const detail = error.detail ? `: ${error.detail}` : "";
  if (error.omitsValue) return title + detail;
  switch (error.type) {
    case "FieldValueRequired":
    case "FieldValueForbidden":
    case "FieldValueTooLong":
    case "InternalError":
      return title + detail;
    case "FieldValueTooMany":
      return `${title}: ${error.actual}${detail}`;
    default:
      return `${title}: ${describeValue(error.value)}${detail}`;
  }
}

/** Go's JSON of maps and lists escapes what means something in HTML. */
const describeValue = (value: unknown): string =>
  value === undefined || value === null
    ? "null"
    : typeof value === "object"
      ? JSON.stringify(value).replace(/[<>&]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`)
      : typeof value === "string"
        ? quoteGo(value)
        : JSON.stringify(value);

const GO_ESCAPES: Record<string, string> = { u0007: "\\a", u000b: "\\v" };

/** A string as Go's `%q` writes it: control characters are escaped otherwise than in JSON. */
const quoteGo = (text: string): string =>
  JSON.stringify(text)
    .replace(/\\(\\|u00[01][0-9a-f])/g, (written, what) =>
      what === "\\" ? written : (GO_ESCAPES[what] ?? `\\x${what.slice(3)}`),
    )
    .replaceAll("\u007f", "\\x7f");
