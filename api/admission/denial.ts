import { ApiError, internalError, type StatusDetails, type StatusReason } from "../status.ts";
import type { Attributes } from "./attributes.ts";
import type { WebhookStatus } from "./review.ts";

const BAD_REQUEST = 400;

/** The refusal of a webhook that was asked and said no (webhook/errors ToStatusErr). */
export function webhookDenial(name: string, result: WebhookStatus | undefined): ApiError {
  const { code = 0, message, reason = "", details } = result ?? {};
  const deniedBy = `admission webhook ${JSON.stringify(name)} denied the request`;
  const text = message || reason ? `${deniedBy}: ${message || reason}` : `${deniedBy} without explanation`;
  return new ApiError(
    reason as StatusReason,
    text,
    details as StatusDetails | undefined,
    code < BAD_REQUEST ? BAD_REQUEST : code,
  );
}

/** A webhook that could not be asked, where that refuses the request. `why` is upstream's, as `failed to call webhook: …`. */
export const callFailure = (name: string, why: string): ApiError =>
  internalError(`failed calling webhook ${JSON.stringify(name)}: ${why}`);

/** A webhook that does more than answer is not asked about what is not going to happen. */
export const dryRunUnsupported = (name: string): ApiError =>
  new ApiError("BadRequest", `admission webhook ${JSON.stringify(name)} does not support dry run`);

export const hasSideEffects = ({ sideEffects }: { sideEffects?: string }): boolean =>
  sideEffects !== "None" && sideEffects !== "NoneOnDryRun";

/** The name that a refusal tells, also of what has none yet (admission extractResourceName). */
export const refusedName = ({ name, object }: Attributes): string =>
  name || object?.metadata?.name || object?.metadata?.generateName || "Unknown";

/** The request's own time is up. */
export const deadlineExceeded = (): ApiError =>
  new ApiError("Timeout", "Timeout: request did not complete within requested timeout", {});

const GENERIC: Readonly<Record<number, string>> = {
  400: "the server rejected our request for an unknown reason",
  401: "the server has asked for the client to provide credentials",
  404: "the server could not find the requested resource",
  405: "the server does not allow this method on the requested resource",
  409: "the server reported a conflict",
  422: "the server rejected our request due to an error in our request",
  429: "the server has received too many requests and has asked us to try again later",
  503: "the server is currently unable to handle the request",
  504: "the server was unable to return a response in the time allotted, but may still be processing the request",
};

/** Of what a webhook that failed says, so much is told on. */
const SHOWN_MAX = 2048;

/** What client-go says of an answer with another HTTP status than success (errors.NewGenericServerResponse). */
export function httpFailure(code: number, body: string, isText: boolean): string {
  const said = isText ? body.slice(0, SHOWN_MAX).trim() : "unknown";
  if (code === 403 || code === 415) return said;
  const generic = GENERIC[code];
  if (generic) return generic;
  if (code === 406) {
    return said && said !== "unknown"
      ? said
      : "the server was unable to respond with a content type that the client supports";
  }
  if (code >= 500) return `an error on the server (${JSON.stringify(said)}) has prevented the request from succeeding`;
  return `the server responded with the status code ${code} but did not return more information`;
}
