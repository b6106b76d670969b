import { parseQuantity } from "../../quantity.ts";
import { fail } from "../cel-error.ts";
import { type CelFunction, celFunction, member, plain } from "../function.ts";
import { BOOL, type CelType, DOUBLE, INT, QUANTITY, STRING } from "../types.ts";
import { type CelValue, Instance } from "../values.ts";

const NANOS = 1_000_000_000n;

/**
 * Upstream keeps most amounts as an integer and a power of ten; only of such, without a negative power, it says that they are integers.
 * What does not fit is a decimal, which never is one.
 */
interface Scaled {
  readonly value: bigint;
  readonly scale: number;
}

/** kubernetes.Quantity */
class QuantityValue extends Instance {
  readonly type = QUANTITY;
  readonly nanos: bigint;
  /** Undefined: a decimal. */
  readonly scaled: Scaled | undefined;

  constructor(nanos: bigint, scaled: Scaled | undefined) {
    super();
    this.nanos = nanos;
    this.scaled = scaled;
  }

  equals(other: CelValue): boolean {
    return other instanceof QuantityValue && other.nanos === this.nanos;
  }

  /** As AsInt64: undefined where upstream says that it is none. */
  get integer(): bigint | undefined {
    if (!this.scaled || this.scaled.scale < 0) return undefined;
    return int64(this.scaled.value * 10n ** BigInt(this.scaled.scale));
  }

  get approximately(): number {
    return this.scaled ? Number(this.scaled.value) * 10 ** this.scaled.scale : Number(this.nanos) * 1e-9;
  }

  plus(other: QuantityValue, sign: 1n | -1n): QuantityValue {
    const sum =
      this.scaled && other.scaled && addScaled(this.scaled, { ...other.scaled, value: sign * other.scaled.value });
    return new QuantityValue(this.nanos + sign * other.nanos, sum);
  }
}

const int64 = (value: bigint): bigint | undefined => (BigInt.asIntN(64, value) === value ? value : undefined);

function addScaled(a: Scaled, b: Scaled): Scaled | undefined {
  if (b.value === 0n) return a;
  if (a.value === 0n) return b;
  const scale = Math.min(a.scale, b.scale);
  const at = (amount: Scaled): bigint => amount.value * 10n ** BigInt(amount.scale - scale);
  const value = int64(at(a)) === undefined || int64(at(b)) === undefined ? undefined : int64(at(a) + at(b));
  return value === undefined ? undefined : { value, scale };
}

const PARTS = /^([+-]?)0*(\d*)(?:\.(\d*))?(.*)$/;
const POWERS: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, "": 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };
const BINARY = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
const DIGITS_MAX = 18;
const SCALE_MIN = -9;

/** How upstream keeps a text that is a quantity. */
function scaledOf(text: string): Scaled | undefined {
  const [, sign, whole = "", fraction = "", suffix = ""] = PARTS.exec(text)!;
  const digits = whole || "0";
  const signed = (value: bigint): bigint => (sign === "-" ? -value : value);
  const bits = 10 * (BINARY.indexOf(suffix) + 1);
  if (bits > 0) {
    const fits = fraction === "" && 15 - digits.length - Math.trunc((bits * 3) / 10) - 1 >= 0;
    return fits ? { value: signed(BigInt(digits) << BigInt(bits)), scale: 0 } : undefined;
  }
  const scale = (POWERS[suffix] ?? Number(suffix.slice(1))) - fraction.length;
  if (digits.length + fraction.length > DIGITS_MAX || scale < SCALE_MIN) return undefined;
  return { value: signed(BigInt(digits + fraction)), scale };
}

const WRONG = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

function quantityOf(text: string): QuantityValue {
  // Quantities in objects are trimmed before they are parsed; here they are not.
  if (text.trim() !== text) fail(WRONG);
  let nanos: bigint;
  try {
    ({ nanos } = parseQuantity(text));
  } catch (error) {
    return fail((error as Error).message);
  }
  return new QuantityValue(nanos, scaledOf(text));
}

function isQuantity(text: string): boolean {
  try {
    quantityOf(text);
    return true;
  } catch {
    return false;
  }
}

const ofInt = (value: bigint): QuantityValue => new QuantityValue(value * NANOS, { value, scale: 0 });
const quantity = (value: CelValue | undefined): QuantityValue =>
  typeof value === "bigint" ? ofInt(value) : (value as QuantityValue);

const order = (a: bigint, b: bigint): bigint => (a < b ? -1n : a > b ? 1n : 0n);

const comparison = (name: string, id: string, result: CelType, call: (order: bigint) => CelValue): CelFunction =>
  celFunction(name, [
    member(id, [QUANTITY, QUANTITY], result, ([a, b]) => call(order(quantity(a).nanos, quantity(b).nanos))),
  ]);

const combination = (name: string, sign: 1n | -1n): CelFunction =>
  celFunction(
    name,
    (
      [
        [`quantity_${name}`, QUANTITY],
        [`quantity_${name}_int`, INT],
      ] as const
    ).map(([id, type]) => member(id, [QUANTITY, type], QUANTITY, ([a, b]) => quantity(a).plus(quantity(b), sign))),
  );

/** Kubernetes' functions of quantities. */
export const QUANTITY_LIBRARY: readonly CelFunction[] = [
  celFunction("quantity", [plain("string_to_quantity", [STRING], QUANTITY, ([text]) => quantityOf(text as string))]),
  celFunction("isQuantity", [plain("is_quantity_string", [STRING], BOOL, ([text]) => isQuantity(text as string))]),
  celFunction("sign", [plain("quantity_sign", [QUANTITY], INT, ([value]) => order(quantity(value).nanos, 0n))]),
  comparison("isGreaterThan", "quantity_is_greater_than", BOOL, (sign) => sign === 1n),
  comparison("isLessThan", "quantity_is_less_than", BOOL, (sign) => sign === -1n),
  comparison("compareTo", "quantity_compare_to", INT, (sign) => sign),
  celFunction("asApproximateFloat", [
    member("quantity_get_float", [QUANTITY], DOUBLE, ([value]) => quantity(value).approximately),
  ]),
  celFunction("asInteger", [
    member(
      "quantity_get_int",
      [QUANTITY],
      INT,
      ([value]) => quantity(value).integer ?? fail("cannot convert value to integer"),
    ),
  ]),
  celFunction("isInteger", [
    member("quantity_is_integer", [QUANTITY], BOOL, ([value]) => quantity(value).integer !== undefined),
  ]),
  combination("add", 1n),
  combination("sub", -1n),
];
