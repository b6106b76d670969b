import { assign, cloneJson, has, isObject, type Json } from "../json-value.ts";

/** RFC 7386: the patch's fields replace the target's, null removes. Changes and answers `target` where that is an object. */
export function applyMergePatch(target: Json, patch: Json): Json {
  if (!isObject(patch)) return cloneJson(patch);
  const result = isObject(target) ? target : {};
  for (const key of Object.keys(patch)) {
    const value = patch[key];
    if (value === null) delete result[key];
    else if (isObject(value)) assign(result, key, applyMergePatch(has(result, key) ? result[key] : undefined, value));
    else assign(result, key, cloneJson(value));
  }
  return result;
}
