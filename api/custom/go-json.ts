import { assign, isObject, type Json, type JsonObject } from "../json-value.ts";

/** A copy whose maps are in the order in which Go writes them: for what messages show of objects without a type. */
export function sortKeys(value: Json): Json {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (!isObject(value)) return value;
  const sorted: JsonObject = {};
  for (const key of Object.keys(value).sort()) assign(sorted, key, sortKeys(value[key]));
  return sorted;
}

/** Equal values have equal texts: keys are in order. */
export function canonicalText(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(",")}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const fields = Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonicalText(value[key])}`);
  return `{${fields.join(",")}}`;
}
