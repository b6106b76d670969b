import { FlowSchema, type FlowSchemaObject } from "../../api/kinds/flow-schema.ts";
import { PriorityLevelConfiguration } from "../../api/kinds/priority-level-configuration.ts";
import { defineController } from "./controller.ts";

const DANGLING = "Dangling";

/** Says of a FlowSchema whether its priority level is there (upstream's apf_controller.go). */
export const flowSchemaStatus = defineController<FlowSchemaObject>({
  name: "api-priority-and-fairness-config-consumer-v1",
  for: FlowSchema,
  watches: [
    {
      kind: PriorityLevelConfiguration,
      concerns: (level, _, view) =>
        view
          .list(FlowSchema)
          .filter(({ spec }) => spec.priorityLevelConfiguration?.name === level.metadata.name)
          .map(({ metadata }) => metadata.name),
    },
  ],
  reconcile(schema, view, { timestamp }) {
    const name = schema.spec.priorityLevelConfiguration?.name ?? "";
    const isThere = view.get(PriorityLevelConfiguration, name) !== undefined;
    const said = `This FlowSchema references the PriorityLevelConfiguration object named ${JSON.stringify(name)}`;
    const wanted = {
      type: DANGLING,
      status: isThere ? "False" : "True",
      reason: isThere ? "Found" : "NotFound",
      message: isThere ? `${said} and it exists` : `${said} but there is no such object`,
    };
    const conditions: readonly Condition[] = schema.status?.conditions ?? [];
    const known = conditions.find(({ type }) => type === DANGLING);
    if (known?.status === wanted.status && known.reason === wanted.reason && known.message === wanted.message)
      return { writes: [] };
    const others = conditions.filter((condition) => condition !== known);
    const status = { ...schema.status, conditions: [...others, { ...wanted, lastTransitionTime: timestamp }] };
    return { writes: [{ op: "updateStatus", kind: FlowSchema, object: { ...schema, status } }] };
  },
});

interface Condition {
  type?: string;
  status?: string;
  reason?: string;
  message?: string;
}
