import type { IPriorityClass } from "kubernetes-models/scheduling.k8s.io/v1/PriorityClass";
import { checkRequired, checkSupported } from "../field-checks.ts";
import { type FieldError, fieldForbidden } from "../field-error.ts";
import { FieldPath } from "../field-path.ts";
import type { KubeObject } from "../object.ts";
import { validateImmutable } from "../object-meta.ts";
import { AGE } from "../table.ts";
import { defineKind } from "./define-kind.ts";

export type PriorityClassObject = Omit<IPriorityClass, "apiVersion" | "kind" | "metadata"> & KubeObject;

const USER_PRIORITY_MAX = 1_000_000_000;
/** Priority classes that every cluster has. */
export const SYSTEM_PRIORITIES: Readonly<Record<string, number>> = {
  "system-node-critical": 2_000_001_000,
  "system-cluster-critical": 2_000_000_000,
};

/** How much a pod matters, against others. */
export const PriorityClass = defineKind<PriorityClassObject>("scheduling.k8s.io/v1", "PriorityClass", {
  resource: "priorityclasses",
  namespaced: false,
  columns: [
    { name: "Value", type: "integer", description: "The higher, the sooner.", value: ({ value }) => value ?? 0 },
    {
      name: "Global-Default",
      type: "boolean",
      description: "Whether pods without a class have this one.",
      value: ({ globalDefault }) => globalDefault ?? false,
    },
    AGE,
    {
      name: "PreemptionPolicy",
      description: "Whether others make room for it.",
      value: ({ preemptionPolicy }) => preemptionPolicy ?? "",
    },
  ],
  setDefaults(priorityClass) {
    priorityClass.preemptionPolicy ??= "PreemptLowerPriority";
    // Upstream writes what is not there.
    priorityClass.value ??= 0;
  },
  validate({ metadata, value, globalDefault, preemptionPolicy }) {
    const errors: FieldError[] = [];
    if (metadata.name?.startsWith("system-")) {
      if (value !== SYSTEM_PRIORITIES[metadata.name] || globalDefault) {
        const why = `priority class names with 'system-' prefix are reserved for system use only`;
        errors.push(fieldForbidden("metadata.name", why));
      }
    } else if (value > USER_PRIORITY_MAX) {
      const why = `maximum allowed value of a user defined priority is ${USER_PRIORITY_MAX}`;
      errors.push(fieldForbidden("value", why));
    }
    const at = FieldPath.of("preemptionPolicy");
    if (preemptionPolicy !== undefined && checkRequired(preemptionPolicy, at, errors)) {
      checkSupported(preemptionPolicy, ["PreemptLowerPriority", "Never"], at, errors);
    }
    return errors;
  },
  validateUpdate(next, previous) {
    const errors: FieldError[] = [];
    if (next.value !== previous.value) errors.push(fieldForbidden("value", "may not be changed in an update."));
    validateImmutable(next.preemptionPolicy, previous.preemptionPolicy, FieldPath.of("preemptionPolicy"), errors);
    return errors;
  },
  hasGeneration: true,
});
