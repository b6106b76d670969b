import type { FormatValue } from "./library/formats.ts";
import { CidrValue, IpValue } from "./library/network.ts";
import { sizeOf } from "./library/standard.ts";
import type { Meter } from "./meter.ts";
import { Duration, Timestamp } from "./time.ts";
import { CelList, CelMap, type CelValue, Instance, Optional, StructValue, TypeValue } from "./values.ts";

/** In cost units, what cel-go and Kubernetes count (common/cost.go; k8s.io/apiserver/pkg/cel/library/cost.go). */
export const SELECT_COST = 1;
export const LIST_COST = 10;
export const MAP_COST = 30;
export const STRUCT_COST = 40;
/** Of a string's code point that is looked at. */
export const TRAVERSAL = 0.1;
/** Of a pattern's code point. */
export const PATTERN = 0.25;

/** Elements, entries, code points or bytes; 1 of what has no size. */
function actualSize(value: CelValue): number {
  if (value instanceof IpValue || value instanceof CidrValue) return value.size;
  if (value instanceof Optional && value.value !== undefined) return actualSize(value.value);
  return sizeOf(value) ?? 1;
}

type Cost = (args: readonly CelValue[], result: CelValue, meter: Meter) => number;

const traversal: Cost = ([first]) => Math.ceil(actualSize(first!) * TRAVERSAL);
const twoTraversals: Cost = ([first]) => Math.ceil(actualSize(first!) * 2 * TRAVERSAL);
const matching: Cost = ([text, pattern]) =>
  Math.ceil((1 + actualSize(text!)) * TRAVERSAL) * Math.ceil(actualSize(pattern!) * PATTERN);
const one: Cost = () => 1;

/** Of every string within, and 1 of each other value. */
function deepTraversal(value: CelValue, meter: Meter): number {
  meter.work(1);
  if (typeof value === "string") return Math.floor(new TextEncoder().encode(value).length * TRAVERSAL);
  if (value instanceof Uint8Array) return Math.floor(value.length * TRAVERSAL);
  let cost = 0;
  if (value instanceof CelList) for (const element of value) cost += deepTraversal(element, meter);
  else if (value instanceof CelMap) {
    for (const [key, element] of value.entries()) cost += deepTraversal(key, meter) + deepTraversal(element, meter);
  } else return 1;
  return cost;
}

/** Parsing a selector: half a requirement for each character. */
const selector: Cost = ([, text]) => {
  const size = actualSize(text!);
  return LIST_COST + Math.ceil(size * TRAVERSAL) + Math.ceil(Math.ceil(size * 0.5) * (LIST_COST + STRUCT_COST));
};

const containment =
  (extra: (cidrSize: number) => number) =>
  ([cidr, other]: readonly CelValue[]): number => {
    const size = actualSize(cidr!);
    const parsing = typeof other === "string" ? Math.ceil(actualSize(other) * TRAVERSAL) : 0;
    return Math.ceil(2 * size * TRAVERSAL) + extra(size) + parsing;
  };

const each = (names: string, cost: Cost): [string, Cost][] => names.split(" ").map((name) => [name, cost]);

/** By function, whatever the overload: what Kubernetes says goes before what cel-go says. */
const OF_FUNCTIONS = new Map<string, Cost>([
  ["check", () => 350_000],
  ...each("serviceAccount path group resource subresource namespace name allowed reason error errored", one),
  ...each("fieldSelector labelSelector", selector),
  ...each("isSorted sum max min indexOf lastIndexOf", ([list], _, meter) => deepTraversal(list!, meter)),
  ...each("url lowerAscii upperAscii substring trim jsonpatch.escapeKey cidr isIP isCIDR", traversal),
  ...each("quantity isQuantity semver isSemver", traversal),
  ["ip", (args, result, meter) => (args[0] instanceof CidrValue ? 1 : traversal(args, result, meter))],
  ...each("replace split ip.isCanonical", twoTraversals),
  ["join", (_, result) => Math.ceil(actualSize(result) * 2 * TRAVERSAL)],
  ...each("find findAll", matching),
  ...each(
    "masked prefixLength family isUnspecified isLoopback isLinkLocalMulticast isLinkLocalUnicast isGlobalUnicast",
    one,
  ),
  ["containsIP", containment(() => 0)],
  ["containsCIDR", containment((size) => Math.ceil(size * TRAVERSAL) + 1)],
  [
    "validate",
    ([format, text]) =>
      Math.ceil((1 + actualSize(text!)) * TRAVERSAL) * Math.ceil((format as FormatValue).patternLength * PATTERN),
  ],
  ["format.named", one],
  ...each(
    "sign asInteger isInteger asApproximateFloat isGreaterThan isLessThan compareTo add sub major minor patch",
    one,
  ),
  ...each("getScheme getHostname getHost getPort getEscapedPath getQuery", one),
  ["_==_", (args) => (hasFixedCost(args[0]!) ? 1 : comparison(args))],
]);

/** Values of Kubernetes' own types; what cel-go has of its own is compared by size. */
const hasFixedCost = (value: CelValue): boolean =>
  value instanceof Instance &&
  !(
    value instanceof Optional ||
    value instanceof Duration ||
    value instanceof Timestamp ||
    value instanceof TypeValue ||
    value instanceof StructValue
  );

const comparison = ([a, b]: readonly CelValue[]): number =>
  Math.ceil(Math.min(actualSize(a!), actualSize(b!)) * TRAVERSAL);

const joining: Cost = ([a, b]) => Math.ceil((actualSize(a!) + actualSize(b!)) * TRAVERSAL);

const CALL = 1;
const selfComparison = (list: CelList): number => {
  const first = list.length === 0 ? undefined : list.at(0);
  const factor = typeof first === "string" || first instanceof Uint8Array ? 2 + TRAVERSAL : 2;
  return Math.floor(list.length * list.length * factor) + CALL + LIST_COST;
};
const output: Cost = (_, result) => actualSize(result) + CALL + LIST_COST;
const setsCost =
  (factor: number): Cost =>
  ([a, b]) =>
    CALL + actualSize(a!) * actualSize(b!) * factor;

/** By overload, where there is only one that can be meant. */
const OF_OVERLOADS = new Map<string, Cost>([
  ...each("starts_with_string ends_with_string string_to_bytes bytes_to_string strings_quote string_format", traversal),
  ["in_list", ([, list]) => actualSize(list!)],
  ...["less", "less_equals", "greater", "greater_equals"].flatMap((name) =>
    each(`${name}_string ${name}_bytes`, comparison),
  ),
  ...each("equals not_equals", comparison),
  ...each("add_string add_bytes", joining),
  ["matches_string", matching],
  [
    "contains_string",
    ([text, part]) => Math.ceil(actualSize(text!) * TRAVERSAL) * Math.ceil(actualSize(part!) * TRAVERSAL),
  ],
  ...each("list_slice lists_range list_reverse", output),
  ["list_flatten", ([list]) => actualSize(list!) + CALL + LIST_COST],
  ["list_flatten_int", ([list, depth]) => Math.max(0, actualSize(list!) * Number(depth)) + CALL + LIST_COST],
  ["list_distinct", ([list]) => selfComparison(list as CelList)],
  ["list_sets_contains_list", setsCost(1)],
  ["list_sets_intersects_list", setsCost(1)],
  ["list_sets_equivalent_list", setsCost(2)],
]);

const SORTS = /^list_.*_sort$/;
const SORTS_BY = /_sortByAssociatedKeys$/;

/** How a call is charged. The overload is undefined where only the values tell which it is; equality has one in any case. */
export function costOfCalls(name: string, overload: string | undefined): Cost {
  if (overload !== undefined) {
    if (SORTS.test(overload)) return ([list]) => selfComparison(list as CelList);
    if (SORTS_BY.test(overload)) return ([, keys]) => selfComparison(keys as CelList);
  }
  const known = OF_FUNCTIONS.get(name) ?? (overload === undefined ? undefined : OF_OVERLOADS.get(overload));
  return known ?? one;
}
