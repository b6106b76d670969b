import { humanDuration } from "../duration.ts";
import { checkRequired, checkSupported } from "../field-checks.ts";
import { type FieldError, fieldForbidden, fieldInvalid, fieldRequired } from "../field-error.ts";
import { SPEC, STATUS } from "../field-path.ts";
import { domainPathComplaints } from "../names.ts";
import type { KubeObject } from "../object.ts";
import { AGE } from "../table.ts";
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
  status?: { conditions?: { type: string; status?: string }[]; certificate?: string };
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
    prepareForCreate: startStatus({}),
    prepareForUpdate(next, previous) {
      // What was asked for is asked for; only metadata changes.
      next.spec = previous.spec;
      keepStatus(next, previous);
    },
    validate({ spec }) {
      const errors: FieldError[] = [];
      checkRequired(spec.request, SPEC.child("request"), errors);
      if (!spec.usages?.length) errors.push(fieldRequired(SPEC.child("usages")));
      spec.usages?.forEach((usage, i) => {
        checkSupported(usage, USAGES, SPEC.child("usages").index(i), errors);
      });
      const at = SPEC.child("signerName");
      if (checkRequired(spec.signerName, at, errors)) {
        for (const { part, complaint } of domainPathComplaints(spec.signerName))
          errors.push(fieldInvalid(at, part, complaint));
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
    validateStatusUpdate({ status }) {
      const types = new Set(status?.conditions?.map(({ type }) => type));
      if (!types.has("Approved") || !types.has("Denied")) return [];
      return [fieldForbidden(STATUS.child("conditions"), "Approved and Denied conditions are mutually exclusive")];
    },
    selectableFields: ({ spec }) => ({ "spec.signerName": spec?.signerName ?? "" }),
  },
);

function describe({ status }: CertificateSigningRequestObject): string {
  const types = new Set(status?.conditions?.map(({ type }) => type));
  const verdict = types.has("Denied") ? "Denied" : types.has("Approved") ? "Approved" : "Pending";
  return `${verdict}${types.has("Failed") ? ",Failed" : ""}${status?.certificate ? ",Issued" : ""}`;
}
