import { checkRequired, checkSupported } from "../field-checks.ts";
import { type FieldError, fieldForbidden, fieldInvalid, fieldRequired } from "../field-error.ts";
import type { FieldPath } from "../field-path.ts";
import { validateSignerName } from "../signer-name.ts";
import { type FieldRef, type ResourceFieldRef, validateFieldRef, validateResourceFieldRef } from "./env.ts";
import { checkFileName, checkMode, validateItems } from "./volume-paths.ts";

const TOKEN_SECONDS_MIN = 600;
const TOKEN_SECONDS_MAX = 2 ** 32;
const CERTIFICATE_SECONDS_MIN = 3600;
const CERTIFICATE_SECONDS_MAX = 91 * 86_400;
/** Of the signers that are Kubernetes' own. */
const KUBERNETES_CERTIFICATE_SECONDS_MAX = 86_400;
const KEY_TYPES = ["ECDSAP256", "ECDSAP384", "ECDSAP521", "ED25519", "RSA3072", "RSA4096"];
const PROJECTIONS = [
  "secret",
  "configMap",
  "downwardAPI",
  "serviceAccountToken",
  "clusterTrustBundle",
  "podCertificate",
] as const;

export interface DownwardItem {
  path?: string;
  mode?: number;
  fieldRef?: FieldRef;
  resourceFieldRef?: ResourceFieldRef;
}

/** Files of the pod's own fields; all errors are told of the volume, as upstream does it. */
export function validateDownwardItems(items: readonly DownwardItem[], path: FieldPath, errors: FieldError[]): void {
  for (const item of items) {
    if (checkRequired(item.path, path.child("path"), errors)) checkFileName(item.path!, path.child("path"), errors);
    if (item.fieldRef) {
      validateFieldRef(item.fieldRef, "volume", path.child("fieldRef"), errors);
      if (item.resourceFieldRef) {
        const why = "fieldRef and resourceFieldRef can not be specified simultaneously";
        errors.push(fieldInvalid(path, "resource", why));
      }
    } else if (item.resourceFieldRef) {
      validateResourceFieldRef(item.resourceFieldRef, "volume", path.child("resourceFieldRef"), errors);
    } else {
      errors.push(fieldRequired(path, "one of fieldRef and resourceFieldRef is required"));
    }
    checkMode(item.mode, path.child("mode"), errors);
  }
}

/** A volume of several sources, whose files share one directory. */
export function validateProjected(source: any, path: FieldPath, errors: FieldError[]): void {
  checkMode(source.defaultMode, path.child("defaultMode"), errors);
  const paths = new Set<string>();
  const claim = (name: string | undefined, shown: string): void => {
    if (!name) return;
    if (paths.has(name)) errors.push(fieldInvalid(path, shown, "conflicting duplicate paths"));
    paths.add(name);
  };
  source.sources?.forEach((projection: any, i: number) => {
    const at = path.child("sources").index(i);
    const kinds = PROJECTIONS.filter((kind) => projection[kind]);
    for (const kind of kinds) {
      const body = projection[kind];
      const bodyAt = at.child(kind);
      switch (kind) {
        case "secret":
        case "configMap":
          checkRequired(body.name, bodyAt.child("name"), errors);
          validateItems(body.items, bodyAt, errors);
          for (const item of body.items ?? []) claim(item.path, body.name);
          break;
        case "downwardAPI":
          validateDownwardItems(body.items ?? [], bodyAt, errors);
          for (const item of body.items ?? []) claim(item.path, item.path);
          break;
        case "serviceAccountToken":
          validateToken(body, bodyAt, path, errors);
          break;
        case "clusterTrustBundle":
          validateTrustBundle(body, bodyAt, errors);
          claim(body.path, body.path);
          break;
        case "podCertificate":
          validatePodCertificate(body, bodyAt, errors);
          for (const field of CERTIFICATE_PATHS) claim(body[field], body[field]);
      }
    }
    if (kinds.length > 1) errors.push(fieldForbidden(at, "may not specify more than 1 volume type per source"));
  });
}

/** `volumeAt`: upstream tells of the token's path as if it were the volume's. */
function validateToken(body: any, path: FieldPath, volumeAt: FieldPath, errors: FieldError[]): void {
  const seconds = body.expirationSeconds ?? 0;
  const at = path.child("expirationSeconds");
  if (seconds < TOKEN_SECONDS_MIN) {
    errors.push(fieldInvalid(at, seconds, "may not specify a duration less than 10 minutes"));
  }
  if (seconds > TOKEN_SECONDS_MAX) {
    errors.push(fieldInvalid(at, seconds, "may not specify a duration larger than 2^32 seconds"));
  }
  const pathAt = volumeAt.child("path");
  if (checkRequired(body.path, pathAt, errors)) checkFileName(body.path, pathAt, errors);
}

function validateTrustBundle(body: any, path: FieldPath, errors: FieldError[]): void {
  const { name, signerName, labelSelector } = body;
  if (name !== undefined && signerName !== undefined) {
    errors.push(fieldInvalid(path, body, "only one of name and signerName may be used"));
  } else if (name !== undefined) {
    checkRequired(name, path.child("name"), errors, "must be a valid object name");
    if (labelSelector) {
      const why = "labelSelector must be unset if name is specified";
      errors.push(fieldInvalid(path.child("labelSelector"), labelSelector, why));
    }
  } else if (signerName !== undefined) {
    checkRequired(signerName, path.child("signerName"), errors, "must be a valid signer name");
    validateSignerName(signerName, path.child("signerName"), errors);
  } else {
    errors.push(fieldRequired(path, "either name or signerName must be specified"));
  }
  checkRequired(body.path, path.child("path"), errors);
  checkFileName(body.path ?? "", path.child("path"), errors);
}

const CERTIFICATE_PATHS = ["credentialBundlePath", "keyPath", "certificateChainPath"] as const;

function validatePodCertificate(body: any, path: FieldPath, errors: FieldError[]): void {
  validateSignerName(body.signerName ?? "", path.child("signerName"), errors);
  checkSupported(body.keyType ?? "", KEY_TYPES, path.child("keyType"), errors);
  const seconds = body.maxExpirationSeconds;
  if (typeof seconds === "number") {
    const isOwn = (body.signerName ?? "").startsWith("kubernetes.io/");
    const max = isOwn ? KUBERNETES_CERTIFICATE_SECONDS_MAX : CERTIFICATE_SECONDS_MAX;
    const at = path.child("maxExpirationSeconds");
    if (seconds < CERTIFICATE_SECONDS_MIN) {
      errors.push(fieldInvalid(at, seconds, `if provided, maxExpirationSeconds must be >= ${CERTIFICATE_SECONDS_MIN}`));
    }
    if (seconds > max) errors.push(fieldInvalid(at, seconds, `if provided, maxExpirationSeconds must be <= ${max}`));
  }
  const given = CERTIFICATE_PATHS.filter((field) => body[field]);
  for (const field of given) checkFileName(body[field], path.child(field), errors);
  if (given.length === 0) {
    errors.push(fieldRequired(path, "specify at least one of credentialBundlePath, keyPath, and certificateChainPath"));
  }
}
