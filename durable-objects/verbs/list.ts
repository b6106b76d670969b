import { ApiError } from "../../api/status.ts";
import type { HomeAnswer } from "../protocol.ts";
import { textAnswer } from "./answer.ts";
import { type ContinueToken, decodeContinue, encodeContinue, INCONSISTENT } from "./continue-token.ts";
import { BODY_CHARS_MAX, Items, type ItemsPart, streamOf, textOf } from "./items.ts";
import { checkListOptions, checkReadable, currentVersion, parseResourceVersion } from "./resource-version.ts";
import type { Call } from "./scope.ts";
import { selectionOf } from "./selection.ts";

/** A list at one revision. Without selectors the stored texts are passed on as they are. */
export function list(call: Call): HomeAnswer {
  const { options, served, scope } = call;
  checkListOptions(options, false);
  const selection = selectionOf(options, served.rules, scope.namespace);
  const { revision, after } = startOf(call);
  scope.raiseFloor(revision);
  if (!scope.store.reaches(revision)) return expired(call, after);

  const limit = options.limit || Number.MAX_SAFE_INTEGER;
  const items = new Items({ scope, served, selection, revision, after, limit });
  const metadata = (): string => {
    const remaining = items.isFull ? items.remaining() : 0;
    if (remaining === 0) return `"metadata":{"resourceVersion":"${revision}"}`;
    const token = encodeContinue({ revision, after: items.last });
    // As upstream: with a selector nobody knows how many of the rest it selects.
    const count = selection.isEverything ? `,"remainingItemCount":${remaining}` : "";
    return `"metadata":{"resourceVersion":"${revision}","continue":"${token}"${count}}`;
  };
  const opening = `{"kind":"${served.listKind}","apiVersion":"${served.apiVersion}"`;

  const parts = items.parts();
  const read: ItemsPart[] = [];
  for (let size = 0; size <= BODY_CHARS_MAX; ) {
    const { value, done } = parts.next();
    if (done) return textAnswer(200, `${opening},${metadata()},"items":[${textOf(read)}]}`);
    read.push(value);
    size += value.length;
  }
  // Where a page will end is known only when it has been read.
  if (options.limit) {
    const head = [`${opening},"items":[`, ...read];
    return textAnswer(
      200,
      streamOf(head, parts, () => `],${metadata()}}`),
    );
  }
  const head = [`${opening},${metadata()},"items":[`, ...read];
  return textAnswer(
    200,
    streamOf(head, parts, () => "]}"),
  );
}

/** The revision that the list is of, and the name after which it begins. */
function startOf({ options, scope }: Call): ContinueToken {
  const newest = options.at ?? currentVersion(scope.store.revision);
  if (options.continue) {
    const { revision, after } = decodeContinue(options.continue);
    checkReadable(revision, options, scope);
    return { revision: revision === INCONSISTENT ? newest : revision, after };
  }
  const { resourceVersionMatch: match } = options;
  const asked = parseResourceVersion(options.resourceVersion);
  checkReadable(asked, options, scope);
  // Unset, resourceVersionMatch means Exact for a paged list at a revision: the meaning it had before it existed.
  const isExact = match === "Exact" || (!match && options.limit && asked > 0);
  return { revision: isExact ? asked : Math.max(newest, asked), after: "" };
}

function expired({ options }: Call, after: string): HomeAnswer {
  if (!options.continue) throw expiredRevision();
  return expiredPage(after);
}

export const expiredRevision = (): ApiError =>
  new ApiError("Expired", "The resourceVersion for the provided list is too old.");

/** The answer to a token whose revision has been compacted: with a token for the rest as it is now. */
export function expiredPage(after: string): HomeAnswer {
  const status = new ApiError(
    "Expired",
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without " +
      "the continue parameter, or use the continue token in this response to retrieve the remainder of the results. " +
      "Continuing with the provided token results in an inconsistent list - objects that were created, modified, or " +
      "deleted between the time the first chunk was returned and now may show up in the list.",
  ).toStatus();
  const token = encodeContinue({ revision: INCONSISTENT, after });
  return textAnswer(410, JSON.stringify({ ...status, metadata: { continue: token } }));
}
