import type { CustomResourceDefinitionObject } from "../custom/definition.ts";
import { validateDefinition, validateDefinitionStatus, validateDefinitionUpdate } from "../custom/definition-rules.ts";
import { formatWarnings } from "../custom/format-warnings.ts";
import { defineKind } from "./define-kind.ts";
import { SERVICE_PORT } from "./webhook-client-config.ts";

/** A kind of the cluster's own. What follows from it is in `api/custom/`. */
export const CustomResourceDefinition = defineKind<CustomResourceDefinitionObject>(
  "apiextensions.k8s.io/v1",
  "CustomResourceDefinition",
  {
    resource: "customresourcedefinitions",
    namespaced: false,
    hasGeneration: true,
    setDefaults(definition) {
      const { spec } = definition;
      // In Go both are there whatever a client leaves out.
      spec.names ??= { plural: "", kind: "" };
      const { names } = spec;
      names.singular ||= (names.kind ?? "").toLowerCase();
      if (names.kind) names.listKind ||= `${names.kind}List`;
      spec.conversion ??= { strategy: "None" };
      const service = spec.conversion.webhook?.clientConfig?.service;
      if (service) service.port ??= SERVICE_PORT;
    },
    prepareForCreate(definition) {
      definition.status = { acceptedNames: { plural: "", kind: "" } };
      noteStorageVersion(definition);
    },
    prepareForUpdate: noteStorageVersion,
    validate: validateDefinition,
    validateUpdate: validateDefinitionUpdate,
    validateStatusUpdate: validateDefinitionStatus,
    warnings: formatWarnings,
  },
);

/** Every version that objects may be stored in is remembered until somebody has migrated them. */
function noteStorageVersion(definition: CustomResourceDefinitionObject): void {
  const storage = definition.spec.versions?.find((version) => version.storage)?.name;
  if (storage === undefined) return;
  definition.status ??= {};
  const stored = definition.status.storedVersions ?? [];
  if (!stored.includes(storage)) definition.status.storedVersions = [...stored, storage];
}
