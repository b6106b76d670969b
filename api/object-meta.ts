import { areLonger } from "./byte-length.ts";
import { sameJson } from "./equality.ts";
import { type FieldError, fieldForbidden, fieldInvalid, fieldRequired, fieldTooLong } from "./field-error.ts";
import { type FieldPath, METADATA } from "./field-path.ts";
import type { KindRules } from "./kind.ts";
import { validateFieldManager } from "./managed-fields/field-manager.ts";
import {
  type Complaints,
  dns1035LabelComplaints,
  dnsLabelComplaints,
  dnsSubdomainComplaints,
  pathSegmentComplaints,
  qualifiedNameComplaints,
} from "./names.ts";
import type { ObjectMeta, OwnerReference } from "./object.ts";
import { validateLabels } from "./selector.ts";

const NON_NEGATIVE = "must be greater than or equal to 0";
const IMMUTABLE = "field is immutable";
const ANNOTATIONS_BYTES_MAX = 256 * 1024;
const SUBRESOURCE_BYTES_MAX = 256;
const ORPHAN = "orphan";
const FOREGROUND = "foregroundDeletion";

export type NameRule = NonNullable<KindRules["nameRule"]>;

const NAME_RULES: Record<NameRule, (name: string) => Complaints> = {
  subdomain: dnsSubdomainComplaints,
  label: dnsLabelComplaints,
  label1035: dns1035LabelComplaints,
  path: pathSegmentComplaints,
};

const GENERATE_NAME = METADATA.child("generateName");
const NAME = METADATA.child("name");
const NAMESPACE = METADATA.child("namespace");
const GENERATION = METADATA.child("generation");
const LABELS = METADATA.child("labels");
const ANNOTATIONS = METADATA.child("annotations");
const OWNER_REFERENCES = METADATA.child("ownerReferences");
const FINALIZERS = METADATA.child("finalizers");
const MANAGED_FIELDS = METADATA.child("managedFields");

export interface MetaOptions {
  namespaced: boolean;
  nameRule?: NameRule;
}

/** What every object's metadata must be, at creation and after. */
export function validateObjectMeta(
  meta: ObjectMeta,
  { namespaced, nameRule = "subdomain" }: MetaOptions,
): FieldError[] {
  const errors: FieldError[] = [];
  const complaintsOf = NAME_RULES[nameRule];
  if (meta.generateName) {
    const prefix = nameRule === "path" ? meta.generateName : maskTrailingDash(meta.generateName);
    for (const complaint of complaintsOf(prefix))
      errors.push(fieldInvalid(GENERATE_NAME, meta.generateName, complaint));
  }
  if (!meta.name) errors.push(fieldRequired(NAME, "name or generateName is required"));
  else for (const complaint of complaintsOf(meta.name)) errors.push(fieldInvalid(NAME, meta.name, complaint));

  if (!namespaced) {
    if (meta.namespace) errors.push(fieldForbidden(NAMESPACE, "not allowed on this type"));
  } else if (!meta.namespace) {
    errors.push(fieldRequired(NAMESPACE));
  } else {
    for (const complaint of dnsLabelComplaints(meta.namespace)) {
      errors.push(fieldInvalid(NAMESPACE, meta.namespace, complaint));
    }
  }
  if (meta.generation !== undefined && meta.generation < 0) {
    errors.push(fieldInvalid(GENERATION, meta.generation, NON_NEGATIVE));
  }
  validateCommon(meta, errors);
  if (meta.finalizers) validateFinalizers(meta.finalizers, FINALIZERS, errors);
  return errors;
}

/** What an update must keep. The kind's `validate` and `validateObjectMeta` are the caller's. */
export function validateObjectMetaUpdate(next: ObjectMeta, previous: ObjectMeta): FieldError[] {
  const errors: FieldError[] = [];
  if (previous.deletionTimestamp) {
    const had = new Set(previous.finalizers);
    const added = (next.finalizers ?? []).filter((finalizer) => !had.has(finalizer)).sort();
    if (added.length > 0) {
      const list = `[]string{${added.map((finalizer) => JSON.stringify(finalizer)).join(", ")}}`;
      errors.push(
        fieldForbidden(
          FINALIZERS,
          `no new finalizers can be added if the object is being deleted, found new finalizers ${list}`,
        ),
      );
    }
  }
  if (!next.resourceVersion) {
    errors.push(
      fieldInvalid(METADATA.child("resourceVersion"), next.resourceVersion ?? "", "must be specified for an update"),
    );
  }
  if ((next.generation ?? 0) < (previous.generation ?? 0)) {
    errors.push(fieldInvalid(GENERATION, next.generation ?? 0, "must not be decremented"));
  }
  for (const field of UNCHANGING) {
    // null and absent are the same to upstream's pointers.
    if ((next[field] ?? "") !== (previous[field] ?? "")) {
      errors.push(fieldInvalid(METADATA.child(field), next[field] ?? null, IMMUTABLE));
    }
  }
  return errors;
}

const UNCHANGING = [
  "name",
  "namespace",
  "uid",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
] as const;

function validateCommon(meta: ObjectMeta, errors: FieldError[]): void {
  if (meta.labels) validateLabels(meta.labels, LABELS, errors);
  if (meta.annotations) validateAnnotations(meta.annotations, ANNOTATIONS, errors);
  if (meta.ownerReferences) validateOwnerReferences(meta.ownerReferences, errors);
  if (meta.managedFields) validateManagedFields(meta.managedFields, errors);
}

export function validateAnnotations(
  annotations: Readonly<Record<string, string>> | null | undefined,
  path: FieldPath,
  errors: FieldError[],
): void {
  if (!annotations) return;
  for (const key in annotations) {
    // Only the case of a key is free.
    for (const complaint of qualifiedNameComplaints(key.toLowerCase())) errors.push(fieldInvalid(path, key, complaint));
  }
  const texts = [...Object.keys(annotations), ...Object.values(annotations)];
  if (areLonger(texts, ANNOTATIONS_BYTES_MAX)) errors.push(fieldTooLong(path, ANNOTATIONS_BYTES_MAX));
}

function validateOwnerReferences(owners: readonly OwnerReference[], errors: FieldError[]): void {
  let controller: OwnerReference | undefined;
  for (const owner of owners) {
    const slash = owner.apiVersion?.indexOf("/") ?? -1;
    if (!owner.apiVersion || slash === owner.apiVersion.length - 1) {
      errors.push(
        fieldInvalid(OWNER_REFERENCES.child("apiVersion"), owner.apiVersion ?? "", "version must not be empty"),
      );
    }
    for (const field of ["kind", "name", "uid"] as const) {
      if (!owner[field])
        errors.push(fieldInvalid(OWNER_REFERENCES.child(field), owner[field] ?? "", "must not be empty"));
    }
    if (owner.apiVersion === "v1" && owner.kind === "Event") {
      errors.push(fieldInvalid(OWNER_REFERENCES, owner, "/v1, Kind=Event is disallowed from being an owner"));
    }
    if (!owner.controller) continue;
    if (controller) {
      const names = `${controller.kind}/${controller.name} and ${owner.kind}/${owner.name}`;
      const why = `Only one reference can have Controller set to true. Found "true" in references for ${names}`;
      errors.push(fieldInvalid(OWNER_REFERENCES, owners, why));
    } else {
      controller = owner;
    }
  }
}

function validateFinalizers(finalizers: readonly string[], path: FieldPath, errors: FieldError[]): void {
  for (const finalizer of finalizers) {
    for (const complaint of qualifiedNameComplaints(finalizer)) errors.push(fieldInvalid(path, finalizer, complaint));
  }
  if (finalizers.includes(ORPHAN) && finalizers.includes(FOREGROUND)) {
    errors.push(fieldInvalid(path, finalizers, "finalizer foregroundDeletion and orphan cannot be both set"));
  }
}

const STANDARD_FINALIZERS = new Set(["kubernetes", ORPHAN, FOREGROUND]);

/** What Kubernetes' own kinds ask of new objects beyond what every object must be (core/validation.ValidateObjectMeta). */
export function validateFinalizerNames({ finalizers }: ObjectMeta): FieldError[] {
  const errors: FieldError[] = [];
  finalizers?.forEach((finalizer, i) => {
    if (finalizer.includes("/") || STANDARD_FINALIZERS.has(finalizer)) return;
    const why = "name is neither a standard finalizer name nor is it fully qualified";
    errors.push(fieldInvalid(FINALIZERS.index(i), finalizer, why));
  });
  return errors;
}

function validateManagedFields(entries: readonly unknown[], errors: FieldError[]): void {
  entries.forEach((entry, i) => {
    const { operation, fieldsType, manager = "", subresource = "" } = entry as Record<string, string | undefined>;
    const path = MANAGED_FIELDS.index(i);
    if (operation !== "Apply" && operation !== "Update") {
      errors.push(fieldInvalid(path.child("operation"), operation ?? "", "must be `Apply` or `Update`"));
    }
    if (fieldsType && fieldsType !== "FieldsV1") {
      errors.push(fieldInvalid(path.child("fieldsType"), fieldsType, "must be `FieldsV1`"));
    }
    errors.push(...validateFieldManager(manager, path.child("manager")));
    if (areLonger([subresource], SUBRESOURCE_BYTES_MAX)) {
      errors.push(fieldTooLong(path.child("subresource"), SUBRESOURCE_BYTES_MAX));
    }
  });
}

/** A prefix may end in a dash, since something follows. */
const maskTrailingDash = (prefix: string): string =>
  prefix.length > 1 && prefix.endsWith("-") ? `${prefix.slice(0, -2)}a` : prefix;

/** `path: Invalid value: …: field is immutable` where the two differ. */
export function validateImmutable(next: unknown, previous: unknown, path: FieldPath, errors: FieldError[]): void {
  if (!sameJson(next, previous)) errors.push(fieldInvalid(path, next ?? null, IMMUTABLE));
}

export function validateNonNegative(value: number | null | undefined, path: FieldPath, errors: FieldError[]): void {
  if (typeof value === "number" && value < 0) errors.push(fieldInvalid(path, value, NON_NEGATIVE));
}
