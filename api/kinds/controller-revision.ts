import type { IControllerRevision } from "kubernetes-models/apps/v1/ControllerRevision";
import { sameJson } from "../equality.ts";
import { type FieldError, fieldInvalid, fieldRequired } from "../field-error.ts";
import { FieldPath } from "../field-path.ts";
import type { KubeObject } from "../object.ts";
import { validateNonNegative } from "../object-meta.ts";
import { defineKind } from "./define-kind.ts";

export type ControllerRevisionObject = Omit<IControllerRevision, "apiVersion" | "kind" | "metadata"> & KubeObject;

/** A workload's template as it once was. */
export const ControllerRevision = defineKind<ControllerRevisionObject>("apps/v1", "ControllerRevision", {
  resource: "controllerrevisions",
  columns: [
    { name: "Controller", description: "Whose revision it is.", value: describeController },
    { name: "Revision", description: "Its number.", value: ({ revision }) => revision ?? 0 },
  ],
  validate({ data, revision }) {
    const errors: FieldError[] = [];
    if (!data) errors.push(fieldRequired("data", "data is mandatory"));
    validateNonNegative(revision, FieldPath.of("revision"), errors);
    return errors;
  },
  validateUpdate(next, previous) {
    return sameJson(next.data, previous.data) ? [] : [fieldInvalid("data", next.data, "field is immutable")];
  },
});

function describeController({ metadata }: ControllerRevisionObject): string {
  const owner = metadata.ownerReferences?.find(({ controller }) => controller);
  if (!owner) return "<none>";
  const slash = owner.apiVersion.indexOf("/");
  const group = slash === -1 ? "" : `.${owner.apiVersion.slice(0, slash)}`;
  return `${`${owner.kind}${group}`.toLowerCase()}/${owner.name}`;
}
