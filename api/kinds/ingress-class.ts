import type { IIngressClassSpec } from "kubernetes-models/networking.k8s.io/v1/IngressClassSpec";
import { checkLabelName, checkRequired, checkSubdomain, checkSupported, complain } from "../field-checks.ts";
import { type FieldError, fieldForbidden, fieldInvalid, fieldRequired, fieldTooLong } from "../field-error.ts";
import { SPEC } from "../field-path.ts";
import { domainPathComplaints, pathSegmentComplaints } from "../names.ts";
import type { KubeObject } from "../object.ts";
import { validateImmutable } from "../object-meta.ts";
import { defineKind } from "./define-kind.ts";

export interface IngressClassObject extends KubeObject {
  spec: IIngressClassSpec;
}

const CONTROLLER_LENGTH_MAX = 250;

/** Which controller serves ingresses of this class. */
export const IngressClass = defineKind<IngressClassObject>("networking.k8s.io/v1", "IngressClass", {
  resource: "ingressclasses",
  namespaced: false,
  columns: [
    { name: "Controller", description: "Who serves the class.", value: ({ spec }) => spec?.controller ?? "" },
    {
      name: "Parameters",
      description: "More for the controller.",
      value({ spec }) {
        const parameters = spec?.parameters;
        if (!parameters) return "<none>";
        return `${parameters.kind}${parameters.apiGroup ? `.${parameters.apiGroup}` : ""}/${parameters.name}`;
      },
    },
  ],
  setDefaults({ spec }) {
    if (spec?.parameters) spec.parameters.scope ??= "Cluster";
  },
  validate({ spec }) {
    const errors: FieldError[] = [];
    const controller = spec?.controller ?? "";
    const at = SPEC.child("controller");
    if (controller.length > CONTROLLER_LENGTH_MAX) errors.push(fieldTooLong(at, CONTROLLER_LENGTH_MAX));
    if (checkRequired(controller, at, errors)) {
      for (const { part, complaint } of domainPathComplaints(controller))
        errors.push(fieldInvalid(at, part, complaint));
    }
    const parameters = spec?.parameters;
    if (!parameters) return errors;
    const parametersAt = SPEC.child("parameters");
    const { apiGroup, namespace, scope } = parameters;
    if (typeof apiGroup === "string") checkSubdomain(apiGroup, parametersAt.child("apiGroup"), errors);
    for (const field of ["kind", "name"] as const) {
      const value = parameters[field];
      if (checkRequired(value, parametersAt.child(field), errors)) {
        complain(pathSegmentComplaints(value), value, parametersAt.child(field), errors);
      }
    }
    if (scope === undefined) errors.push(fieldRequired(parametersAt.child("scope")));
    else checkSupported(scope, ["Cluster", "Namespace"], parametersAt.child("scope"), errors);
    const namespaceAt = parametersAt.child("namespace");
    if (scope === "Namespace") {
      if (namespace === undefined) errors.push(fieldRequired(namespaceAt, "`parameters.scope` is set to 'Namespace'"));
      else checkLabelName(namespace, namespaceAt, errors);
    }
    if (scope === "Cluster" && namespace !== undefined) {
      errors.push(fieldForbidden(namespaceAt, "`parameters.scope` is set to 'Cluster'"));
    }
    return errors;
  },
  validateUpdate(next, previous) {
    const errors: FieldError[] = [];
    validateImmutable(next.spec?.controller, previous.spec?.controller, SPEC.child("controller"), errors);
    return errors;
  },
  hasGeneration: true,
});
