import type { DeploymentObject } from "../../api/kinds/deployment.ts";
import { type Condition, findCondition, withCondition, withoutCondition } from "./conditions.ts";
import type { Draft } from "./deployment-replica-sets.ts";
import { desiredReplicas, fenceposts } from "./deployment-scaling.ts";
import { timeOf } from "./pod-state.ts";

type DeploymentRef = Readonly<DeploymentObject>;

/** DeploymentStatus with every count there. */
export interface Status {
  observedGeneration: number;
  replicas: number;
  updatedReplicas: number;
  readyReplicas: number;
  availableReplicas: number;
  unavailableReplicas: number;
  terminatingReplicas: number | undefined;
  collisionCount: number | undefined;
  conditions: Condition[];
}

/** Upstream's way to say "no deadline". */
const NO_DEADLINE = 2 ** 31 - 1;

export const hasDeadline = ({ spec }: DeploymentRef): boolean =>
  spec.progressDeadlineSeconds !== undefined && spec.progressDeadlineSeconds !== NO_DEADLINE;

export const progressing = (
  status: "True" | "False" | "Unknown",
  reason: string,
  message: string,
  timestamp: string,
): Condition => ({
  type: "Progressing",
  status,
  lastUpdateTime: timestamp,
  lastTransitionTime: timestamp,
  reason,
  message,
});

/** What the replica sets say, and whether that is enough to be Available. */
export function observe(
  deployment: DeploymentRef,
  current: Draft | undefined,
  all: readonly Draft[],
  conditions: Condition[],
  timestamp: string,
): Status {
  const sum = (field: "replicas" | "readyReplicas" | "availableReplicas" | "terminatingReplicas"): number =>
    all.reduce((total, { set }) => total + (set.status?.[field] ?? 0), 0);
  const availableReplicas = sum("availableReplicas");
  const isAvailable = availableReplicas >= desiredReplicas(deployment) - fenceposts(deployment).maxUnavailable;
  const available: Condition = {
    type: "Available",
    status: isAvailable ? "True" : "False",
    lastUpdateTime: timestamp,
    lastTransitionTime: timestamp,
    reason: isAvailable ? "MinimumReplicasAvailable" : "MinimumReplicasUnavailable",
    message: isAvailable ? "Deployment has minimum availability." : "Deployment does not have minimum availability.",
  };
  return {
    observedGeneration: deployment.metadata.generation ?? 0,
    replicas: sum("replicas"),
    updatedReplicas: current?.set.status?.replicas ?? 0,
    readyReplicas: sum("readyReplicas"),
    availableReplicas,
    unavailableReplicas: Math.max(0, all.reduce((total, { replicas }) => total + replicas, 0) - availableReplicas),
    // Unknown until every set has said (a set made in this pass has none).
    terminatingReplicas: all.every(({ set, isCreated }) => isCreated || set.status?.terminatingReplicas !== undefined)
      ? sum("terminatingReplicas")
      : undefined,
    collisionCount: deployment.status?.collisionCount,
    conditions: withCondition(conditions, available),
  };
}

/** All replicas are of the present template, and available; nothing else is left. */
export function isComplete(
  deployment: DeploymentRef,
  status: Pick<Status, "updatedReplicas" | "replicas" | "availableReplicas" | "observedGeneration">,
): boolean {
  const desired = desiredReplicas(deployment);
  return (
    status.updatedReplicas === desired &&
    status.replicas === desired &&
    status.availableReplicas === desired &&
    status.observedGeneration >= (deployment.metadata.generation ?? 0)
  );
}

/** Estimates whether the rollout gets on; and in how many seconds to look again whether it is stuck. */
export function estimateProgress(
  deployment: DeploymentRef,
  current: Draft | undefined,
  all: readonly Draft[],
  status: Status,
  now: number,
  timestamp: string,
): { status: Status; againInSeconds?: number } {
  let { conditions } = status;
  if (!hasDeadline(deployment)) conditions = withoutCondition(conditions, "Progressing");
  const known = findCondition(deployment.status?.conditions as Condition[] | undefined, "Progressing");
  const isDone = status.replicas === status.updatedReplicas && known?.reason === "NewReplicaSetAvailable";
  if (hasDeadline(deployment) && !isDone) {
    const what = current ? `ReplicaSet "${current.set.metadata.name}"` : `Deployment "${deployment.metadata.name}"`;
    if (isComplete(deployment, status)) {
      const done = progressing("True", "NewReplicaSetAvailable", `${what} has successfully progressed.`, timestamp);
      conditions = withCondition(conditions, done);
    } else if (hasProgressed(deployment, status)) {
      const moving = progressing("True", "ReplicaSetUpdated", `${what} is progressing.`, timestamp);
      // Any progress moves lastUpdateTime, from which the deadline counts; lastTransitionTime stays while it is True.
      const since = known?.status === "True" ? known.lastTransitionTime : undefined;
      conditions = [
        ...withoutCondition(conditions, "Progressing"),
        { ...moving, ...(since && { lastTransitionTime: since }) },
      ];
    } else if (isOverdue(deployment, conditions, now)) {
      const stuck = progressing("False", "ProgressDeadlineExceeded", `${what} has timed out progressing.`, timestamp);
      conditions = withCondition(conditions, stuck);
    }
  }
  conditions = withReplicaFailure(conditions, current, all);
  const estimated = { ...status, conditions };
  const wait = deadlineIn(deployment, estimated, now);
  return { status: estimated, ...(wait !== undefined && { againInSeconds: wait }) };
}

function hasProgressed(deployment: DeploymentRef, next: Status): boolean {
  const { updatedReplicas = 0, replicas = 0, readyReplicas = 0, availableReplicas = 0 } = deployment.status ?? {};
  return (
    next.updatedReplicas > updatedReplicas ||
    next.replicas - next.updatedReplicas < replicas - updatedReplicas ||
    next.readyReplicas > readyReplicas ||
    next.availableReplicas > availableReplicas
  );
}

function isOverdue(deployment: DeploymentRef, conditions: Condition[], now: number): boolean {
  const condition = findCondition(conditions, "Progressing");
  if (!condition || condition.reason === "NewReplicaSetAvailable") return false;
  if (condition.reason === "ProgressDeadlineExceeded") return true;
  const since = timeOf(condition.lastUpdateTime);
  return since !== undefined && since + deployment.spec.progressDeadlineSeconds! * 1_000 < now;
}

function deadlineIn(deployment: DeploymentRef, status: Status, now: number): number | undefined {
  const condition = findCondition(status.conditions, "Progressing");
  if (!hasDeadline(deployment) || !condition || isComplete(deployment, status)) return undefined;
  if (condition.reason === "ProgressDeadlineExceeded" || condition.reason === "NewReplicaSetAvailable")
    return undefined;
  const since = timeOf(condition.lastUpdateTime) ?? now;
  // A second more, as timestamps have no fractions.
  return Math.max(0, Math.ceil((since - now) / 1_000) + deployment.spec.progressDeadlineSeconds!) + 1;
}

/** The replica sets' failure to create or delete pods is the Deployment's; the current set's goes first. */
function withReplicaFailure(conditions: Condition[], current: Draft | undefined, all: readonly Draft[]): Condition[] {
  for (const draft of current ? [current, ...all] : all) {
    const failure = findCondition(draft.set.status?.conditions as Condition[] | undefined, "ReplicaFailure");
    if (!failure) continue;
    const { type, status, reason, message, lastTransitionTime } = failure;
    const times = lastTransitionTime && { lastTransitionTime, lastUpdateTime: lastTransitionTime };
    return withCondition(conditions, {
      type,
      status,
      ...(reason && { reason }),
      ...(message && { message }),
      ...times,
    });
  }
  return withoutCondition(conditions, "ReplicaFailure");
}

/** As JSON: counts of 0 are left out, as Go's omitempty does; `terminatingReplicas` is a pointer there. */
export const renderStatus = ({
  conditions,
  terminatingReplicas,
  collisionCount,
  ...counts
}: Status): NonNullable<DeploymentObject["status"]> => ({
  ...Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0)),
  ...(terminatingReplicas !== undefined && { terminatingReplicas }),
  ...(collisionCount !== undefined && { collisionCount }),
  ...(conditions.length > 0 && {
    conditions: conditions as NonNullable<NonNullable<DeploymentObject["status"]>["conditions"]>,
  }),
});
