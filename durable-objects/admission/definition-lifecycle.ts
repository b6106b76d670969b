import type { CustomResourceDefinitionObject } from "../../api/custom/definition.ts";
import { forbidden } from "../../api/status.ts";
import { CLEANUP, DEFINITIONS, type DefinitionClaim } from "../catalog/contents.ts";
import { CustomServed } from "../catalog/custom-served.ts";
import { definitionStatus, withDefinitionCondition } from "../controllers/definition-status.ts";
import { timestampOf } from "../verbs/scope.ts";
import type { AdmissionPlugin } from "./plugin.ts";

/**
 * What becomes of a CustomResourceDefinition when it is written: its names are accepted and it is served in the same transaction, so that
 * whoever was answered can use it; one that is deleted stays until its instances have gone (apiextensions-apiserver's storage).
 * `claims`: of all definitions, those of the transaction's earlier writes included.
 */
export const definitionLifecycle = (claims: () => Iterable<DefinitionClaim>): AdmissionPlugin => ({
  name: "CustomResourceDefinitionLifecycle",
  admit({ operation, served, object, now }) {
    if (operation !== "delete" || served.resource !== DEFINITIONS || object.metadata.deletionTimestamp) return;
    const definition = object as CustomResourceDefinitionObject;
    const finalizers = definition.metadata.finalizers ?? [];
    if (!finalizers.includes(CLEANUP)) definition.metadata.finalizers = [...finalizers, CLEANUP];
    const conditions = withDefinitionCondition(
      definition.status?.conditions ?? [],
      {
        type: "Terminating",
        status: "True",
        reason: "InstanceDeletionPending",
        message: "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
      },
      timestampOf(now),
    );
    definition.status = { ...definition.status, conditions };
  },
  begin({ operation, served, subresource, object, now }) {
    if (operation === "delete" || served.resource !== DEFINITIONS || subresource) return;
    const definition = object as CustomResourceDefinitionObject;
    // What is not valid is refused after this.
    if (!definition.spec?.names) return;
    definition.status = definitionStatus(definition, [...claims()], timestampOf(now));
  },
});

/** Nothing is created that would have to be deleted with its definition. */
export const terminatingDefinition: AdmissionPlugin = {
  name: "CustomResourceTerminating",
  admit({ operation, served, subresource, name }) {
    if (operation !== "create" || subresource || !(served instanceof CustomServed) || !served.isTerminating) return;
    throw forbidden(served.groupResource, name, "create not allowed while custom resource definition is terminating");
  },
};
