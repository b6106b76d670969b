import type { KubeObject } from "../../api/object.ts";
import { forbidden } from "../../api/status.ts";
import type { AdmissionPlugin } from "./plugin.ts";

/** What a pod takes over from its PriorityClass. */
export interface PriorityClassFacts {
  name: string;
  value: number;
  globalDefault: boolean;
  preemptionPolicy: string;
}

export const priorityClassFacts = (object: Readonly<KubeObject>): PriorityClassFacts => ({
  name: object.metadata.name,
  value: object["value"] ?? 0,
  globalDefault: object["globalDefault"] ?? false,
  preemptionPolicy: object["preemptionPolicy"] ?? "PreemptLowerPriority",
});

const NO_PRIORITY: PriorityClassFacts = {
  name: "",
  value: 0,
  globalDefault: true,
  preemptionPolicy: "PreemptLowerPriority",
};

/** Turns a pod's priorityClassName into its priority. `classes`: all of the cluster, as they were known lately. */
export const priority = (classes: () => readonly PriorityClassFacts[]): AdmissionPlugin => ({
  name: "Priority",
  admit({ operation, served, subresource, object, name }) {
    if (operation !== "create" || served.resource !== "pods" || subresource || !object["spec"]) return;
    const { spec } = object;
    const found = spec.priorityClassName
      ? classes().find((each) => each.name === spec.priorityClassName)
      : (leastDefault(classes()) ?? NO_PRIORITY);
    if (!found) {
      throw forbidden(served.groupResource, name, `no PriorityClass with name ${spec.priorityClassName} was found`);
    }
    if (spec.priority !== undefined && spec.priority !== found.value) {
      const why = `the integer value of priority (${spec.priority}) must not be provided in pod spec; priority admission controller computed ${found.value} from the given PriorityClass name`;
      throw forbidden(served.groupResource, name, why);
    }
    if (found.name) spec.priorityClassName = found.name;
    spec.priority = found.value;
    spec.preemptionPolicy ??= found.preemptionPolicy;
  },
});

/** Two may have become the default at once; the lesser one then is. */
const leastDefault = (classes: readonly PriorityClassFacts[]): PriorityClassFacts | undefined =>
  classes.filter(({ globalDefault }) => globalDefault).sort((a, b) => a.value - b.value)[0];

/** The ClusterHome's part of it: one PriorityClass at most is the default. */
export const oneDefaultPriorityClass: AdmissionPlugin = {
  name: "Priority",
  admit({ operation, served, object, name, tx }) {
    if (operation === "delete" || served.resource !== "priorityclasses.scheduling.k8s.io") return;
    if (!object["globalDefault"]) return;
    const other = tx
      .list(served.resource)
      .find((stored) => stored.name !== name && stored.object["globalDefault"] === true);
    if (!other) return;
    const why = `PriorityClass ${other.name} is already marked as default. Only one default can exist`;
    throw forbidden(served.groupResource, name, why);
  },
};
