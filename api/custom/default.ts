import { assign, cloneJson, has, isObject, type Json } from "../json-value.ts";
import { ApiError } from "../status.ts";
import type { Structural } from "./structural.ts";

/** What defaults may add to one object, as JSON: a large default in the items of a long list would grow without end. */
export const DEFAULTS_CHARS_MAX = 8 * 1024 * 1024;

interface Defaulting {
  charsLeft: number;
}

/**
 * Sets the schema's defaults in place: of what is absent, and of nulls that may not be null. What a default brings in gets the
 * defaults below it (k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting). Throws a 413 ApiError at DEFAULTS_CHARS_MAX.
 */
export function setDefaults(value: Json, node: Structural): void {
  fill(value, node, { charsLeft: DEFAULTS_CHARS_MAX });
}

function fill(value: Json, node: Structural | undefined, state: Defaulting): void {
  if (!node?.hasDefaults || typeof value !== "object" || value === null) return;
  const { properties, additional, items } = node;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      if (items && isMisplacedNull(value[i], items)) value[i] = defaultOf(items, state);
      fill(value[i], items, state);
    }
    return;
  }
  if (!isObject(value)) return;
  for (const [name, property] of properties ?? []) {
    if (property.default === undefined) continue;
    if (!has(value, name) || isMisplacedNull(value[name], property)) assign(value, name, defaultOf(property, state));
  }
  for (const key of Object.keys(value)) {
    const property = properties?.get(key);
    if (property) {
      fill(value[key], property, state);
    } else if (additional?.schema) {
      if (isMisplacedNull(value[key], additional.schema)) assign(value, key, defaultOf(additional.schema, state));
      fill(value[key], additional.schema, state);
    }
  }
}

const isMisplacedNull = (value: Json, node: Structural): boolean =>
  value === null && !node.nullable && node.default !== undefined;

const sizes = new WeakMap<Structural, number>();

function defaultOf(node: Structural, state: Defaulting): Json {
  let size = sizes.get(node);
  if (size === undefined) {
    size = JSON.stringify(node.default).length;
    sizes.set(node, size);
  }
  state.charsLeft -= size;
  if (state.charsLeft < 0) {
    throw new ApiError(
      "RequestEntityTooLarge",
      `Request entity too large: with the defaults of its schema the object is more than ${DEFAULTS_CHARS_MAX} characters`,
    );
  }
  return cloneJson(node.default);
}
