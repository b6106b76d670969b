import { printMoment, readMoment } from "../api/time-travel.ts";
import { Failure } from "./failure.ts";

/**
 * What `--at` names, in RFC 3339: how long ago becomes when, so that whatever is read with it is of one and the same state.
 * `now`: milliseconds since 1970.
 */
export function chosenTime(text: string, now: number): string {
  const moment = readMoment(text, now);
  if ("problem" in moment) throw new Failure(`--at: ${moment.problem}`, 2);
  return printMoment(moment.time);
}
