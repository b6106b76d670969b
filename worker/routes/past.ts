import { ApiError, badRequest } from "../../api/status.ts";
import { readMoment } from "../../api/time-travel.ts";
import type { Target } from "../../durable-objects/protocol.ts";
import { lastRevisionAt } from "../../durable-objects/revision.ts";

/** A moment of a cluster's past. */
export interface Past {
  /** What was committed up to here had happened. */
  revision: number;
  /** Milliseconds since 1970. */
  time: number;
}

/** What a path or a query names as a time. `now`: milliseconds since 1970. @throws ApiError BadRequest where it names none, or one to come */
export function pastOf(text: string, now: number): Past {
  const moment = readMoment(text, now);
  if ("problem" in moment) throw badRequest(moment.problem);
  return { time: moment.time, revision: lastRevisionAt(moment.time) };
}

const READS = new Set(["GET", "HEAD"]);
/** Subresources of pods and others that speak to what runs now. */
const LIVE = new Set(["log", "exec", "attach", "portforward", "proxy"]);

/** Nobody writes into the past, or speaks to what ran then. @throws ApiError MethodNotAllowed */
export function refuseInPast(method: string, path: string, target: Target | undefined): void {
  if (!READS.has(method)) throw notInPast("the past is read-only");
  if (path.startsWith("/node-link")) throw notInPast("no node lives in the past");
  if (target && LIVE.has(target.subresource))
    throw notInPast(`nothing that ran in the past can be asked for its ${target.subresource}`);
}

export const notInPast = (why: string): ApiError => new ApiError("MethodNotAllowed", why, {});
