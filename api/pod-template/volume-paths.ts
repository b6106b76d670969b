import { checkRequired } from "../field-checks.ts";
import { type FieldError, fieldInvalid } from "../field-error.ts";
import type { FieldPath } from "../field-path.ts";

/** Paths in volumes, and the modes of the files there. */
const MODE_MAX = 0o777;
const MODE_RANGE = "must be a number between 0 and 0777 (octal), both inclusive";

export function checkMode(mode: number | null | undefined, path: FieldPath, errors: FieldError[]): void {
  if (typeof mode === "number" && (mode < 0 || mode > MODE_MAX)) errors.push(fieldInvalid(path, mode, MODE_RANGE));
}

export function checkNoBacksteps(value: string, path: FieldPath, errors: FieldError[]): void {
  if (value.split("/").includes("..")) errors.push(fieldInvalid(path, value, "must not contain '..'"));
}

/** A path below a directory. */
export function checkDescending(value: string, path: FieldPath, errors: FieldError[]): void {
  if (value.startsWith("/")) errors.push(fieldInvalid(path, value, "must be a relative path"));
  checkNoBacksteps(value, path, errors);
}

/** A path in a volume that Kubernetes fills: `..data` is its own. */
export function checkFileName(value: string, path: FieldPath, errors: FieldError[]): void {
  checkDescending(value, path, errors);
  if (value.startsWith("..") && !value.startsWith("../")) {
    errors.push(fieldInvalid(path, value, "must not start with '..'"));
  }
}

export interface KeyToPath {
  key?: string;
  path?: string;
  mode?: number;
}

/** Files that are made of keys. `path`: of what has the `items`. */
export function validateItems(items: readonly KeyToPath[] | undefined, path: FieldPath, errors: FieldError[]): void {
  items?.forEach((item, i) => {
    const at = path.child("items").index(i);
    checkRequired(item.key, at.child("key"), errors);
    if (checkRequired(item.path, at.child("path"), errors)) checkFileName(item.path!, at.child("path"), errors);
    checkMode(item.mode, at.child("mode"), errors);
  });
}
