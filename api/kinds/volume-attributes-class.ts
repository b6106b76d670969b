import { sameJson } from "../equality.ts";
import { checkQualifiedName, checkRequired } from "../field-checks.ts";
import { type FieldError, fieldForbidden } from "../field-error.ts";
import { FieldPath } from "../field-path.ts";
import type { KubeObject } from "../object.ts";
import { defineKind } from "./define-kind.ts";
import { validateParameters } from "./storage-class.ts";

export interface VolumeAttributesClassObject extends KubeObject {
  driverName: string;
  parameters?: Record<string, string>;
}

const DEFAULT_ANNOTATION = "volumeattributesclass.alpha.kubernetes.io/is-default-class";

/** Attributes that a volume may be given, and given anew. */
export const VolumeAttributesClass = defineKind<VolumeAttributesClassObject>(
  "storage.k8s.io/v1",
  "VolumeAttributesClass",
  {
    resource: "volumeattributesclasses",
    namespaced: false,
    columns: [
      {
        name: "Name",
        format: "name",
        description: "Name of the class, and whether it is the default.",
        value: ({ metadata }) =>
          metadata.annotations?.[DEFAULT_ANNOTATION] === "true" ? `${metadata.name} (default)` : metadata.name,
      },
      { name: "DriverName", description: "The driver.", value: ({ driverName }) => driverName ?? "" },
    ],
    validate({ driverName, parameters = {} }) {
      const errors: FieldError[] = [];
      const at = FieldPath.of("driverName");
      if (checkRequired(driverName, at, errors)) checkQualifiedName(driverName.toLowerCase(), at, errors);
      validateParameters(parameters, { isEmptyAllowed: false }, errors);
      return errors;
    },
    validateUpdate(next, previous) {
      const errors: FieldError[] = [];
      if (next.driverName !== previous.driverName) {
        errors.push(fieldForbidden("driverName", "updates to driverName are forbidden."));
      }
      if (!sameJson(next.parameters, previous.parameters)) {
        errors.push(fieldForbidden("parameters", "updates to parameters are forbidden."));
      }
      return errors;
    },
  },
);
