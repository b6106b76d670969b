import { type FieldError, fieldInvalid, fieldNotSupported, fieldRequired } from "./field-error.ts";
import type { FieldPath } from "./field-path.ts";
import {
  type Complaints,
  dnsLabelComplaints,
  dnsSubdomainComplaints,
  portComplaints,
  portNameComplaints,
  qualifiedNameComplaints,
} from "./names.ts";

/** The checks that most kinds' rules are made of. Each adds what is wrong to `errors`. */
type Errors = FieldError[];

export function complain(complaints: Complaints, value: unknown, path: FieldPath, errors: Errors): void {
  for (const complaint of complaints) errors.push(fieldInvalid(path, value, complaint));
}

export const checkLabelName = (value: string, path: FieldPath, errors: Errors): void =>
  complain(dnsLabelComplaints(value), value, path, errors);

export const checkSubdomain = (value: string, path: FieldPath, errors: Errors): void =>
  complain(dnsSubdomainComplaints(value), value, path, errors);

export const checkQualifiedName = (value: string, path: FieldPath, errors: Errors): void =>
  complain(qualifiedNameComplaints(value), value, path, errors);

/** Answers whether there is a value. */
export function checkRequired(value: unknown, path: FieldPath, errors: Errors, detail = ""): boolean {
  if (value !== undefined && value !== null && value !== "") return true;
  errors.push(fieldRequired(path, detail));
  return false;
}

/** A required enum. `supported` in the order that the message has it. */
export function checkOneOf(value: unknown, supported: readonly string[], path: FieldPath, errors: Errors): void {
  if (checkRequired(value, path, errors)) checkSupported(value, supported, path, errors);
}

export function checkSupported(value: unknown, supported: readonly string[], path: FieldPath, errors: Errors): void {
  if (!supported.includes(value as string)) errors.push(fieldNotSupported(path, value, supported));
}

export function checkPort(value: number, path: FieldPath, errors: Errors): void {
  complain(portComplaints(value), value, path, errors);
}

/** An IntOrString that names a port. */
export function checkPortOrName(value: unknown, path: FieldPath, errors: Errors): void {
  if (typeof value === "string") complain(portNameComplaints(value), value, path, errors);
  else checkPort((value as number | undefined) ?? 0, path, errors);
}

/** Checks each item of a list under its own path. */
export function checkEach<T>(
  items: readonly T[] | null | undefined,
  path: FieldPath,
  check: (item: T, path: FieldPath, errors: Errors) => void,
  errors: Errors,
): void {
  items?.forEach((item, i) => {
    check(item, path.index(i), errors);
  });
}
