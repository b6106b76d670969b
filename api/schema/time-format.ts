/** metav1.Time and metav1.MicroTime: RFC 3339 in, UTC with whole seconds or microseconds out. */

const TIME = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(\.\d+)?(?:Z|([+-])(\d\d):(\d\d))$/;
const CANONICAL = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
const DAY_MS = 86_400_000;
const MICRO_DIGITS = 6;

/** The text as metav1.Time writes it. Throws an Error with the sentence of Go's time.Parse. */
export function normalizeTime(text: string): string {
  const millis = parse(text, "2006-01-02T15:04:05Z07:00");
  return CANONICAL.test(text) ? text : `${new Date(millis).toISOString().slice(0, 19)}Z`;
}

/** The text as metav1.MicroTime writes it: always six digits behind the second. Throws as `normalizeTime` does. */
export function normalizeMicroTime(text: string): string {
  const millis = parse(text, "2006-01-02T15:04:05.000000Z07:00");
  const fraction = /\.(\d+)/.exec(text)?.[1] ?? "";
  return `${new Date(millis).toISOString().slice(0, 19)}.${fraction.slice(0, MICRO_DIGITS).padEnd(MICRO_DIGITS, "0")}Z`;
}

function parse(text: string, layout: string): number {
  const match = TIME.exec(text);
  const micro = layout.includes(".");
  if (!match || (micro && match[7]?.length !== MICRO_DIGITS + 1)) throw new Error(explain(text, layout));
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const why = outOfRange(year, month, day, hour, minute, second);
  if (why) throw new Error(`parsing time ${JSON.stringify(text)}: ${why} out of range`);
  const offset = match[8] ? (match[8] === "-" ? -1 : 1) * (Number(match[9]) * 60 + Number(match[10])) : 0;
  if (match[8] && (Number(match[9]) > 24 || Number(match[10]) > 59)) {
    throw new Error(
      `parsing time ${JSON.stringify(text)}: time zone offset ${Number(match[9]) > 24 ? "hour" : "minute"} out of range`,
    );
  }
  const base = new Date(0);
  base.setUTCFullYear(year, month - 1, day);
  base.setUTCHours(hour, minute, second);
  return base.getTime() - offset * 60_000;
}

function outOfRange(year: number, month: number, day: number, hour: number, minute: number, second: number): string {
  if (month < 1 || month > 12) return "month";
  if (day < 1 || day > new Date(Date.UTC(2000 + (year % 400), month, 1) - DAY_MS).getUTCDate()) return "day";
  if (hour > 23) return "hour";
  if (minute > 59) return "minute";
  return second > 59 ? "second" : "";
}

/** The pieces of the layout, in order, and what each takes from the text. */
const ELEMENTS: [element: string, pattern: RegExp][] = [
  ["2006", /^\d{4}/],
  ["-", /^-/],
  ["01", /^\d\d/],
  ["-", /^-/],
  ["02", /^\d\d/],
  ["T", /^T/],
  ["15", /^\d\d/],
  [":", /^:/],
  ["04", /^\d\d/],
  [":", /^:/],
  ["05", /^\d\d(?:\.\d+)?/],
  ["Z07:00", /^(?:Z|[+-]\d\d:\d\d)/],
];

function explain(text: string, layout: string): string {
  const micro = layout.includes(".");
  let rest = text;
  for (const [element, pattern] of ELEMENTS) {
    const taken = (element === "05" && micro ? /^\d\d/ : pattern).exec(rest);
    if (!taken) return sentence(text, layout, rest, element);
    rest = rest.slice(taken[0].length);
    if (element === "05" && micro) {
      const fraction = /^\.\d{6}(?!\d)/.exec(rest);
      if (!fraction) return sentence(text, layout, rest, ".000000");
      rest = rest.slice(fraction[0].length);
    }
  }
  return `parsing time ${JSON.stringify(text)}: extra text: ${JSON.stringify(rest)}`;
}

const sentence = (text: string, layout: string, rest: string, element: string): string =>
  `parsing time ${JSON.stringify(text)} as ${JSON.stringify(layout)}: cannot parse ${JSON.stringify(rest)} as ${JSON.stringify(element)}`;
