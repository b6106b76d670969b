import type { JsonSchema } from "./definition.ts";

const INT64_MAX = 2 ** 63;
const INT32_MAX = 2 ** 31;
const FLOAT32_MAX = 3.4028234663852886e38;

/** What Go decodes as int64; every other number is a float64. */
export const isGoInteger = (value: number): boolean =>
  Number.isInteger(value) && value >= -INT64_MAX && value < INT64_MAX;

/** As Go's `%v` prints a float64. */
function printFloat(value: number): string {
  const size = Math.abs(value);
  if (size === 0 || (size >= 1e-4 && size < 1e21)) return String(value);
  const [mantissa, exponent = "0"] = value.toExponential().split("e");
  return `${mantissa}e${exponent[0]}${exponent.slice(1).padStart(2, "0")}`;
}

/** The numeric faults of a value, as k8s.io/kube-openapi/pkg/validation/validate finds them. */
export interface NumberFaults {
  /** `must be of type integer with format int32`-sentences, of the value and of the schema's own bounds. */
  ranges: string[];
  /** `should be less than or equal to 10`; upstream tells them of the value. */
  bounds: string[];
  /** The schema's multipleOf is none. */
  badFactor: number | undefined;
}

/** `path`: as messages name the value. */
export function checkNumber(value: number, schema: JsonSchema, format: string, path: string): NumberFaults | undefined {
  const { maximum, minimum, multipleOf } = schema;
  const type = schema["x-kubernetes-int-or-string"] ? "" : (schema.type ?? "");
  if (maximum === undefined && minimum === undefined && multipleOf === undefined && isInRange(value, type, format)) {
    return undefined;
  }
  const faults: NumberFaults = { ranges: [], bounds: [], badFactor: undefined };
  const checkRange = (number: number, what: string): boolean => {
    const fits = isInRange(number, type, format);
    const of = format === "" ? `${type} (default format)` : `${type} with format ${format}`;
    if (!fits) faults.ranges.push(`${what} value must be of type ${of} in ${path}`);
    return fits;
  };
  checkRange(value, "Checked");
  // Integers are compared as integers: what comes behind the point of a bound is cut off.
  const isInteger = isGoInteger(value);
  const asBound = (bound: number, fits: boolean) => (isInteger && fits ? Math.trunc(bound) : bound);
  const print = (bound: number) => (Number.isInteger(bound) && isInteger ? String(bound) : printFloat(bound));
  if (multipleOf !== undefined) {
    const factor = asBound(multipleOf, checkRange(multipleOf, "MultipleOf"));
    if (factor <= 0) faults.badFactor = factor;
    else if (!isMultiple(value, factor)) faults.bounds.push(`should be a multiple of ${print(factor)}`);
  }
  if (maximum !== undefined) {
    const bound = asBound(maximum, checkRange(maximum, "Maximum boundary"));
    if (schema.exclusiveMaximum ? value >= bound : value > bound) {
      faults.bounds.push(`should be less than ${schema.exclusiveMaximum ? "" : "or equal to "}${print(bound)}`);
    }
  }
  if (minimum !== undefined) {
    const bound = asBound(minimum, checkRange(minimum, "Minimum boundary"));
    if (schema.exclusiveMinimum ? value <= bound : value < bound) {
      faults.bounds.push(`should be greater than ${schema.exclusiveMinimum ? "" : "or equal to "}${print(bound)}`);
    }
  }
  return faults;
}

/** Only types and formats that say a range are checked. */
function isInRange(value: number, type: string, format: string): boolean {
  if (type === "integer") {
    return isGoInteger(value) && (format !== "int32" || (value >= -INT32_MAX && value < INT32_MAX));
  }
  return type !== "number" || format !== "float" || Math.abs(value) <= FLOAT32_MAX;
}

const EPSILON = 1e-9;

function isMultiple(value: number, factor: number): boolean {
  if (isGoInteger(value) && Number.isInteger(factor)) return value % factor === 0;
  const quotient = factor < 1 ? (1 / factor) * value : value / factor;
  if (!Number.isFinite(quotient) || Math.abs(quotient) > Number.MAX_SAFE_INTEGER) return false;
  const whole = Math.trunc(quotient);
  const difference = Math.abs(quotient - whole);
  return difference === 0 || (whole !== 0 && difference / (Math.abs(quotient) + Math.abs(whole)) < EPSILON);
}
