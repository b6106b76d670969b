import { compilePattern } from "../custom/pattern.ts";
import { childrenOf, type Expression } from "./ast.ts";
import { Failure } from "./cel-error.ts";
import { toDuration, toTimestamp } from "./convert.ts";
import type { IssueList } from "./issues.ts";
import { CLAUSE_ERRORS, type ClauseLetter, parseFormat } from "./library/format-text.ts";
import { type CelType, formatType, isSameType, runtimeName, unwrapOptional } from "./types.ts";
import type { CelValue } from "./values.ts";

/**
 * What of a checked expression is wrong for sure: durations, timestamps and patterns that are none, lists and maps of several types,
 * and what `format` cannot print (cel-go's AST validators).
 */
export function checkLiterals(root: Expression, issues: IssueList): void {
  const seen = new Set<Expression>();
  const visit = (node: Expression, withinFormat: boolean): void => {
    // A macro's predicate occurs twice.
    if (seen.has(node)) return;
    seen.add(node);
    if (node.kind === "call") checkCall(node, issues);
    else if (!withinFormat) checkAggregate(node, issues);
    const within = withinFormat || (node.kind === "call" && node.function === "format");
    for (const child of childrenOf(node)) visit(child, within);
  };
  visit(root, false);
}

const CONVERSIONS: Readonly<Record<string, (value: CelValue) => unknown>> = {
  duration: toDuration,
  timestamp: toTimestamp,
};

function checkCall(node: Expression & { kind: "call" }, issues: IssueList): void {
  const [first] = node.arguments;
  if (node.function === "format") checkFormat(node, issues);
  if (first?.kind !== "literal") return;
  const { at, value } = first;
  const convert = Object.hasOwn(CONVERSIONS, node.function) ? CONVERSIONS[node.function] : undefined;
  const isWrong = convert
    ? failureOf(() => convert(value)) !== undefined
    : node.function === "matches" && typeof value === "string" && compilePattern(value).error !== undefined;
  if (isWrong) issues.report(at, `invalid ${node.function} argument`);
}

/** What a piece of work fails with, if it does. */
function failureOf(work: () => unknown): string | undefined {
  try {
    work();
  } catch (thrown) {
    if (thrown instanceof Failure) return thrown.message;
    throw thrown;
  }
  return undefined;
}

function checkAggregate(node: Expression, issues: IssueList): void {
  const mismatch = (at: number, expected: CelType, found: CelType) =>
    issues.report(at, `expected type '${formatType(expected)}' but found '${formatType(found)}'`);
  if (node.kind === "list") {
    const types = node.elements.map((element, i) => held(element, node.optional.has(i)));
    const wrong = types.findIndex((type) => !isSameType(types[0]!, type));
    if (wrong >= 0) mismatch(node.elements[wrong]!.at, types[0]!, types[wrong]!);
  } else if (node.kind === "map") {
    const [first] = node.entries;
    for (const { key, value, optional } of node.entries) {
      const [keyType, valueType] = [held(first!.key, false), held(first!.value, first!.optional)];
      if (!isSameType(keyType, key.type!)) mismatch(key.at, keyType, key.type!);
      const type = held(value, optional);
      if (!isSameType(valueType, type)) mismatch(value.at, valueType, type);
    }
  }
}

const held = (node: Expression, optional: boolean): CelType =>
  (optional ? unwrapOptional(node.type!) : undefined) ?? node.type!;

/** What each clause prints, by the kind of its static type. */
const PRINTED: Record<ClauseLetter, readonly CelType["kind"][]> = {
  s: ["list", "map", "int", "uint", "double", "bool", "string", "timestamp", "bytes", "duration", "type", "null"],
  d: ["int", "uint"],
  f: ["double", "string"],
  e: ["double", "string"],
  b: ["int", "uint", "bool"],
  x: ["int", "uint", "string", "bytes"],
  o: ["int", "uint"],
};

/** Of a constant format and a list as it is written. */
function checkFormat(node: Expression & { kind: "call" }, issues: IssueList): void {
  const [list] = node.arguments;
  if (node.target?.kind !== "literal" || list?.kind !== "list") return;
  const { elements } = list;
  const format = node.target.value as string;
  let taken = 0;
  const failure = failureOf(() => {
    for (const part of parseFormat(format, elements.length)) {
      if (typeof part === "string") continue;
      const wrong = unprintable(elements[taken++]!, part.letter);
      if (!wrong) continue;
      issues.report(wrong.at, `error during formatting: ${CLAUSE_ERRORS[part.letter]}${runtimeName(wrong.type!)}`);
      taken = elements.length;
      return;
    }
  });
  if (failure !== undefined) issues.report(node.at, failure);
  else if (elements.length > taken) {
    issues.report(node.at, `too many arguments supplied to string.format (expected ${taken}, got ${elements.length})`);
  }
}

/** What of an argument cannot be printed; lists and maps are looked into. */
function unprintable(node: Expression, letter: ClauseLetter): Expression | undefined {
  const { kind } = node.type!;
  if (kind !== "dyn" && !PRINTED[letter].includes(kind)) return node;
  if (letter !== "s" || (node.kind !== "list" && node.kind !== "map")) return undefined;
  for (const child of childrenOf(node)) {
    const wrong = unprintable(child, letter);
    if (wrong) return wrong;
  }
  return undefined;
}
