import type { IRuntimeClass } from "kubernetes-models/node.k8s.io/v1/RuntimeClass";
import { sameJson } from "../equality.ts";
import { checkLabelName, checkRequired } from "../field-checks.ts";
import { type FieldError, fieldDuplicate } from "../field-error.ts";
import { FieldPath } from "../field-path.ts";
import type { KubeObject } from "../object.ts";
import { validateImmutable } from "../object-meta.ts";
import { validateTolerations } from "../pod-template/placement.ts";
import { checkContainerResourceName, checkQuantity } from "../pod-template/resources.ts";
import { validateLabels } from "../selector.ts";
import { defineKind } from "./define-kind.ts";

export type RuntimeClassObject = Omit<IRuntimeClass, "apiVersion" | "kind" | "metadata"> & KubeObject;

const HANDLER = FieldPath.of("handler");

/** Which container runtime a pod gets. */
export const RuntimeClass = defineKind<RuntimeClassObject>("node.k8s.io/v1", "RuntimeClass", {
  resource: "runtimeclasses",
  namespaced: false,
  columns: [
    { name: "Handler", description: "The runtime's name on the nodes.", value: ({ handler }) => handler ?? "" },
  ],
  validate({ handler, overhead, scheduling }) {
    const errors: FieldError[] = [];
    if (checkRequired(handler, HANDLER, errors)) checkLabelName(handler, HANDLER, errors);
    const fixed = (overhead?.podFixed ?? {}) as Record<string, string>;
    const fixedAt = FieldPath.of("overhead").child("podFixed");
    for (const name in fixed) {
      checkContainerResourceName(name, fixedAt.key(name), errors);
      checkQuantity(name, fixed[name]!, fixedAt.key(name), errors);
    }
    if (!scheduling) return errors;
    const at = FieldPath.of("scheduling");
    validateLabels(scheduling.nodeSelector, at.child("nodeSelector"), errors);
    const tolerations = scheduling.tolerations ?? [];
    validateTolerations(tolerations, at.child("tolerations"), errors);
    tolerations.forEach((toleration, i) => {
      if (!tolerations.slice(0, i).some((other) => sameJson(other, toleration))) return;
      // Shown as upstream's Go type, which has no JSON names.
      const { key = "", operator = "", value = "", effect = "", tolerationSeconds = null } = toleration;
      const shown = {
        Key: key,
        Operator: operator,
        Value: value,
        Effect: effect,
        TolerationSeconds: tolerationSeconds,
      };
      errors.push(fieldDuplicate(at.child("tolerations").index(i), shown));
    });
    return errors;
  },
  validateUpdate(next, previous) {
    const errors: FieldError[] = [];
    validateImmutable(next.handler, previous.handler, HANDLER, errors);
    return errors;
  },
});
