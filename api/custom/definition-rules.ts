import { complain } from "../field-checks.ts";
import { type FieldError, fieldForbidden, fieldInvalid, fieldNotSupported, fieldRequired } from "../field-error.ts";
import { type FieldPath, METADATA, SPEC, STATUS } from "../field-path.ts";
import { validateWebhookService, validateWebhookUrl } from "../kinds/webhook-client-config.ts";
import { dns1035LabelComplaints, dnsSubdomainComplaints } from "../names.ts";
import { validateImmutable } from "../object-meta.ts";
import type { CustomResourceDefinitionObject, DefinitionNames, DefinitionVersion } from "./definition.ts";
import { isRequestUri } from "./formats.ts";
import { goVersions, type InternalSpec, internalSpecOf } from "./internal-spec.ts";
import { structuralOf } from "./structural.ts";
import { validateShared } from "./version-rules.ts";

/** What a definition must be (k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation). */

export function validateDefinition(definition: CustomResourceDefinitionObject): FieldError[] {
  const { metadata, spec, status } = definition;
  const errors: FieldError[] = [];
  if (metadata.name !== `${spec.names.plural}.${spec.group}`) {
    errors.push(fieldInvalid(METADATA.child("name"), metadata.name, 'must be spec.names.plural+"."+spec.group'));
  }
  validateSpec(definition, errors);
  if (status?.acceptedNames) validateNames(status.acceptedNames, STATUS.child("acceptedNames"), errors);
  validateStoredVersions(status?.storedVersions ?? [], spec.versions ?? [], errors);
  validateApproval(definition, errors);
  if (spec.preserveUnknownFields) {
    const why =
      "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead";
    errors.push(fieldInvalid(SPEC.child("preserveUnknownFields"), true, why));
  }
  return errors;
}

/** What an update must keep; `validateDefinition(next)` has run before. */
export function validateDefinitionUpdate(
  next: CustomResourceDefinitionObject,
  previous: CustomResourceDefinitionObject,
): FieldError[] {
  const errors: FieldError[] = [];
  const names = SPEC.child("names");
  if (isEstablished(previous)) {
    validateImmutable(next.spec.scope, previous.spec.scope, SPEC.child("scope"), errors);
    validateImmutable(next.spec.names.kind, previous.spec.names.kind, names.child("kind"), errors);
    checkCaBundle(next, previous, errors);
  }
  validateImmutable(next.spec.group, previous.spec.group, SPEC.child("group"), errors);
  validateImmutable(next.spec.names.plural, previous.spec.names.plural, names.child("plural"), errors);
  return errors;
}

export function validateDefinitionStatus({ status }: CustomResourceDefinitionObject): FieldError[] {
  const errors: FieldError[] = [];
  if (status?.acceptedNames) validateNames(status.acceptedNames, STATUS.child("acceptedNames"), errors);
  return errors;
}

const isEstablished = ({ status }: CustomResourceDefinitionObject): boolean =>
  status?.conditions?.some((condition) => condition.type === "Established" && condition.status === "True") ?? false;

function validateSpec(definition: CustomResourceDefinitionObject, errors: FieldError[]): void {
  const { spec } = definition;
  const internal = internalSpecOf(definition);
  const { group, scope, names } = spec;
  const groupAt = SPEC.child("group");
  const ofGroup = group ? dnsSubdomainComplaints(group) : [];
  if (!group) errors.push(fieldRequired(groupAt));
  else if (ofGroup.length > 0) errors.push(fieldInvalid(groupAt, group, ofGroup.join(",")));
  else if (!group.includes(".")) {
    errors.push(fieldInvalid(groupAt, group, "should be a domain with at least one dot"));
  }
  if (!scope) errors.push(fieldRequired(SPEC.child("scope")));
  else if (scope !== "Cluster" && scope !== "Namespaced") {
    errors.push(fieldNotSupported(SPEC.child("scope"), scope, ["Cluster", "Namespaced"]));
  }
  if (spec.preserveUnknownFields && hasDefaults(internal)) {
    const why = "must be false in order to use defaults in the schema";
    errors.push(fieldInvalid(SPEC.child("preserveUnknownFields"), true, why));
  }
  validateVersions(internal, errors);
  const namesAt = SPEC.child("names");
  for (const field of ["plural", "singular", "kind", "listKind"] as const) {
    if (!names[field]) errors.push(fieldRequired(namesAt.child(field)));
  }
  validateNames(names, namesAt, errors);
  const statusEnabled = internal.versions.some(({ given }) => given.subresources?.status !== undefined);
  validateShared(internal, SPEC, { schemaName: "validation", statusEnabled }, errors);
  validateConversion(definition, errors);
}

const hasDefaults = ({ versions }: InternalSpec): boolean =>
  versions.some(({ given }) => {
    const schema = given.schema?.openAPIV3Schema;
    return schema !== undefined && structuralOf(schema).hasDefaults;
  });

const PRESERVED = "must be None if spec.preserveUnknownFields is true";

function validateVersions(internal: InternalSpec, errors: FieldError[]): void {
  const at = SPEC.child("versions");
  const { versions } = internal;
  if (!internal.schema?.openAPIV3Schema) {
    versions.forEach(({ schema }, i) => {
      if (schema?.openAPIV3Schema) return;
      errors.push(fieldRequired(at.index(i).child("schema").child("openAPIV3Schema")));
    });
  }
  versions.forEach((version, i) => {
    const versionAt = at.index(i);
    checkLabel(version.name, versionAt.child("name"), errors);
    checkDeprecation(version.given, versionAt.child("deprecationWarning"), errors);
    const statusEnabled = version.given.subresources?.status !== undefined;
    validateShared(version, versionAt, { schemaName: "schema", statusEnabled }, errors);
  });
  const shown = goVersions(internal);
  if (new Set(versions.map(({ name }) => name)).size < versions.length) {
    errors.push(fieldInvalid(at, shown, "must contain unique version names"));
  }
  if (versions.filter(({ given }) => given.storage).length !== 1) {
    errors.push(fieldInvalid(at, shown, "must have exactly one version marked as storage version"));
  }
  // Upstream's internal type repeats the first version's name here.
  if (versions[0]?.name) checkLabel(versions[0].name, SPEC.child("version"), errors);
}

function checkLabel(value: string, path: FieldPath, errors: FieldError[], prefix = ""): void {
  const complaints = dns1035LabelComplaints(value);
  if (complaints.length > 0) errors.push(fieldInvalid(path, value, prefix + complaints.join(",")));
}

const WARNING_BYTES_MAX = 256;
const NOT_PRINTABLE = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u;

function checkDeprecation(version: DefinitionVersion, path: FieldPath, errors: FieldError[]): void {
  const { deprecated, deprecationWarning: text } = version;
  if (text === undefined) return;
  const refuse = (why: string) => errors.push(fieldInvalid(path, text, why));
  if (!deprecated) {
    refuse("can only be set for deprecated versions");
    return;
  }
  const bytes = (part: string) => new TextEncoder().encode(part).length;
  if (bytes(text) > WARNING_BYTES_MAX) refuse(`must be <= ${WARNING_BYTES_MAX} characters long`);
  if (text === "") refuse("must not be an empty string");
  const wrong = text.search(NOT_PRINTABLE);
  if (wrong >= 0) {
    const index = bytes(text.slice(0, wrong));
    refuse(`must only contain printable UTF-8 characters; non-printable character found at index ${index}`);
  }
}

const MIXED_CASE = "may have mixed case, but should otherwise match: ";

function validateNames(names: DefinitionNames, path: FieldPath, errors: FieldError[]): void {
  for (const field of ["plural", "singular"] as const) {
    if (names[field]) checkLabel(names[field], path.child(field), errors);
  }
  for (const field of ["kind", "listKind"] as const) {
    const value = names[field];
    const complaints = value ? dns1035LabelComplaints(value.toLowerCase()) : [];
    if (complaints.length > 0) errors.push(fieldInvalid(path.child(field), value, MIXED_CASE + complaints.join(",")));
  }
  names.shortNames?.forEach((name, i) => {
    checkLabel(name, path.child("shortNames").index(i), errors);
  });
  if (names.kind && names.kind === names.listKind) {
    errors.push(fieldInvalid(path.child("listKind"), names.listKind, "kind and listKind may not be the same"));
  }
  names.categories?.forEach((name, i) => {
    checkLabel(name, path.child("categories").index(i), errors);
  });
}

const STRATEGIES = ["None", "Webhook"];

/** Paths are those of upstream's internal type. */
function validateConversion({ spec }: CustomResourceDefinitionObject, errors: FieldError[]): void {
  const { conversion } = spec;
  if (!conversion) return;
  const at = SPEC.child("conversion");
  const { strategy, webhook } = conversion;
  if (strategy !== "None" && spec.preserveUnknownFields) {
    errors.push(fieldInvalid(at.child("strategy"), strategy, PRESERVED));
  }
  if (!strategy) errors.push(fieldRequired(at.child("strategy")));
  else if (!STRATEGIES.includes(strategy)) {
    errors.push(fieldNotSupported(at.child("strategy"), strategy, STRATEGIES));
  }
  const configAt = at.child("webhookClientConfig");
  const reviewsAt = at.child("conversionReviewVersions");
  const config = webhook?.clientConfig;
  const reviews = webhook?.conversionReviewVersions ?? [];
  if (strategy !== "Webhook") {
    const why = "should not be set when strategy is not set to Webhook";
    if (config) errors.push(fieldForbidden(configAt, why));
    if (reviews.length > 0) errors.push(fieldForbidden(reviewsAt, why));
    return;
  }
  if (!config) errors.push(fieldRequired(configAt, "required when strategy is set to Webhook"));
  else if ((config.url === undefined) === (config.service === undefined)) {
    errors.push(fieldRequired(configAt, "exactly one of url or service is required"));
  } else if (config.url !== undefined) validateWebhookUrl(config.url, configAt.child("url"), errors);
  else if (config.service) {
    const { name, namespace } = config.service;
    // Upstream passes the two in the wrong order, and tells them so.
    validateWebhookService({ ...config.service, name: namespace, namespace: name }, configAt.child("service"), errors);
  }
  validateReviewVersions(reviews, reviewsAt, errors);
}

const REVIEW_VERSIONS = ["v1", "v1beta1"];

function validateReviewVersions(versions: readonly string[], path: FieldPath, errors: FieldError[]): void {
  if (versions.length === 0) {
    errors.push(fieldRequired(path));
    return;
  }
  const seen = new Set<string>();
  versions.forEach((version, i) => {
    if (seen.has(version)) errors.push(fieldInvalid(path.index(i), version, "duplicate version"));
    else complain(dns1035LabelComplaints(version), version, path.index(i), errors);
    seen.add(version);
  });
  if (!versions.some((version) => REVIEW_VERSIONS.includes(version))) {
    errors.push(fieldInvalid(path, versions, `must include at least one of ${REVIEW_VERSIONS.join(", ")}`));
  }
}

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/;

const caBundleOf = ({ spec }: CustomResourceDefinitionObject): string =>
  spec.conversion?.webhook?.clientConfig?.caBundle ?? "";

function isPem(base64: string): boolean {
  try {
    return PEM_CERTIFICATE.test(atob(base64));
  } catch {
    return false;
  }
}

/** A bundle that was invalid before may stay so. */
function checkCaBundle(
  next: CustomResourceDefinitionObject,
  previous: CustomResourceDefinitionObject,
  errors: FieldError[],
): void {
  const [bundle, before] = [caBundleOf(next), caBundleOf(previous)];
  if (bundle === "" || isPem(bundle) || (before !== "" && !isPem(before))) return;
  const at = SPEC.child("conversion").child("webhookClientConfig").child("caBundle");
  errors.push(fieldInvalid(at, bundle, "unable to load root certificates: unable to parse bytes as PEM block"));
}

function validateStoredVersions(
  stored: readonly string[],
  versions: readonly DefinitionVersion[],
  errors: FieldError[],
): void {
  const at = STATUS.child("storedVersions");
  if (stored.length === 0) {
    errors.push(fieldInvalid(at, null, "must have at least one stored version"));
    return;
  }
  for (const { name, storage } of versions) {
    if (storage && !stored.includes(name)) {
      errors.push(fieldInvalid(at, stored, `must have the storage version ${name}`));
    }
  }
  stored.forEach((name, i) => {
    if (versions.some((version) => version.name === name)) return;
    const why = `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`;
    errors.push(fieldInvalid(at.index(i), name, why));
  });
}

const APPROVED_ANNOTATION = "api-approved.kubernetes.io";
const PROTECTED_GROUP = /(?:^|\.)(?:k8s|kubernetes)\.io$/;

export interface Approval {
  state: "invalid" | "approved" | "bypassed" | "missing";
  /** As the condition KubernetesAPIApprovalPolicyConformant has it. */
  reason: string;
}

/** Whether a group is the Kubernetes community's own. */
export const isProtectedGroup = (group: string): boolean => PROTECTED_GROUP.test(group);

/** What the annotation of a definition in a protected group says (k8s.io/apiextensions-apiserver/pkg/apihelpers). */
export function approvalOf(annotations: Readonly<Record<string, string>> | undefined): Approval {
  const text = annotations?.[APPROVED_ANNOTATION] ?? "";
  const pullRequest = "see https://github.com/kubernetes/enhancements/pull/1111";
  const must = `protected groups must have approval annotation ${JSON.stringify(APPROVED_ANNOTATION)}`;
  if (text === "") return { state: "missing", reason: `${must}, ${pullRequest}` };
  if (text.startsWith("unapproved")) return { state: "bypassed", reason: `not approved: ${JSON.stringify(text)}` };
  if (/^[a-zA-Z][a-zA-Z0-9+.-]*:\/\/[^/?]/.test(text) && isRequestUri(text)) {
    return { state: "approved", reason: `approved in ${text}` };
  }
  const why = `${must} with either a URL or a reason starting with "unapproved", ${pullRequest}`;
  return { state: "invalid", reason: why };
}

function validateApproval({ metadata, spec }: CustomResourceDefinitionObject, errors: FieldError[]): void {
  if (!isProtectedGroup(spec.group)) return;
  const { state, reason } = approvalOf(metadata.annotations);
  const at = METADATA.child("annotations").key(APPROVED_ANNOTATION);
  if (state === "missing") errors.push(fieldRequired(at, reason));
  else if (state === "invalid") errors.push(fieldInvalid(at, metadata.annotations?.[APPROVED_ANNOTATION], reason));
}
