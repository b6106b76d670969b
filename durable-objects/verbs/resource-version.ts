import { type FieldError, fieldForbidden, fieldInvalid, fieldNotSupported } from "../../api/field-error.ts";
import { ApiError, badRequest, type GroupResource, invalid } from "../../api/status.ts";
import type { RequestOptions } from "../protocol.ts";
import { revisionAt } from "../revision.ts";

/** How far another machine's clock may be ahead of this one's before its revisions are taken for inventions. */
const CLOCK_SKEW_MILLISECONDS = 60_000;

/** 0 where none is given. @throws ApiError Invalid where it is not a number. */
export function parseResourceVersion(text: string | undefined, { resource, group }: GroupResource): number {
  if (!text) return 0;
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) {
    const detail = `strconv.ParseUint: parsing ${JSON.stringify(text)}: ${/^\d+$/.test(text) ? "value out of range" : "invalid syntax"}`;
    throw invalid({ group, kind: resource }, "", [fieldInvalid("resourceVersion", text, detail)]);
  }
  return value;
}

/** Refuses revisions that no home can have handed out yet. A home's own may lag behind other homes' of the cluster. */
export function checkNotFuture(revision: number, current: number, now: number): void {
  if (revision <= Math.max(current, revisionAt(now + CLOCK_SKEW_MILLISECONDS))) return;
  const message = `Too large resource version: ${revision}, current: ${current}`;
  throw new ApiError("Timeout", message, {
    causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
    retryAfterSeconds: 1,
  });
}

/** The rules of metainternalversion/validation for lists and watches. */
export function checkListOptions(options: RequestOptions, isWatch: boolean): void {
  const { resourceVersion = "", resourceVersionMatch: match = "", sendInitialEvents } = options;
  const errors: FieldError[] = [];
  if (isWatch && sendInitialEvents !== undefined) {
    if (match === "")
      errors.push(
        fieldForbidden(
          "resourceVersionMatch",
          "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
        ),
      );
    else if (match !== "NotOlderThan") errors.push(fieldNotSupported("resourceVersionMatch", match, ["NotOlderThan"]));
    if (sendInitialEvents && options.allowWatchBookmarks !== true) {
      errors.push(
        fieldForbidden("sendInitialEvents", "sendInitialEvents requires setting allowWatchBookmarks to true"),
      );
    }
  } else if (match !== "") {
    if (isWatch)
      errors.push(
        fieldForbidden(
          "resourceVersionMatch",
          "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
        ),
      );
    else if (options.continue)
      errors.push(
        fieldForbidden("resourceVersionMatch", "resourceVersionMatch is forbidden when continue is provided"),
      );
    else if (match !== "Exact" && match !== "NotOlderThan") {
      errors.push(fieldNotSupported("resourceVersionMatch", match, ["Exact", "NotOlderThan", ""]));
    } else if (resourceVersion === "") {
      errors.push(
        fieldForbidden("resourceVersionMatch", "resourceVersionMatch is forbidden unless resourceVersion is provided"),
      );
    } else if (match === "Exact" && resourceVersion === "0") {
      errors.push(
        fieldForbidden("resourceVersionMatch", 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'),
      );
    }
  }
  if (!isWatch && sendInitialEvents !== undefined) {
    errors.push(fieldForbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"));
  }
  if (errors.length > 0) throw invalid({ group: "meta.k8s.io", kind: "ListOptions" }, "", errors);
  if (options.continue && resourceVersion !== "" && resourceVersion !== "0") {
    throw badRequest("specifying resource version is not allowed when using continue");
  }
}

/** The resourceVersion of what is read now. A home that was never written to has no revision yet, and "0" would mean any. */
export const currentVersion = (revision: number): number => Math.max(revision, 1);
