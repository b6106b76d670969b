/** Parsed JSON, as patches move it about. */
export type Json = unknown;
export type JsonObject = Record<string, unknown>;

export const isObject = (value: Json): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const has = (object: JsonObject, key: string): boolean => Object.hasOwn(object, key);

/** A deep copy. (structuredClone is several times slower on plain JSON.) */
export function cloneJson<T extends Json>(value: T): T {
  if (Array.isArray(value)) return value.map(cloneJson) as T;
  if (!isObject(value)) return value;
  const copy: JsonObject = {};
  for (const key of Object.keys(value)) assign(copy, key, cloneJson(value[key]));
  return copy as T;
}

/** A plain assignment to `__proto__` would change the prototype instead. */
export function assign(object: JsonObject, key: string, value: Json): void {
  if (key === "__proto__")
    Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
  else object[key] = value;
}

/** Equal as JSON: the order of an object's fields does not matter. */
export function equalJson(a: Json, b: Json): boolean {
  if (a === b) return true;
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, i) => equalJson(item, b[i]));
  if (!isObject(a) || !isObject(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => has(b, key) && equalJson(a[key], b[key]));
}

/** As Go's `%v` prints a value of maps and slices: `map[name:web ports:[80 443]]`, keys in order. */
export function printGo(value: Json): string {
  if (value === null || value === undefined) return "<nil>";
  if (Array.isArray(value)) return `[${value.map(printGo).join(" ")}]`;
  if (!isObject(value)) return String(value);
  const keys = Object.keys(value).sort();
  return `map[${keys.map((key) => `${key}:${printGo(value[key])}`).join(" ")}]`;
}
