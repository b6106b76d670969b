import type { IPodTemplate } from "kubernetes-models/v1/PodTemplate";
import type { FieldError } from "../field-error.ts";
import { FieldPath } from "../field-path.ts";
import type { KubeObject } from "../object.ts";
import { setPodTemplateDefaults } from "../pod-template/defaults.ts";
import { validatePodTemplate } from "../pod-template/validate.ts";
import { formatLabels } from "../selector.ts";
import { defineKind } from "./define-kind.ts";
import { containerColumns } from "./workload.ts";

export type PodTemplateObject = Omit<IPodTemplate, "apiVersion" | "kind" | "metadata"> & KubeObject;

/** A template by itself. */
export const PodTemplate = defineKind<PodTemplateObject>("v1", "PodTemplate", {
  resource: "podtemplates",
  withoutAge: true,
  columns: [
    ...containerColumns<PodTemplateObject>(({ template }) => template?.spec?.containers).map((column) => ({
      ...column,
      priority: 0 as const,
    })),
    {
      name: "Pod Labels",
      description: "Labels of the template.",
      value: ({ template }) => formatLabels(template?.metadata?.labels),
    },
  ],
  setDefaults: ({ template }) => setPodTemplateDefaults(template),
  validate({ template }) {
    const errors: FieldError[] = [];
    validatePodTemplate(template ?? {}, FieldPath.of("template"), errors);
    return errors;
  },
  hasGeneration: true,
});
