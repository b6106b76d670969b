import { isObject, type Json, type JsonObject } from "../json-value.ts";
import { BadFieldSet, type FieldSet, MEMBER, ordered, readFieldSet, unionOfAll } from "./field-set.ts";
import { BadPathElement } from "./path-element.ts";

/** metav1.ManagedFieldsEntry: the fields that one manager set in one way. */
export interface ManagedEntry {
  readonly manager: string;
  readonly operation: "Apply" | "Update";
  readonly apiVersion: string;
  /** RFC 3339; when the manager last set a field. */
  readonly time: string | undefined;
  readonly subresource: string;
  /** Undefined: none. Such an entry is not kept. */
  readonly fields: FieldSet | undefined;
}

/**
 * What tells entries apart, as upstream's managers are called by one another. An applier is the same in all versions, who
 * updates is not.
 */
export function identityOf({
  manager,
  operation,
  apiVersion,
  subresource,
}: Omit<ManagedEntry, "fields" | "time">): string {
  const named = manager === "" ? "" : `"manager":${JSON.stringify(manager)},`;
  const version = operation === "Apply" || apiVersion === "" ? "" : `,"apiVersion":${JSON.stringify(apiVersion)}`;
  const below = subresource === "" ? "" : `,"subresource":${JSON.stringify(subresource)}`;
  return `{${named}"operation":"${operation}"${version}${below}}`;
}

/** What a client sends as managedFields is none. */
export class BadManagedFields extends Error {}

/** Entries by identity. */
export type Managers = ReadonlyMap<string, ManagedEntry>;

const text = (value: Json): string => (typeof value === "string" ? value : "");

/**
 * Reads metadata.managedFields. Entries that the server wrote itself are taken as they are (`trusted`), those of clients are
 * checked and brought into order. @throws BadManagedFields in upstream's words
 */
export function readManagers(managedFields: readonly Json[] | undefined, trusted: boolean): Managers {
  const managers = new Map<string, ManagedEntry>();
  (managedFields ?? []).forEach((raw, index) => {
    const entry = readEntry(isObject(raw) ? raw : {}, index, trusted);
    managers.set(identityOf(entry), entry);
  });
  return managers;
}

function readEntry(raw: JsonObject, index: number, trusted: boolean): ManagedEntry {
  const { operation, fieldsV1 } = raw;
  const [apiVersion, fieldsType] = [text(raw["apiVersion"]), text(raw["fieldsType"])];
  if (operation !== "Apply" && operation !== "Update") {
    throw new BadManagedFields("operation must be `Apply` or `Update`");
  }
  if (apiVersion === "") throw new BadManagedFields("apiVersion must not be empty");
  if (fieldsType === "") throw new BadManagedFields(`missing fieldsType in managed fields entry ${index}`);
  if (fieldsType !== "FieldsV1") {
    throw new BadManagedFields(`invalid fieldsType ${JSON.stringify(fieldsType)} in managed fields entry ${index}`);
  }
  return {
    manager: text(raw["manager"]),
    operation,
    apiVersion,
    time: typeof raw["time"] === "string" ? raw["time"] : undefined,
    subresource: text(raw["subresource"]),
    fields: trusted ? storedFields(fieldsV1) : readFields(fieldsV1),
  };
}

const storedFields = (fieldsV1: Json): FieldSet | undefined =>
  isObject(fieldsV1) && Object.keys(fieldsV1).length > 0 ? (fieldsV1 as FieldSet) : undefined;

function readFields(fieldsV1: Json): FieldSet | undefined {
  try {
    return readFieldSet(fieldsV1);
  } catch (error) {
    if (!(error instanceof BadFieldSet) && !(error instanceof BadPathElement)) throw error;
    throw new BadManagedFields(`error decoding set: ${error.message}`);
  }
}

const secondsOf = ({ time }: ManagedEntry): number => (time === undefined ? 0 : Math.floor(Date.parse(time) / 1000));
const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** As metadata.managedFields: appliers first, then by time. Undefined where nobody owns anything. */
export function writeManagers(managers: Managers): JsonObject[] | undefined {
  if (managers.size === 0) return undefined;
  const entries = [...managers.values()];
  if (entries.length > 1) {
    entries.sort(
      (a, b) =>
        order(a.operation, b.operation) ||
        secondsOf(a) - secondsOf(b) ||
        order(a.manager, b.manager) ||
        order(a.apiVersion, b.apiVersion) ||
        order(a.subresource, b.subresource),
    );
  }
  return entries.map(writeEntry);
}

/** The fields in the order that Go writes them in. */
function writeEntry({ manager, operation, apiVersion, time, subresource, fields }: ManagedEntry): JsonObject {
  const entry: JsonObject = {};
  if (manager !== "") entry["manager"] = manager;
  entry["operation"] = operation;
  entry["apiVersion"] = apiVersion;
  if (time !== undefined) entry["time"] = time;
  entry["fieldsType"] = "FieldsV1";
  entry["fieldsV1"] = fields ? ordered(fields) : MEMBER;
  if (subresource !== "") entry["subresource"] = subresource;
  return entry;
}

/** More entries of updates are not kept apart (managedfields.DefaultMaxUpdateManagers). */
const UPDATE_MANAGERS_MAX = 10;
const OLD_UPDATES = "ancient-changes";

/** Puts the oldest entries of updates together, a version each, until there are no more than upstream keeps. */
export function capUpdateManagers(managers: Map<string, ManagedEntry>): void {
  let count = 0;
  for (const { operation } of managers.values()) if (operation === "Update") count++;
  if (count <= UPDATE_MANAGERS_MAX) return;
  const oldest = [...managers]
    .filter(([, { operation }]) => operation === "Update")
    .sort(([a, left], [b, right]) => secondsOf(left) - secondsOf(right) || order(a, b));
  const firstOfVersion = new Map<string, string>();
  const buckets = new Map<string, { entry: Omit<ManagedEntry, "fields">; sets: (FieldSet | undefined)[] }>();
  for (const [identity, { apiVersion, time, fields }] of oldest) {
    if (count <= UPDATE_MANAGERS_MAX) break;
    const entry = { manager: OLD_UPDATES, operation: "Update" as const, apiVersion, subresource: "", time };
    const bucketIdentity = identityOf(entry);
    const first = firstOfVersion.get(apiVersion);
    if (first === undefined) firstOfVersion.set(apiVersion, identity);
    else if (identity !== bucketIdentity) {
      let bucket = buckets.get(bucketIdentity);
      if (!bucket) {
        // What was put together before is added to, or the first of the version begins it.
        const begins = managers.has(bucketIdentity) ? bucketIdentity : first;
        bucket = { entry, sets: [managers.get(begins)?.fields] };
        buckets.set(bucketIdentity, bucket);
        managers.delete(begins);
      }
      bucket.sets.push(fields);
      bucket.entry = entry;
      managers.delete(identity);
      count--;
    }
  }
  for (const [identity, { entry, sets }] of buckets) managers.set(identity, { ...entry, fields: unionOfAll(sets) });
}
