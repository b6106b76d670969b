import { defineKind } from "./define-kind.ts";
import { type ResourceClaimTemplateObject, setClaimDefaults, unchangedSpec } from "./device-requests.ts";

/** What each pod's own ResourceClaim is made from. */
export const ResourceClaimTemplate = defineKind<ResourceClaimTemplateObject>(
  "resource.k8s.io/v1",
  "ResourceClaimTemplate",
  {
    resource: "resourceclaimtemplates",
    columns: [],
    setDefaults: ({ spec }) => setClaimDefaults(spec?.spec),
    validateUpdate: unchangedSpec,
  },
);
