import { type FieldError, fieldInvalid, fieldRequired, fieldTooMany } from "../field-error.ts";
import { has, isObject, type Json, type JsonObject } from "../json-value.ts";
import { checkEnum, checkNumeric, checkString, checkType } from "./check-scalar.ts";
import type { Correlation } from "./correlation.ts";
import type { JsonSchema } from "./definition.ts";
import { heededFormat } from "./formats.ts";
import { canonicalText } from "./go-json.ts";
import { ERRORS_MAX } from "./keyed-lists.ts";
import { NOWHERE, type Place, type Result, spend, textOf, type Validation } from "./validation-state.ts";

/**
 * Values against OpenAPI v3 schemas: rules and words of k8s.io/kube-openapi/pkg/validation/validate, with the ratcheting of
 * k8s.io/apiextensions-apiserver/pkg/apiserver/validation. Schemas are read as they are; nothing is made of them beforehand.
 */

export interface ValidateOptions {
  /** The path of the value, before all paths of errors; the sentences name places from the value on. */
  path?: string;
  /** At an update: errors of what did not change are passed over. */
  correlation?: Correlation | undefined;
}

/** What the schema does not allow of the value: at most ERRORS_MAX errors. Throws a 413 ApiError at VALIDATION_STEPS_MAX. */
export function validateValue(value: Json, schema: JsonSchema, { path = "", correlation }: ValidateOptions = {}) {
  const result: Result = { errors: [], count: 0 };
  visit(value, schema, undefined, correlation, result, { steps: 0 });
  if (result.errors.length === 0) return result.errors;
  const told = new Set<string>();
  const errors: FieldError[] = [];
  for (const error of result.errors) {
    // Alternatives find the same again; upstream tells each sentence once.
    const key = `${error.field}\n${error.type}\n${error.detail}`;
    if (told.has(key)) continue;
    told.add(key);
    errors.push({ ...error, field: underPath(path, error.field) });
  }
  return errors;
}

function underPath(path: string, field: string): string {
  if (field === "" || field === NOWHERE) return path || NOWHERE;
  return path === "" ? field : field.startsWith("[") ? path + field : `${path}.${field}`;
}

/** As `check`; errors of a value that is as it was are dropped. */
function visit(
  value: Json,
  schema: JsonSchema,
  place: Place,
  correlation: Correlation | undefined,
  result: Result,
  validation: Validation,
): void {
  const before = result.errors.length;
  if (before >= ERRORS_MAX) return;
  check(value, schema, place, correlation, result, validation);
  if (result.errors.length > before && correlation?.isSame()) result.errors.length = before;
}

function check(
  value: Json,
  schema: JsonSchema,
  place: Place,
  correlation: Correlation | undefined,
  result: Result,
  validation: Validation,
): void {
  spend(validation, 1);
  const format = heededFormat(schema);
  checkType(value, schema, format, place, result);
  if (value === null || value === undefined) {
    checkEnum(value, schema, place, result, validation);
    return;
  }
  checkAlternatives(value, schema, place, correlation, result, validation);
  if (typeof value === "string") checkString(value, schema, format, place, result, validation);
  else if (typeof value === "number") checkNumeric(value, schema, format, place, result);
  else if (Array.isArray(value)) checkList(value, schema, place, correlation, result, validation);
  checkEnum(value, schema, place, result, validation);
  if (isObject(value)) checkObject(value, schema, place, correlation, result, validation);
  // The checks that apply to every value, and the whole.
  result.count += 3;
}

function checkList(
  items: readonly Json[],
  schema: JsonSchema,
  place: Place,
  correlation: Correlation | undefined,
  result: Result,
  validation: Validation,
): void {
  result.count += 2;
  const { items: itemSchema, minItems, maxItems } = schema;
  if (isObject(itemSchema)) {
    for (let i = 0; i < items.length; i++) {
      const at: Place = { parent: place, segment: i };
      visit(items[i], itemSchema as JsonSchema, at, correlation?.index(i), result, validation);
    }
  }
  if (minItems !== undefined && items.length < minItems) {
    const path = textOf(place);
    const detail = `${path} in body should have at least ${minItems} items`;
    result.errors.push(fieldInvalid(path, items.length, detail));
  }
  if (maxItems !== undefined && items.length > maxItems) {
    result.errors.push(fieldTooMany(textOf(place), items.length, maxItems));
  }
  if (schema.uniqueItems && new Set(items.map(canonicalText)).size < items.length) {
    const path = textOf(place);
    result.errors.push(fieldInvalid(path, "", `${path} in body shouldn't contain duplicates`));
  }
}

function checkObject(
  object: JsonObject,
  schema: JsonSchema,
  place: Place,
  correlation: Correlation | undefined,
  result: Result,
  validation: Validation,
): void {
  result.count++;
  const { minProperties, maxProperties, additionalProperties, properties, required } = schema;
  const keys = Object.keys(object);
  if (minProperties !== undefined && keys.length < minProperties) {
    const path = textOf(place);
    const detail = `${path} in body should have at least ${minProperties} properties`;
    result.errors.push(fieldInvalid(path, keys.length, detail));
  }
  if (maxProperties !== undefined && keys.length > maxProperties) {
    result.errors.push(fieldTooMany(textOf(place), keys.length, maxProperties));
  }
  for (const key of keys) {
    const property = properties && has(properties, key) ? properties[key] : undefined;
    const field = property ?? (isObject(additionalProperties) ? (additionalProperties as JsonSchema) : undefined);
    if (field) {
      // What an object says of its type is what was asked for: never as it was.
      const isType = place === undefined && (key === "apiVersion" || key === "kind");
      const old = isType ? undefined : correlation?.key(key);
      visit(object[key], field, { parent: place, segment: key }, old, result, validation);
    } else if (additionalProperties === false) {
      const path = textOf(place);
      result.errors.push(fieldInvalid(path, key, `${path}.${key} in body is a forbidden property`));
    }
  }
  for (const name of required ?? []) {
    if (!has(object, name)) result.errors.push(fieldRequired(textOf({ parent: place, segment: name })));
  }
}

function checkAlternatives(
  value: Json,
  schema: JsonSchema,
  place: Place,
  correlation: Correlation | undefined,
  result: Result,
  validation: Validation,
): void {
  result.count++;
  const { anyOf, oneOf, allOf, not } = schema;
  if (!anyOf && !oneOf && !allOf && !not) return;
  const attempt = (alternative: JsonSchema): Result => {
    const own: Result = { errors: [], count: 0 };
    check(value, alternative, place, correlation, own, validation);
    return own;
  };
  const tell = (sentence: string) => {
    result.errors.push(fieldInvalid(NOWHERE, "", `${JSON.stringify(textOf(place))} ${sentence}`));
  };
  const take = (own: Result | undefined) => {
    if (!own) return;
    for (const error of own.errors) result.errors.push(error);
    result.count += own.count;
  };
  if (anyOf && anyOf.length > 0) {
    let best: Result | undefined;
    for (const alternative of anyOf) {
      const own = attempt(alternative);
      if (own.errors.length === 0 || best === undefined || own.count > best.count) best = own;
      if (own.errors.length === 0) break;
    }
    if (best && best.errors.length > 0) tell("must validate at least one schema (anyOf)");
    take(best);
  }
  if (oneOf && oneOf.length > 0) {
    const tried = oneOf.map(attempt);
    const valid = tried.filter(({ errors }) => errors.length === 0);
    if (valid.length === 1) take(valid[0]);
    else if (valid.length > 1) {
      tell(`must validate one and only one schema (oneOf). Found ${valid.length} valid alternatives`);
    } else {
      tell("must validate one and only one schema (oneOf). Found none valid");
      take(tried.reduce((best, own) => (own.count > best.count ? own : best)));
    }
  }
  if (allOf && allOf.length > 0) {
    const tried = allOf.map(attempt);
    tried.forEach(take);
    const valid = tried.filter(({ errors }) => errors.length === 0).length;
    if (valid !== tried.length) tell(`must validate all the schemas (allOf)${valid === 0 ? ". None validated" : ""}`);
  }
  if (not && attempt(not).errors.length === 0) tell("must not validate the schema (not)");
}
