import { type FieldError, fieldInvalid, fieldNotSupported, fieldTooLong } from "../field-error.ts";
import { equalJson, type Json } from "../json-value.ts";
import type { JsonSchema } from "./definition.ts";
import { isOfFormat } from "./formats.ts";
import { canonicalText, sortKeys } from "./go-json.ts";
import { checkNumber, isGoInteger } from "./numbers.ts";
import { compilePattern } from "./pattern.ts";
import { NOWHERE, type Place, type Result, spend, textOf, type Validation } from "./validation-state.ts";

/** What a schema says of single values: their type, enum, length, pattern, format and bounds. */

/** Characters times instructions of a pattern that cost as much as one step. */
const MATCHES_OF_STEP = 512;

const typesOf = (schema: JsonSchema): readonly string[] =>
  schema["x-kubernetes-int-or-string"] ? INT_OR_STRING : schema.type ? [schema.type] : [];
const INT_OR_STRING = ["integer", "string"];

export function checkType(value: Json, schema: JsonSchema, format: string, place: Place, result: Result): void {
  const types = typesOf(schema);
  const refuse = (expected: string, given: string) => {
    const path = textOf(place);
    result.errors.push({
      type: "FieldValueTypeInvalid",
      field: path,
      value: given,
      detail: `${path} in body must be of type ${expected}: ${JSON.stringify(given)}`,
    });
  };
  if (value === null || value === undefined) {
    if (types.length > 0 && !schema.nullable) refuse(types.join(","), "null");
    else result.count++;
    return;
  }
  if (types.length === 0 && format === "") return;
  result.count++;
  const isText = typeof value === "string" || Array.isArray(value);
  const given = jsonType(value);
  const takesNumbers = types.includes("number") || types.includes("integer");
  const fits =
    types.includes(given) ||
    (given === "integer" && types.includes("number")) ||
    (given === "number" && types.includes("integer") && Number.isSafeInteger(value));
  if (format !== "" && !isText && !fits) {
    const givenFormat = given === "integer" ? "int64" : given === "number" ? "float64" : "";
    if (givenFormat !== format) {
      refuse(format, givenFormat);
      return;
    }
  }
  // Texts that have a format are looked at by it alone.
  if ((format !== "" && isText && !takesNumbers) || fits) result.count++;
  else refuse(types.join(","), given);
}

function jsonType(value: Json): string {
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return isGoInteger(value) ? "integer" : "number";
  return typeof value;
}

export function checkEnum(value: Json, schema: JsonSchema, place: Place, result: Result, validation: Validation): void {
  const allowed = schema.enum;
  if (allowed === undefined || allowed.length === 0) return;
  spend(validation, allowed.length);
  if (value !== null && value !== undefined) {
    const isEqual = typeof value === "object" ? (item: unknown) => equalJson(item, value) : undefined;
    if (isEqual ? allowed.some(isEqual) : allowed.includes(value)) return;
  }
  const texts = allowed.map((item) => (typeof item === "string" ? item : canonicalText(item)));
  result.errors.push(fieldNotSupported(textOf(place), sortKeys(value), texts));
}

export function checkString(
  text: string,
  schema: JsonSchema,
  format: string,
  place: Place,
  result: Result,
  validation: Validation,
): void {
  result.count++;
  const fault = faultOfString(text, schema, place, validation);
  if (fault) result.errors.push(fault);
  if (format !== "") {
    result.count++;
    if (!isOfFormat(format, text)) {
      const path = textOf(place);
      const detail = `${path} in body must be of type ${format}: ${JSON.stringify(text)}`;
      result.errors.push({ type: "FieldValueTypeInvalid", field: path, value: text, detail });
    }
  }
}

/** The first of length and pattern that is not met. */
function faultOfString(
  text: string,
  { maxLength, minLength, pattern }: JsonSchema,
  place: Place,
  validation: Validation,
): FieldError | undefined {
  const fault = (why: string) => {
    const path = textOf(place);
    return fieldInvalid(path, text, `${path} in body ${why}`);
  };
  if (maxLength !== undefined || minLength !== undefined) {
    const length = codePoints(text);
    if (maxLength !== undefined && length > maxLength) return fieldTooLong(textOf(place), maxLength);
    if (minLength !== undefined && length < minLength) return fault(`should be at least ${minLength} chars long`);
  }
  if (!pattern) return undefined;
  const { regex, size } = compilePattern(pattern);
  spend(validation, Math.ceil((text.length * size) / MATCHES_OF_STEP));
  // A pattern that does not compile accepts nothing.
  return regex?.test(text) ? undefined : fault(`should match '${pattern}'`);
}

function codePoints(text: string): number {
  let count = 0;
  for (let i = 0; i < text.length; i++, count++) {
    const isHigh = (text.charCodeAt(i) & 0xfc00) === 0xd800;
    if (isHigh && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00) i++;
  }
  return count;
}

export function checkNumeric(value: number, schema: JsonSchema, format: string, place: Place, result: Result): void {
  result.count += 2;
  const path = textOf(place);
  const faults = checkNumber(value, schema, format, path);
  if (!faults) return;
  for (const sentence of faults.ranges) result.errors.push(fieldInvalid(NOWHERE, "", sentence));
  for (const sentence of faults.bounds) result.errors.push(fieldInvalid(path, value, `${path} in body ${sentence}`));
  if (faults.badFactor !== undefined) {
    const detail = `factor MultipleOf declared for ${path} must be positive: ${faults.badFactor}`;
    result.errors.push(fieldInvalid(path, faults.badFactor, detail));
  }
}
