import { type FieldError, fieldForbidden, fieldInvalid, fieldNotSupported, fieldRequired } from "../field-error.ts";
import type { FieldPath } from "../field-path.ts";
import { isObject } from "../json-value.ts";
import { type CostTotal, checkRuleExpressions, type RuleScope, scopeOfChild } from "./cel-schema-rules.ts";
import type { JsonSchema, ValidationRule } from "./definition.ts";
import { readFieldPath } from "./rule-field-path.ts";
import { structuralOf } from "./structural.ts";

/**
 * What an OpenAPI v3 schema of a definition must be besides structural
 * (k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation ValidateCustomResourceDefinitionOpenAPISchema).
 */

const TYPES = ["array", "boolean", "integer", "number", "object", "string"];
const REASONS = ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];
const META_FIELDS: ReadonlySet<string> = new Set(["metadata", "kind", "apiVersion"]);

/** Where in the schema we are. */
interface Place {
  isRoot: boolean;
  /** Why defaults are refused here; undefined where they may be. */
  defaultsForbidden: string | undefined;
  insideMeta: boolean;
  /** The first place on the way whose old and new values cannot be told to belong together. */
  uncorrelatable: FieldPath | undefined;
}

interface SchemaErrors {
  schema: FieldError[];
  /** Told behind those of the schema. */
  rules: FieldError[];
}

/** `scope`: undefined where rules are not looked at, since the schema is not structural. */
export function validateSchema(
  schema: JsonSchema,
  path: FieldPath,
  scope: RuleScope | undefined,
  costs: CostTotal,
): FieldError[] {
  const place: Place = { isRoot: true, defaultsForbidden: undefined, insideMeta: false, uncorrelatable: undefined };
  const found = check(schema, path, place, scope, costs);
  return [...found.schema, ...found.rules];
}

/** Errors below are in the answer, too: rules are compiled only where nothing is wrong with what they are about. */
function check(
  schema: JsonSchema,
  path: FieldPath,
  place: Place,
  scope: RuleScope | undefined,
  costs: CostTotal,
): SchemaErrors {
  const found: SchemaErrors = { schema: [], rules: [] };
  const visit = (child: JsonSchema, at: FieldPath, inside: Place, childScope: RuleScope | undefined) => {
    const below = check(child, at, { ...inside, isRoot: false }, childScope, costs);
    for (const error of below.schema) found.schema.push(error);
    for (const error of below.rules) found.rules.push(error);
  };
  checkStandard(schema, path, place, found.schema);
  if (schema.uniqueItems) {
    const why = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic";
    found.schema.push(fieldForbidden(path.child("uniqueItems"), why));
  }
  const { additionalProperties, properties = {}, items, not, definitions = {}, dependencies = {} } = schema;
  const names = Object.keys(properties);
  if (additionalProperties !== undefined) {
    const at = path.child("additionalProperties");
    if (names.length > 0 && additionalProperties !== true) {
      found.schema.push(fieldForbidden(at, "additionalProperties and properties are mutual exclusive"));
    }
    if (isObject(additionalProperties)) {
      const forbidden = "inside additionalProperties applying to object metadata";
      const inside = place.insideMeta ? { ...place, defaultsForbidden: forbidden } : place;
      visit(additionalProperties as JsonSchema, at, inside, scopeOfChild(scope, additionalProperties as JsonSchema));
    }
  }
  const embedded = schema["x-kubernetes-embedded-resource"] === true;
  for (const name of names) {
    const property = properties[name]!;
    let inside = place;
    if ((place.isRoot || embedded) && META_FIELDS.has(name)) {
      inside = { ...inside, insideMeta: true };
      if (place.isRoot) inside.defaultsForbidden = `in top-level ${name}`;
    }
    visit(property, path.child("properties").key(name), inside, scopeOfChild(scope, property));
  }
  if (not) visit(not, path.child("not"), place, undefined);
  for (const junctor of ["allOf", "oneOf", "anyOf"] as const) {
    schema[junctor]?.forEach((nested, i) => {
      visit(nested, path.child(junctor).index(i), place, undefined);
    });
  }
  for (const [name, definition] of Object.entries(definitions)) {
    visit(definition, path.child("definitions").key(name), place, undefined);
  }
  if (items !== undefined) {
    const isMapList = schema["x-kubernetes-list-type"] === "map";
    const inside = isMapList ? place : { ...place, uncorrelatable: place.uncorrelatable ?? path };
    if (Array.isArray(items)) {
      items.forEach((item, i) => {
        visit(item, path.child("items").index(i), inside, scopeOfChild(scope, item));
      });
    } else if (isObject(items)) visit(items, path.child("items"), inside, scopeOfChild(scope, items));
  }
  for (const [name, dependency] of Object.entries(dependencies)) {
    if (isObject(dependency)) {
      visit(dependency as JsonSchema, path.child("dependencies").key(name), place, undefined);
    }
  }
  checkTopology(schema, path, found.schema);
  checkKeyedItems(schema, path, found.schema);
  schema["x-kubernetes-validations"]?.forEach((rule, i) => {
    checkRuleText(rule, schema, path.child("x-kubernetes-validations").index(i), found.schema);
  });
  if (found.schema.length === 0 && scope && (schema["x-kubernetes-validations"]?.length ?? 0) > 0) {
    checkRuleExpressions(
      schema,
      path.child("x-kubernetes-validations"),
      scope,
      place.uncorrelatable,
      costs,
      found.rules,
    );
  }
  return found;
}

/** What of JSON Schema is not supported at all. */
function checkStandard(schema: JsonSchema, path: FieldPath, place: Place, errors: FieldError[]): void {
  const { type } = schema;
  if (type && !TYPES.includes(type)) errors.push(fieldNotSupported(path.child("type"), type, TYPES));
  if (schema.default !== undefined && schema.default !== null && place.defaultsForbidden !== undefined) {
    errors.push(fieldForbidden(path.child("default"), `must not be set ${place.defaultsForbidden}`));
  }
  const refuse = (name: string) => errors.push(fieldForbidden(path.child(name), `${name} is not supported`));
  if (schema.id) refuse("id");
  if (schema.additionalItems !== undefined) refuse("additionalItems");
  for (const name of ["patternProperties", "definitions"] as const) {
    if (Object.keys(schema[name] ?? {}).length > 0) refuse(name);
  }
  if (schema.dependencies !== undefined) refuse("dependencies");
  if (schema.$ref !== undefined) refuse("$ref");
  if (type === "null") {
    errors.push(fieldForbidden(path.child("type"), "type cannot be set to null, use nullable as an alternative"));
  }
  if (Array.isArray(schema.items) && schema.items.length > 0) {
    errors.push(fieldForbidden(path.child("items"), "items must be a schema object and not an array"));
  }
  if (place.insideMeta && schema["x-kubernetes-embedded-resource"]) {
    const at = path.child("x-kubernetes-embedded-resource");
    errors.push(fieldForbidden(at, "must not be used inside of resource meta"));
  }
}

const MAP_TYPES = ["atomic", "granular"];
const LIST_TYPES = ["atomic", "set", "map"];

/** x-kubernetes-map-type, -list-type and -list-map-keys. */
function checkTopology(schema: JsonSchema, path: FieldPath, errors: FieldError[]): void {
  const { type = "" } = schema;
  if (schema["x-kubernetes-preserve-unknown-fields"] === false) {
    const at = path.child("x-kubernetes-preserve-unknown-fields");
    errors.push(fieldInvalid(at, false, "must be true or undefined"));
  }
  const wrongType = (why: string) => {
    const at = path.child("type");
    errors.push(type === "" ? fieldRequired(at, why) : fieldInvalid(at, type, why));
  };
  const mapType = schema["x-kubernetes-map-type"];
  if (mapType !== undefined && type !== "object") wrongType("must be object if x-kubernetes-map-type is specified");
  if (mapType !== undefined && !MAP_TYPES.includes(mapType)) {
    errors.push(fieldNotSupported(path.child("x-kubernetes-map-type"), mapType, MAP_TYPES));
  }
  const listType = schema["x-kubernetes-list-type"];
  const listTypeAt = path.child("x-kubernetes-list-type");
  if (listType !== undefined && type !== "array") wrongType("must be array if x-kubernetes-list-type is specified");
  else if (listType === "set" && isObject(schema.items)) checkSetItems(schema.items, path.child("items"), errors);
  if (listType !== undefined && !LIST_TYPES.includes(listType)) {
    errors.push(fieldNotSupported(listTypeAt, listType, LIST_TYPES));
  }
  const keys = schema["x-kubernetes-list-map-keys"] ?? [];
  if (keys.length > 0 && listType !== "map") {
    const why = "must be map if x-kubernetes-list-map-keys is non-empty";
    errors.push(listType === undefined ? fieldRequired(listTypeAt, why) : fieldInvalid(listTypeAt, listType, why));
  }
  if (listType === "map") checkMapList(schema, keys, path, errors);
}

function checkSetItems(items: JsonSchema, path: FieldPath, errors: FieldError[]): void {
  const why = "must be atomic as item of a list with x-kubernetes-list-type=set";
  const listType = items["x-kubernetes-list-type"];
  if (items.type === "array" && listType !== undefined && listType !== "atomic") {
    errors.push(fieldInvalid(path.child("x-kubernetes-list-type"), listType, why));
  }
  if (items.type === "object" && items["x-kubernetes-map-type"] !== "atomic") {
    errors.push(fieldInvalid(path.child("x-kubernetes-map-type"), listType ?? null, why));
  }
}

function checkMapList(schema: JsonSchema, keys: readonly string[], path: FieldPath, errors: FieldError[]): void {
  const { items } = schema;
  const keysAt = path.child("x-kubernetes-list-map-keys");
  if (keys.length === 0) errors.push(fieldRequired(keysAt, "must not be empty if x-kubernetes-list-type is map"));
  const itemsAt = path.child("items");
  if (items === undefined) {
    errors.push(fieldRequired(itemsAt, "must have a schema if x-kubernetes-list-type is map"));
    return;
  }
  if (!isObject(items)) {
    errors.push(fieldInvalid(itemsAt, items, "must only have a single schema if x-kubernetes-list-type is map"));
    return;
  }
  const { type = "", properties = {} } = items as JsonSchema;
  if (type !== "object") {
    const why = "must be object if parent array's x-kubernetes-list-type is map";
    errors.push(fieldInvalid(itemsAt.child("type"), type, why));
    return;
  }
  const seen = new Set<string>();
  for (const key of keys) {
    const property = Object.hasOwn(properties, key) ? properties[key] : undefined;
    if (!property) {
      errors.push(fieldInvalid(keysAt, keys, "entries must all be names of item properties"));
    } else if (property.type === "array" || property.type === "object") {
      const why = "must be a scalar type if parent array's x-kubernetes-list-type is map";
      errors.push(fieldInvalid(itemsAt.child("properties").key(key).child("type"), type, why));
    }
    if (seen.has(key)) errors.push(fieldInvalid(keysAt, keys, "must not contain duplicate entries"));
    seen.add(key);
  }
}

/** Items that are told apart, and what they are told apart by, are always there. */
function checkKeyedItems(schema: JsonSchema, path: FieldPath, errors: FieldError[]): void {
  const listType = schema["x-kubernetes-list-type"];
  const { items } = schema;
  if ((listType !== "set" && listType !== "map") || !isObject(items)) return;
  const at = path.child("items");
  const { nullable, properties = {}, required = [] } = items as JsonSchema;
  if (nullable) {
    errors.push(fieldForbidden(at.child("nullable"), `cannot be nullable when x-kubernetes-list-type is ${listType}`));
  }
  if (listType === "set") return;
  for (const key of schema["x-kubernetes-list-map-keys"] ?? []) {
    const property = Object.hasOwn(properties, key) ? properties[key] : undefined;
    if (!property) continue;
    const keyAt = at.child("properties").key(key);
    if (!required.includes(key) && (property.default ?? undefined) === undefined) {
      const why = "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property";
      errors.push(fieldRequired(keyAt.child("default"), why));
    }
    if (property.nullable) {
      const why = "this property is in x-kubernetes-list-map-keys, so it cannot be nullable";
      errors.push(fieldForbidden(keyAt.child("nullable"), why));
    }
  }
}

const hasNewline = (text: string): boolean => /[\n\r]/.test(text);

/** What a rule says besides its expressions. */
function checkRuleText(rule: ValidationRule, schema: JsonSchema, path: FieldPath, errors: FieldError[]): void {
  const { message = "", messageExpression = "", fieldPath = "", reason } = rule;
  const source = (rule.rule ?? "").trim();
  const text = message.trim();
  if (source === "") errors.push(fieldRequired(path.child("rule"), "rule is not specified"));
  else if (message !== "" && text === "") {
    errors.push(fieldInvalid(path.child("message"), message, "must be non-empty if specified"));
  } else if (hasNewline(text)) {
    errors.push(fieldInvalid(path.child("message"), message, "must not contain line breaks"));
  } else if (hasNewline(source) && text === "") {
    errors.push(fieldRequired(path.child("message"), "message must be specified if rule contains line breaks"));
  }
  if (messageExpression !== "" && messageExpression.trim() === "") {
    const why = "messageExpression must be non-empty if specified";
    errors.push(fieldRequired(path.child("messageExpression"), why));
  }
  if (reason !== undefined && !REASONS.includes(reason)) {
    errors.push(fieldNotSupported(path.child("reason"), reason, REASONS));
  }
  if (fieldPath === "") return;
  const at = path.child("fieldPath");
  if (fieldPath.trim() === "") errors.push(fieldInvalid(at, fieldPath, "must be non-empty if specified"));
  if (hasNewline(fieldPath)) errors.push(fieldInvalid(at, fieldPath, "must not contain line breaks"));
  try {
    readFieldPath(fieldPath, structuralOf(schema));
  } catch {
    errors.push(fieldInvalid(at, fieldPath, "must be a valid path"));
  }
}
