import type { FieldError } from "./field-error.ts";
import { describeFieldError } from "./field-error.ts";

/** The `reason`s of metav1.Status that Coxswain answers with, and the HTTP code each one travels under. */
const CODES = {
  BadRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  NotAcceptable: 406,
  AlreadyExists: 409,
  Conflict: 409,
  Expired: 410,
  Gone: 410,
  RequestEntityTooLarge: 413,
  UnsupportedMediaType: 415,
  Invalid: 422,
  TooManyRequests: 429,
  InternalError: 500,
  ServiceUnavailable: 503,
  Timeout: 504,
  ServerTimeout: 500,
} as const;

export type StatusReason = keyof typeof CODES;

export interface StatusCause {
  reason?: string;
  message: string;
  field?: string;
}

/** metav1.StatusDetails. `kind` is, as upstream has it, mostly the plural resource. */
export interface StatusDetails {
  name?: string;
  group?: string;
  kind?: string;
  uid?: string;
  causes?: StatusCause[];
  retryAfterSeconds?: number;
}

/** metav1.Status as JSON. */
export interface Status {
  kind: "Status";
  apiVersion: "v1";
  metadata: Record<string, never>;
  status: "Success" | "Failure";
  message?: string;
  reason?: StatusReason | "";
  details?: StatusDetails;
  code?: number;
}

/** An answer that is not the one asked for. Thrown anywhere, rendered as a `Status` in one place. */
export class ApiError extends Error {
  /** Empty for what upstream has no reason for (metav1.StatusReasonUnknown). */
  readonly reason: StatusReason | "";
  readonly code: number;
  readonly details: StatusDetails | undefined;

  constructor(
    reason: StatusReason | "",
    message: string,
    details?: StatusDetails,
    code: number = reason === "" ? 500 : CODES[reason],
  ) {
    super(message);
    this.name = "ApiError";
    this.reason = reason;
    this.code = code;
    this.details = details;
  }

  toStatus(): Status {
    return {
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message: this.message,
      ...(this.reason && { reason: this.reason }),
      ...(this.details && { details: this.details }),
      code: this.code,
    };
  }
}

/** A resource as errors name it: `pods`, or `deployments.apps`. */
export interface GroupResource {
  group: string;
  resource: string;
}

export const resourceName = ({ group, resource }: GroupResource): string => (group ? `${resource}.${group}` : resource);

/** What is empty is left out, as Go's `omitempty` does. */
const detailsOf = (what: GroupResource, name: string): StatusDetails => ({
  ...(name && { name }),
  ...(what.group && { group: what.group }),
  kind: what.resource,
});

// The sentences are those of k8s.io/apimachinery/pkg/api/errors.

export const badRequest = (message: string): ApiError => new ApiError("BadRequest", message);

export const notFound = (what: GroupResource, name: string): ApiError =>
  new ApiError("NotFound", `${resourceName(what)} "${name}" not found`, detailsOf(what, name));

export const alreadyExists = (what: GroupResource, name: string): ApiError =>
  new ApiError("AlreadyExists", `${resourceName(what)} "${name}" already exists`, detailsOf(what, name));

export const conflict = (what: GroupResource, name: string, why: string): ApiError =>
  new ApiError(
    "Conflict",
    `Operation cannot be fulfilled on ${resourceName(what)} "${name}": ${why}`,
    detailsOf(what, name),
  );

/** The `why` of a stale resourceVersion. */
export const OBJECT_MODIFIED =
  "the object has been modified; please apply your changes to the latest version and try again";

export const forbidden = (what: GroupResource, name: string, why: string): ApiError =>
  new ApiError(
    "Forbidden",
    `${resourceName(what)}${name ? ` "${name}"` : ""} is forbidden: ${why}`,
    detailsOf(what, name),
  );

/** What upstream's router says of a verb that a path does not take. */
export const methodNotAllowed = (): ApiError =>
  new ApiError("MethodNotAllowed", "the server does not allow this method on the requested resource", {});

/** What upstream says of a request that it has given up. */
export const requestTimedOut = (): ApiError =>
  new ApiError("Timeout", "Timeout: request did not complete within the allotted timeout", {});

export const internalError = (why: string): ApiError =>
  new ApiError("InternalError", `Internal error occurred: ${why}`, { causes: [{ message: why }] });

/** 500 without a reason: what upstream sends of an error that nothing turned into a Status. */
export const unknownError = (message: string): ApiError => new ApiError("", message);

/** 422 for what validation refused. `kind` is the Kind here, not the resource (as upstream has it). */
export function invalid(what: { group: string; kind: string }, name: string, errors: FieldError[]): ApiError {
  // As upstream's aggregate, which tells the same only once; the causes are told each.
  const texts = [...new Set(errors.map(describeFieldError))];
  const all = texts.length === 1 ? texts[0] : `[${texts.join(", ")}]`;
  return new ApiError("Invalid", `${what.kind}${what.group ? `.${what.group}` : ""} "${name}" is invalid: ${all}`, {
    ...(name && { name }),
    ...(what.group && { group: what.group }),
    ...(what.kind && { kind: what.kind }),
    causes: errors.map((error) => ({
      reason: error.type,
      message: describeFieldError(error).slice(error.field.length + 2),
      field: error.field,
    })),
  });
}
