import { Failure, fail } from "../cel-error.ts";
import { parseDouble, toText } from "../convert.ts";
import type { Meter } from "../meter.ts";
import { Duration, Timestamp } from "../time.ts";
import {
  CelList,
  CelMap,
  type CelValue,
  compareTexts,
  doubleText,
  Instance,
  TypeValue,
  typeNameOf,
  Uint,
} from "../values.ts";

/** Digits behind the point, where a clause gives none. */
const PRECISION = 6;
/** JavaScript prints no more digits; nobody means more. */
const PRECISION_MAX = 100;

/** Steps of the meter that one element made into text stands for. */
const TEXT_STEPS = 8;

/** What a clause accepts is checked against static types as well: the words are here once. */
export const CLAUSE_ERRORS = {
  s: "string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps, was given ",
  d: "decimal clause can only be used on integers, was given ",
  f: "fixed-point clause can only be used on doubles, was given ",
  e: "scientific clause can only be used on doubles, was given ",
  b: "only integers and bools can be formatted as binary, was given ",
  x: "only integers, byte buffers, and strings can be formatted as hex, was given ",
  o: "octal clause can only be used on integers, was given ",
} as const;

export type ClauseLetter = keyof typeof CLAUSE_ERRORS;

export interface Clause {
  readonly letter: ClauseLetter;
  readonly upper: boolean;
  readonly precision: number | undefined;
}

/** The text between clauses, and the clauses. @throws Failure where it is no format, after as many clauses as there are arguments. */
export function parseFormat(format: string, argumentCount: number): (string | Clause)[] {
  const parts: (string | Clause)[] = [];
  let taken = 0;
  for (let at = 0; at < format.length; ) {
    const percent = format.indexOf("%", at);
    if (percent < 0) {
      parts.push(format.slice(at));
      break;
    }
    parts.push(format.slice(at, percent));
    if (format[percent + 1] === "%") {
      parts.push("%");
      at = percent + 2;
      continue;
    }
    if (taken >= argumentCount) fail(`index ${taken} out of range`);
    if (percent + 1 >= format.length) fail("unexpected end of string");
    const { clause, end } = parseClause(format, percent + 1);
    parts.push(clause);
    taken++;
    at = end;
  }
  return parts;
}

function parseClause(format: string, start: number): { clause: Clause; end: number } {
  const unparsed = (why: string): never => fail(`could not parse formatting clause: ${why}`);
  let [at, precision]: [number, number | undefined] = [start, undefined];
  if (format[at] === ".") {
    const digits = /^\d*/.exec(format.slice(at + 1, at + 32))![0];
    at += 1 + digits.length;
    if (at >= format.length) unparsed("error while parsing precision: could not find end of precision specifier");
    if (digits === "") {
      unparsed(
        'error while parsing precision: error while converting precision to integer: strconv.Atoi: parsing "": invalid syntax',
      );
    }
    precision = Math.min(Number(digits), PRECISION_MAX);
  }
  const character = String.fromCodePoint(format.codePointAt(at)!);
  const letter = character === "X" ? "x" : character;
  if (!Object.hasOwn(CLAUSE_ERRORS, letter)) unparsed(`unrecognized formatting clause "${character}"`);
  return { clause: { letter: letter as ClauseLetter, upper: character === "X", precision }, end: at + 1 };
}

/** `"%s is %d".format([a, b])`. @throws Failure */
export function formatText(format: string, values: CelList, meter: Meter): string {
  const pieces: string[] = [];
  let [taken, length] = [0, 0];
  for (const part of parseFormat(format, values.length)) {
    const piece = typeof part === "string" ? part : formatClause(part, values.at(taken++), meter);
    length += piece.length;
    meter.roomForText(length);
    pieces.push(piece);
  }
  return pieces.join("");
}

function formatClause(clause: Clause, value: CelValue, meter: Meter): string {
  try {
    return CLAUSES[clause.letter](value, clause, meter);
  } catch (thrown) {
    if (thrown instanceof Failure) fail(`error during formatting: ${thrown.message}`);
    throw thrown;
  }
}

const refuse = (letter: ClauseLetter, value: CelValue): never => fail(CLAUSE_ERRORS[letter] + typeNameOf(value));

const integerOf = (value: CelValue): bigint | undefined =>
  typeof value === "bigint" ? value : value instanceof Uint ? value.value : undefined;

const inBase =
  (letter: ClauseLetter, base: number) =>
  (value: CelValue): string =>
    integerOf(value)?.toString(base) ?? refuse(letter, value);

const CLAUSES: Record<ClauseLetter, (value: CelValue, clause: Clause, meter: Meter) => string> = {
  s: (value, _, meter) => asString(value, meter),
  d: inBase("d", 10),
  o: inBase("o", 8),
  b: (value) => (typeof value === "boolean" ? String(Number(value)) : inBase("b", 2)(value)),
  x: (value, { upper }, meter) => {
    const text = asHex(value, meter);
    return upper ? text.toUpperCase() : text;
  },
  f: (value, { precision = PRECISION }) => {
    const double = doubleOf("f", value);
    return Number.isFinite(double) ? grouped(fixed(double, precision)) : unordinary(double);
  },
  e: (value, { precision = PRECISION }) => {
    const double = doubleOf("e", value);
    if (!Number.isFinite(double)) return unordinary(double);
    const [digits, exponent = ""] = double.toExponential(precision).split("e");
    return `${digits}×10${superscript(exponent)}`;
  },
};

function doubleOf(letter: ClauseLetter, value: CelValue): number {
  if (typeof value === "number") return value;
  const named = value === "NaN" || value === "Infinity" || value === "-Infinity";
  return named ? parseDouble(value as string)! : refuse(letter, value);
}

/** As golang.org/x/text prints them in English. */
const unordinary = (double: number): string => (Number.isNaN(double) ? "NaN" : double > 0 ? "∞" : "-∞");

const fixed = (double: number, precision: number): string =>
  Math.abs(double) < 1e21
    ? double.toFixed(precision)
    : BigInt(double).toString() + (precision > 0 ? `.${"0".repeat(precision)}` : "");

const grouped = (text: string): string => {
  const [whole = "", fraction] = text.split(".");
  const groups = whole.replace(/\d(?=(?:\d{3})+$)/g, "$&,");
  return fraction === undefined ? groups : `${groups}.${fraction}`;
};

const SUPERSCRIPTS: Readonly<Record<string, string>> = {
  "-": "⁻",
  "+": "",
  ...Object.fromEntries([..."⁰¹²³⁴⁵⁶⁷⁸⁹"].map((digit, i) => [String(i), digit])),
};

const superscript = (exponent: string): string => {
  const sign = exponent[0] ?? "+";
  const digits = exponent.slice(1).padStart(2, "0");
  return [sign, ...digits].map((character) => SUPERSCRIPTS[character] ?? character).join("");
};

function asHex(value: CelValue, meter: Meter): string {
  const bytes = typeof value === "string" ? new TextEncoder().encode(value) : value;
  if (!(bytes instanceof Uint8Array)) return inBase("x", 16)(value);
  meter.roomForText(2 * bytes.length);
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function asString(value: CelValue, meter: Meter): string {
  if (value === null) return "null";
  if (value instanceof CelList) {
    return joined(
      "[",
      Array.from(value, (element) => asElement(element, meter)),
      "]",
      meter,
    );
  }
  if (value instanceof CelMap) return joined("{", mapEntries(value, meter), "}", meter);
  return isTextual(value) ? toText(value) : refuse("s", value);
}

const isTextual = (value: CelValue): boolean =>
  !(value instanceof Instance) || value instanceof Duration || value instanceof Timestamp || value instanceof TypeValue;

/** Within a list or map, values are written as CEL has them. */
function asElement(value: CelValue, meter: Meter): string {
  meter.work(TEXT_STEPS);
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number") return Number.isFinite(value) ? fixed(value, PRECISION) : `"${doubleText(value)}"`;
  if (value instanceof Uint8Array) return `b${JSON.stringify(toText(value))}`;
  if (value instanceof TypeValue) return `type(${value.name})`;
  if (value instanceof Duration) return `duration("${value.toText()}")`;
  if (value instanceof Timestamp) return `timestamp("${value.toText()}")`;
  if (value instanceof CelList || value instanceof CelMap) return asString(value, meter);
  return isTextual(value) ? toText(value) : fail(`no formatting function for ${typeNameOf(value)}`);
}

function joined(open: string, parts: readonly string[], close: string, meter: Meter): string {
  meter.roomForText(parts.reduce((length, part) => length + part.length + 2, 2));
  return open + parts.join(", ") + close;
}

function mapEntries(map: CelMap, meter: Meter): string[] {
  const entries = Array.from(map.entries(), ([key, value]) => {
    const keyed = typeof key === "string" || typeof key === "boolean" || integerOf(key) !== undefined;
    if (!keyed) fail(`no formatting function for map key of type ${typeNameOf(key)}`);
    return [asElement(key, meter), asElement(value, meter)] as const;
  });
  return entries.toSorted(([a], [b]) => compareTexts(a, b)).map(([key, value]) => `${key}:${value}`);
}
