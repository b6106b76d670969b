import { complain } from "../field-checks.ts";
import {
  type FieldError,
  fieldDuplicate,
  fieldForbidden,
  fieldInvalid,
  fieldNotFound,
  fieldRequired,
} from "../field-error.ts";
import type { FieldPath } from "../field-path.ts";
import { qualifiedNameComplaints } from "../names.ts";
import { compareQuantities, parseQuantity } from "../quantity.ts";

export type ResourceList = Record<string, string | number>;

export interface ResourceRequirements {
  limits?: ResourceList;
  requests?: ResourceList;
  claims?: { name: string }[];
}

const CONTAINER_RESOURCES = new Set(["cpu", "memory", "ephemeral-storage"]);
const QUOTA_RESOURCES = [
  "cpu",
  "memory",
  "ephemeral-storage",
  "requests.cpu",
  "requests.memory",
  "requests.storage",
  "requests.ephemeral-storage",
  "limits.cpu",
  "limits.memory",
  "limits.ephemeral-storage",
  "pods",
  "resourcequotas",
  "services",
  "replicationcontrollers",
  "secrets",
  "persistentvolumeclaims",
  "configmaps",
  "services.nodeports",
  "services.loadbalancers",
];
const STANDARD_RESOURCES = new Set([...QUOTA_RESOURCES, "storage"]);
/** Resources that are counted, not measured: no halves of them. */
const INTEGER_RESOURCES = new Set([
  "pods",
  "resourcequotas",
  "services",
  "replicationcontrollers",
  "secrets",
  "configmaps",
  "persistentvolumeclaims",
  "services.nodeports",
  "services.loadbalancers",
]);
const HUGE_PAGES = "hugepages-";
const NATIVE_DOMAIN = "kubernetes.io/";

const isHugePages = (name: string): boolean => name.startsWith(HUGE_PAGES);
/** Without a domain, or in Kubernetes' own. */
export const isNativeResource = (name: string): boolean => !name.includes("/") || name.includes(NATIVE_DOMAIN);
/** `nvidia.com/gpu`. */
export const isExtendedResource = (name: string): boolean =>
  !isNativeResource(name) && !name.startsWith("requests.") && qualifiedNameComplaints(`requests.${name}`).length === 0;
const isOvercommitAllowed = (name: string): boolean => isNativeResource(name) && !isHugePages(name);
export const isQuotaResource = (name: string): boolean =>
  QUOTA_RESOURCES.includes(name) || isHugePages(name) || name.startsWith(`requests.${HUGE_PAGES}`);

/** A resource's name as nodes, limits and quotas may have it. */
export function checkResourceName(name: string, path: FieldPath, errors: FieldError[]): boolean {
  const complaints = qualifiedNameComplaints(name);
  complain(complaints, name, path, errors);
  if (complaints.length > 0) return false;
  if (name.includes("/") || STANDARD_RESOURCES.has(name) || isQuotaResource(name)) return true;
  errors.push(fieldInvalid(path, name, "must be a standard resource type or fully qualified"));
  return false;
}

export function checkContainerResourceName(name: string, path: FieldPath, errors: FieldError[]): void {
  if (CONTAINER_RESOURCES.has(name)) return;
  checkResourceName(name, path, errors);
  if (!name.includes("/")) {
    if (!isHugePages(name)) errors.push(fieldInvalid(path, name, "must be a standard resource for containers"));
  } else if (!isNativeResource(name) && !isExtendedResource(name)) {
    errors.push(fieldInvalid(path, name, "doesn't follow extended resource name standard"));
  }
}

/** Answers whether the text is a quantity at all. */
export function checkQuantity(name: string, value: string | number, path: FieldPath, errors: FieldError[]): boolean {
  let nanos: bigint;
  try {
    ({ nanos } = parseQuantity(value));
  } catch (error) {
    errors.push(fieldInvalid(path, value, (error as Error).message));
    return false;
  }
  if (nanos < 0n) errors.push(fieldInvalid(path, String(value), "must be greater than or equal to 0"));
  if ((INTEGER_RESOURCES.has(name) || isExtendedResource(name)) && nanos % 1_000_000_000n !== 0n) {
    errors.push(fieldInvalid(path, value, "must be an integer"));
  }
  return true;
}

export function validateResources(
  { limits = {}, requests = {}, claims }: ResourceRequirements,
  podClaims: ReadonlySet<string>,
  path: FieldPath,
  errors: FieldError[],
): void {
  let hugePages = false;
  let computes = false;
  for (const name in limits) {
    const at = path.child("limits").key(name);
    checkContainerResourceName(name, at, errors);
    if (checkQuantity(name, limits[name]!, at, errors)) checkHugePages(name, limits[name]!, at, errors);
    hugePages ||= isHugePages(name);
    computes ||= name === "cpu" || name === "memory";
  }
  for (const name in requests) {
    const at = path.child("requests").key(name);
    const [request, limit] = [requests[name]!, limits[name]];
    checkContainerResourceName(name, at, errors);
    hugePages ||= isHugePages(name);
    computes ||= name === "cpu" || name === "memory";
    if (!checkQuantity(name, request, at, errors)) continue;
    checkHugePages(name, request, at, errors);
    if (limit === undefined) {
      if (!isOvercommitAllowed(name)) {
        errors.push(fieldRequired(path.child("limits"), "Limit must be set for non overcommitable resources"));
      }
    } else if (isQuantity(limit)) {
      const order = compareQuantities(request, limit);
      const text = parseQuantity(limit).text;
      if (order !== 0 && !isOvercommitAllowed(name)) {
        errors.push(
          fieldInvalid(
            path.child("requests"),
            parseQuantity(request).text,
            `must be equal to ${name} limit of ${text}`,
          ),
        );
      } else if (order > 0) {
        errors.push(
          fieldInvalid(
            path.child("requests"),
            parseQuantity(request).text,
            `must be less than or equal to ${name} limit of ${text}`,
          ),
        );
      }
    }
  }
  if (hugePages && !computes) errors.push(fieldForbidden(path, "HugePages require cpu or memory"));
  if (claims) validateClaimNames(claims, podClaims, path.child("claims"), errors);
}

function checkHugePages(name: string, value: string | number, path: FieldPath, errors: FieldError[]): void {
  if (!isHugePages(name)) return;
  const size = name.slice(HUGE_PAGES.length);
  const { nanos, text } = parseQuantity(value);
  if (isQuantity(size) && parseQuantity(size).nanos > 0n && nanos % parseQuantity(size).nanos === 0n) return;
  errors.push(fieldInvalid(path, text, `${text} is not positive integer multiple of ${name}`));
}

function isQuantity(value: string | number): boolean {
  try {
    parseQuantity(value);
    return true;
  } catch {
    return false;
  }
}

function validateClaimNames(
  claims: readonly { name: string }[],
  podClaims: ReadonlySet<string>,
  path: FieldPath,
  errors: FieldError[],
): void {
  const seen = new Set<string>();
  claims.forEach(({ name }, i) => {
    if (!name) {
      errors.push(fieldRequired(path.index(i)));
      return;
    }
    if (seen.has(name)) errors.push(fieldDuplicate(path.index(i), name));
    seen.add(name);
    if (podClaims.has(name)) return;
    const names = [...podClaims].sort().join(", ");
    const detail = `must be one of the names in pod.spec.resourceClaims${names ? `: ${names}` : " which is empty"}`;
    errors.push({ ...fieldNotFound(path.index(i), name), detail });
  });
}
