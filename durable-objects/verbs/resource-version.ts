import {
  describeFieldError,
  type FieldError,
  fieldForbidden,
  fieldInvalid,
  fieldNotSupported,
} from "../../api/field-error.ts";
import { ApiError, badRequest, invalid } from "../../api/status.ts";
import type { RequestOptions } from "../protocol.ts";
import type { HomeScope } from "./scope.ts";

/** 0 where none is given. @throws ApiError BadRequest where it is not a number, in the words of upstream's lists. */
export function parseResourceVersion(text: string | undefined): number {
  if (!text) return 0;
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) {
    const detail = `strconv.ParseUint: parsing ${JSON.stringify(text)}: ${/^\d+$/.test(text) ? "value out of range" : "invalid syntax"}`;
    throw badRequest(`invalid resource version: ${describeFieldError(fieldInvalid("resourceVersion", text, detail))}`);
  }
  return value;
}

/**
 * Refuses revisions that nobody can have handed out: a home knows of its own, and the Timeline has told it whether there is one like it elsewhere
 * (`HomeLease.stayAbove`). What is read in the past knows nothing beyond that past.
 */
export function checkReadable(
  revision: number,
  { at }: Pick<RequestOptions, "at">,
  { highest }: Pick<HomeScope, "highest">,
): void {
  if (at !== undefined && revision > at) throw tooLarge(revision, at);
  const asked = Math.max(revision, at ?? 0);
  // Of a home that was never written to lists are of revision 1 (`currentVersion`).
  if (asked > currentVersion(highest())) throw tooLarge(asked, highest());
}

const tooLarge = (revision: number, current: number): ApiError =>
  new ApiError("Timeout", `Too large resource version: ${revision}, current: ${current}`, {
    causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
    retryAfterSeconds: 1,
  });

/** The rules of metainternalversion/validation for lists and watches, in the order in which it tells of them. */
export function checkListOptions(options: RequestOptions, isWatch: boolean): void {
  const errors = isWatch ? watchErrors(options) : listErrors(options);
  if (errors.length > 0) throw invalid({ group: "meta.k8s.io", kind: "ListOptions" }, "", errors);
  const { resourceVersion = "" } = options;
  if (!isWatch && options.continue && resourceVersion !== "" && resourceVersion !== "0") {
    throw badRequest("specifying resource version is not allowed when using continue");
  }
}

const forbiddenMatch = (why: string): FieldError => fieldForbidden("resourceVersionMatch", why);
const forbiddenWithContinue = (): FieldError =>
  forbiddenMatch("resourceVersionMatch is forbidden when continue is provided");

function listErrors(options: RequestOptions): FieldError[] {
  const { resourceVersion = "", resourceVersionMatch: match = "" } = options;
  const errors: FieldError[] = [];
  if (match !== "") {
    if (resourceVersion === "")
      errors.push(forbiddenMatch("resourceVersionMatch is forbidden unless resourceVersion is provided"));
    if (options.continue) errors.push(forbiddenWithContinue());
    if (match !== "Exact" && match !== "NotOlderThan")
      errors.push(fieldNotSupported("resourceVersionMatch", match, ["Exact", "NotOlderThan", ""]));
    if (match === "Exact" && resourceVersion === "0")
      errors.push(forbiddenMatch('resourceVersionMatch "exact" is forbidden for resourceVersion "0"'));
  }
  if (options.sendInitialEvents !== undefined)
    errors.push(fieldForbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"));
  return errors;
}

function watchErrors(options: RequestOptions): FieldError[] {
  const { resourceVersionMatch: match = "", sendInitialEvents } = options;
  const errors: FieldError[] = [];
  if (sendInitialEvents !== undefined && match !== "NotOlderThan")
    errors.push(forbiddenMatch("sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"));
  if (match !== "") {
    if (sendInitialEvents === undefined)
      errors.push(forbiddenMatch("resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"));
    if (match !== "NotOlderThan") errors.push(fieldNotSupported("resourceVersionMatch", match, ["NotOlderThan"]));
  }
  if (options.continue) errors.push(forbiddenWithContinue());
  return errors;
}

/** The resourceVersion of what is read now. A home that was never written to has no revision yet, and "0" would mean any. */
export const currentVersion = (revision: number): number => Math.max(revision, 1);
