import { checkRequired, checkSubdomain, complain } from "../field-checks.ts";
import { type FieldError, fieldInvalid, fieldNotSupported, fieldRequired } from "../field-error.ts";
import type { FieldPath } from "../field-path.ts";
import { configKeyComplaints, envNameComplaints, qualifiedNameComplaints } from "../names.ts";
import { canonicalizeQuantity } from "../quantity.ts";
import type { Container } from "./types.ts";

const ENV_FIELDS = [
  "metadata.name",
  "metadata.namespace",
  "metadata.uid",
  "spec.nodeName",
  "spec.serviceAccountName",
  "status.hostIP",
  "status.hostIPs",
  "status.podIP",
  "status.podIPs",
];
const VOLUME_FIELDS = [
  "metadata.annotations",
  "metadata.labels",
  "metadata.name",
  "metadata.namespace",
  "metadata.uid",
];
/** All that the downward API can tell; which of it depends on where. */
const DOWNWARD_FIELDS = new Set([
  ...ENV_FIELDS,
  ...VOLUME_FIELDS,
  "spec.restartPolicy",
  "status.phase",
  "spec.schedulerName",
]);
const RESOURCE_FIELDS = [
  "limits.cpu",
  "limits.ephemeral-storage",
  "limits.memory",
  "requests.cpu",
  "requests.ephemeral-storage",
  "requests.memory",
];
const BYTE_DIVISORS = ["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"];

export interface FieldRef {
  apiVersion?: string;
  fieldPath?: string;
}
export interface ResourceFieldRef {
  containerName?: string;
  resource?: string;
  divisor?: string | number;
}

export function validateEnv(vars: NonNullable<Container["env"]>, path: FieldPath, errors: FieldError[]): void {
  vars.forEach((variable, i) => {
    const at = path.index(i);
    if (checkRequired(variable.name, at.child("name"), errors)) {
      complain(envNameComplaints(variable.name), variable.name, at.child("name"), errors);
    }
    const source = variable.valueFrom;
    if (!source) return;
    const from = at.child("valueFrom");
    let sources = 0;
    if (source.fieldRef) {
      sources++;
      validateFieldRef(source.fieldRef, "env", from.child("fieldRef"), errors);
    }
    if (source.resourceFieldRef) {
      sources++;
      validateResourceFieldRef(source.resourceFieldRef, "env", from.child("resourceFieldRef"), errors);
    }
    for (const kind of ["configMapKeyRef", "secretKeyRef"] as const) {
      const ref = source[kind];
      if (!ref) continue;
      sources++;
      checkSubdomain(ref.name ?? "", from.child(kind).child("name"), errors);
      if (checkRequired(ref.key, from.child(kind).child("key"), errors)) {
        complain(configKeyComplaints(ref.key), ref.key, from.child(kind).child("key"), errors);
      }
    }
    // A file of an emptyDir that an init container filled.
    if ((source as { fileKeyRef?: unknown }).fileKeyRef) sources++;
    if (sources === 0) {
      errors.push(
        fieldInvalid(
          from,
          "",
          "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`",
        ),
      );
    } else if (variable.value) {
      errors.push(fieldInvalid(from, "", "may not be specified when `value` is not empty"));
    } else if (sources > 1) {
      errors.push(fieldInvalid(from, "", "may not have more than one field specified at a time"));
    }
  });
}

export function validateEnvFrom(froms: NonNullable<Container["envFrom"]>, path: FieldPath, errors: FieldError[]): void {
  froms.forEach((from, i) => {
    const at = path.index(i);
    if (from.prefix) complain(envNameComplaints(from.prefix), from.prefix, at.child("prefix"), errors);
    let sources = 0;
    for (const kind of ["configMapRef", "secretRef"] as const) {
      const ref = from[kind];
      if (!ref) continue;
      sources++;
      const name = at.child(kind).child("name");
      if (checkRequired(ref.name, name, errors)) checkSubdomain(ref.name!, name, errors);
    }
    if (sources === 0) errors.push(fieldInvalid(path, "", "must specify one of: `configMapRef` or `secretRef`"));
    else if (sources > 1) errors.push(fieldInvalid(path, "", "may not have more than one field specified at a time"));
  });
}

/** A field of the pod itself, for a variable or a downwardAPI volume. */
export function validateFieldRef(ref: FieldRef, where: "env" | "volume", path: FieldPath, errors: FieldError[]): void {
  if (!checkRequired(ref.apiVersion, path.child("apiVersion"), errors)) return;
  if (!checkRequired(ref.fieldPath, path.child("fieldPath"), errors)) return;
  const field = ref.fieldPath!;
  const subscripted = /^(.*)\['(.*)'\]$/.exec(field);
  const base = subscripted?.[1] ?? field;
  if (ref.apiVersion !== "v1") {
    errors.push(
      fieldInvalid(
        path.child("fieldPath"),
        field,
        `error converting fieldPath: unsupported pod version: ${ref.apiVersion}`,
      ),
    );
  } else if (subscripted && (base === "metadata.annotations" || base === "metadata.labels")) {
    const key = base === "metadata.annotations" ? subscripted[2]!.toLowerCase() : subscripted[2]!;
    complain(qualifiedNameComplaints(key), key, path, errors);
  } else if (subscripted) {
    errors.push(
      DOWNWARD_FIELDS.has(base)
        ? fieldInvalid(
            path.child("fieldPath"),
            field,
            `error converting fieldPath: field label does not support subscript: ${field}`,
          )
        : fieldInvalid(
            path.child("fieldPath"),
            field,
            `error converting fieldPath: field label not supported: ${field}`,
          ),
    );
  } else if (!DOWNWARD_FIELDS.has(field)) {
    errors.push(
      fieldInvalid(path.child("fieldPath"), field, `error converting fieldPath: field label not supported: ${field}`),
    );
  } else {
    const supported = where === "env" ? ENV_FIELDS : VOLUME_FIELDS;
    if (!supported.includes(field)) errors.push(fieldNotSupported(path.child("fieldPath"), field, supported));
  }
}

export function validateResourceFieldRef(
  ref: ResourceFieldRef,
  where: "env" | "volume",
  path: FieldPath,
  errors: FieldError[],
): void {
  const resource = ref.resource ?? "";
  const hugePages = /^(requests|limits)\.hugepages-/.test(resource);
  if (where === "volume" && !ref.containerName) errors.push(fieldRequired(path.child("containerName")));
  else if (!resource) errors.push(fieldRequired(path.child("resource")));
  else if (!RESOURCE_FIELDS.includes(resource) && !hugePages) {
    errors.push(fieldNotSupported(path.child("resource"), resource, RESOURCE_FIELDS));
  }
  let divisor: string;
  try {
    divisor = canonicalizeQuantity(ref.divisor ?? "0");
  } catch (error) {
    errors.push(fieldInvalid(path.child("divisor"), ref.divisor, (error as Error).message));
    return;
  }
  if (divisor === "0") return;
  const cpu = resource.endsWith(".cpu");
  const supported = cpu ? ["1m", "1"] : BYTE_DIVISORS;
  if (supported.includes(divisor)) return;
  if (!cpu && !hugePages && !resource.endsWith(".memory") && !resource.endsWith(".ephemeral-storage")) return;
  const name = cpu
    ? "cpu"
    : hugePages
      ? "hugepages"
      : resource.endsWith(".memory")
        ? "memory"
        : "local ephemeral storage";
  const list = cpu ? "1m and 1" : supported.join(", ");
  errors.push(
    fieldInvalid(
      path.child("divisor"),
      resource,
      `only divisor's values ${list} are supported with the ${name} resource`,
    ),
  );
}
