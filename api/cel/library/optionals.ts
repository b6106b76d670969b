import { fail } from "../cel-error.ts";
import { type CelFunction, celFunction, member, plain } from "../function.ts";
import { Duration, Timestamp } from "../time.ts";
import { BOOL, DYN, INT, listOf, mapOf, optionalOf, parameter, STRING } from "../types.ts";
import { CelList, CelMap, type CelValue, ListValue, NONE, Optional, StructValue, Uint } from "../values.ts";

const K = parameter("K");
const V = parameter("V");
const OPTIONAL = optionalOf(V);
const LIST = listOf(V);
const MAP = mapOf(K, V);

/** 0001-01-01T00:00:00Z, Go's zero time. */
const ZERO_TIME_NANOS = -62_135_596_800_000_000_000n;

function isZero(value: CelValue): boolean {
  if (value === null || value === false || value === "" || value === 0n || value === 0) return true;
  if (value instanceof Uint) return value.value === 0n;
  if (value instanceof CelList || value instanceof Uint8Array) return value.length === 0;
  if (value instanceof CelMap) return value.size === 0;
  if (value instanceof StructValue) return value.fields.size === 0;
  if (value instanceof Timestamp) return value.nanos === ZERO_TIME_NANOS;
  return value instanceof Duration && value.nanos === 0n;
}

const end = (list: CelValue, index: (length: number) => number): Optional => {
  const { length } = list as CelList;
  return length === 0 ? NONE : new Optional((list as CelList).at(index(length)));
};

function unwrapAll(list: CelList): CelList {
  const values: CelValue[] = [];
  for (const value of list) {
    if (!(value instanceof Optional)) return fail("value is not optional");
    if (value.value !== undefined) values.push(value.value);
  }
  return new ListValue(values);
}

/** cel-go's optional types. The planner itself has `.?`, `[?]`, `or` and `orValue`: they do not evaluate all of their operands. */
export const OPTIONALS_LIBRARY: readonly CelFunction[] = [
  celFunction("optional.of", [plain("optional_of", [V], OPTIONAL, ([value]) => new Optional(value!))]),
  celFunction("optional.ofNonZeroValue", [
    plain("optional_ofNonZeroValue", [V], OPTIONAL, ([value]) => (isZero(value!) ? NONE : new Optional(value!))),
  ]),
  celFunction("optional.none", [plain("optional_none", [], OPTIONAL, () => NONE)]),
  celFunction("value", [
    member("optional_value", [OPTIONAL], V, ([optional]) => {
      const { value } = optional as Optional;
      return value === undefined ? fail("optional.none() dereference") : value;
    }),
  ]),
  celFunction("hasValue", [
    member("optional_hasValue", [OPTIONAL], BOOL, ([optional]) => (optional as Optional).value !== undefined),
  ]),
  celFunction("or", [member("optional_or_optional", [OPTIONAL, OPTIONAL], OPTIONAL)]),
  celFunction("orValue", [member("optional_orValue_value", [OPTIONAL, V], V)]),
  celFunction("_?._", [plain("select_optional_field", [DYN, STRING], OPTIONAL)]),
  celFunction("_[?_]", [
    plain("list_optindex_optional_int", [LIST, INT], OPTIONAL),
    plain("optional_list_optindex_optional_int", [optionalOf(LIST), INT], OPTIONAL),
    plain("map_optindex_optional_value", [MAP, K], OPTIONAL),
    plain("optional_map_optindex_optional_value", [optionalOf(MAP), K], OPTIONAL),
  ]),
  celFunction("_[_]", [
    plain("optional_list_index_int", [optionalOf(LIST), INT], OPTIONAL),
    plain("optional_map_index_value", [optionalOf(MAP), K], OPTIONAL),
  ]),
  celFunction("first", [member("list_first", [LIST], OPTIONAL, ([list]) => end(list!, () => 0))]),
  celFunction("last", [member("list_last", [LIST], OPTIONAL, ([list]) => end(list!, (length) => length - 1))]),
  celFunction("optional.unwrap", [
    plain("optional_unwrap", [listOf(OPTIONAL)], LIST, ([list]) => unwrapAll(list as CelList)),
  ]),
  celFunction("unwrapOpt", [
    member("optional_unwrapOpt", [listOf(OPTIONAL)], LIST, ([list]) => unwrapAll(list as CelList)),
  ]),
  celFunction("cel.@mapInsert", [
    plain("@mapInsert_map_key_value", [MAP, K, V], MAP),
    plain("@mapInsert_map_map", [MAP, MAP], MAP),
  ]),
];
