import type { FieldError } from "../field-error.ts";
import { SPEC } from "../field-path.ts";
import { validateAnnotations } from "../object-meta.ts";
import { validateLabels } from "../selector.ts";
import { defineKind } from "./define-kind.ts";
import { type ResourceClaimTemplateObject, setClaimDefaults, unchangedSpec, validateClaim } from "./device-requests.ts";

const TEMPLATE_METADATA = SPEC.child("metadata");

/** What each pod's own ResourceClaim is made from. */
export const ResourceClaimTemplate = defineKind<ResourceClaimTemplateObject>(
  "resource.k8s.io/v1",
  "ResourceClaimTemplate",
  {
    resource: "resourceclaimtemplates",
    columns: [],
    setDefaults: ({ spec }) => setClaimDefaults(spec?.spec),
    validate({ spec }, _, previous) {
      const errors: FieldError[] = [];
      // It cannot change; what has become stricter since is left in peace.
      if (previous) return errors;
      validateLabels(spec?.metadata?.labels, TEMPLATE_METADATA.child("labels"), errors);
      validateAnnotations(spec?.metadata?.annotations, TEMPLATE_METADATA.child("annotations"), errors);
      validateClaim(spec?.spec ?? {}, SPEC.child("spec"), errors);
      return errors;
    },
    validateUpdate: unchangedSpec,
  },
);
