import { type FieldError, fieldInvalid } from "../field-error.ts";
import { SPEC } from "../field-path.ts";
import type { KubeObject } from "../object.ts";
import { isExtendedResource } from "../pod-template/resources.ts";
import { defineKind } from "./define-kind.ts";
import { checkList } from "./device-names.ts";
import { CONFIGURATIONS_MAX, type Configuration, SELECTORS_MAX, validateConfiguration } from "./device-requests.ts";
import { type DeviceSelector, validateSelector } from "./device-selector.ts";

export interface DeviceClassObject extends KubeObject {
  spec: { selectors?: DeviceSelector[]; config?: Configuration[]; extendedResourceName?: string };
}

/** A sort of devices that claims ask for. */
export const DeviceClass = defineKind<DeviceClassObject>("resource.k8s.io/v1", "DeviceClass", {
  resource: "deviceclasses",
  namespaced: false,
  columns: [],
  validate({ spec = {} }) {
    const errors: FieldError[] = [];
    checkList(spec.selectors, SELECTORS_MAX, SPEC.child("selectors"), validateSelector, errors);
    checkList(spec.config, CONFIGURATIONS_MAX, SPEC.child("config"), validateConfiguration, errors);
    const name = spec.extendedResourceName;
    if (typeof name === "string" && !isExtendedResource(name)) {
      errors.push(fieldInvalid(SPEC.child("extendedResourceName"), name, "must be a valid extended resource name"));
    }
    return errors;
  },
  hasGeneration: true,
});
