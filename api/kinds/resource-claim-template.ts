import { defineKind } from "./define-kind.ts";

/** What each pod's own ResourceClaim is made from. */
export const ResourceClaimTemplate = defineKind("resource.k8s.io/v1", "ResourceClaimTemplate", {
  resource: "resourceclaimtemplates",
  columns: [],
});
