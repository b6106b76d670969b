import { type FieldError, fieldForbidden, fieldInvalid } from "../field-error.ts";
import type { FieldPath } from "../field-path.ts";
import { isObject } from "../json-value.ts";
import type { JsonSchema } from "./definition.ts";
import { compilePattern, PROGRAM_SIZE_MAX } from "./pattern.ts";

/** Every pattern of a schema compiles, and all together are no larger than PROGRAM_SIZE_MAX. */
export function checkPatterns(schema: JsonSchema, path: FieldPath, errors: FieldError[]): void {
  check(schema, path, errors, { sizeLeft: PROGRAM_SIZE_MAX });
}

interface Budget {
  sizeLeft: number;
}

function check(schema: JsonSchema, path: FieldPath, errors: FieldError[], budget: Budget): void {
  if (budget.sizeLeft < 0) return;
  if (schema.pattern) checkPattern(schema.pattern, path.child("pattern"), errors, budget);
  const { items, additionalProperties, properties = {}, not } = schema;
  if (isObject(items)) check(items as JsonSchema, path.child("items"), errors, budget);
  for (const [name, property] of Object.entries(properties)) {
    check(property, path.child("properties").key(name), errors, budget);
  }
  if (isObject(additionalProperties)) {
    check(additionalProperties as JsonSchema, path.child("additionalProperties"), errors, budget);
  }
  for (const junctor of ["anyOf", "allOf", "oneOf"] as const) {
    schema[junctor]?.forEach((nested, i) => {
      check(nested, path.child(junctor).index(i), errors, budget);
    });
  }
  if (not) check(not, path.child("not"), errors, budget);
}

function checkPattern(source: string, path: FieldPath, errors: FieldError[], budget: Budget): void {
  const { error, size } = compilePattern(source);
  if (error !== undefined) {
    errors.push(fieldInvalid(path, source, `must be a valid regular expression, but isn't: ${error}`));
  }
  budget.sizeLeft -= size;
  if (budget.sizeLeft >= 0) return;
  const why = `with this one the regular expressions of the schema have more than ${PROGRAM_SIZE_MAX} instructions`;
  errors.push(fieldForbidden(path, why));
}
