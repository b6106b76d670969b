const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAYS_OF_YEAR = 365;

/** Milliseconds as kubectl prints ages: `45s`, `5m12s`, `3d4h`, `2y11d` (k8s.io/apimachinery/pkg/util/duration). */
export function humanDuration(milliseconds: number): string {
  const seconds = Math.trunc(milliseconds / SECOND);
  // Two seconds of difference between clocks are forgiven.
  if (seconds < -1) return "<invalid>";
  if (seconds < 0) return "0s";
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.trunc(milliseconds / MINUTE);
  if (minutes < 10) return withRest(minutes, "m", seconds % 60, "s");
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.trunc(milliseconds / HOUR);
  if (hours < 8) return withRest(hours, "h", minutes % 60, "m");
  if (hours < 48) return `${hours}h`;
  const days = Math.trunc(hours / 24);
  if (hours < 192) return withRest(days, "d", hours % 24, "h");
  if (hours < 24 * DAYS_OF_YEAR * 2) return `${days}d`;
  const years = Math.trunc(days / DAYS_OF_YEAR);
  if (hours < 24 * DAYS_OF_YEAR * 8) return withRest(years, "y", days % DAYS_OF_YEAR, "d");
  return `${years}y`;
}

const withRest = (amount: number, unit: string, rest: number, restUnit: string): string =>
  rest === 0 ? `${amount}${unit}` : `${amount}${unit}${rest}${restUnit}`;

/** How long ago a timestamp was; `<unknown>` where there is none. `now` in milliseconds since 1970. */
export function ageSince(timestamp: string | null | undefined, now: number): string {
  const then = timestamp ? Date.parse(timestamp) : Number.NaN;
  return Number.isNaN(then) ? "<unknown>" : humanDuration(now - then);
}
