import type { KubeObject } from "../object.ts";
import { defineKind } from "./define-kind.ts";

export interface LeaseCandidateObject extends KubeObject {
  spec: { leaseName?: string; binaryVersion?: string; emulationVersion?: string };
}

/** Somebody who could hold a lease. */
export const LeaseCandidate = defineKind<LeaseCandidateObject>("coordination.k8s.io/v1beta1", "LeaseCandidate", {
  resource: "leasecandidates",
  columns: [
    { name: "LeaseName", description: "The lease.", value: ({ spec }) => spec?.leaseName ?? "" },
    { name: "BinaryVersion", description: "What the candidate is.", value: ({ spec }) => spec?.binaryVersion ?? "" },
    {
      name: "EmulationVersion",
      description: "What it behaves like.",
      value: ({ spec }) => spec?.emulationVersion ?? "",
    },
  ],
});
