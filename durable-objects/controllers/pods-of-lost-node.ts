import { Pod, type PodObject } from "../../api/kinds/pod.ts";
import type { Context, Plan, View, Write } from "./controller.ts";
import { isReady } from "./pod-state.ts";

/** Pods written in one transaction; a node has room for far fewer unless told otherwise. */
const PODS_MAX = 250;

/**
 * Marks the pods of a node that nobody hears of any more as not ready, so that Services stop sending to them. To be
 * carried out (as `node-controller`) in each namespace when the node becomes Unknown, until it wishes nothing more.
 */
export function podsOfLostNode(node: string, view: View, { timestamp }: Context): Plan {
  const pods = view.list(Pod).filter((pod) => pod.spec.nodeName === node && isReady(pod));
  return {
    writes: pods.slice(0, PODS_MAX).flatMap((pod): Write[] => {
      const conditions = pod.status?.conditions?.map((condition) =>
        condition.type === "Ready"
          ? { ...condition, status: "False" as const, lastTransitionTime: timestamp }
          : condition,
      );
      const object = { ...pod, status: { ...pod.status, conditions } } as PodObject;
      return [
        { op: "updateStatus", kind: Pod, object },
        { op: "event", about: pod, type: "Warning", reason: "NodeNotReady", message: "Node is not ready" },
      ];
    }),
  };
}
