import {
  type FieldError,
  fieldDuplicate,
  fieldForbidden,
  fieldInvalid,
  fieldRequired,
  fieldTooMany,
} from "../field-error.ts";
import type { FieldPath } from "../field-path.ts";
import { isObject } from "../json-value.ts";
import { type CostTotal, checkTotalCost, rootScope } from "./cel-schema-rules.ts";
import { validateDefaults } from "./default-rules.ts";
import type { JsonSchema, PrinterColumn } from "./definition.ts";
import type { InternalVersion } from "./internal-spec.ts";
import { readFieldPath } from "./rule-field-path.ts";
import { validateSchema } from "./schema-rules.ts";
import { type Structural, structuralOf } from "./structural.ts";
import { validateStructural } from "./structural-rules.ts";

/** What is said of one version of a definition, or of all of them (pkg/apis/apiextensions/validation). */

type Shared = Pick<InternalVersion, "schema" | "subresources" | "additionalPrinterColumns" | "selectableFields">;

export function validateShared(
  shared: Shared,
  path: FieldPath,
  { schemaName, statusEnabled }: { schemaName: string; statusEnabled: boolean },
  errors: FieldError[],
): void {
  const schema = shared.schema?.openAPIV3Schema;
  if (schema) validateRootSchema(schema, path.child(schemaName), statusEnabled, errors);
  validateSubresources(shared, path.child("subresources"), errors);
  shared.additionalPrinterColumns.forEach((column, i) => {
    validateColumn(column, path.child("additionalPrinterColumns").index(i), errors);
  });
  if (shared.selectableFields.length === 0) return;
  const at = path.child("selectableFields");
  if (schema) validateSelectableFields(shared.selectableFields, structuralOf(schema), at, errors);
  else errors.push(fieldInvalid(at, "", "may only be set when `version.schema.openAPIV3Schema` is not included"));
}

/** Upstream's names of the fields that a root schema may have where there is a status subresource, and ours. */
const ALLOWED_AT_ROOT: readonly [name: string, field: keyof JsonSchema][] = [
  ["Description", "description"],
  ["Type", "type"],
  ["Format", "format"],
  ["Title", "title"],
  ["Maximum", "maximum"],
  ["ExclusiveMaximum", "exclusiveMaximum"],
  ["Minimum", "minimum"],
  ["ExclusiveMinimum", "exclusiveMinimum"],
  ["MaxLength", "maxLength"],
  ["MinLength", "minLength"],
  ["Pattern", "pattern"],
  ["MaxItems", "maxItems"],
  ["MinItems", "minItems"],
  ["UniqueItems", "uniqueItems"],
  ["MultipleOf", "multipleOf"],
  ["Required", "required"],
  ["Items", "items"],
  ["Properties", "properties"],
  ["ExternalDocs", "externalDocs"],
  ["Example", "example"],
  ["XPreserveUnknownFields", "x-kubernetes-preserve-unknown-fields"],
  ["XValidations", "x-kubernetes-validations"],
];
const ALLOWED_FIELDS: ReadonlySet<string> = new Set(ALLOWED_AT_ROOT.map(([, field]) => field));

/** `path` is that of `validation` or `schema`. */
function validateRootSchema(schema: JsonSchema, path: FieldPath, statusEnabled: boolean, all: FieldError[]): void {
  const errors: FieldError[] = [];
  const at = path.child("openAPIV3Schema");
  if (statusEnabled) checkForStatus(schema, path, errors);
  if (schema.nullable) {
    errors.push(fieldForbidden(path.child("openAPIV3Schema.nullable"), "nullable cannot be true at the root"));
  }
  const unsupported = findUnsupported(schema);
  let isSound = false;
  if (unsupported === undefined) {
    const structural = validateStructural(schema, at);
    const found = structural.length > 0 ? structural : validateDefaults(structuralOf(schema), at);
    errors.push(...found);
    isSound = found.length === 0;
  }
  const costs: CostTotal = { total: 0, expensive: [] };
  errors.push(...validateSchema(schema, at, isSound ? rootScope(schema) : undefined, costs));
  if (errors.length === 0 && unsupported !== undefined) errors.push(fieldInvalid(at, "", unsupported));
  errors.push(...checkTotalCost(costs, at));
  all.push(...errors);
}

function checkForStatus(schema: JsonSchema, path: FieldPath, errors: FieldError[]): void {
  if (schema.type && schema.type !== "object") {
    const why = 'only "object" is allowed as the type at the root of the schema if the status subresource is enabled';
    errors.push(fieldInvalid(path.child("openAPIV3Schema.type"), schema.type, why));
    return;
  }
  const isSet = (value: unknown) =>
    value !== undefined && value !== false && value !== "" && !(Array.isArray(value) && value.length === 0);
  if (!Object.entries(schema).some(([field, value]) => isSet(value) && !ALLOWED_FIELDS.has(field))) return;
  const names = ALLOWED_AT_ROOT.map(([name]) => name).join(" ");
  const why = `only [${names}] fields are allowed at the root of the schema if the status subresource is enabled`;
  errors.push(fieldInvalid(path.child("openAPIV3Schema"), schema, why));
}

/** Why a schema cannot be read as a structural one at all. */
function findUnsupported(schema: JsonSchema): string | undefined {
  for (const [field, name] of UNSUPPORTED) {
    const value = schema[field];
    const isSet = isObject(value) ? Object.keys(value).length > 0 : Boolean(value);
    if (isSet || (field === "additionalItems" && value !== undefined)) {
      return `OpenAPIV3Schema '${name}' is not supported`;
    }
  }
  if (Array.isArray(schema.items) && schema.items.length > 0) {
    return "OpenAPIV3Schema 'items' must be a schema, but is an array";
  }
  if (schema["x-kubernetes-preserve-unknown-fields"] === false) {
    return "internal error: 'x-kubernetes-preserve-unknown-fields' must be true or undefined";
  }
  const { items, additionalProperties, properties = {}, allOf = [], anyOf = [], oneOf = [], not } = schema;
  const children = [...allOf, ...anyOf, ...oneOf, ...Object.values(properties), not, items, additionalProperties];
  for (const child of children) {
    const found = isObject(child) ? findUnsupported(child as JsonSchema) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

const UNSUPPORTED: readonly [field: keyof JsonSchema, name: string][] = [
  ["id", "id"],
  ["$schema", "schema"],
  ["$ref", "$ref"],
  ["patternProperties", "patternProperties"],
  ["dependencies", "dependencies"],
  ["additionalItems", "additionalItems"],
  ["definitions", "definitions"],
];

function validateSubresources({ subresources }: Shared, path: FieldPath, errors: FieldError[]): void {
  const scale = subresources?.scale;
  if (!scale) return;
  const checkPath = (name: string, value: string, roots: readonly string[], why: string) => {
    const at = path.child(`scale.${name}`);
    const before = errors.length;
    checkSimplePath(value, at, errors);
    if (errors.length === before && !roots.some((root) => value.startsWith(root))) {
      errors.push(fieldInvalid(at, value, why));
    }
  };
  const { specReplicasPath, statusReplicasPath, labelSelectorPath } = scale;
  if (!specReplicasPath) errors.push(fieldRequired(path.child("scale.specReplicasPath")));
  else checkPath("specReplicasPath", specReplicasPath, [".spec."], "should be a json path under .spec");
  if (!statusReplicasPath) errors.push(fieldRequired(path.child("scale.statusReplicasPath")));
  else checkPath("statusReplicasPath", statusReplicasPath, [".status."], "should be a json path under .status");
  if (!labelSelectorPath) return;
  const why = "should be a json path under either .spec or .status";
  checkPath("labelSelectorPath", labelSelectorPath, [".spec.", ".status."], why);
}

function checkSimplePath(text: string, path: FieldPath, errors: FieldError[]): void {
  if (!text.startsWith(".")) errors.push(fieldInvalid(path, text, "must be a simple json path starting with ."));
}

const COLUMN_TYPES = ["boolean", "date", "integer", "number", "string"];
const COLUMN_FORMATS = ["byte", "date", "date-time", "double", "float", "int32", "int64", "password"];

function validateColumn(column: PrinterColumn, path: FieldPath, errors: FieldError[]): void {
  const { name, type, format, jsonPath } = column;
  if (!name) errors.push(fieldRequired(path.child("name")));
  const ofTypes = `must be one of ${COLUMN_TYPES.join(",")}`;
  if (!type) errors.push(fieldRequired(path.child("type"), ofTypes));
  else if (!COLUMN_TYPES.includes(type)) errors.push(fieldInvalid(path.child("type"), type, ofTypes));
  if (format && !COLUMN_FORMATS.includes(format)) {
    errors.push(fieldInvalid(path.child("format"), format, `must be one of ${COLUMN_FORMATS.join(",")}`));
  }
  if (!jsonPath) errors.push(fieldRequired(path.child("JSONPath")));
  else checkSimplePath(jsonPath, path.child("JSONPath"), errors);
}

const SELECTABLE_FIELDS_MAX = 8;
const SELECTABLE_TYPES: ReadonlySet<string> = new Set(["string", "boolean", "integer"]);

function validateSelectableFields(
  fields: readonly { jsonPath: string }[],
  root: Structural,
  path: FieldPath,
  errors: FieldError[],
): void {
  const seen = new Set<string>();
  fields.forEach(({ jsonPath }, i) => {
    const at = path.index(i).child("jsonPath");
    if (!jsonPath) {
      errors.push(fieldRequired(at));
      return;
    }
    let found: ReturnType<typeof readFieldPath>;
    try {
      found = readFieldPath(jsonPath, root, { allowsArrays: false });
    } catch (error) {
      errors.push(fieldInvalid(at, jsonPath, `is an invalid path: ${(error as Error).message}`));
      return;
    }
    if (found.root === "metadata") errors.push(fieldInvalid(at, jsonPath, "must not point to fields in metadata"));
    if (!SELECTABLE_TYPES.has(found.node?.type ?? "")) {
      const why =
        "must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.";
      errors.push(fieldInvalid(at, jsonPath, why));
    }
    if (seen.has(found.path)) errors.push(fieldDuplicate(at, jsonPath));
    seen.add(found.path);
  });
  if (seen.size > SELECTABLE_FIELDS_MAX) errors.push(fieldTooMany(path, seen.size, SELECTABLE_FIELDS_MAX));
}
