import type { KubeObject } from "../../api/object.ts";
import { conflict, notFound } from "../../api/status.ts";
import { admitSubresource } from "../admission/admit-subresource.ts";
import { objectText } from "./object-text.ts";
import { copyOf, timestampOf, type Writing } from "./scope.ts";
import { servedOf } from "./served.ts";

const PODS = { group: "", resource: "pods" };
/** As upstream names it where a pod is not in the state to be bound. */
const PODS_BINDING = { group: "", resource: "pods/binding" };
const BINDING = { group: "", version: "v1", kind: "Binding" };

/** What a pod is to be bound to, and what its binding adds to it. */
export interface PodBinding {
  name: string;
  /** Undefined: whichever has the name. */
  uid: string | undefined;
  node: string;
  annotations?: Record<string, string>;
}

/** Places a pod that has no place yet. @throws ApiError where it has gone, is going, or has been placed meanwhile. */
export function bindPod(writing: Writing, binding: PodBinding): void {
  const { tx, scope, dryRun } = writing;
  const { name, uid } = binding;
  const stored = tx.get("pods", name);
  if (!stored) throw notFound(PODS, name);
  const { metadata, spec } = stored.object;
  if (uid !== undefined && uid !== metadata.uid) {
    throw conflict(PODS, name, `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${metadata.uid}`);
  }
  if (metadata.deletionTimestamp) {
    throw conflict(PODS_BINDING, name, `pod ${name} is being deleted, cannot be assigned to a host`);
  }
  if (spec?.nodeName) {
    throw conflict(PODS_BINDING, name, `pod ${name} is already assigned to node ${JSON.stringify(spec.nodeName)}`);
  }
  if (spec?.schedulingGates?.length > 0) {
    throw conflict(PODS_BINDING, name, `pod ${name} has non-empty .spec.schedulingGates`);
  }
  const { node, annotations } = admitted(writing, binding);
  if (dryRun) return;
  const pod = copyOf(stored.object);
  pod["spec"].nodeName = node;
  if (annotations) pod.metadata.annotations = { ...pod.metadata.annotations, ...annotations };
  setPodCondition(pod, { type: "PodScheduled", status: "True" }, timestampOf(scope.now()));
  tx.put("pods", name, (revision) => objectText(pod, revision));
}

/** The binding as admission lets it pass. */
function admitted(
  writing: Writing,
  { name, uid, node, annotations }: PodBinding,
): Pick<PodBinding, "node" | "annotations"> {
  const { metadata, target } = admitSubresource(writing, {
    operation: "create",
    served: servedOf({ ...PODS, version: "v1" }),
    subresource: "binding",
    name,
    kind: BINDING,
    object: {
      kind: "Binding",
      apiVersion: "v1",
      metadata: { name, namespace: writing.scope.namespace, ...(uid && { uid }), ...(annotations && { annotations }) },
      target: { kind: "Node", name: node },
    },
  });
  return { node: target?.name ?? node, ...(metadata.annotations && { annotations: metadata.annotations }) };
}

export interface PodCondition {
  type: string;
  status: "True" | "False" | "Unknown";
  reason?: string;
  message?: string;
}

/** Sets a condition in place; its transition time moves when its status does. Answers whether anything changed. */
export function setPodCondition(pod: KubeObject, condition: PodCondition, now: string): boolean {
  pod["status"] ??= {};
  const conditions: (PodCondition & Record<string, unknown>)[] = pod["status"].conditions ?? [];
  const known = conditions.find(({ type }) => type === condition.type);
  if (
    known &&
    ["status", "reason", "message"].every((field) => known[field] === condition[field as keyof PodCondition])
  ) {
    return false;
  }
  const lastTransitionTime = known?.status === condition.status ? known["lastTransitionTime"] : now;
  const next = { lastProbeTime: null, ...condition, lastTransitionTime };
  pod["status"].conditions = known ? conditions.map((each) => (each === known ? next : each)) : [...conditions, next];
  return true;
}
