import type { KubeObject } from "../object.ts";
import { defineKind } from "./define-kind.ts";

export type CertificateSigningRequestObject = KubeObject;

export const CertificateSigningRequest = defineKind<CertificateSigningRequestObject>(
  "certificates.k8s.io/v1",
  "CertificateSigningRequest",
  {
    resource: "certificatesigningrequests",
    namespaced: false,
  },
);
