import { fail } from "./cel-error.ts";
import * as T from "./types.ts";
import { type CelValue, Instance } from "./values.ts";

const NANOS = 1_000_000_000n;
const INT_MAX = (1n << 63n) - 1n;
const INT_MIN = -(1n << 63n);
/** 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z, in seconds since 1970. */
const SECONDS_MIN = -62_135_596_800n;
const SECONDS_MAX = 253_402_300_799n;

/** A span of time, of 64 bits. */
export class Duration extends Instance {
  readonly type = T.DURATION;
  readonly nanos: bigint;

  /** @throws Failure where it is out of range. */
  constructor(nanos: bigint) {
    super();
    if (nanos > INT_MAX || nanos < INT_MIN) fail("integer overflow");
    this.nanos = nanos;
  }

  equals(other: CelValue): boolean {
    return other instanceof Duration && other.nanos === this.nanos;
  }

  /** In seconds: `5400s`, `0.001s`. */
  override toText(): string {
    const size = this.nanos < 0n ? -this.nanos : this.nanos;
    const fraction = String(size % NANOS)
      .padStart(9, "0")
      .replace(/0+$/, "");
    return `${this.nanos < 0n ? "-" : ""}${size / NANOS}${fraction && `.${fraction}`}s`;
  }
}

/** A moment; the offset is only remembered for its text. */
export class Timestamp extends Instance {
  readonly type = T.TIMESTAMP;
  /** Since 1970. */
  readonly nanos: bigint;
  readonly offsetMinutes: number;

  /** @throws Failure where it is out of range. */
  constructor(nanos: bigint, offsetMinutes = 0) {
    super();
    const seconds = floorDivide(nanos, NANOS);
    if (seconds < SECONDS_MIN || seconds > SECONDS_MAX) fail("timestamp overflow");
    this.nanos = nanos;
    this.offsetMinutes = offsetMinutes;
  }

  get seconds(): bigint {
    return floorDivide(this.nanos, NANOS);
  }

  /** Below the second, from 0. */
  get nanosOfSecond(): bigint {
    return this.nanos - this.seconds * NANOS;
  }

  equals(other: CelValue): boolean {
    return other instanceof Timestamp && other.nanos === this.nanos;
  }

  /** RFC 3339, without trailing zeros behind the second. */
  override toText(): string {
    const local = new Date(Number(this.seconds + BigInt(this.offsetMinutes) * 60n) * 1000);
    const fraction = String(this.nanosOfSecond).padStart(9, "0").replace(/0+$/, "");
    return `${local.toISOString().replace(/\.\d+Z$/, "")}${fraction && `.${fraction}`}${offsetText(this.offsetMinutes)}`;
  }

  /** As a Date in UTC, shifted to the local time of an offset. */
  at(offsetMinutes: number): Date {
    return new Date(Number(this.seconds + BigInt(offsetMinutes) * 60n) * 1000);
  }
}

function floorDivide(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return a % b < 0n ? quotient - 1n : quotient;
}

function offsetText(minutes: number): string {
  if (minutes === 0) return "Z";
  const size = Math.abs(minutes);
  const two = (part: number) => String(part).padStart(2, "0");
  return `${minutes < 0 ? "-" : "+"}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: NANOS,
  m: 60n * NANOS,
  h: 3_600n * NANOS,
};
const DURATION = /^([-+]?)((?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|\u03bcs|ms|s|m|h))+)$/;
const PART = /(\d*)\.?(\d*)(ns|us|µs|\u03bcs|ms|s|m|h)/g;
const DURATION_LENGTH_MAX = 256;

/** Go's time.ParseDuration: `1h30m`, `-1.5s`, `0`. Undefined where the text is none. */
export function parseDuration(text: string): Duration | undefined {
  if (/^[-+]?0$/.test(text)) return new Duration(0n);
  const match = text.length > DURATION_LENGTH_MAX ? null : DURATION.exec(text);
  if (!match) return undefined;
  let nanos = 0n;
  for (const [, whole = "", fraction = "", unit = ""] of match[2]!.matchAll(PART)) {
    const scale = UNITS[unit]!;
    nanos += BigInt(whole || "0") * scale + (BigInt(fraction || "0") * scale) / 10n ** BigInt(fraction.length);
  }
  if (match[1] === "-") nanos = -nanos;
  return nanos > INT_MAX || nanos < INT_MIN ? undefined : new Duration(nanos);
}

const TIME = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:[.,](\d+))?(?:Z|([+-])(\d\d):(\d\d))$/;

/** RFC 3339 as Go's time.Parse reads it. Undefined where the text is none. @throws Failure where it is out of range. */
export function parseTimestamp(text: string): Timestamp | undefined {
  const match = TIME.exec(text);
  if (!match) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const seconds = secondsOf(year, month, day);
  if (seconds === undefined || hour > 23 || minute > 59 || second > 59) return undefined;
  const [zoneHours, zoneMinutes] = [Number(match[9] ?? 0), Number(match[10] ?? 0)];
  if (zoneHours > 24 || zoneMinutes > 59) return undefined;
  const offset = (match[8] === "-" ? -1 : 1) * (zoneHours * 60 + zoneMinutes);
  const nanos = BigInt((match[7] ?? "").slice(0, 9).padEnd(9, "0"));
  const clock = BigInt(hour * 3600 + (minute - offset) * 60 + second);
  return new Timestamp((seconds + clock) * NANOS + nanos, offset);
}

const DATE = /^(\d{4})-(\d\d)-(\d\d)$/;

/** A full-date of RFC 3339, at midnight in UTC. Undefined where the text is none. */
export function parseDate(text: string): Timestamp | undefined {
  const [, year, month, day] = DATE.exec(text)?.map(Number) ?? [];
  const seconds = year === undefined ? undefined : secondsOf(year, month!, day!);
  return seconds === undefined ? undefined : new Timestamp(seconds * NANOS);
}

/** Midnight of a date in seconds since 1970; undefined where there is no such date. */
function secondsOf(year: number, month: number, day: number): bigint | undefined {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const exists = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  return exists ? BigInt(date.getTime() / 1000) : undefined;
}

const NUMERIC_ZONE = /^([+-]?)(\d{1,9}):(\d{1,9})$/;
/** What no real zone exceeds; beyond it a date would leave its range. */
const OFFSET_MINUTES_MAX = 24 * 60;

/** Minutes east of UTC at a moment: of `+01:30`, `-8:00` or the name of a zone. @throws Failure where there is no such zone. */
export function zoneOffsetMinutes(zone: string, moment: Timestamp): number {
  if (zone === "" || zone === "UTC") return 0;
  const match = NUMERIC_ZONE.exec(zone);
  if (match) {
    const minutes = (match[1] === "-" ? -1 : 1) * (Number(match[2]) * 60 + Number(match[3]));
    return Math.abs(minutes) <= OFFSET_MINUTES_MAX ? minutes : fail(`unknown time zone ${zone}`);
  }
  // No method of Date tells the offset of another zone: what its wall clock shows does.
  const parts = zoneClock(zone).formatToParts(moment.at(0));
  const name = parts.find((part) => part.type === "timeZoneName")?.value ?? "GMT";
  const [, sign, hours = "0", minutes = "0"] = /GMT([+-])(\d\d):?(\d\d)?/.exec(name) ?? [];
  return (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
}

/** Making one takes a thousand times longer than asking it. */
const zoneClocks = new Map<string, Intl.DateTimeFormat | null>();
const ZONE_CLOCKS_MAX = 64;

function zoneClock(zone: string): Intl.DateTimeFormat {
  let clock = zoneClocks.get(zone);
  if (clock === undefined) {
    clock = makeClock(zone);
    if (zoneClocks.size >= ZONE_CLOCKS_MAX) zoneClocks.clear();
    zoneClocks.set(zone, clock);
  }
  return clock ?? fail(`unknown time zone ${zone}`);
}

function makeClock(zone: string): Intl.DateTimeFormat | null {
  try {
    return new Intl.DateTimeFormat("en-US", { timeZone: zone, timeZoneName: "longOffset" });
  } catch {
    return null;
  }
}
