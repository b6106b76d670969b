import { describeFieldError, type FieldError, fieldInvalid } from "../field-error.ts";
import type { FieldPath } from "../field-path.ts";
import { cloneJson, equalJson, isObject, type Json, type JsonObject } from "../json-value.ts";
import { validateRules } from "./cel-validation.ts";
import { coerceEmbedded, MalformedMetadata, validateEmbedded } from "./embedded-metadata.ts";
import { sortKeys } from "./go-json.ts";
import { prune } from "./prune.ts";
import type { Structural } from "./structural.ts";
import { validateValue } from "./validate-value.ts";

/**
 * Defaults of a definition's schema are valid and have no field that would be pruned
 * (k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting ValidateDefaults).
 */

/** How a default becomes part of a whole object. */
type Surround = (value: Json) => Json;

const META_FIELDS: ReadonlySet<string> = new Set(["metadata", "apiVersion", "kind"]);

/** An object of which only what is put into it is looked at. */
const asResource: Surround = (value) => ({
  kind: "Validation",
  apiVersion: "validation/v1",
  ...(isObject(value) ? value : {}),
});

export function validateDefaults(root: Structural, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  if (root.hasDefaults) visit({ ...root, embedded: true, hasEmbedded: true }, path, undefined, errors);
  return errors;
}

interface Meta {
  /** The object whose type or metadata this is. */
  readonly resource: Structural;
  readonly surround: Surround;
  readonly inside: boolean;
}

function visit(node: Structural, path: FieldPath, around: Meta | undefined, errors: FieldError[]): void {
  if (!node.hasDefaults) return;
  const meta: Meta = node.embedded || !around ? { resource: node, surround: asResource, inside: false } : around;
  if (node.default !== undefined) checkDefault(node, path.child("default"), meta, errors);
  if (node.items) {
    const surround: Surround = (value) => meta.surround([value]);
    visit(node.items, path.child("items"), { ...meta, surround }, errors);
  }
  for (const [name, property] of node.properties ?? []) {
    const inside = meta.inside || (node.embedded && META_FIELDS.has(name));
    const surround: Surround = (value) => meta.surround({ [name]: value });
    visit(property, path.child("properties").key(name), { ...meta, inside, surround }, errors);
  }
}

function checkDefault(node: Structural, path: FieldPath, meta: Meta, errors: FieldError[]): void {
  const found = meta.inside ? checkMetaDefault(node, path, meta) : checkPlainDefault(node, path);
  for (const error of found.errors) errors.push(error);
  if (found.errors.length > 0 && found.ends) return;
  const ofValue = validateValue(node.default, node.schema, { path: String(path) });
  if (ofValue.length > 0) {
    errors.push(...ofValue);
    return;
  }
  if (!node.hasRules) return;
  const isResource = node === meta.resource;
  // Once as what it always was, and once as what is new.
  for (const old of [node.default, undefined]) {
    const ofRules: FieldError[] = [];
    validateRules(node, { value: node.default, old, isResource }, { errors: ofRules, warnings: [] }, String(path));
    errors.push(...ofRules);
    if (ofRules.length > 0) return;
  }
}

/** `ends`: the value itself is not looked at. */
interface Found {
  errors: FieldError[];
  ends: boolean;
}

/** A default within apiVersion, kind or metadata, which have to be valid with it. */
function checkMetaDefault(node: Structural, path: FieldPath, { resource, surround }: Meta): Found {
  const whole = surround(cloneJson(node.default)) as JsonObject;
  const refuse = (why: string): Found => ({
    errors: [fieldInvalid(path, sortKeys(node.default), `must result in valid metadata: ${why}`)],
    ends: true,
  });
  const fault = faultOfMetadata(whole, resource);
  if (fault) return refuse(describeFieldError(fault));
  const errors: FieldError[] = [];
  validateEmbedded(whole, resource, errors);
  if (errors.length === 0) return { errors, ends: false };
  const texts = errors.map(describeFieldError);
  return refuse(texts.length === 1 ? texts[0]! : `[${texts.join(", ")}]`);
}

function checkPlainDefault(node: Structural, path: FieldPath): Found {
  const pruned = cloneJson(node.default);
  prune(pruned, node, { isRoot: node.embedded });
  const coerced = cloneJson(node.default);
  const fault = faultOfMetadata(coerced, node);
  const errors: FieldError[] = [];
  if (!equalJson(pruned, node.default)) {
    // Shown as upstream shows it: with the metadata that is left.
    errors.push(fieldInvalid(path, sortKeys(coerced), "must not have unknown fields"));
  }
  if (fault) {
    errors.push({ ...fault, field: `${path}.${fault.field}` });
    return { errors, ends: true };
  }
  const ofEmbedded: FieldError[] = [];
  validateEmbedded(coerced, node, ofEmbedded, String(path));
  for (const error of ofEmbedded) errors.push(error);
  return { errors, ends: ofEmbedded.length > 0 };
}

/** Brings embedded metadata into its form, in place; answers what hinders it. */
function faultOfMetadata(value: Json, node: Structural): FieldError | undefined {
  try {
    coerceEmbedded(value, node, { dropMalformed: false });
    return undefined;
  } catch (error) {
    if (error instanceof MalformedMetadata && error.fault) return error.fault;
    throw error;
  }
}
