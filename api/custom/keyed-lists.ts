import { type FieldError, fieldDuplicate, fieldInvalid } from "../field-error.ts";
import { assign, has, isObject, type Json, type JsonObject } from "../json-value.ts";
import { canonicalText, sortKeys } from "./go-json.ts";
import { nodeOfField, type Structural } from "./structural.ts";

/** More errors of one object are not told: a client's long list would make an answer many times its size. */
export const ERRORS_MAX = 256;

/**
 * Lists of x-kubernetes-list-type set and map hold nothing twice
 * (k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype). Of what is there more often the second one is told.
 * Adds what is wrong to `errors`, up to ERRORS_MAX. `path` is where the value is.
 */
export function validateKeyedLists(value: Json, node: Structural | undefined, errors: FieldError[], path = ""): void {
  if (!node?.hasKeyedLists || typeof value !== "object" || value === null) return;
  if (Array.isArray(value)) {
    if (node.listType === "set") findRepeated(value, path, errors);
    else if (node.listType === "map") validateMapList(value, node, path, errors);
    for (let i = 0; i < value.length && errors.length < ERRORS_MAX; i++) {
      validateKeyedLists(value[i], node.items, errors, `${path}[${i}]`);
    }
    return;
  }
  const object = value as JsonObject;
  for (const key of Object.keys(object)) {
    const field = nodeOfField(node, key);
    if (field?.hasKeyedLists) validateKeyedLists(object[key], field, errors, pathOfField(node, key, path));
  }
}

/** Fields of additional properties are in brackets. */
export function pathOfField(node: Structural, key: string, path: string): string {
  if (!node.properties?.has(key)) return `${path}[${key}]`;
  return path === "" ? key : `${path}.${key}`;
}

function validateMapList(items: readonly Json[], node: Structural, path: string, errors: FieldError[]): void {
  const wrong = items.findIndex((item) => item !== null && !isObject(item));
  if (wrong >= 0) {
    errors.push(fieldInvalid(`${path}[${wrong}]`, items[wrong], "must be an object for an array of list-type map"));
    return;
  }
  const keys = items.map((item) => {
    const key: JsonObject = {};
    for (const name of node.listKeys) if (isObject(item) && has(item, name)) assign(key, name, item[name]);
    return key;
  });
  findRepeated(keys, path, errors);
}

function findRepeated(items: readonly Json[], path: string, errors: FieldError[]): void {
  if (items.length <= 1) return;
  const times = new Map<string, number>();
  for (let i = 0; i < items.length && errors.length < ERRORS_MAX; i++) {
    const text = canonicalText(items[i]);
    const before = times.get(text) ?? 0;
    times.set(text, before + 1);
    if (before === 1) errors.push(fieldDuplicate(`${path}[${i}]`, sortKeys(items[i])));
  }
}
