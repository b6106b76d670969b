import type { Expression } from "./ast.ts";
import { exactly, plus, type Range, times, timesFactor, UNBOUNDED, UNKNOWN } from "./estimate-range.ts";
import { LIST_COST, PATTERN, STRUCT_COST, TRAVERSAL } from "./runtime-cost.ts";
import { type CelType, isSameType, parametersOf } from "./types.ts";

/** An operand, as far as an estimate looks at it. */
export interface Operand {
  readonly node: Expression | undefined;
  readonly type: CelType;
  /** Where it is in the variables, and so in their schemas. */
  readonly path: readonly string[] | undefined;
  /** In elements, entries, code points or bytes; undefined where it is not known. */
  readonly size: Range | undefined;
}

export interface CallEstimate {
  /** In cost units, without those of the operands. */
  readonly cost: Range;
  /** Of the result. */
  readonly size?: Range;
}

export interface Call {
  readonly overload: string;
  readonly target: Operand | undefined;
  readonly operands: readonly Operand[];
  /** From the schema of the elements of a list. */
  sizeOfElements(list: Operand): { readonly type: CelType; readonly size: Range } | undefined;
}

type Estimate = (call: Call) => CallEstimate | undefined;

export const sizeOf = (operand: Operand | undefined): Range => operand?.size ?? UNKNOWN;

const costing = (cost: Range): CallEstimate => ({ cost });
const ONE = costing(exactly(1));
const one: Estimate = () => ONE;

/** Of the first operand of a function, or of its receiver. */
const traversal =
  (factor: number): Estimate =>
  ({ operands: [text] }) =>
    text && costing(timesFactor(sizeOf(text), factor));

/** The result is as long. */
const sameLength: Estimate = ({ target, operands: [operand] }) => {
  const size = sizeOf(target ?? operand);
  return { cost: timesFactor(size, TRAVERSAL), size };
};

const selector: Estimate = ({ operands: [text] }) => {
  const requirements = timesFactor(timesFactor(sizeOf(text), 0.5), LIST_COST + STRUCT_COST);
  return costing(plus(exactly(LIST_COST), timesFactor(sizeOf(text), TRAVERSAL), requirements));
};

const comparingElements: Estimate = ({ target, sizeOfElements }) => {
  if (!target) return undefined;
  const elements = sizeOfElements(target);
  if (!elements) return costing(timesFactor(sizeOf(target), TRAVERSAL));
  const textual = elements.type.kind === "string" || elements.type.kind === "bytes";
  const each = textual ? plus(exactly(1), timesFactor(elements.size, TRAVERSAL)) : exactly(1);
  return costing(times(sizeOf(target), each));
};

const replace: Estimate = ({ target, operands: [part, replacement] }) => {
  if (!target || !replacement) return undefined;
  const [whole, from, to] = [sizeOf(target), sizeOf(part), sizeOf(replacement)];
  const most = mostReplaced(whole, from, to);
  const least = leastReplaced(whole, from, to);
  const size = plus(times({ min: least.count, max: most.count }, to), { min: least.kept, max: most.kept });
  return { cost: timesFactor(whole, 2 * TRAVERSAL), size };
};

interface Replaced {
  readonly count: number;
  readonly kept: number;
}

/** The longest result: an empty part is found around each character; otherwise the shortest parts by the longest replacements. */
function mostReplaced(whole: Range, from: Range, to: Range): Replaced {
  if (from.min === 0) return { count: Math.min(whole.max + 1, UNBOUNDED), kept: whole.max };
  if (to.max <= from.min) return { count: 0, kept: whole.max };
  return { count: Math.ceil(whole.max / from.min), kept: 0 };
}

function leastReplaced(whole: Range, from: Range, to: Range): Replaced {
  if (from.max === 0) return { count: Math.min(whole.min + 1, UNBOUNDED), kept: whole.min };
  if (from.max <= to.min) return { count: 0, kept: whole.min };
  return { count: Math.ceil(whole.min / from.max), kept: 0 };
}

/** The value of an operand that is written as an integer. */
const literalInt = (operand: Operand | undefined): bigint | undefined =>
  operand?.node?.kind === "literal" && typeof operand.node.value === "bigint" ? operand.node.value : undefined;

const split: Estimate = ({ target, operands: [, most] }) => {
  if (!target) return undefined;
  const limit = literalInt(most);
  const max = limit === undefined ? sizeOf(target).max : limit < 0n ? UNBOUNDED : Number(limit);
  return { cost: timesFactor(sizeOf(target), 2 * TRAVERSAL), size: { min: 0, max } };
};

const join: Estimate = ({ target, operands: [separator], sizeOfElements }) => {
  if (!target) return undefined;
  const list = sizeOf(target);
  const elements = sizeOfElements(target);
  const texts = elements ? times(list, elements.size) : exactly(0);
  const separators = { min: Math.max(0, list.min - 1), max: Math.max(0, list.max - 1) };
  const size = separator ? plus(texts, times(sizeOf(separator), separators)) : texts;
  return { cost: timesFactor(size, TRAVERSAL), size };
};

/** Text by pattern; one is added to the text, as an empty one costs as well. */
export const matchingCost = (text: Range, pattern: Range): Range =>
  times(timesFactor(plus(text, exactly(1)), TRAVERSAL), timesFactor(pattern, PATTERN));

const find: Estimate = ({ target, operands: [pattern] }) =>
  target && pattern
    ? { cost: matchingCost(sizeOf(target), sizeOf(pattern)), size: { min: 0, max: sizeOf(target).max } }
    : undefined;

/** In bytes. */
const ADDRESS: Range = { min: 4, max: 16 };

const containment =
  (textual: string, extra: Range): Estimate =>
  ({ overload, operands: [other] }) => {
    const base = plus(timesFactor(plus(ADDRESS, ADDRESS), TRAVERSAL), extra);
    return costing(overload === textual ? plus(base, timesFactor(sizeOf(other), TRAVERSAL)) : base);
  };

/** The longest pattern of a named format that upstream reckons with. */
const FORMAT_PATTERN_MAX = 128;
/** The longest name of one. */
const FORMAT_NAME_MAX = 64;

const validate: Estimate = ({ operands: [text] }) =>
  costing(timesFactor(timesFactor(sizeOf(text), TRAVERSAL), FORMAT_PATTERN_MAX * PATTERN));

const equality: Estimate = ({ operands: [left, right] }) => {
  if (!left || !right || !isSameType(left.type, right.type)) return undefined;
  const { type } = left;
  if (type.kind === "opaque") return type.name === "net.IP" || type.name === "net.CIDR" ? ONE : undefined;
  if (type.kind !== "struct" || !type.name.startsWith("kubernetes.")) return undefined;
  if (type.name === "kubernetes.NamedFormat") return costing(timesFactor({ min: 1, max: FORMAT_NAME_MAX }, TRAVERSAL));
  if (type.name !== "kubernetes.URL") return ONE;
  return costing(timesFactor({ min: 1, max: right.size?.max ?? 1 }, TRAVERSAL));
};

const each = (names: string, estimate: Estimate): [string, Estimate][] =>
  names.split(" ").map((name) => [name, estimate]);

/** By function (k8s.io/apiserver/pkg/cel/library/cost.go). What is estimated decides which CRDs are accepted: upstream's figures, exactly. */
const OF_FUNCTIONS = new Map<string, Estimate>([
  ["check", () => costing(exactly(350_000))],
  ...each("serviceAccount path group resource subresource namespace name allowed reason error errored", one),
  ...each("fieldSelector labelSelector", selector),
  ...each("isSorted sum max min indexOf lastIndexOf", comparingElements),
  ...each("url jsonpatch.escapeKey lowerAscii upperAscii substring trim", sameLength),
  ["replace", replace],
  ["split", split],
  ["join", join],
  ...each("find findAll", find),
  ...each("cidr isIP isCIDR quantity isQuantity semver isSemver", traversal(TRAVERSAL)),
  ["ip", (call) => (call.overload === "cidr_ip" ? ONE : traversal(TRAVERSAL)(call))],
  ["ip.isCanonical", traversal(2 * TRAVERSAL)],
  ...each(
    "masked prefixLength family isUnspecified isLoopback isLinkLocalMulticast isLinkLocalUnicast isGlobalUnicast",
    one,
  ),
  ["containsIP", containment("cidr_contains_ip_string", exactly(0))],
  ["containsCIDR", containment("cidr_contains_cidr_string", plus(timesFactor(ADDRESS, TRAVERSAL), exactly(1)))],
  ["validate", validate],
  ["format.named", one],
  ...each(
    "sign asInteger isInteger asApproximateFloat isGreaterThan isLessThan compareTo add sub major minor patch",
    one,
  ),
  ...each("getScheme getHostname getHost getPort getEscapedPath getQuery", one),
  ["_==_", equality],
]);

/** A call that makes a list. */
const making = (size: Range, factor: number): CallEstimate => ({
  cost: plus(timesFactor(size, factor), exactly(1 + LIST_COST)),
  size,
});

const squared = (operand: Operand | undefined, factor: number): CallEstimate =>
  making(times(sizeOf(operand), sizeOf(operand)), factor);

const amount = (operand: Operand | undefined, fallback: number): number => {
  const literal = literalInt(operand);
  return literal === undefined ? fallback : Math.max(0, Number(literal));
};

const sortFactor = (overload: string): number => (/^list_(?:string|bytes)_/.test(overload) ? 2 + TRAVERSAL : 2);

const setsEstimate =
  (factor: number): Estimate =>
  ({ operands: [a, b] }) =>
    costing(plus(timesFactor(times(sizeOf(a), sizeOf(b)), factor), exactly(1)));

/** By overload (cel-go's ext.Lists and ext.Sets); these go before the functions. */
const OF_OVERLOADS = new Map<string, Estimate>([
  [
    "list_slice",
    ({ target, operands: [start, end] }) => {
      const length = amount(end, sizeOf(target).max) - amount(start, 0);
      return making(exactly(length < 0 ? UNBOUNDED : length), 1);
    },
  ],
  ["lists_range", ({ operands: [count] }) => making(exactly(amount(count, UNBOUNDED)), 1)],
  ["list_reverse", ({ target }) => making(sizeOf(target), 1)],
  ["list_flatten", ({ target }) => making(sizeOf(target), 1)],
  ["list_flatten_int", ({ target, operands: [depth] }) => making(sizeOf(target), amount(depth, UNBOUNDED))],
  ["list_distinct", ({ target }) => squared(target, 2)],
  ["list_sets_contains_list", setsEstimate(1)],
  ["list_sets_intersects_list", setsEstimate(1)],
  ["list_sets_equivalent_list", setsEstimate(2)],
]);

/** What a call costs, where Kubernetes or cel-go's extensions say so. */
export function estimateCall(name: string, call: Call): CallEstimate | undefined {
  const { overload, target, operands } = call;
  if (/^list_.*_sort$/.test(overload)) return squared(target, sortFactor(overload));
  if (overload.endsWith("_sortByAssociatedKeys")) return squared(operands[0], sortFactor(overload));
  return OF_OVERLOADS.get(overload)?.(call) ?? OF_FUNCTIONS.get(name)?.(call);
}

/** Whether a type has elements that are looked at apart. */
export const elementTypeOf = (type: CelType): CelType | undefined => parametersOf(type)[0];
