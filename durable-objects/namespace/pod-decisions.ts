import { Pod, type PodObject } from "../../api/kinds/pod.ts";
import { ApiError } from "../../api/status.ts";
import type { Context, HomeView, Plan, Write } from "../controllers/controller.ts";
import { setPodCondition } from "../verbs/pods.ts";
import { copyOf } from "../verbs/scope.ts";

/** A pod that fits on no node, in the scheduler's words. */
export interface UnschedulableVerdict {
  name: string;
  uid: string;
  message: string;
}

/** A pod that a cluster-wide controller wants gone. */
export interface PodEviction {
  name: string;
  uid: string;
  reason: string;
  message: string;
  /** At once: nobody is left to stop its containers. */
  force: boolean;
}

export const SCHEDULER = "default-scheduler";
export const TAINT_EVICTION = "taint-eviction-controller";
const BY_POD_GC = "DeletionByPodGC";

/** The Scheduled events of pods that have just been bound. */
export const scheduledEvents =
  (bindings: readonly { name: string; node: string }[]) =>
  (view: HomeView, { namespace }: Context): Plan => ({
    writes: bindings.flatMap(({ name, node }): Write[] => {
      const about = view.get(Pod, name);
      if (!about) return [];
      const message = `Successfully assigned ${namespace}/${name} to ${node}`;
      return [{ op: "event", about, type: "Normal", reason: "Scheduled", message }];
    }),
  });

/** Tells of pods that fit nowhere: by their PodScheduled condition, and by an event each time they are tried. */
export const markUnschedulable =
  (verdicts: readonly UnschedulableVerdict[]) =>
  (view: HomeView, { timestamp }: Context): Plan => ({
    writes: verdicts.flatMap(({ name, uid, message }): Write[] => {
      const known = view.get(Pod, name);
      if (known?.metadata.uid !== uid || known.spec.nodeName || known.metadata.deletionTimestamp) return [];
      const pod = copyOf(known);
      const condition = { type: "PodScheduled", status: "False", reason: "Unschedulable", message } as const;
      return [
        ...(setPodCondition(pod, condition, timestamp) ? [updateStatus(pod)] : []),
        { op: "event", about: known as PodObject, type: "Warning", reason: "FailedScheduling", message },
      ];
    }),
  });

/** Has pods go that a cluster-wide controller evicts; why is told by a condition, and of taints by an event. */
export const evictPods =
  (evictions: readonly PodEviction[]) =>
  (view: HomeView, { timestamp }: Context): Plan => ({
    writes: evictions.flatMap(({ name, uid, reason, message, force }): Write[] => {
      const known = view.get(Pod, name);
      if (known?.metadata.uid !== uid || (known.metadata.deletionTimestamp && !force)) return [];
      const pod = copyOf(known);
      const isCollected = reason === BY_POD_GC;
      const changed =
        message !== "" &&
        setPodCondition(
          pod,
          {
            type: "DisruptionTarget",
            status: "True",
            reason: isCollected ? reason : "DeletionByTaintManager",
            message: isCollected ? message : "Taint manager: deleting due to NoExecute taint",
          },
          timestamp,
        );
      // Nobody is left to say how it ended.
      const { phase } = pod.status ?? {};
      const failed = isCollected && phase !== "Succeeded" && phase !== "Failed";
      if (failed) pod.status = { ...pod.status, phase: "Failed" };
      return [
        ...(changed || failed ? [updateStatus(pod)] : []),
        ...(isCollected ? [] : [{ op: "event", about: known as PodObject, type: "Normal", reason, message } as const]),
        { op: "delete", kind: Pod, name, uid, ...(force && { graceSeconds: 0 }) },
      ];
    }),
  });

function updateStatus(pod: PodObject): Write {
  return { op: "updateStatus", kind: Pod, object: pod };
}

/** What a caller of `bind` is told of a pod that could not be bound: one that cannot be does not keep the others waiting. */
export const refusalText = (error: unknown): string => {
  if (error instanceof ApiError) return error.message;
  console.error("a pod could not be bound", error);
  return "internal error";
};
