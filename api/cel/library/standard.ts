import { add, divide, modulo, multiply, negate, subtract } from "../arithmetic.ts";
import { noSuchOverload } from "../cel-error.ts";
import * as convert from "../convert.ts";
import { compare, isEqual } from "../equal.ts";
import { type Call, type CelFunction, celFunction, member, type Overload, plain } from "../function.ts";
import type { Meter } from "../meter.ts";
import {
  BOOL,
  BYTES,
  type CelType,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  listOf,
  mapOf,
  parameter,
  STRING,
  TIMESTAMP,
  typeOf,
  UINT,
} from "../types.ts";
import { CelList, CelMap, type CelValue, textLength } from "../values.ts";
import { patternFor } from "./patterns.ts";

const A = parameter("A");
const B = parameter("B");
const LIST = listOf(A);
const MAP = mapOf(A, B);

const binary = (id: string, left: CelType, right: CelType, result: CelType): Overload =>
  plain(id, [left, right], result);

/** Overloads of one type twice. */
const same = (name: string, ids: Readonly<Record<string, CelType>>, result?: CelType): Overload[] =>
  Object.entries(ids).map(([id, type]) => binary(`${name}_${id}`, type, type, result ?? type));

const NUMBERS = { double: DOUBLE, int64: INT, uint64: UINT };

/** Orders by value; the three sorts of numbers among each other. */
function ordering(symbol: string, name: string, holds: (order: number) => boolean): CelFunction {
  const mixed: Overload[] = [];
  for (const [left, a] of Object.entries(NUMBERS)) {
    for (const [right, b] of Object.entries(NUMBERS)) {
      if (left !== right) mixed.push(binary(`${name}_${left}_${right}`, a, b, BOOL));
    }
  }
  const alike = same(
    name,
    { bool: BOOL, ...NUMBERS, string: STRING, bytes: BYTES, timestamp: TIMESTAMP, duration: DURATION },
    BOOL,
  );
  return celFunction(`_${symbol}_`, [...alike, ...mixed], ([a, b]) => holds(compare(a!, b!)));
}

const unary = (id: string, from: CelType, to: CelType): Overload => plain(id, [from], to);

const conversion = (
  name: string,
  to: CelType,
  from: readonly (readonly [string, CelType])[],
  call: Call,
): CelFunction =>
  celFunction(
    name,
    from.map(([id, type]) => unary(id, type, to)),
    call,
  );

/** Whether a value is in a list or a key of a map. */
function contains(element: CelValue, container: CelValue, meter: Meter): boolean {
  if (container instanceof CelMap) return container.find(element) !== undefined;
  if (!(container instanceof CelList)) return noSuchOverload();
  for (const other of container) if (isEqual(other, element, meter)) return true;
  return false;
}

/** In elements, entries, code points or bytes. */
export function sizeOf(value: CelValue): number | undefined {
  if (typeof value === "string") return textLength(value);
  if (value instanceof CelList || value instanceof Uint8Array) return value.length;
  return value instanceof CelMap ? value.size : undefined;
}

const SIZED: readonly [string, CelType][] = [
  ["size_bytes", BYTES],
  ["size_list", LIST],
  ["size_map", MAP],
  ["size_string", STRING],
];
const MEMBER_SIZED = {
  size_bytes: "bytes_size",
  size_list: "list_size",
  size_map: "map_size",
  size_string: "string_size",
};

const text = (name: string, ids: readonly Overload[], call: (whole: string, part: string, meter: Meter) => CelValue) =>
  celFunction(name, ids, ([whole, part], meter) =>
    typeof whole === "string" && typeof part === "string" ? call(whole, part, meter) : noSuchOverload(),
  );

const ofTexts = (id: string): Overload[] => [member(id, [STRING, STRING], BOOL)];

/** The standard library of the language. The planner has operators that do not evaluate all of their operands for itself. */
export const STANDARD: readonly CelFunction[] = [
  celFunction("_?_:_", [plain("conditional", [BOOL, A, A], A)]),
  celFunction("_&&_", [binary("logical_and", BOOL, BOOL, BOOL)]),
  celFunction("_||_", [binary("logical_or", BOOL, BOOL, BOOL)]),
  celFunction("!_", [unary("logical_not", BOOL, BOOL)], ([value]) =>
    typeof value === "boolean" ? !value : noSuchOverload(),
  ),
  celFunction("@not_strictly_false", [plain("not_strictly_false", [BOOL], BOOL)]),
  celFunction("_==_", [binary("equals", A, A, BOOL)], ([a, b], meter) => isEqual(a!, b!, meter)),
  celFunction("_!=_", [binary("not_equals", A, A, BOOL)], ([a, b], meter) => !isEqual(a!, b!, meter)),
  celFunction(
    "_+_",
    [
      binary("add_bytes", BYTES, BYTES, BYTES),
      binary("add_double", DOUBLE, DOUBLE, DOUBLE),
      binary("add_duration_duration", DURATION, DURATION, DURATION),
      binary("add_duration_timestamp", DURATION, TIMESTAMP, TIMESTAMP),
      binary("add_timestamp_duration", TIMESTAMP, DURATION, TIMESTAMP),
      binary("add_int64", INT, INT, INT),
      binary("add_list", LIST, LIST, LIST),
      binary("add_string", STRING, STRING, STRING),
      binary("add_uint64", UINT, UINT, UINT),
    ],
    ([a, b], meter) => add(a!, b!, meter),
  ),
  celFunction(
    "_-_",
    [
      binary("subtract_double", DOUBLE, DOUBLE, DOUBLE),
      binary("subtract_duration_duration", DURATION, DURATION, DURATION),
      binary("subtract_int64", INT, INT, INT),
      binary("subtract_timestamp_duration", TIMESTAMP, DURATION, TIMESTAMP),
      binary("subtract_timestamp_timestamp", TIMESTAMP, TIMESTAMP, DURATION),
      binary("subtract_uint64", UINT, UINT, UINT),
    ],
    ([a, b]) => subtract(a!, b!),
  ),
  celFunction("_*_", same("multiply", NUMBERS), ([a, b]) => multiply(a!, b!)),
  celFunction("_/_", same("divide", NUMBERS), ([a, b]) => divide(a!, b!)),
  celFunction("_%_", same("modulo", { int64: INT, uint64: UINT }), ([a, b]) => modulo(a!, b!)),
  celFunction("-_", [unary("negate_double", DOUBLE, DOUBLE), unary("negate_int64", INT, INT)], ([value]) =>
    negate(value!),
  ),
  ordering("<", "less", (order) => order < 0),
  ordering("<=", "less_equals", (order) => order <= 0),
  ordering(">", "greater", (order) => order > 0),
  ordering(">=", "greater_equals", (order) => order >= 0),
  celFunction("_[_]", [plain("index_list", [LIST, INT], A), plain("index_map", [MAP, A], B)]),
  celFunction(
    "@in",
    [plain("in_list", [A, LIST], BOOL), plain("in_map", [A, MAP], BOOL)],
    ([element, container], meter) => contains(element!, container!, meter),
  ),
  celFunction(
    "size",
    SIZED.flatMap(([id, type]) => [
      plain(id, [type], INT),
      member(MEMBER_SIZED[id as keyof typeof MEMBER_SIZED], [type], INT),
    ]),
    ([value]) => {
      const size = sizeOf(value!);
      return size === undefined ? noSuchOverload() : BigInt(size);
    },
  ),
  celFunction("type", [plain("type", [A], typeOf(A))], ([value]) => convert.toType(value!)),
  celFunction("dyn", [plain("to_dyn", [A], DYN)], ([value]) => value!),
  conversion(
    "bool",
    BOOL,
    [
      ["bool_to_bool", BOOL],
      ["string_to_bool", STRING],
    ],
    ([value]) => convert.toBool(value!),
  ),
  conversion(
    "bytes",
    BYTES,
    [
      ["bytes_to_bytes", BYTES],
      ["string_to_bytes", STRING],
    ],
    ([value]) => convert.toBytes(value!),
  ),
  conversion(
    "double",
    DOUBLE,
    [
      ["double_to_double", DOUBLE],
      ["int64_to_double", INT],
      ["string_to_double", STRING],
      ["uint64_to_double", UINT],
    ],
    ([value]) => convert.toDouble(value!),
  ),
  conversion(
    "duration",
    DURATION,
    [
      ["duration_to_duration", DURATION],
      ["int64_to_duration", INT],
      ["string_to_duration", STRING],
    ],
    ([value]) => convert.toDuration(value!),
  ),
  conversion(
    "int",
    INT,
    [
      ["int64_to_int64", INT],
      ["double_to_int64", DOUBLE],
      ["duration_to_int64", DURATION],
      ["string_to_int64", STRING],
      ["timestamp_to_int64", TIMESTAMP],
      ["uint64_to_int64", UINT],
    ],
    ([value]) => convert.toInt(value!),
  ),
  celFunction("string", [
    ...Object.entries({
      string_to_string: STRING,
      bool_to_string: BOOL,
      bytes_to_string: BYTES,
      double_to_string: DOUBLE,
      duration_to_string: DURATION,
      int64_to_string: INT,
      timestamp_to_string: TIMESTAMP,
      uint64_to_string: UINT,
    }).map(([id, type]) => plain(id, [type], STRING, ([value]) => convert.toText(value!))),
  ]),
  conversion(
    "timestamp",
    TIMESTAMP,
    [
      ["timestamp_to_timestamp", TIMESTAMP],
      ["int64_to_timestamp", INT],
      ["string_to_timestamp", STRING],
    ],
    ([value]) => convert.toTimestamp(value!),
  ),
  conversion(
    "uint",
    UINT,
    [
      ["uint64_to_uint64", UINT],
      ["double_to_uint64", DOUBLE],
      ["int64_to_uint64", INT],
      ["string_to_uint64", STRING],
    ],
    ([value]) => convert.toUint(value!),
  ),
  text("contains", ofTexts("contains_string"), (whole, part) => whole.includes(part)),
  text("startsWith", ofTexts("starts_with_string"), (whole, part) => whole.startsWith(part)),
  text("endsWith", ofTexts("ends_with_string"), (whole, part) => whole.endsWith(part)),
  text("matches", [plain("matches", [STRING, STRING], BOOL), ...ofTexts("matches_string")], (whole, pattern, meter) =>
    patternFor(pattern, whole, meter).test(whole),
  ),
];
