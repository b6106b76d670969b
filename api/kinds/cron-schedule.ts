import { parseDuration } from "../cel/time.ts";

/**
 * What a CronJob's schedule may be: what github.com/robfig/cron/v3 ParseStandard reads, which upstream uses, and what it says of
 * the rest. Five fields (minute, hour, day of month, month, day of week), or a descriptor.
 */

interface Bounds {
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

const FIELDS: readonly Bounds[] = [
  { min: 0, max: 59 },
  { min: 0, max: 23 },
  { min: 1, max: 31 },
  {
    min: 1,
    max: 12,
    names: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
  },
  { min: 0, max: 6, names: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] },
];
const DESCRIPTORS = new Set(["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"]);
const EVERY = "@every ";
const INT64_MAX = 2n ** 63n - 1n;

/** What is wrong with a schedule that is not empty, in upstream's words; undefined: nothing. Time zones are the caller's. */
export function scheduleComplaint(schedule: string): string | undefined {
  if (schedule.startsWith("@")) {
    if (DESCRIPTORS.has(schedule)) return undefined;
    if (!schedule.startsWith(EVERY)) return `unrecognized descriptor: ${schedule}`;
    const every = parseDuration(schedule.slice(EVERY.length));
    return every === undefined
      ? `failed to parse duration ${schedule}: time: invalid duration ${JSON.stringify(schedule.slice(EVERY.length))}`
      : undefined;
  }
  const fields = schedule.split(/\s+/).filter((field) => field !== "");
  if (fields.length !== FIELDS.length) {
    return `expected exactly ${FIELDS.length} fields, found ${fields.length}: [${fields.join(" ")}]`;
  }
  for (const [i, bounds] of FIELDS.entries()) {
    for (const range of fields[i]!.split(",")) {
      const complaint = range === "" ? undefined : rangeComplaint(range, bounds);
      if (complaint) return complaint;
    }
  }
  return undefined;
}

/** `*`, `n`, `n-m`, each with `/step`. */
function rangeComplaint(range: string, { min, max, names }: Bounds): string | undefined {
  const [span = "", step, ...steps] = range.split("/");
  const [low = "", high, ...highs] = span.split("-");
  let [start, end] = [min, max];
  if (low !== "*" && low !== "?") {
    const first = readNumber(low, names);
    if (typeof first === "string") return first;
    const last = high === undefined ? first : readNumber(high, names);
    if (typeof last === "string") return last;
    if (highs.length > 0) return `too many hyphens: ${range}`;
    [start, end] = [first, last];
  }
  if (steps.length > 0) return `too many slashes: ${range}`;
  if (step !== undefined) {
    const every = readNumber(step);
    if (typeof every === "string") return every;
    // "n/step" goes on to the end.
    if (high === undefined) end = max;
    if (every === 0 && start >= min && end <= max && start <= end) {
      return `step of range should be a positive number: ${range}`;
    }
  }
  if (start < min) return `beginning of range (${start}) below minimum (${min}): ${range}`;
  if (end > max) return `end of range (${end}) above maximum (${max}): ${range}`;
  if (start > end) return `beginning of range (${start}) beyond end of range (${end}): ${range}`;
  return undefined;
}

/** A number, also by its name; or what is wrong with it. */
function readNumber(text: string, names?: readonly string[]): number | string {
  const named = names?.indexOf(text.toLowerCase()) ?? -1;
  if (named >= 0) return names!.length === 12 ? named + 1 : named;
  const why = (reason: string): string =>
    `failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: ${reason}`;
  if (!/^[+-]?[0-9]+$/.test(text)) return why("invalid syntax");
  const value = BigInt(text.replace("+", ""));
  if (value > INT64_MAX || value < -INT64_MAX - 1n) return why("value out of range");
  return value < 0n ? `negative number (${value}) not allowed: ${text}` : Number(value);
}
