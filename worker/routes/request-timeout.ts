import { badRequest, requestTimedOut } from "../../api/status.ts";

/** As kube-apiserver's --request-timeout; a client may ask for less (`timeout=`), not for more. */
const TIMEOUT_MILLISECONDS_MAX = 60_000;

const UNITS: Record<string, number> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};
const PART = /(\d+\.?\d*|\.\d+)([^\d.]*)/y;

/** Milliseconds of a duration as Go writes it (`1m30s`). 400 ApiErrors with the words of Go's time.ParseDuration. */
function readDuration(text: string): number {
  const fail = (why: string) => badRequest(`invalid timeout specified in the request URL - time: ${why}`);
  const quoted = JSON.stringify(text);
  const sign = text.startsWith("-") ? -1 : 1;
  const digits = text.replace(/^[+-]/, "");
  if (digits === "0") return 0;
  let milliseconds = 0;
  PART.lastIndex = 0;
  do {
    const part = PART.exec(digits);
    if (!part) throw fail(`invalid duration ${quoted}`);
    const [, number, unit = ""] = part;
    if (unit === "") throw fail(`missing unit in duration ${quoted}`);
    if (!Object.hasOwn(UNITS, unit)) throw fail(`unknown unit ${JSON.stringify(unit)} in duration ${quoted}`);
    milliseconds += Number(number) * UNITS[unit]!;
  } while (PART.lastIndex < digits.length);
  return sign * milliseconds;
}

/**
 * How long the client gives a request that is no stream: milliseconds. Undefined where it says nothing: whatever a home may wait for has
 * a bound of its own (what a write asks elsewhere: verbs/write.ts), and a timer for each request would cost a tenth of a read.
 */
export function timeoutOf(query: URLSearchParams | undefined): number | undefined {
  const asked = query?.get("timeout");
  if (!asked) return undefined;
  const milliseconds = readDuration(asked);
  return milliseconds > 0 ? Math.min(milliseconds, TIMEOUT_MILLISECONDS_MAX) : undefined;
}

/** The answer, or a 504 ApiError after so many milliseconds; what was begun goes on, as it does upstream. */
export async function within<T>(milliseconds: number, answer: Promise<T>): Promise<T> {
  let timer!: ReturnType<typeof setTimeout>;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(requestTimedOut()), milliseconds);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
