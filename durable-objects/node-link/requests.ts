import type { User } from "../../api/object.ts";
import type { HomeRequest, Target } from "../protocol.ts";

/** A pod as its agent names it, with its new status where there is one. */
export interface ReportedPod {
  namespace: string;
  name: string;
  uid: string;
  status?: Record<string, unknown>;
}

export const storedTarget = (target: Partial<Target>): Target => ({
  group: "",
  version: "v1",
  resource: "",
  namespace: "",
  name: "",
  subresource: "",
  ...target,
});

const replaceStatus = (user: User, target: Target, status: unknown, uid?: string): HomeRequest => ({
  verb: "patch",
  user,
  target: { ...target, subresource: "status" },
  options: {},
  patchType: "json",
  // "add" replaces a member that is there (RFC 6902, 4.1); the test keeps the status off a namesake of another life.
  body: JSON.stringify([
    ...(uid === undefined ? [] : [{ op: "test", path: "/metadata/uid", value: uid }]),
    { op: "add", path: "/status", value: status },
  ]),
});

export const nodeStatusRequest = (user: User, node: string, status: unknown): HomeRequest =>
  replaceStatus(user, storedTarget({ resource: "nodes", name: node }), status);

const podTarget = ({ namespace, name }: ReportedPod): Target => storedTarget({ resource: "pods", namespace, name });

export const statusRequest = (user: User, pod: ReportedPod): HomeRequest =>
  replaceStatus(user, podTarget(pod), pod.status ?? {}, pod.uid);

/** The last step of a graceful deletion: the containers are gone, the object may go. */
export const goneRequest = (user: User, pod: ReportedPod): HomeRequest => ({
  verb: "delete",
  user,
  target: podTarget(pod),
  options: {},
  body: JSON.stringify({
    kind: "DeleteOptions",
    apiVersion: "v1",
    gracePeriodSeconds: 0,
    preconditions: { uid: pod.uid },
  }),
});
