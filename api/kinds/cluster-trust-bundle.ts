import type { KubeObject } from "../object.ts";
import { defineKind } from "./define-kind.ts";

export interface ClusterTrustBundleObject extends KubeObject {
  spec: { signerName?: string };
}

/** Certificates that pods may trust. */
export const ClusterTrustBundle = defineKind<ClusterTrustBundleObject>(
  "certificates.k8s.io/v1beta1",
  "ClusterTrustBundle",
  {
    resource: "clustertrustbundles",
    namespaced: false,
    withoutAge: true,
    columns: [
      { name: "SignerName", description: "Whose they are.", value: ({ spec }) => spec?.signerName || "<none>" },
    ],
    withoutNamespaceField: true,
    selectableFields: ({ spec }) => ({ "spec.signerName": spec?.signerName ?? "" }),
  },
);
