import { sameJson } from "../../api/equality.ts";
import {
  AUTO_UPDATE,
  BOOTSTRAP_LEVELS,
  BOOTSTRAP_SCHEMAS,
  type BootstrapObject,
  EXEMPT,
} from "../../api/flow-control/bootstrap-configuration.ts";
import type { KindRef } from "../../api/kind.ts";
import { apiVersionOf } from "../../api/kinds/define-kind.ts";
import { FlowSchema } from "../../api/kinds/flow-schema.ts";
import { PriorityLevelConfiguration } from "../../api/kinds/priority-level-configuration.ts";
import type { KubeObject } from "../../api/object.ts";
import type { HomeController, View, Write } from "./controller.ts";

/**
 * Keeps the objects of priority and fairness that every cluster has (upstream's pkg/registry/flowcontrol/ensurer): those that are missing are made
 * again, mandatory ones are put back as they were, suggested ones as long as their administrator does not say otherwise.
 */
export const flowControlBootstrap: HomeController = {
  name: "api-priority-and-fairness-config-producer-v1",
  watches: [{ kind: FlowSchema }, { kind: PriorityLevelConfiguration }],
  reconcileHome: (view) => ({
    writes: [
      ...ensure(view, PriorityLevelConfiguration, BOOTSTRAP_LEVELS),
      ...ensure(view, FlowSchema, BOOTSTRAP_SCHEMAS),
    ],
  }),
};

const ensure = (view: View, kind: KindRef<any>, objects: readonly BootstrapObject<object>[]): Write[] =>
  objects.flatMap((wanted): Write[] => {
    const current: Readonly<KubeObject> | undefined = view.get(kind, wanted.name);
    if (current) return current.metadata.deletionTimestamp ? [] : revise(kind, current, wanted);
    const metadata = { name: wanted.name, annotations: { [AUTO_UPDATE]: "true" } };
    const object = { apiVersion: apiVersionOf(kind), kind: kind.kind, metadata, spec: wanted.spec };
    return [{ op: "create", kind, object }];
  });

function revise(
  kind: KindRef,
  current: Readonly<KubeObject>,
  { name, spec, isMandatory }: BootstrapObject<object>,
): Write[] {
  const { annotations, generation } = current.metadata;
  const given = parseBool(annotations?.[AUTO_UPDATE]);
  const follows = isMandatory || (given ?? generation === 1);
  // What is reserved for the exempt is its administrator's choice, also of the mandatory level.
  const isTunable = name === EXEMPT && kind.kind === "PriorityLevelConfiguration" && current["spec"]?.exempt;
  const wanted = isTunable ? { ...spec, exempt: current["spec"].exempt } : spec;
  const isOther = follows && !sameJson(current["spec"], wanted);
  if (given === follows && !isOther) return [];
  const metadata = { ...current.metadata, annotations: { ...annotations, [AUTO_UPDATE]: String(follows) } };
  return [{ op: "update", kind, object: { ...current, metadata, ...(isOther && { spec }) } }];
}

/** As Go's strconv.ParseBool. */
function parseBool(text: string | undefined): boolean | undefined {
  if (["1", "t", "T", "true", "TRUE", "True"].includes(text ?? "")) return true;
  return ["0", "f", "F", "false", "FALSE", "False"].includes(text ?? "") ? false : undefined;
}
