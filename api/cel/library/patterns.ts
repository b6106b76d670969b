import type { RE2JS } from "re2js";
import { compilePattern } from "../../custom/pattern.ts";
import { fail } from "../cel-error.ts";
import { type CelFunction, celFunction, member } from "../function.ts";
import type { Meter } from "../meter.ts";
import { INT, listOf, STRING } from "../types.ts";
import { type CelList, ListValue } from "../values.ts";

/** Steps of a matcher that one step of the meter stands for. */
const MATCH_STEPS = 8;
/** Steps of the meter that making one match stands for. */
const STEPS_OF_MATCH = 16;

/** Steps of the meter that compiling a pattern stands for: for itself, and for each of its instructions. */
const STEPS_OF_COMPILING = 1_000;
const STEPS_OF_INSTRUCTION = 16;

/** What each evaluation has compiled: a pattern that is made anew for every element must not be compiled as often as it is used. */
const compiledBy = new WeakMap<Meter, Map<string, RE2JS>>();

function compiledOf(pattern: string, meter: Meter, complaint: string): RE2JS {
  let compiled = compiledBy.get(meter);
  if (!compiled) {
    compiled = new Map();
    compiledBy.set(meter, compiled);
  }
  const known = compiled.get(pattern);
  if (known) return known;
  meter.work(STEPS_OF_COMPILING);
  const { regex, error } = compilePattern(pattern);
  if (!regex) return fail(complaint + error);
  meter.work(STEPS_OF_INSTRUCTION * regex.programSize());
  compiled.set(pattern, regex);
  return regex;
}

/** A compiled pattern, once it is counted what matching will take: the text's length times the program's. @throws Failure in the words of Go's regexp */
export function patternFor(pattern: string, text: string, meter: Meter, complaint = ""): RE2JS {
  const regex = compiledOf(pattern, meter, complaint);
  meter.work(Math.ceil((text.length * regex.programSize()) / MATCH_STEPS));
  return regex;
}

const STRINGS = listOf(STRING);

function find(text: string, pattern: string, meter: Meter): string {
  const matcher = patternFor(pattern, text, meter, "Illegal regex: ").matcher(text);
  return matcher.find() ? (matcher.group() ?? "") : "";
}

/** At most so many matches; less than zero is no bound. */
function findAll(text: string, pattern: string, most: bigint, meter: Meter): CelList {
  const matcher = patternFor(pattern, text, meter, "Illegal regex: ").matcher(text);
  const found: string[] = [];
  while ((most < 0n || BigInt(found.length) < most) && matcher.find()) {
    meter.room(found.length);
    meter.work(STEPS_OF_MATCH);
    found.push(matcher.group() ?? "");
  }
  return new ListValue(found);
}

/** Kubernetes' functions of regular expressions. */
export const REGEX_LIBRARY: readonly CelFunction[] = [
  celFunction("find", [
    member("string_find_string", [STRING, STRING], STRING, ([text, pattern], meter) =>
      find(text as string, pattern as string, meter),
    ),
  ]),
  celFunction("findAll", [
    member("string_find_all_string", [STRING, STRING], STRINGS, ([text, pattern], meter) =>
      findAll(text as string, pattern as string, -1n, meter),
    ),
    member("string_find_all_string_int", [STRING, STRING, INT], STRINGS, ([text, pattern, most], meter) =>
      findAll(text as string, pattern as string, most as bigint, meter),
    ),
  ]),
];
