import { checkLabelName, checkRequired, checkSubdomain, checkSupported } from "../field-checks.ts";
import { type FieldError, fieldForbidden, fieldInvalid, fieldNotSupported, fieldRequired } from "../field-error.ts";
import type { FieldPath } from "../field-path.ts";
import { checkQuantity } from "../pod-template/resources.ts";
import { parseQuantity } from "../quantity.ts";
import { type LabelSelector, validateLabelSelector } from "../selector.ts";

/** What claims for storage and the volumes themselves have in common. */
export const ACCESS_MODES = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];

interface DataSource {
  apiGroup?: string;
  kind?: string;
  name?: string;
  namespace?: string;
}

/** v1 PersistentVolumeClaimSpec, as far as it is checked. */
export interface ClaimSpec {
  accessModes?: readonly string[];
  selector?: LabelSelector;
  resources?: { requests?: Record<string, string | number>; limits?: Record<string, string | number> };
  storageClassName?: string;
  volumeMode?: string;
  dataSource?: DataSource;
  dataSourceRef?: DataSource;
  volumeAttributesClassName?: string;
}

export function validateAccessModes(
  modes: readonly string[] | undefined,
  why: string,
  path: FieldPath,
  errors: FieldError[],
): void {
  if (!modes?.length) errors.push(fieldRequired(path, why));
  for (const mode of modes ?? []) {
    if (!ACCESS_MODES.includes(mode)) errors.push(fieldNotSupported(path, mode, ACCESS_MODES));
  }
  const others = modes?.some((mode) => mode !== "ReadWriteOncePod" && ACCESS_MODES.includes(mode));
  if (others && modes?.includes("ReadWriteOncePod")) {
    errors.push(fieldForbidden(path, "may not use ReadWriteOncePod with other access modes"));
  }
}

/** The spec of a claim, wherever it stands (core/validation ValidatePersistentVolumeClaimSpec). */
export function validateClaimSpec(spec: ClaimSpec, path: FieldPath, errors: FieldError[]): void {
  validateAccessModes(spec.accessModes, "at least 1 access mode is required", path.child("accessModes"), errors);
  validateLabelSelector(spec.selector, path.child("selector"), errors);
  const size = spec.resources?.requests?.["storage"];
  const sizeAt = path.child("resources").key("storage");
  if (size === undefined) errors.push(fieldRequired(sizeAt));
  else if (checkQuantity("storage", size, sizeAt, errors) && parseQuantity(size).nanos <= 0n) {
    errors.push(fieldInvalid(sizeAt, size, "must be greater than zero"));
  }
  for (const field of ["storageClassName", "volumeAttributesClassName"] as const) {
    const name = spec[field];
    if (name) checkSubdomain(name, path.child(field), errors);
  }
  if (typeof spec.volumeMode === "string") {
    checkSupported(spec.volumeMode, ["Block", "Filesystem"], path.child("volumeMode"), errors);
  }
  const { dataSource, dataSourceRef } = spec;
  if (dataSource) validateDataSource(dataSource, path.child("dataSource"), errors);
  if (dataSourceRef) {
    validateDataSource(dataSourceRef, path.child("dataSourceRef"), errors);
    const { namespace } = dataSourceRef;
    if (namespace) checkLabelName(namespace, path.child("dataSourceRef").child("namespace"), errors);
  }
  if (!dataSource || !dataSourceRef) return;
  if (dataSourceRef.namespace) {
    errors.push(fieldInvalid(path, {}, "may not be specified when dataSourceRef.namespace is specified"));
  } else if (!isSameSource(dataSource, dataSourceRef)) {
    errors.push(fieldInvalid(path, {}, "must match dataSourceRef"));
  }
}

function validateDataSource({ apiGroup, kind, name }: DataSource, path: FieldPath, errors: FieldError[]): void {
  checkRequired(name, path.child("name"), errors);
  checkRequired(kind, path.child("kind"), errors);
  if (apiGroup) checkSubdomain(apiGroup, path.child("apiGroup"), errors);
  else if (kind !== "PersistentVolumeClaim") {
    const why = "must be 'PersistentVolumeClaim' when referencing the default apiGroup";
    errors.push(fieldInvalid(path, kind ?? "", why));
  }
}

const isSameSource = (a: DataSource, b: DataSource): boolean =>
  (a.apiGroup ?? "") === (b.apiGroup ?? "") && a.kind === b.kind && a.name === b.name;
