import { normalizeTime } from "./schema/time-format.ts";

/** A moment that was asked for, in milliseconds since 1970 (a fraction of one where the text has it), or why there is none. */
export type Moment = { time: number } | { problem: string };

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Each unit once, the largest first: as kubectl prints ages. Nine digits are more than any history. */
const AGO = /^(?=\d)(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s)?$/;
const UNITS = [DAY, HOUR, MINUTE, SECOND];
const FRACTION = /\.\d+/;

/**
 * Reads what `…/at/<time>/` and `--at` take: a time in RFC 3339, or how long ago (`45s`, `10m`, `1h30m`, `2d`).
 * `now`: milliseconds since 1970. A time that has not come yet is a problem as well.
 */
export function readMoment(text: string, now: number): Moment {
  const ago = AGO.exec(text);
  // A Date holds nothing that is much older than 1970, and no history is.
  const time = ago
    ? Math.max(0, now - UNITS.reduce((sum, unit, i) => sum + Number(ago[i + 1] ?? 0) * unit, 0))
    : readRfc3339(text);
  if (time === undefined)
    return {
      problem: `${JSON.stringify(text)} is no time: give one in RFC 3339 (2026-01-31T12:00:00Z) or how long ago (45s, 10m, 1h30m)`,
    };
  if (time > now) return { problem: `${JSON.stringify(text)} lies in the future` };
  return { time };
}

/** A moment in RFC 3339, UTC, from which `readMoment` reads the same: with milliseconds, and what is finer where there is any. */
export function printMoment(time: number): string {
  const whole = Math.floor(time);
  const micros = Math.floor((time - whole) * 1000);
  const finer = micros === 0 ? "" : String(micros).padStart(3, "0");
  return new Date(whole).toISOString().replace("Z", `${finer}Z`);
}

function readRfc3339(text: string): number | undefined {
  try {
    return Date.parse(normalizeTime(text)) + Number(FRACTION.exec(text)?.[0] ?? 0) * SECOND;
  } catch {
    return undefined; // What is wrong in Go's words says less than what would be right.
  }
}
