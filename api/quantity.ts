/**
 * resource.Quantity: `500m`, `1.5Gi`, `1e3`. Amounts are whole billionths here, which is the precision upstream keeps;
 * what is finer is rounded up (away from zero).
 */
export type QuantityFormat = "DecimalSI" | "BinarySI" | "DecimalExponent";

export interface Quantity {
  /** In billionths. */
  readonly nanos: bigint;
  readonly format: QuantityFormat;
  /** As it is written: upstream leaves what is nearly canonical alone. */
  readonly text: string;
}

const NANOS = 1_000_000_000n;
const INT64_MAX = (1n << 63n) - 1n;
/** Nothing real is larger; without a bound, nine characters would make a number of gigabytes. */
const EXPONENT_MAX = 100;
const INT64_DIGITS = 18;

const DECIMAL: Record<string, number> = { n: -9, u: -6, m: -3, "": 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };
const DECIMAL_SUFFIXES = new Map(Object.entries(DECIMAL).map(([suffix, exponent]) => [exponent, suffix]));
const BINARY = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

const SHAPE = /^([+-]?)(\d*)(?:\.(\d*))?([eEinumkKMGTP]*[-+]?\d*)$/;
const FORMAT_WRONG = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const SUFFIX_WRONG = "unable to parse quantity's suffix";

/** Pods repeat the same few quantities on every write. */
const known = new Map<string, Quantity>();
const KNOWN_MAX = 1024;
const LENGTH_MAX = 256;

/** @throws Error with upstream's sentence. Numbers are as good as strings here, as in JSON. */
export function parseQuantity(input: string | number): Quantity {
  const text = String(input).trim();
  const cached = known.get(text);
  if (cached) return cached;
  const quantity = parse(text);
  if (known.size >= KNOWN_MAX) known.clear();
  known.set(text, quantity);
  return quantity;
}

function parse(text: string): Quantity {
  if (text === "0") return { nanos: 0n, format: "DecimalSI", text };
  const parts = text.length > LENGTH_MAX ? null : SHAPE.exec(text);
  if (!parts || text === "" || text === "+" || text === "-") throw new Error(FORMAT_WRONG);
  const [, sign, whole = "", fraction = "", suffix = ""] = parts;
  const digits = whole.replace(/^0+/, "") || "0";
  const shifted = digits + fraction;
  const negative = sign === "-";
  const { format, exponent } = interpretSuffix(suffix);

  if (format === "BinarySI") {
    const scaled = BigInt(shifted) << BigInt(exponent);
    const divisor = 10n ** BigInt(fraction.length);
    const positive = min(roundUp(scaled * NANOS, divisor), INT64_MAX * NANOS);
    const nanos = negative ? -positive : positive;
    const fast = fraction === "" && 15 - digits.length - Math.trunc((exponent * 3) / 10) - 1 >= 0;
    if (fast && (BigInt(digits) & 7n) !== 0n) return { nanos, format, text };
    const small = !fast && positive > 0n && positive < NANOS;
    return canonical(nanos, small ? "DecimalSI" : format);
  }

  const scale = exponent - fraction.length;
  const power = scale + 9;
  const unsigned = BigInt(shifted);
  const positive = power >= 0 ? unsigned * 10n ** BigInt(power) : roundUp(unsigned, 10n ** BigInt(-power));
  const nanos = negative ? -positive : positive;
  const fast = INT64_DIGITS - digits.length - fraction.length >= 0 && scale >= -9;
  const unchanged = fast && scale % 3 === 0 && !shifted.endsWith("000") && shifted[0] !== "0";
  return unchanged ? { nanos, format, text } : canonical(nanos, format);
}

function interpretSuffix(suffix: string): { format: QuantityFormat; exponent: number } {
  const decimal = DECIMAL[suffix];
  if (decimal !== undefined) return { format: "DecimalSI", exponent: decimal };
  const binary = BINARY.indexOf(suffix);
  if (binary > 0) return { format: "BinarySI", exponent: binary * 10 };
  if (!/^[eE][-+]?\d+$/.test(suffix)) throw new Error(SUFFIX_WRONG);
  const exponent = Number(suffix.slice(1));
  if (Math.abs(exponent) > EXPONENT_MAX) throw new Error(SUFFIX_WRONG);
  return { format: "DecimalExponent", exponent };
}

const min = (a: bigint, b: bigint): bigint => (a < b ? a : b);
const roundUp = (amount: bigint, divisor: bigint): bigint => (amount + divisor - 1n) / divisor;
/** For either sign, away from zero. */
const roundAway = (amount: bigint, divisor: bigint): bigint =>
  amount < 0n ? -roundUp(-amount, divisor) : roundUp(amount, divisor);

const canonical = (nanos: bigint, format: QuantityFormat): Quantity => ({
  nanos,
  format,
  text: formatQuantity(nanos, format),
});

/** The canonical text of an amount: no fraction, the largest suffix that needs none. */
export function formatQuantity(nanos: bigint, format: QuantityFormat): string {
  if (nanos === 0n) return "0";
  const whole = nanos % NANOS === 0n;
  if (format === "BinarySI" && whole && (nanos <= -1024n * NANOS || nanos >= 1024n * NANOS)) {
    let [value, power] = [nanos / NANOS, 0];
    while (value % 1024n === 0n && power < BINARY.length - 1) [value, power] = [value / 1024n, power + 1];
    return `${value}${BINARY[power]}`;
  }
  let [value, exponent] = [nanos, -9];
  const largest = format === "DecimalExponent" ? EXPONENT_MAX : 18;
  while (value % 1000n === 0n && exponent < largest) [value, exponent] = [value / 1000n, exponent + 3];
  if (format === "DecimalExponent") return exponent === 0 ? `${value}` : `${value}e${exponent}`;
  return `${value}${DECIMAL_SUFFIXES.get(exponent)}`;
}

/** The text that upstream would store. @throws Error on bad input. */
export const canonicalizeQuantity = (text: string | number): string => parseQuantity(text).text;

/** In thousandths, rounded up: of `cpu`, millicores. */
export const quantityToMilli = (text: string | number): number =>
  Number(roundAway(parseQuantity(text).nanos, NANOS / 1000n));

/** In whole units, rounded up: of `memory`, bytes. */
export const quantityValue = (text: string | number): number => Number(roundAway(parseQuantity(text).nanos, NANOS));

/** Less than, equal to or greater than zero, for sorting. */
export function compareQuantities(a: string | number, b: string | number): number {
  const [left, right] = [parseQuantity(a).nanos, parseQuantity(b).nanos];
  return left < right ? -1 : left > right ? 1 : 0;
}

/** The sum, in the format of the first (of the second where the first is zero). */
export const addQuantities = (a: string | number, b: string | number): string => combine(a, b, (x, y) => x + y);

/** The difference, in the format of the first (of the second where the first is zero). */
export const subtractQuantities = (a: string | number, b: string | number): string => combine(a, b, (x, y) => x - y);

function combine(a: string | number, b: string | number, operation: (x: bigint, y: bigint) => bigint): string {
  const [left, right] = [parseQuantity(a), parseQuantity(b)];
  return formatQuantity(operation(left.nanos, right.nanos), left.nanos === 0n ? right.format : left.format);
}
