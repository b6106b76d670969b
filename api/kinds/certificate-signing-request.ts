import { humanDuration } from "../duration.ts";
import { sameJson } from "../equality.ts";
import { checkRequired, checkSupported } from "../field-checks.ts";
import { type FieldError, fieldDuplicate, fieldForbidden, fieldInvalid, fieldRequired } from "../field-error.ts";
import { SPEC, STATUS } from "../field-path.ts";
import type { KubeObject } from "../object.ts";
import { validateSignerName } from "../signer-name.ts";
import { AGE } from "../table.ts";
import { certificateRequestComplaint } from "./certificate-request.ts";
import { defineKind } from "./define-kind.ts";
import { keepStatus, startStatus } from "./status.ts";

export interface CertificateSigningRequestObject extends KubeObject {
  spec: {
    request: string;
    signerName: string;
    expirationSeconds?: number;
    usages?: string[];
    username?: string;
    uid?: string;
    groups?: string[];
    extra?: Record<string, string[]>;
  };
  status?: { conditions?: Condition[]; certificate?: string };
}

interface Condition {
  type: string;
  status?: string;
  lastUpdateTime?: string;
  lastTransitionTime?: string;
}

const EXPIRATION_SECONDS_MIN = 600;
const USAGES = [
  "any",
  "cert sign",
  "client auth",
  "code signing",
  "content commitment",
  "crl sign",
  "data encipherment",
  "decipher only",
  "digital signature",
  "email protection",
  "encipher only",
  "ipsec end system",
  "ipsec tunnel",
  "ipsec user",
  "key agreement",
  "key encipherment",
  "microsoft sgc",
  "netscape sgc",
  "ocsp signing",
  "s/mime",
  "server auth",
  "signing",
  "timestamping",
];

/** Asks for a certificate. */
export const CertificateSigningRequest = defineKind<CertificateSigningRequestObject>(
  "certificates.k8s.io/v1",
  "CertificateSigningRequest",
  {
    resource: "certificatesigningrequests",
    namespaced: false,
    // Upstream has no rule of its own for its names.
    nameRule: "path",
    columns: [
      AGE,
      { name: "SignerName", description: "Who should sign.", value: ({ spec }) => spec.signerName || "<none>" },
      { name: "Requestor", description: "Who asks.", value: ({ spec }) => spec.username ?? "" },
      {
        name: "RequestedDuration",
        description: "For how long.",
        value: ({ spec }) =>
          spec.expirationSeconds === undefined ? "<none>" : humanDuration(spec.expirationSeconds * 1000),
      },
      { name: "Condition", description: "What was decided.", value: describe },
    ],
    prepareForCreate(request, user) {
      startStatus({})(request);
      const { username: _, uid: __, groups: ___, extra: ____, ...asked } = request.spec ?? {};
      request.spec = asked as CertificateSigningRequestObject["spec"];
      if (!user) return;
      // Who asks is told by the server, never by who asks.
      request.spec.username = user.name;
      if (user.uid) request.spec.uid = user.uid;
      if (user.groups.length > 0) request.spec.groups = [...user.groups];
      if (user.extra && Object.keys(user.extra).length > 0) request.spec.extra = structuredClone(user.extra);
    },
    prepareForUpdate(next, previous) {
      // What was asked for is asked for; only metadata changes.
      next.spec = previous.spec;
      keepStatus(next, previous);
    },
    validate({ spec }) {
      const errors: FieldError[] = [];
      const complaint = certificateRequestComplaint(spec.request ?? "");
      if (complaint) errors.push(fieldInvalid(SPEC.child("request"), spec.request ?? null, complaint));
      if (!spec.usages?.length) errors.push(fieldRequired(SPEC.child("usages")));
      spec.usages?.forEach((usage, i) => {
        checkSupported(usage, USAGES, SPEC.child("usages").index(i), errors);
        if (spec.usages!.indexOf(usage) < i) errors.push(fieldDuplicate(SPEC.child("usages").index(i), usage));
      });
      const at = SPEC.child("signerName");
      if (checkRequired(spec.signerName, at, errors)) {
        validateSignerName(spec.signerName, at, errors);
        if (spec.signerName === "kubernetes.io/legacy-unknown") {
          errors.push(fieldInvalid(at, spec.signerName, "the legacy signerName is not allowed via this API version"));
        }
      }
      const seconds = spec.expirationSeconds;
      if (typeof seconds === "number" && seconds < EXPIRATION_SECONDS_MIN) {
        const why = `may not specify a duration less than ${EXPIRATION_SECONDS_MIN} seconds (10 minutes)`;
        errors.push(fieldInvalid(SPEC.child("expirationSeconds"), seconds, why));
      }
      return errors;
    },
    validateStatusUpdate: (next, previous) => [
      ...validateConditions(next, previous),
      ...unchangedVerdict(next, previous),
    ],
    partialUpdates: {
      approval: {
        keep(next, previous, now) {
          const conditions = next.status?.conditions ?? [];
          next.spec = structuredClone(previous.spec);
          next.status = { ...structuredClone(previous.status) };
          if (conditions.length > 0) next.status.conditions = withTimes(conditions, previous, now);
          else delete next.status.conditions;
        },
        validate: validateConditions,
      },
    },
    withoutNamespaceField: true,
    selectableFields: ({ spec }) => ({ "spec.signerName": spec?.signerName ?? "" }),
  },
);

function describe({ status }: CertificateSigningRequestObject): string {
  const types = new Set(status?.conditions?.map(({ type }) => type));
  const verdict = types.has("Denied") ? "Denied" : types.has("Approved") ? "Approved" : "Pending";
  return `${verdict}${types.has("Failed") ? ",Failed" : ""}${status?.certificate ? ",Issued" : ""}`;
}

/** Conditions without times get the present one, or that of the same condition before. */
const withTimes = (
  conditions: readonly Condition[],
  { status }: CertificateSigningRequestObject,
  now: string,
): Condition[] =>
  conditions.map((condition) => ({
    ...condition,
    lastUpdateTime: condition.lastUpdateTime ?? now,
    lastTransitionTime:
      condition.lastTransitionTime ??
      status?.conditions?.find((old) => old.type === condition.type && old.status === condition.status)
        ?.lastTransitionTime ??
      now,
  }));

const FINAL = ["Approved", "Denied", "Failed"];
const VERDICTS = ["Approved", "Denied"];
const CONDITIONS = STATUS.child("conditions");

const conditionsOf = ({ status }: CertificateSigningRequestObject, type: string): Condition[] =>
  (status?.conditions ?? []).filter((condition) => condition.type === type);

/** What holds for the conditions whoever writes them: a verdict is `True`, there is one, and it stays. */
function validateConditions(
  next: CertificateSigningRequestObject,
  previous: CertificateSigningRequestObject,
): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  next.status?.conditions?.forEach(({ type = "", status }, i) => {
    const at = CONDITIONS.index(i);
    checkRequired(type, at.child("type"), errors);
    if (checkRequired(status, at.child("status"), errors)) {
      const supported = FINAL.includes(type) ? ["True"] : ["False", "True", "Unknown"];
      checkSupported(status, supported, at.child("status"), errors);
    }
    const other = type === "Approved" ? "Denied" : type === "Denied" ? "Approved" : undefined;
    if (other && seen.has(other)) {
      errors.push(fieldInvalid(CONDITIONS, type, "Approved and Denied conditions are mutually exclusive"));
    }
    if (seen.has(type)) errors.push(fieldDuplicate(at.child("type"), type));
    seen.add(type);
  });
  for (const type of FINAL) {
    if (conditionsOf(next, type).length >= conditionsOf(previous, type).length) continue;
    errors.push(fieldForbidden(CONDITIONS, `updates may not remove a condition of type "${type}"`));
  }
  return errors;
}

/** By `status`, who signs cannot also decide. */
function unchangedVerdict(
  next: CertificateSigningRequestObject,
  previous: CertificateSigningRequestObject,
): FieldError[] {
  const errors: FieldError[] = [];
  for (const type of VERDICTS) {
    const [is, was] = [conditionsOf(next, type), conditionsOf(previous, type)];
    if (is.length > was.length) {
      errors.push(fieldForbidden(CONDITIONS, `updates may not add a condition of type "${type}"`));
    } else if (is.length === was.length && !sameJson(is, was)) {
      errors.push(fieldForbidden(CONDITIONS, `updates may not modify a condition of type "${type}"`));
    }
  }
  const had = previous.status?.certificate;
  if (had && next.status?.certificate !== had) {
    const why = "updates may not modify existing certificate content";
    errors.push(fieldForbidden(STATUS.child("certificate"), why));
  }
  return errors;
}
