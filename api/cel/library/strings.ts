import { fail } from "../cel-error.ts";
import { type CelFunction, celFunction, member, plain } from "../function.ts";
import type { Meter } from "../meter.ts";
import { DYN, INT, listOf, STRING } from "../types.ts";
import { type CelList, type CelValue, codePoints, ListValue, textLength, textOf } from "../values.ts";
import { formatText } from "./format-text.ts";

const outOfRange = (index: bigint): never => fail(`index out of range: ${index}`);

const characters = (text: string, from: number, to?: number): string => {
  const points = codePoints(text);
  return typeof points === "string" ? points.slice(from, to) : points.slice(from, to).join("");
};

function charAt(text: string, index: bigint): string {
  const length = BigInt(textLength(text));
  return index < 0n || index > length ? outOfRange(index) : characters(text, Number(index), Number(index) + 1);
}

/** A place in code points as one in UTF-16 units. */
const unitsBefore = (text: string, index: number): number => characters(text, 0, index).length;

function indexOf(text: string, part: string, offset: bigint): bigint {
  if (part === "") return offset;
  if (offset < 0n) return outOfRange(offset);
  if (offset >= BigInt(textLength(text))) return -1n;
  const found = text.indexOf(part, unitsBefore(text, Number(offset)));
  return found < 0 ? -1n : BigInt(textLength(text.slice(0, found)));
}

function lastIndexOf(text: string, part: string, offset?: bigint): bigint {
  const length = textLength(text);
  if (part === "") return offset ?? BigInt(length);
  if (offset === undefined) return text.length < part.length ? -1n : lastIndexOf(text, part, BigInt(length - 1));
  if (offset < 0n) return outOfRange(offset);
  if (offset >= BigInt(length)) return -1n;
  const found = text.lastIndexOf(part, unitsBefore(text, Number(offset)));
  return found < 0 ? -1n : BigInt(textLength(text.slice(0, found)));
}

function substring(text: string, start: bigint, end?: bigint): string {
  const length = BigInt(textLength(text));
  if (end !== undefined && start > end) fail(`invalid substring range. start: ${start}, end: ${end}`);
  if (start < 0n || start > length) outOfRange(start);
  if (end !== undefined && (end < 0n || end > length)) outOfRange(end);
  return characters(text, Number(start), end === undefined ? undefined : Number(end));
}

/** The places of a part in UTF-16 units, at most so many; of the empty part: before each code point, and behind the last. */
function placesOf(text: string, part: string, most: number, meter: Meter): number[] {
  const places: number[] = [];
  const take = (at: number): boolean => {
    meter.work(1);
    places.push(at);
    return places.length < most;
  };
  if (most === 0) return places;
  if (part === "") {
    let at = 0;
    for (const character of text) {
      if (!take(at)) return places;
      at += character.length;
    }
    take(at);
    return places;
  }
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length)) if (!take(at)) break;
  return places;
}

const COUNT_MAX = 1n << 31n;
/** A limit on matches: less than zero is none. */
const most = (limit: bigint): number => (limit < 0n || limit > COUNT_MAX ? Number.POSITIVE_INFINITY : Number(limit));

function replace(text: string, part: string, replacement: string, limit: bigint, meter: Meter): string {
  const places = placesOf(text, part, most(limit), meter);
  meter.roomForText(text.length + places.length * replacement.length);
  const pieces: string[] = [];
  let copied = 0;
  for (const at of places) {
    pieces.push(text.slice(copied, at), replacement);
    copied = at + part.length;
  }
  pieces.push(text.slice(copied));
  return pieces.join("");
}

function split(text: string, separator: string, limit: bigint, meter: Meter): CelList {
  if (limit === 0n) return new ListValue([]);
  const parts: string[] = [];
  const wanted = most(limit);
  if (separator === "") {
    const points = [...text];
    meter.room(points.length);
    const cut = Math.min(points.length, wanted);
    parts.push(...slices(points, cut));
    return new ListValue(parts);
  }
  const places = placesOf(text, separator, wanted - 1, meter);
  meter.room(places.length);
  let copied = 0;
  for (const at of places) {
    parts.push(text.slice(copied, at));
    copied = at + separator.length;
  }
  parts.push(text.slice(copied));
  return new ListValue(parts);
}

/** Single characters, the last with all the rest. */
function* slices(points: readonly string[], count: number): Generator<string> {
  for (let i = 0; i < count - 1; i++) yield points[i]!;
  if (count > 0) yield points.slice(count - 1).join("");
}

function join(list: CelList, separator: string, meter: Meter): string {
  const parts: string[] = [];
  let length = 0;
  for (const part of list) {
    if (typeof part !== "string") return fail(`join: invalid input: ${textOf(part)}`);
    length += part.length + separator.length;
    meter.roomForText(length);
    parts.push(part);
  }
  return parts.join(separator);
}

const GO_SPACE =
  /^[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+|[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+$/g;

/** Without a pattern that backtracks over long runs of spaces in the middle. */
function trim(text: string): string {
  const isSpace = (character: string) => character.replace(GO_SPACE, "") === "";
  let [start, end] = [0, text.length];
  while (start < end && isSpace(text[start]!)) start++;
  while (end > start && isSpace(text[end - 1]!)) end--;
  return text.slice(start, end);
}

const QUOTED: Readonly<Record<string, string>> = {
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\\": "\\\\",
  '"': '\\"',
};

const QUOTABLE = new RegExp(`[${Object.keys(QUOTED).join("").replace("\\", "\\\\")}]`, "g");

const quote = (text: string, meter: Meter): string => {
  meter.roomForText(2 * text.length + 2);
  return `"${text.toWellFormed().replace(QUOTABLE, (character) => QUOTED[character]!)}"`;
};

const STRINGS = listOf(STRING);
type Text = readonly CelValue[] & readonly [string, string, ...CelValue[]];

/** cel-go's ext.Strings in the version that Kubernetes has (2). */
export const STRINGS_LIBRARY: readonly CelFunction[] = [
  celFunction("charAt", [
    member("string_char_at_int", [STRING, INT], STRING, ([text, index]) => charAt(text as string, index as bigint)),
  ]),
  celFunction("indexOf", [
    member("string_index_of_string", [STRING, STRING], INT, (args) =>
      indexOf((args as Text)[0], (args as Text)[1], 0n),
    ),
    member("string_index_of_string_int", [STRING, STRING, INT], INT, (args) =>
      indexOf((args as Text)[0], (args as Text)[1], args[2] as bigint),
    ),
  ]),
  celFunction("lastIndexOf", [
    member("string_last_index_of_string", [STRING, STRING], INT, (args) =>
      lastIndexOf((args as Text)[0], (args as Text)[1]),
    ),
    member("string_last_index_of_string_int", [STRING, STRING, INT], INT, (args) =>
      lastIndexOf((args as Text)[0], (args as Text)[1], args[2] as bigint),
    ),
  ]),
  celFunction("lowerAscii", [
    member("string_lower_ascii", [STRING], STRING, ([text]) =>
      (text as string).replace(/[A-Z]+/g, (upper) => upper.toLowerCase()),
    ),
  ]),
  celFunction("upperAscii", [
    member("string_upper_ascii", [STRING], STRING, ([text]) =>
      (text as string).replace(/[a-z]+/g, (lower) => lower.toUpperCase()),
    ),
  ]),
  celFunction("replace", [
    member("string_replace_string_string", [STRING, STRING, STRING], STRING, (args, meter) =>
      replace(args[0] as string, args[1] as string, args[2] as string, -1n, meter),
    ),
    member("string_replace_string_string_int", [STRING, STRING, STRING, INT], STRING, (args, meter) =>
      replace(args[0] as string, args[1] as string, args[2] as string, args[3] as bigint, meter),
    ),
  ]),
  celFunction("split", [
    member("string_split_string", [STRING, STRING], STRINGS, (args, meter) =>
      split((args as Text)[0], (args as Text)[1], -1n, meter),
    ),
    member("string_split_string_int", [STRING, STRING, INT], STRINGS, (args, meter) =>
      split((args as Text)[0], (args as Text)[1], args[2] as bigint, meter),
    ),
  ]),
  celFunction("substring", [
    member("string_substring_int", [STRING, INT], STRING, ([text, start]) =>
      substring(text as string, start as bigint),
    ),
    member("string_substring_int_int", [STRING, INT, INT], STRING, ([text, start, end]) =>
      substring(text as string, start as bigint, end as bigint),
    ),
  ]),
  celFunction("trim", [member("string_trim", [STRING], STRING, ([text]) => trim(text as string))]),
  celFunction("format", [
    member("string_format", [STRING, listOf(DYN)], STRING, ([text, list], meter) =>
      formatText(text as string, list as CelList, meter),
    ),
  ]),
  celFunction("strings.quote", [
    plain("strings_quote", [STRING], STRING, ([text], meter) => quote(text as string, meter)),
  ]),
  celFunction("join", [
    member("list_join", [STRINGS], STRING, ([list], meter) => join(list as CelList, "", meter)),
    member("list_join_string", [STRINGS, STRING], STRING, ([list, separator], meter) =>
      join(list as CelList, separator as string, meter),
    ),
  ]),
];
