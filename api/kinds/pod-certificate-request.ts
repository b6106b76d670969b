import type { KubeObject } from "../object.ts";
import { formatLabels } from "../selector.ts";
import type { Condition } from "./conditions.ts";
import { defineKind } from "./define-kind.ts";
import { keepStatus, startStatus } from "./status.ts";

export interface PodCertificateRequestObject extends KubeObject {
  spec: {
    podName?: string;
    serviceAccountName?: string;
    nodeName?: string;
    signerName?: string;
    unverifiedUserAnnotations?: Record<string, string>;
  };
  status?: { conditions?: Condition[] };
}

const VERDICTS = ["Issued", "Denied", "Failed"];

/** A node asks for a pod's certificate. */
export const PodCertificateRequest = defineKind<PodCertificateRequestObject>(
  "certificates.k8s.io/v1beta1",
  "PodCertificateRequest",
  {
    resource: "podcertificaterequests",
    withoutAge: true,
    columns: [
      { name: "PodName", description: "For which pod.", value: ({ spec }) => spec?.podName ?? "" },
      { name: "ServiceAccountName", description: "As whom.", value: ({ spec }) => spec?.serviceAccountName ?? "" },
      { name: "NodeName", description: "Where the pod runs.", value: ({ spec }) => spec?.nodeName ?? "" },
      { name: "SignerName", description: "Who should sign.", value: ({ spec }) => spec?.signerName ?? "" },
      {
        name: "State",
        description: "What was decided.",
        value: ({ status }) =>
          status?.conditions?.findLast(({ type }) => VERDICTS.includes(type ?? ""))?.type ?? "Pending",
      },
      {
        name: "UnverifiedUserAnnotations",
        priority: 1,
        description: "What the pod says of it, which nobody has looked at.",
        value: ({ spec }) => formatLabels(spec?.unverifiedUserAnnotations),
      },
    ],
    prepareForCreate: startStatus({}),
    prepareForUpdate: keepStatus,
  },
);
