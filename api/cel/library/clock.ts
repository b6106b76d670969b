import { type Call, type CelFunction, celFunction, member } from "../function.ts";
import { type Duration, type Timestamp, zoneOffsetMinutes } from "../time.ts";
import { DURATION, INT, STRING, TIMESTAMP } from "../types.ts";

/** Steps of the meter that looking into the rules of a time zone stands for. */
const STEPS_OF_ZONE = 64;

interface Clock {
  readonly name: string;
  readonly id: string;
  readonly part: (local: Date, moment: Timestamp) => number;
  readonly ofDuration?: readonly [id: string, unitNanos: bigint];
}

const dayOfYear = (local: Date): number => {
  const start = new Date(local);
  start.setUTCMonth(0, 1);
  return Math.round((local.getTime() - start.getTime()) / 86_400_000);
};

const CLOCK: readonly Clock[] = [
  { name: "getFullYear", id: "year", part: (local) => local.getUTCFullYear() },
  { name: "getMonth", id: "month", part: (local) => local.getUTCMonth() },
  { name: "getDayOfYear", id: "day_of_year", part: dayOfYear },
  { name: "getDayOfMonth", id: "day_of_month", part: (local) => local.getUTCDate() - 1 },
  { name: "getDate", id: "day_of_month_1_based", part: (local) => local.getUTCDate() },
  { name: "getDayOfWeek", id: "day_of_week", part: (local) => local.getUTCDay() },
  {
    name: "getHours",
    id: "hours",
    part: (local) => local.getUTCHours(),
    ofDuration: ["duration_to_hours", 3_600_000_000_000n],
  },
  {
    name: "getMinutes",
    id: "minutes",
    part: (local) => local.getUTCMinutes(),
    ofDuration: ["duration_to_minutes", 60_000_000_000n],
  },
  {
    name: "getSeconds",
    id: "seconds",
    part: (local) => local.getUTCSeconds(),
    ofDuration: ["duration_to_seconds", 1_000_000_000n],
  },
  {
    name: "getMilliseconds",
    id: "milliseconds",
    part: (_, moment) => Number(moment.nanosOfSecond / 1_000_000n),
    ofDuration: ["duration_to_milliseconds", 1_000_000n],
  },
];

function clockFunction({ name, id, part, ofDuration }: Clock): CelFunction {
  const read: Call = ([value, zone], meter) => {
    const moment = value as Timestamp;
    if (zone !== undefined) meter.work(STEPS_OF_ZONE);
    const offset = zone === undefined ? 0 : zoneOffsetMinutes(zone as string, moment);
    return BigInt(part(moment.at(offset), moment));
  };
  const overloads = [
    member(`timestamp_to_${id}`, [TIMESTAMP], INT, read),
    member(`timestamp_to_${id}_with_tz`, [TIMESTAMP, STRING], INT, read),
  ];
  if (ofDuration) {
    overloads.push(member(ofDuration[0], [DURATION], INT, ([value]) => (value as Duration).nanos / ofDuration[1]));
  }
  return celFunction(name, overloads);
}

/** The parts of timestamps, in UTC or a zone, and durations in units. */
export const CLOCK_LIBRARY: readonly CelFunction[] = CLOCK.map(clockFunction);
