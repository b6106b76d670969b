import type { IRuntimeClass } from "kubernetes-models/node.k8s.io/v1/RuntimeClass";
import { checkLabelName } from "../field-checks.ts";
import type { FieldError } from "../field-error.ts";
import { FieldPath } from "../field-path.ts";
import type { KubeObject } from "../object.ts";
import { validateImmutable } from "../object-meta.ts";
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
  validate({ handler }) {
    const errors: FieldError[] = [];
    checkLabelName(handler ?? "", HANDLER, errors);
    return errors;
  },
  validateUpdate(next, previous) {
    const errors: FieldError[] = [];
    validateImmutable(next.handler, previous.handler, HANDLER, errors);
    return errors;
  },
});
