import { equalJson, isObject, type Json, type JsonObject } from "../../api/json-value.ts";

/** One place where two versions of an object differ. */
export interface Change {
  /** `spec.template.spec.containers[web].image`, `metadata.labels[example.com/tier]`. */
  path: string;
  /** Absent where the older version has nothing there. */
  from?: Json;
  /** Absent where the newer version has nothing there. */
  to?: Json;
}

/** What every write changes, or what only repeats another change. */
const BOOKKEEPING = ["managedFields", "resourceVersion", "generation"];
const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

/** What lists of objects are told apart by, where all of a list have it and no two the same. */
const KEYS = ["name", "type", "key", "uid"];
const PLAIN = /^[A-Za-z_][A-Za-z0-9_-]*$/;

/** Where two versions of an object differ, without the bookkeeping of the API; sorted as the fields are. */
export function changesBetween(older: JsonObject, newer: JsonObject): Change[] {
  const changes: Change[] = [];
  compare("", withoutBookkeeping(older), withoutBookkeeping(newer), changes);
  return changes;
}

function withoutBookkeeping(object: JsonObject): JsonObject {
  if (!isObject(object["metadata"])) return object;
  const metadata = without(object["metadata"], BOOKKEEPING);
  if (!isObject(metadata["annotations"])) return { ...object, metadata };
  const annotations = without(metadata["annotations"], [LAST_APPLIED]);
  const { annotations: _, ...rest } = metadata;
  return { ...object, metadata: Object.keys(annotations).length === 0 ? rest : { ...rest, annotations } };
}

const without = (object: JsonObject, keys: readonly string[]): JsonObject =>
  Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key)));

function compare(path: string, from: Json, to: Json, changes: Change[]): void {
  if (equalJson(from, to)) return;
  if (isObject(from) && isObject(to)) compareFields(from, to, (key) => fieldPath(path, key), changes);
  else if (!Array.isArray(from) || !Array.isArray(to) || !compareLists(path, from, to, changes))
    changes.push({ path, ...(from !== undefined && { from }), ...(to !== undefined && { to }) });
}

/** Item by item, where the items are objects; whether any of them differs (and not their order alone). */
function compareLists(path: string, from: Json[], to: Json[], changes: Change[]): boolean {
  if (![...from, ...to].every(isObject)) return false;
  const key = KEYS.find((candidate) => isKeyed(from, candidate) && isKeyed(to, candidate));
  const [older, newer] = key === undefined ? [{ ...from }, { ...to }] : [byKey(from, key), byKey(to, key)];
  const before = changes.length;
  compareFields(older as JsonObject, newer as JsonObject, (item) => `${path}[${item}]`, changes);
  return changes.length > before;
}

function compareFields(from: JsonObject, to: JsonObject, pathOf: (key: string) => string, changes: Change[]): void {
  for (const key of new Set([...Object.keys(from), ...Object.keys(to)]))
    compare(pathOf(key), ownValue(from, key), ownValue(to, key), changes);
}

const ownValue = (object: JsonObject, key: string): Json => (Object.hasOwn(object, key) ? object[key] : undefined);

function fieldPath(path: string, key: string): string {
  if (!PLAIN.test(key)) return `${path}[${key}]`;
  return path === "" ? key : `${path}.${key}`;
}

function isKeyed(list: readonly Json[], key: string): boolean {
  const values = list.map((item) => (isObject(item) ? item[key] : undefined));
  return values.every((value) => typeof value === "string") && new Set(values).size === values.length;
}

const byKey = (list: readonly Json[], key: string): JsonObject =>
  Object.fromEntries(list.map((item) => [(item as JsonObject)[key] as string, item]));
