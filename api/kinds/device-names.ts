import { checkLabelName, checkSubdomain, complain } from "../field-checks.ts";
import {
  type FieldError,
  fieldDuplicate,
  fieldInvalid,
  fieldRequired,
  fieldTooLong,
  fieldTooMany,
} from "../field-error.ts";
import type { FieldPath } from "../field-path.ts";
import { SUBDOMAIN_LENGTH_MAX } from "../names.ts";
import { checkDriverName } from "../pod-template/volume-sources.ts";

/** The names and lists of dynamic resource allocation (pkg/apis/resource/validation/validation.go). */

const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;
const IDENTIFIER_COMPLAINT =
  "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName', regex used for validation is '[A-Za-z_][A-Za-z0-9_]*')";
export const DEVICE_ID_LENGTH_MAX = 32;
export const DEVICE_DOMAIN_LENGTH_MAX = 63;
const QUALIFIED_LENGTH_MAX = DEVICE_DOMAIN_LENGTH_MAX + 1 + DEVICE_ID_LENGTH_MAX;
const ELLIPSIS = "...";

export function checkPoolName(name: string | undefined, path: FieldPath, errors: FieldError[]): void {
  if (!name) {
    errors.push(fieldRequired(path));
    return;
  }
  if (name.length > SUBDOMAIN_LENGTH_MAX) errors.push(fieldTooLong(path, SUBDOMAIN_LENGTH_MAX));
  for (const part of name.split("/")) checkSubdomain(part, path, errors);
}

function checkIdentifier(id: string, path: FieldPath, errors: FieldError[]): void {
  if (id.length > DEVICE_ID_LENGTH_MAX) errors.push(fieldTooLong(path, DEVICE_ID_LENGTH_MAX));
  complain(IDENTIFIER.test(id) ? [] : [IDENTIFIER_COMPLAINT], id, path, errors);
}

/** The name of an attribute or a capacity: an identifier, with or without a domain before it. What has more parts upstream lets through. */
export function checkQualifiedDeviceName(name: string, path: FieldPath, errors: FieldError[]): void {
  const parts = name.split("/");
  const [domain = "", id] = parts;
  if (id === undefined) {
    checkIdentifier(domain, path, errors);
    return;
  }
  if (parts.length > 2) return;
  if (domain === "") errors.push(fieldInvalid(path, "", "the domain must not be empty"));
  else checkDriverName(domain, path, errors);
  if (id === "") errors.push(fieldInvalid(path, "", "the name must not be empty"));
  else checkIdentifier(id, path, errors);
}

export function checkFullyQualifiedName(name: string, path: FieldPath, errors: FieldError[]): void {
  checkQualifiedDeviceName(name, path, errors);
  if (name.includes("/")) return;
  errors.push(fieldInvalid(path, name, "a fully qualified name must be a domain and a name separated by a slash"));
}

type Check<T> = (item: T, path: FieldPath, errors: FieldError[]) => void;

/** Checks a list's items unless there are too many of them. Answers whether it did. */
export function checkList<T>(
  items: readonly T[] | undefined,
  max: number,
  path: FieldPath,
  check: Check<T>,
  errors: FieldError[],
): boolean {
  if (!items) return true;
  if (items.length > max) {
    errors.push(fieldTooMany(path, items.length, max));
    return false;
  }
  items.forEach((item, i) => {
    check(item, path.index(i), errors);
  });
  return true;
}

/** As `checkList`, and no two items have the same key. `shown`: the key as the message has it. */
export function checkSet<T>(
  items: readonly T[] | undefined,
  { max, keyOf, shown = keyOf }: { max: number; keyOf: (item: T) => string; shown?: (item: T) => unknown },
  path: FieldPath,
  check: Check<T>,
  errors: FieldError[],
): void {
  if (!checkList(items, max, path, check, errors)) return;
  const seen = new Set<string>();
  items?.forEach((item, i) => {
    const key = keyOf(item);
    if (seen.has(key)) errors.push(fieldDuplicate(path.index(i), shown(item)));
    seen.add(key);
  });
}

export const sameText = (text: string): string => text;

/** The entries of a map by device names; a key that is too long is told shortened. */
export function checkDeviceMap<T>(
  map: Readonly<Record<string, T>> | undefined,
  path: FieldPath,
  check: Check<T>,
  errors: FieldError[],
): void {
  for (const [name, item] of Object.entries(map ?? {})) {
    checkQualifiedDeviceName(name, path, errors);
    check(item, path.key(shortened(name)), errors);
  }
}

function shortened(key: string): string {
  if (key.length <= QUALIFIED_LENGTH_MAX) return key;
  const rest = QUALIFIED_LENGTH_MAX - ELLIPSIS.length;
  return key.slice(0, (rest + 1) >> 1) + ELLIPSIS + key.slice(key.length - (rest >> 1));
}

/** Counters by name, each in a set that says something. */
export function checkCounters(
  counters: Readonly<Record<string, unknown>> | undefined,
  max: number,
  path: FieldPath,
  errors: FieldError[],
): void {
  const names = Object.keys(counters ?? {});
  if (names.length === 0) errors.push(fieldRequired(path));
  else if (names.length > max) errors.push(fieldTooMany(path, names.length, max));
  else for (const name of names) checkLabelName(name, path, errors);
}
