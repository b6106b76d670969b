import { describeFieldError, type FieldError, fieldForbidden, fieldInvalid, fieldRequired } from "../field-error.ts";
import type { FieldPath } from "../field-path.ts";
import { isObject } from "../json-value.ts";
import type { JsonSchema } from "./definition.ts";
import { checkPatterns } from "./pattern-rules.ts";

/**
 * What makes a schema structural (KEP-1022; k8s.io/apiextensions-apiserver/pkg/apiserver/schema ValidateStructural): every field
 * has one type, said outside of allOf, anyOf, oneOf and not.
 */

type Level = "root" | "item" | "field";

const LEVEL_NAMES: Record<Level, string> = {
  root: "at the root",
  item: "for specified array items",
  field: "for specified object fields",
};

/** In the order of their text. */
export function validateStructural(schema: JsonSchema, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  checkInvariants(schema, "root", path, errors);
  checkCompleteness(schema, schema, path, path, errors);
  checkPatterns(schema, path, errors);
  return errors
    .map((error) => ({ error, text: describeFieldError(error) }))
    .sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0))
    .map(({ error }) => error);
}

const schemaOf = (value: unknown): JsonSchema | undefined => (isObject(value) ? (value as JsonSchema) : undefined);

function checkInvariants(schema: JsonSchema, level: Level, path: FieldPath, errors: FieldError[]): void {
  const { type = "", properties = {}, items, additionalProperties } = schema;
  const embedded = schema["x-kubernetes-embedded-resource"] === true;
  const preserves = schema["x-kubernetes-preserve-unknown-fields"] === true;
  const intOrString = schema["x-kubernetes-int-or-string"] === true;
  const itemSchema = schemaOf(items);
  if (type === "array" && !itemSchema) errors.push(fieldRequired(path.child("items"), "must be specified"));
  if (itemSchema) checkInvariants(itemSchema, "item", path.child("items"), errors);
  for (const [name, property] of Object.entries(properties)) {
    checkInvariants(property, "field", path.child("properties").key(name), errors);
  }
  if (additionalProperties !== undefined) {
    const at = path.child("additionalProperties");
    if (level === "root") errors.push(fieldForbidden(at, "must not be used at the root"));
    const additional = schemaOf(additionalProperties);
    if (additional) checkInvariants(additional, "field", at, errors);
  }
  if (intOrString && preserves) {
    const at = path.child("x-kubernetes-preserve-unknown-fields");
    errors.push(fieldInvalid(at, true, "must be false if x-kubernetes-int-or-string is true"));
  }
  if (intOrString && embedded) {
    const at = path.child("x-kubernetes-embedded-resource");
    errors.push(fieldInvalid(at, true, "must be false if x-kubernetes-int-or-string is true"));
  }
  checkJunctors(schema, path, errors, {
    skipsAnyOf: isIntOrString(schema.anyOf),
    skipsFirstAllOf: isIntOrString(schema.allOf?.[0]?.anyOf),
  });
  if (embedded && type !== "object") {
    const why = "must be object if x-kubernetes-embedded-resource is true";
    errors.push(type === "" ? fieldRequired(path.child("type"), why) : fieldInvalid(path.child("type"), type, why));
  } else if (type === "" && !intOrString && !preserves) {
    errors.push(fieldRequired(path.child("type"), `must not be empty ${LEVEL_NAMES[level]}`));
  }
  if (embedded && additionalProperties !== undefined) {
    const why = "must not be used if x-kubernetes-embedded-resource is set";
    errors.push(fieldForbidden(path.child("additionalProperties"), why));
  }
  if (level === "root" && type !== "" && type !== "object") {
    errors.push(fieldInvalid(path.child("type"), type, "must be object at the root"));
  }
  checkTypeFields(schema, level, path, errors);
  if (embedded && !preserves && Object.keys(properties).length === 0) {
    const why =
      "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields";
    errors.push(fieldRequired(path.child("properties"), why));
  }
}

/** apiVersion, kind and metadata of objects. */
function checkTypeFields(schema: JsonSchema, level: Level, path: FieldPath, errors: FieldError[]): void {
  const isResource = level === "root" || schema["x-kubernetes-embedded-resource"] === true;
  const own = (name: string) =>
    schema.properties && Object.hasOwn(schema.properties, name) ? schema.properties[name] : undefined;
  const at = (name: string) => path.child("properties").key(name);
  if (isResource) {
    for (const name of ["kind", "apiVersion"]) {
      const property = own(name);
      if (property && property.type !== "string") {
        errors.push(fieldInvalid(at(name).child("type"), property.type ?? "", "must be string"));
      }
    }
  }
  const metadata = own("metadata");
  if (!metadata) return;
  if (isResource && metadata.type !== "object") {
    errors.push(fieldInvalid(at("metadata").child("type"), metadata.type ?? "", "must be object"));
  }
  if (level !== "root") return;
  const { type: _, default: __, properties = {}, ...rest } = metadata;
  const names = Object.keys(properties);
  const isRestricted = names.every((name) => name === "name" || name === "generateName");
  if (!isRestricted || Object.keys(rest).length > 0) {
    const why = "must not specify anything other than name and generateName, but metadata is implicitly specified";
    errors.push(fieldForbidden(at("metadata"), why));
  }
}

/** `anyOf: [{type: integer}, {type: string}]`, which says again what x-kubernetes-int-or-string says. */
export function isIntOrString(anyOf: readonly JsonSchema[] | undefined): boolean {
  if (anyOf?.length !== 2) return false;
  return anyOf.every((schema, i) => {
    const keys = Object.keys(schema);
    return keys.length === 1 && schema.type === (i === 0 ? "integer" : "string");
  });
}

interface Skipped {
  skipsAnyOf: boolean;
  skipsFirstAllOf: boolean;
}

const NOTHING_SKIPPED: Skipped = { skipsAnyOf: false, skipsFirstAllOf: false };

function checkJunctors(schema: JsonSchema, path: FieldPath, errors: FieldError[], skipped: Skipped): void {
  const { anyOf = [], allOf = [], oneOf = [], not } = schema;
  if (!skipped.skipsAnyOf) {
    anyOf.forEach((nested, i) => {
      checkNested(nested, path.child("anyOf").index(i), errors);
    });
  }
  allOf.forEach((nested, i) => {
    const skipsAnyOf = skipped.skipsFirstAllOf && i === 0;
    checkNested(nested, path.child("allOf").index(i), errors, { ...NOTHING_SKIPPED, skipsAnyOf });
  });
  oneOf.forEach((nested, i) => {
    checkNested(nested, path.child("oneOf").index(i), errors);
  });
  if (not) checkNested(not, path.child("not"), errors);
}

const isFilled = (value: unknown): boolean => Array.isArray(value) && value.length > 0;

/** What may not be said below a junctor, in the order of upstream's checks. */
const FORBIDDEN: readonly [name: keyof JsonSchema, why: string, isSet: (value: unknown) => boolean][] = [
  ["type", "must be empty to be structural", Boolean],
  ["additionalProperties", "must be undefined to be structural", (value) => value !== undefined && value !== false],
  ["default", "must be undefined to be structural", (value) => value !== undefined && value !== null],
  ["title", "must be empty to be structural", Boolean],
  ["description", "must be empty to be structural", Boolean],
  ["nullable", "must be false to be structural", Boolean],
  ["x-kubernetes-preserve-unknown-fields", "must be false to be structural", Boolean],
  ["x-kubernetes-embedded-resource", "must be false to be structural", Boolean],
  ["x-kubernetes-int-or-string", "must be false to be structural", Boolean],
  ["x-kubernetes-list-map-keys", "must be empty to be structural", isFilled],
  ["x-kubernetes-list-type", "must be undefined to be structural", (value) => value !== undefined],
  ["x-kubernetes-map-type", "must be undefined to be structural", (value) => value !== undefined],
  ["x-kubernetes-validations", "must be empty to be structural", isFilled],
];

function checkNested(nested: JsonSchema, path: FieldPath, errors: FieldError[], skipped = NOTHING_SKIPPED): void {
  checkJunctors(nested, path, errors, skipped);
  const items = schemaOf(nested.items);
  if (items) checkNested(items, path.child("items"), errors);
  for (const [name, property] of Object.entries(nested.properties ?? {})) {
    checkNested(property, path.child("properties").key(name), errors);
  }
  for (const [name, why, isSet] of FORBIDDEN) {
    if (isSet(nested[name])) errors.push(fieldForbidden(path.child(name), why));
  }
  if (nested.properties && Object.hasOwn(nested.properties, "metadata")) {
    errors.push(fieldForbidden(path.child("properties").key("metadata"), "must not be specified in a nested context"));
  }
}

/** Everything that a junctor speaks of is also specified outside of it. `spine`: what is said outside, at `spinePath`. */
function checkCompleteness(
  schema: JsonSchema,
  spine: JsonSchema,
  spinePath: FieldPath,
  path: FieldPath,
  errors: FieldError[],
): void {
  const { not, allOf = [], anyOf = [], oneOf = [] } = schema;
  if (not) checkNestedCompleteness(not, spine, spinePath, path.child("not"), errors);
  for (const [name, list] of Object.entries({ allOf, anyOf, oneOf })) {
    list.forEach((nested, i) => {
      checkNestedCompleteness(nested, spine, spinePath, path.child(name).index(i), errors);
    });
  }
}

function checkNestedCompleteness(
  nested: JsonSchema,
  spine: JsonSchema | undefined,
  spinePath: FieldPath,
  path: FieldPath,
  errors: FieldError[],
): void {
  if (!spine) {
    errors.push(fieldRequired(spinePath, `because it is defined in ${path}`));
    return;
  }
  checkCompleteness(nested, spine, spinePath, path, errors);
  const items = schemaOf(nested.items);
  if (items) {
    checkNestedCompleteness(items, schemaOf(spine.items), spinePath.child("items"), path.child("items"), errors);
  }
  for (const [name, property] of Object.entries(nested.properties ?? {})) {
    const has = spine.properties && Object.hasOwn(spine.properties, name);
    const [at, from] = [spinePath, path].map((place) => place.child("properties").key(name)) as [FieldPath, FieldPath];
    checkNestedCompleteness(property, has ? spine.properties![name] : undefined, at, from, errors);
  }
}
