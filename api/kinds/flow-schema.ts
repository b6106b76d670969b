import type { FieldError } from "../field-error.ts";
import type { KubeObject } from "../object.ts";
import { AGE } from "../table.ts";
import { defineKind } from "./define-kind.ts";
import { validateConditions, validateFlowSchema } from "./flow-schema-validation.ts";
import { keepStatus, startStatus } from "./status.ts";

export interface FlowSchemaObject extends KubeObject {
  spec: {
    priorityLevelConfiguration?: { name?: string };
    matchingPrecedence?: number;
    distinguisherMethod?: { type?: string };
  };
  status?: { conditions?: { type?: string; status?: string }[] };
}

const PRECEDENCE = 1000;

/** Which requests have which priority. */
export const FlowSchema = defineKind<FlowSchemaObject>("flowcontrol.apiserver.k8s.io/v1", "FlowSchema", {
  resource: "flowschemas",
  namespaced: false,
  columns: [
    {
      name: "PriorityLevel",
      description: "The requests' priority.",
      value: ({ spec }) => spec?.priorityLevelConfiguration?.name ?? "",
    },
    { name: "MatchingPrecedence", description: "Less goes first.", value: ({ spec }) => spec?.matchingPrecedence ?? 0 },
    {
      name: "DistinguisherMethod",
      description: "What makes flows of the requests.",
      value: ({ spec }) => (spec?.distinguisherMethod ? (spec.distinguisherMethod.type ?? "") : "<none>"),
    },
    AGE,
    {
      name: "MissingPL",
      description: "Whether the priority level is not there.",
      value: ({ status }) => status?.conditions?.find(({ type }) => type === "Dangling")?.status ?? "?",
    },
  ],
  setDefaults({ spec }) {
    if (spec) spec.matchingPrecedence ||= PRECEDENCE;
  },
  prepareForCreate: startStatus({}),
  prepareForUpdate: keepStatus,
  validate({ metadata, spec = {} as never }) {
    const errors: FieldError[] = [];
    validateFlowSchema(metadata.name ?? "", spec, errors);
    return errors;
  },
  validateStatusUpdate: ({ status }) => validateConditions(status),
  hasGeneration: true,
});
