import { assert } from "../assert.ts";
import { describeFieldError, type FieldError, fieldInvalid, fieldRequired } from "../field-error.ts";
import { cloneJson, isObject, type Json, type JsonObject } from "../json-value.ts";
import { dns1035LabelComplaints } from "../names.ts";
import type { ObjectMeta } from "../object.ts";
import { validateObjectMeta } from "../object-meta.ts";
import { BadValue, newDecodeState } from "../schema/decode-state.ts";
import { structDecoder } from "../schema/decoder.ts";
import { definitionNamed } from "../schema/facts.ts";
import { sortKeys } from "./go-json.ts";
import { ERRORS_MAX, pathOfField } from "./keyed-lists.ts";
import { nodeOfField, type Structural } from "./structural.ts";

/**
 * apiVersion, kind and metadata of objects: of the custom resource itself, and of those that its schema embeds
 * (x-kubernetes-embedded-resource; k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta).
 */

export interface MetaOptions {
  /** What is of a wrong type goes without a word: of objects that are read from the store. */
  dropMalformed: boolean;
}

/** A wrong type in metadata. `fault` says where, of what is embedded. */
export class MalformedMetadata extends Error {
  readonly fault: FieldError | undefined;

  constructor(message: string, fault?: FieldError) {
    super(message);
    this.fault = fault;
  }
}

const malformed = (fault: FieldError): MalformedMetadata => new MalformedMetadata(describeFieldError(fault), fault);

/** Metadata as metav1.ObjectMeta writes it, and the names of fields that it does not have. The value is used up. */
export function decodeObjectMeta(
  value: Json,
  { dropMalformed }: MetaOptions,
): { metadata: JsonObject; unknown: readonly string[] } {
  if (value === null) return { metadata: {}, unknown: [] };
  // Decoding uses the value up: what it was is needed again where a part of it is malformed.
  const whole = tryDecode(dropMalformed ? cloneJson(value) : value);
  if (whole.error === undefined) return whole;
  if (!dropMalformed) throw new MalformedMetadata(whole.error);
  if (!isObject(value)) return { metadata: {}, unknown: [] };
  const metadata: JsonObject = {};
  for (const key of Object.keys(value)) {
    const single = tryDecode({ [key]: value[key] });
    if (single.error === undefined) Object.assign(metadata, single.metadata);
  }
  return { metadata, unknown: [] };
}

function tryDecode(value: Json): { metadata: JsonObject; unknown: readonly string[]; error: string | undefined } {
  const definition = definitionNamed("~apis.meta.v1.ObjectMeta");
  assert(definition, "metav1.ObjectMeta has a schema");
  const state = newDecodeState();
  let metadata: JsonObject = {};
  let refused: string | undefined;
  try {
    metadata = structDecoder(definition)(value, state);
  } catch (error) {
    if (!(error instanceof BadValue)) throw error;
    refused = error.message;
  }
  return { metadata, unknown: state.unknown, error: refused ?? state.wrongType };
}

/**
 * Brings the metadata of embedded objects into its form, in place; answers the paths of unknown fields in it.
 * Throws MalformedMetadata with the text of a field error unless malformed fields are dropped.
 */
export function coerceEmbedded(value: Json, node: Structural, options: MetaOptions): string[] {
  const unknown: string[] = [];
  coerce(value, node, "", options, unknown);
  return unknown.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

function coerce(
  value: Json,
  node: Structural | undefined,
  path: string,
  options: MetaOptions,
  unknown: string[],
): void {
  if (!node?.hasEmbedded || typeof value !== "object" || value === null) return;
  if (Array.isArray(value)) {
    value.forEach((item, i) => {
      coerce(item, node.items, `${path}[${i}]`, options, unknown);
    });
    return;
  }
  const object = value as JsonObject;
  if (node.embedded) coerceType(object, path, options, unknown);
  for (const key of Object.keys(object)) {
    const property = node.properties?.get(key);
    if (property) coerce(object[key], property, child(path, key), options, unknown);
    else if (node.additional?.schema) coerce(object[key], node.additional.schema, `${path}[${key}]`, options, unknown);
  }
}

function coerceType(object: JsonObject, path: string, options: MetaOptions, unknown: string[]): void {
  for (const key of ["apiVersion", "kind"]) {
    const given = object[key];
    if (given === undefined || typeof given === "string") continue;
    if (!options.dropMalformed) throw malformed(fieldInvalid(child(path, key), sortKeys(given), "must be a string"));
    delete object[key];
  }
  if (object["metadata"] === undefined) return;
  const at = child(path, "metadata");
  const given = object["metadata"];
  try {
    const decoded = decodeObjectMeta(options.dropMalformed ? given : cloneJson(given), options);
    object["metadata"] = decoded.metadata;
    for (const field of decoded.unknown) unknown.push(`${at}.${field}`);
  } catch (error) {
    if (!(error instanceof MalformedMetadata)) throw error;
    throw malformed(fieldInvalid(at, sortKeys(given), error.message));
  }
}

const child = (path: string, name: string): string => (path === "" ? name : `${path}.${name}`);

/** Adds to `errors` what embedded objects must not be, up to ERRORS_MAX. `path` is where the value is. */
export function validateEmbedded(value: Json, node: Structural | undefined, errors: FieldError[], path = ""): void {
  if (!node?.hasEmbedded || typeof value !== "object" || value === null || errors.length >= ERRORS_MAX) return;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) validateEmbedded(value[i], node.items, errors, `${path}[${i}]`);
    return;
  }
  const object = value as JsonObject;
  if (node.embedded) validateType(object, path, errors);
  for (const key of Object.keys(object)) {
    const field = nodeOfField(node, key);
    if (field?.hasEmbedded) validateEmbedded(object[key], field, errors, pathOfField(node, key, path));
  }
}

function validateType(object: JsonObject, path: string, errors: FieldError[]): void {
  for (const name of ["apiVersion", "kind"]) {
    const at = child(path, name);
    const given = object[name];
    if (given === undefined) errors.push(fieldRequired(at));
    else if (typeof given !== "string") errors.push(fieldInvalid(at, sortKeys(given), "must be a string"));
    else if (given === "") errors.push(fieldInvalid(at, given, "must not be empty"));
    else for (const complaint of TYPE_COMPLAINTS[name]!(given)) errors.push(fieldInvalid(at, given, complaint));
  }
  const given = object["metadata"];
  if (given === undefined) return;
  const at = child(path, "metadata");
  try {
    const { metadata } = decodeObjectMeta(cloneJson(given), { dropMalformed: false });
    const meta = { ...metadata, name: (metadata["name"] as string | undefined) || "fakename" } as ObjectMeta;
    for (const error of validateObjectMeta(meta, { namespaced: Boolean(meta.namespace), nameRule: "path" })) {
      errors.push({ ...error, field: child(path, error.field) });
    }
  } catch (error) {
    if (!(error instanceof MalformedMetadata)) throw error;
    errors.push(fieldInvalid(at, sortKeys(given), error.message));
  }
}

const TYPE_COMPLAINTS: Record<string, (value: string) => readonly string[]> = {
  apiVersion: (value) => (value.split("/").length > 2 ? [`unexpected GroupVersion string: ${value}`] : []),
  kind(value) {
    const complaints = dns1035LabelComplaints(value.toLowerCase());
    return complaints.length > 0
      ? [`may have mixed case, but should otherwise match: ${complaints.join(",")}`]
      : complaints;
  },
};
