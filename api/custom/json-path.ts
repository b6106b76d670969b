import { has, isObject, type Json } from "../json-value.ts";
import { canonicalText } from "./go-json.ts";

/**
 * JSONPath as printer columns and selectable fields have it: fields, indexes and slices, wildcards, recursive descent, unions and
 * filters (k8s.io/client-go/util/jsonpath, without what makes several outputs: text, `range`).
 */

/** Values found on the way; more end the search. */
const VALUES_MAX = 10_000;
const PATH_CHARS_MAX = 4_096;

/** What a path finds in an object: mostly one value. Undefined where upstream has an error: an index out of bounds, a filter of what is no list. */
export type JsonPath = (root: Json) => readonly Json[] | undefined;

/** One step from values to values. */
type Step = (values: readonly Json[]) => readonly Json[];

class PathError extends Error {}

/** The path of `text` (`.spec.replicas`), or undefined where it is none. */
export function compileJsonPath(text: string): JsonPath | undefined {
  if (text.length > PATH_CHARS_MAX) return undefined;
  let steps: Step[];
  try {
    steps = parseSteps(text);
  } catch (error) {
    if (error instanceof PathError) return undefined;
    throw error;
  }
  return (root) => {
    try {
      return walk([root], steps);
    } catch (error) {
      if (error instanceof PathError) return undefined;
      throw error;
    }
  };
}

function walk(values: readonly Json[], steps: readonly Step[]): readonly Json[] {
  let found = values;
  for (const step of steps) {
    found = step(found);
    if (found.length > VALUES_MAX) throw new PathError("too many values");
  }
  return found;
}

/** What a path is made of, in the order in which it is tried; each makes steps of its first group. */
const TOKENS: readonly [pattern: RegExp, steps: (inside: string) => readonly Step[]][] = [
  [/([ @$]+)/y, () => []],
  [/\.\.((?:\\.|[^\\\s.,[\]$@{}])*)/y, (name) => (name === "" ? [descend] : [descend, fieldStep(name)])],
  [/\.((?:\\.|[^\\\s.,[\]$@{}])*)/y, (name) => [fieldStep(name)]],
  [/\[\?\(((?:[^"')\n]|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')*)\)\]/y, (condition) => [filterStep(condition)]],
  [/\[([^\]\n]*)\]/y, (inside) => [bracketStep(inside)]],
  [/("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[+-]?\d[\d.]*|true|false)/y, (text) => [literalStep(text)]],
];

function parseSteps(text: string): Step[] {
  const steps: Step[] = [];
  for (let at = 0; at < text.length; ) {
    const before = at;
    for (const [pattern, stepsOf] of TOKENS) {
      pattern.lastIndex = at;
      const match = pattern.exec(text);
      if (!match) continue;
      // Steps of filters are parsed with the same patterns: their position is kept here.
      at = pattern.lastIndex;
      steps.push(...stepsOf(match[1]!));
      break;
    }
    if (at === before) throw new PathError(`unrecognized character at ${at}`);
  }
  return steps;
}

const fieldStep = (name: string): Step => (name === "*" ? everything : field(name.replaceAll("\\", "")));

const field =
  (name: string): Step =>
  (values) =>
    values.flatMap((value) => (isObject(value) && has(value, name) ? [value[name]] : []));

const childrenOf = (value: Json): readonly Json[] =>
  Array.isArray(value) ? value : isObject(value) ? Object.values(value) : [];

const everything: Step = (values) => values.flatMap(childrenOf);

/** Every map and list with something in it, from the outside in. */
const descend: Step = (values) => {
  const found: Json[] = [];
  const visit = (value: Json) => {
    const children = childrenOf(value);
    if (children.length === 0) return;
    if (found.push(value) > VALUES_MAX) throw new PathError("too many values");
    for (const child of children) visit(child);
  };
  for (const value of values) visit(value);
  return found;
};

function bracketStep(inside: string): Step {
  const parts = inside.split(",");
  if (parts.length > 1) {
    const steps = parts.map((part) => bracketStep(part.trim()));
    return (values) => steps.flatMap((step) => step(values));
  }
  if (inside === "*") return slice(0, undefined, 1);
  const name = /^'([^']*)'$/.exec(inside);
  if (name) return fieldStep(name[1]!);
  const [, from, colon, to, step] = /^(-?\d*)(?:(:)(-?\d*)(?::(-?\d*))?)?$/.exec(inside) ?? [];
  if (from === undefined || (from === "" && colon === undefined)) throw new PathError(`invalid array index ${inside}`);
  const number = (digits: string | undefined) => (digits ? Number(digits) : undefined);
  if (colon === undefined) return item(Number(from));
  return slice(number(from) ?? 0, number(to), number(step) ?? 1);
}

const listOf = (value: Json): readonly Json[] => {
  if (!Array.isArray(value)) throw new PathError("not an array or slice");
  return value;
};

const item =
  (index: number): Step =>
  (values) =>
    values.flatMap((value) => {
      if (value === null) return [];
      const items = listOf(value);
      const place = index < 0 ? index + items.length : index;
      if (place < 0 || place >= items.length) throw new PathError("array index out of bounds");
      return [items[place]];
    });

const slice =
  (from: number, to: number | undefined, step: number): Step =>
  (values) =>
    values.flatMap((value) => {
      if (value === null) return [];
      const items = listOf(value);
      const start = from < 0 ? from + items.length : from;
      const end = to === undefined ? items.length : to < 0 ? to + items.length : to;
      if (start === end) return [];
      if (start < 0 || start >= items.length || end < 0 || end > items.length || start > end || step <= 0) {
        throw new PathError("array index out of bounds");
      }
      return items.slice(start, end).filter((_, i) => i % step === 0);
    });

function literalStep(text: string): Step {
  const isQuoted = text.startsWith("'") || text.startsWith('"');
  const value = isQuoted ? unquote(text) : text === "true" || text === "false" ? text === "true" : Number(text);
  if (Number.isNaN(value)) throw new PathError(`cannot parse number ${text}`);
  return () => [value];
}

const unquote = (text: string): string => text.slice(1, -1).replace(/\\(.)/g, "$1");

function filterStep(condition: string): Step {
  const [, left, operator, right] = /^([^!<>=]+)([!<>=]+)(.+)$/.exec(condition) ?? [];
  const leftSteps = parseSteps(left ?? condition);
  const rightSteps = right === undefined ? [] : parseSteps(right);
  const accepts = (value: Json): boolean => {
    const lefts = walk([value], leftSteps);
    if (operator === undefined) return lefts.length > 0;
    const rights = walk([value], rightSteps);
    if (lefts.length === 0 || rights.length === 0) return false;
    if (lefts.length > 1 || rights.length > 1) throw new PathError("can only compare one element at a time");
    return compare(lefts[0], operator, rights[0]);
  };
  return (values) => values.flatMap((value) => listOf(value).filter(accepts));
}

function compare(left: Json, operator: string, right: Json): boolean {
  if (left === null || right === null || typeof left === "object" || typeof left !== typeof right) {
    throw new PathError("incompatible types for comparison");
  }
  const [a, b] = [left as string, right as string];
  switch (operator) {
    case "==":
      return a === b;
    case "!=":
      return a !== b;
    case "<":
      return a < b;
    case "<=":
      return a <= b;
    case ">":
      return a > b;
    case ">=":
      return a >= b;
    default:
      throw new PathError(`unrecognized filter operator ${operator}`);
  }
}

/** As upstream prints a value in a cell: lists and maps as JSON. */
export function printValue(value: Json): string {
  if (value === null || value === undefined) return "<no value>";
  return typeof value === "object" ? canonicalText(value) : String(value);
}
