import { add } from "../arithmetic.ts";
import { fail } from "../cel-error.ts";
import { compare, isEqual } from "../equal.ts";
import { type CelFunction, celFunction, member, type Overload, plain } from "../function.ts";
import type { Meter } from "../meter.ts";
import { Duration } from "../time.ts";
import {
  BOOL,
  BYTES,
  type CelType,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  listOf,
  parameter,
  runtimeName,
  STRING,
  TIMESTAMP,
  UINT,
} from "../types.ts";
import {
  CelList,
  CelMap,
  type CelValue,
  Instance,
  ListValue,
  type MapValue,
  textOf,
  typeNameOf,
  Uint,
} from "../values.ts";

const A = parameter("A");
const LIST = listOf(A);

const COMPARABLE: readonly CelType[] = [INT, UINT, DOUBLE, BOOL, DURATION, TIMESTAMP, STRING, BYTES];
const SUMMABLE = new Map<CelType, () => CelValue>([
  [INT, () => 0n],
  [UINT, () => new Uint(0n)],
  [DOUBLE, () => 0],
  [DURATION, () => new Duration(0n)],
]);

type ListCall = (list: CelList, meter: Meter) => CelValue;

const ofComparable = (id: (name: string) => string, result: (type: CelType) => CelType, call: ListCall): Overload[] =>
  COMPARABLE.map((type) =>
    member(id(type.kind), [listOf(type)], result(type), ([list], meter) => call(list as CelList, meter)),
  );

function isSorted(list: CelList, meter: Meter): boolean {
  let previous: CelValue | undefined;
  for (const value of list) {
    meter.work(1);
    if (previous !== undefined && compare(previous, value) > 0) return false;
    previous = value;
  }
  return true;
}

function sum(list: CelList, zero: CelValue, meter: Meter): CelValue {
  let total = zero;
  for (const value of list) {
    meter.work(1);
    total = add(total, value, meter);
  }
  return total;
}

/** The first of the values that are the least (sign 1) or the greatest (sign -1). */
function extreme(name: string, list: CelList, sign: number, meter: Meter): CelValue {
  let found: CelValue | undefined;
  for (const value of list) {
    meter.work(1);
    if (found === undefined || compare(found, value) * sign > 0) found = value;
  }
  return found === undefined ? fail(`${name} called on empty list`) : found;
}

function indexOf(list: CelList, value: CelValue, meter: Meter): bigint {
  for (let i = 0; i < list.length; i++) if (isEqual(list.at(i), value, meter)) return BigInt(i);
  return -1n;
}

function lastIndexOf(list: CelList, value: CelValue, meter: Meter): bigint {
  for (let i = list.length - 1; i >= 0; i--) if (isEqual(list.at(i), value, meter)) return BigInt(i);
  return -1n;
}

/** Kubernetes' own functions of lists (k8s.io/apiserver/pkg/cel/library Lists). */
export const LISTS_LIBRARY: readonly CelFunction[] = [
  celFunction(
    "isSorted",
    ofComparable(
      (name) => `list_${name}_is_sorted_bool`,
      () => BOOL,
      isSorted,
    ),
  ),
  celFunction(
    "sum",
    [...SUMMABLE].map(([type, zero]) =>
      member(`list_${type.kind}_sum_${type.kind}`, [listOf(type)], type, ([list], meter) =>
        sum(list as CelList, zero(), meter),
      ),
    ),
  ),
  celFunction(
    "max",
    ofComparable(
      (name) => `list_${name}_max_${name}`,
      (type) => type,
      (list, meter) => extreme("max", list, -1, meter),
    ),
  ),
  celFunction(
    "min",
    ofComparable(
      (name) => `list_${name}_min_${name}`,
      (type) => type,
      (list, meter) => extreme("min", list, 1, meter),
    ),
  ),
  celFunction("indexOf", [
    member("list_a_index_of_int", [LIST, A], INT, ([list, value], meter) => indexOf(list as CelList, value!, meter)),
  ]),
  celFunction("lastIndexOf", [
    member("list_a_last_index_of_int", [LIST, A], INT, ([list, value], meter) =>
      lastIndexOf(list as CelList, value!, meter),
    ),
  ]),
];

function slice(list: CelList, start: bigint, end: bigint, meter: Meter): CelList {
  const what = `cannot slice(${start}, ${end})`;
  if (start < 0n || end < 0n) fail(`${what}, negative indexes not supported`);
  if (start > end) fail(`${what}, start index must be less than or equal to end index`);
  if (BigInt(list.length) < end) fail(`${what}, list is length ${list.length}`);
  const values: CelValue[] = [];
  for (let i = Number(start); i < Number(end); i++) values.push(list.at(i));
  meter.work(values.length);
  return new ListValue(values);
}

function flatten(list: CelList, depth: bigint, meter: Meter): CelList {
  if (depth < 0n) return fail("level must be non-negative");
  const values: CelValue[] = [];
  const collect = (from: CelList, left: bigint): void => {
    for (const value of from) {
      meter.work(1);
      meter.room(values.length);
      if (left > 0n && value instanceof CelList) collect(value, left - 1n);
      else values.push(value);
    }
  };
  collect(list, depth);
  return new ListValue(values);
}

function sortBy(list: CelList, keys: CelList, meter: Meter): CelList {
  if (list.length !== keys.length) {
    fail(
      "@sortByAssociatedKeys() expected a list of the same size as the associated keys list, " +
        `but got ${list.length} and ${keys.length} elements respectively`,
    );
  }
  const pairs = Array.from(list, (value, i) => ({ value, key: keys.at(i) }));
  const [first] = pairs;
  if (first && !isComparable(first.key)) fail("list elements must be comparable");
  if (pairs.some(({ key }) => typeNameOf(key) !== typeNameOf(first!.key))) {
    fail("list elements must have the same type");
  }
  const sorted = pairs.toSorted((a, b) => {
    meter.work(1);
    return compare(a.key, b.key);
  });
  return new ListValue(sorted.map(({ value }) => value));
}

const isComparable = (value: CelValue): boolean => COMPARABLE.some((type) => runtimeName(type) === typeNameOf(value));

function distinct(list: CelList, meter: Meter): CelList {
  const scalars = new Set<unknown>();
  const others: CelValue[] = [];
  const values: CelValue[] = [];
  for (const value of list) {
    meter.work(1);
    const scalar = scalarOf(value);
    if (scalar === undefined ? others.some((other) => isEqual(other, value, meter)) : scalars.has(scalar)) continue;
    if (scalar === undefined) others.push(value);
    else scalars.add(scalar);
    values.push(value);
  }
  return new ListValue(values);
}

/** What a value of which there is only one such is looked up by: numbers that are equal are one. */
function scalarOf(value: CelValue): unknown {
  if (value instanceof Uint) return value.value;
  if (typeof value === "number")
    return Number.isInteger(value) ? BigInt(value) : Number.isNaN(value) ? undefined : value;
  return typeof value === "object" ? undefined : value;
}

function range(count: bigint, meter: Meter): CelList {
  if (count <= 0n) return new ListValue([]);
  meter.room(Number(count));
  return new ListValue(Array.from({ length: Number(count) }, (_, i) => BigInt(i)));
}

/** cel-go's ext.Lists in the version that Kubernetes has (3). */
export const LISTS_EXTENSION: readonly CelFunction[] = [
  celFunction("slice", [
    member("list_slice", [LIST, INT, INT], LIST, ([list, start, end], meter) =>
      slice(list as CelList, start as bigint, end as bigint, meter),
    ),
  ]),
  celFunction("flatten", [
    member("list_flatten", [listOf(LIST)], LIST, ([list], meter) => flatten(list as CelList, 1n, meter)),
    member("list_flatten_int", [listOf(DYN), INT], listOf(DYN), ([list, depth], meter) =>
      flatten(list as CelList, depth as bigint, meter),
    ),
  ]),
  celFunction(
    "sort",
    ofComparable(
      (name) => `list_${sortName(name)}_sort`,
      listOf,
      (list, meter) => sortBy(list, list, meter),
    ),
  ),
  celFunction(
    "@sortByAssociatedKeys",
    COMPARABLE.map((type) =>
      member(`list_${sortName(type.kind)}_sortByAssociatedKeys`, [LIST, listOf(type)], LIST, ([list, keys], meter) =>
        sortBy(list as CelList, keys as CelList, meter),
      ),
    ),
  ),
  celFunction("lists.range", [
    plain("lists_range", [INT], listOf(INT), ([count], meter) => range(count as bigint, meter)),
  ]),
  celFunction("reverse", [
    member("list_reverse", [LIST], LIST, ([list], meter) => {
      meter.work((list as CelList).length);
      return new ListValue((list as CelList).toArray().toReversed());
    }),
  ]),
  celFunction("distinct", [member("list_distinct", [LIST], LIST, ([list], meter) => distinct(list as CelList, meter))]),
];

function sortName(kind: string): string {
  return kind === "duration" ? "google.protobuf.Duration" : kind === "timestamp" ? "google.protobuf.Timestamp" : kind;
}

const setsContain = (whole: CelList, part: CelList, meter: Meter): boolean => {
  for (const value of part) if (indexOf(whole, value, meter) < 0n) return false;
  return true;
};

const setFunction = (name: string, call: (a: CelList, b: CelList, meter: Meter) => boolean): CelFunction =>
  celFunction(`sets.${name}`, [
    plain(`list_sets_${name}_list`, [LIST, LIST], BOOL, ([a, b], meter) => call(a as CelList, b as CelList, meter)),
  ]);

/** cel-go's ext.Sets. */
export const SETS_LIBRARY: readonly CelFunction[] = [
  setFunction("contains", setsContain),
  setFunction("equivalent", (a, b, meter) => setsContain(a, b, meter) && setsContain(b, a, meter)),
  setFunction("intersects", (a, b, meter) => {
    for (const value of a) if (indexOf(b, value, meter) >= 0n) return true;
    return false;
  }),
];

/** Adds an entry to the map that a comprehension makes. @throws Failure where the key is taken, or cannot be one. */
export function insertEntry(map: MapValue, key: CelValue, value: CelValue, meter: Meter): void {
  if (
    key === null ||
    key instanceof CelList ||
    key instanceof CelMap ||
    key instanceof Instance ||
    key instanceof Uint8Array
  ) {
    fail(`unsupported key type: ${typeNameOf(key)}`);
  }
  if (map.find(key) !== undefined) fail(`insert failed: key ${textOf(key)} already exists`);
  meter.room(map.size);
  map.set(key, value);
}
