import type { DeploymentObject } from "../../api/kinds/deployment.ts";
import { byAge, DESIRED_REPLICAS, type Draft, MAX_REPLICAS } from "./deployment-replica-sets.ts";

type DeploymentRef = Readonly<DeploymentObject>;

/** Available pods of a replica set, of those that it is to keep. */
export type Available = (draft: Draft) => number;

const total = (drafts: readonly Draft[]): number => drafts.reduce((sum, { replicas }) => sum + replicas, 0);

export const desiredReplicas = ({ spec }: DeploymentRef): number => spec.replicas ?? 1;

export const isRollingUpdate = ({ spec }: DeploymentRef): boolean =>
  (spec.strategy?.type ?? "RollingUpdate") === "RollingUpdate";

/** How far a rolling update may go beyond spec.replicas and below it; never 0 and 0, or it could not move. */
export function fenceposts(deployment: DeploymentRef): { maxSurge: number; maxUnavailable: number } {
  const replicas = desiredReplicas(deployment);
  if (!isRollingUpdate(deployment)) return { maxSurge: 0, maxUnavailable: 0 };
  const { maxSurge = "25%", maxUnavailable = "25%" } = deployment.spec.strategy?.rollingUpdate ?? {};
  const surge = scaled(maxSurge, replicas, Math.ceil);
  const unavailable = scaled(maxUnavailable, replicas, Math.floor);
  return {
    maxSurge: surge,
    maxUnavailable: Math.min(surge === 0 && unavailable === 0 ? 1 : unavailable, replicas),
  };
}

const scaled = (value: number | string, replicas: number, round: (value: number) => number): number =>
  typeof value === "number" ? value : round((Number.parseInt(value, 10) * replicas) / 100);

/** Someone has changed spec.replicas since the active sets were last scaled. */
export const isScalingEvent = (deployment: DeploymentRef, drafts: readonly Draft[]): boolean =>
  drafts.some(({ replicas, annotations }) => {
    const desired = annotations[DESIRED_REPLICAS];
    return replicas > 0 && desired !== undefined && Number(desired) !== desiredReplicas(deployment);
  });

/** Sets a set's size, and notes what it was made from. */
export function scaleTo(draft: Draft, replicas: number, deployment: DeploymentRef): void {
  draft.replicas = replicas;
  draft.annotations[DESIRED_REPLICAS] = String(desiredReplicas(deployment));
  draft.annotations[MAX_REPLICAS] = String(desiredReplicas(deployment) + fenceposts(deployment).maxSurge);
}

/** The size that the current set may have now: as many more as maxSurge leaves room for. */
export function currentReplicas(deployment: DeploymentRef, current: Draft, all: readonly Draft[]): number {
  const desired = desiredReplicas(deployment);
  if (!isRollingUpdate(deployment)) return desired;
  const room = desired + fenceposts(deployment).maxSurge - total(all);
  return room <= 0 ? current.replicas : current.replicas + Math.min(room, desired - current.replicas);
}

/** One step of a rolling update: grow the current set, or else shrink the old ones. */
export function rollingStep(
  deployment: DeploymentRef,
  current: Draft,
  old: readonly Draft[],
  available: Available,
): void {
  const desired = desiredReplicas(deployment);
  const all = [...old, current];
  const size = current.replicas > desired ? desired : currentReplicas(deployment, current, all);
  if (size !== current.replicas) {
    scaleTo(current, size, deployment);
    return;
  }

  const active = old.filter(({ replicas }) => replicas > 0).sort(byAge);
  const minAvailable = desired - fenceposts(deployment).maxUnavailable;
  // Pods of the current set that are not available yet must not let the old ones go further.
  let mayGo = total(all) - minAvailable - (current.replicas - Math.min(available(current), current.replicas));
  if (mayGo <= 0) return;
  // First those that serve nobody: they would only hold the rollout up.
  for (const draft of active) {
    const unhealthy = Math.min(draft.replicas - available(draft), mayGo);
    if (unhealthy <= 0) continue;
    scaleTo(draft, draft.replicas - unhealthy, deployment);
    mayGo -= unhealthy;
  }
  let spare = all.reduce((sum, draft) => sum + available(draft), 0) - minAvailable;
  for (const draft of active) {
    const going = Math.min(draft.replicas, spare);
    if (going <= 0) continue;
    scaleTo(draft, draft.replicas - going, deployment);
    spare -= going;
  }
}

/** Follows a change of spec.replicas, in the middle of a rollout in proportion to the sets' sizes. */
export function scaleInProportion(
  deployment: DeploymentRef,
  current: Draft | undefined,
  old: readonly Draft[],
  available: Available,
): void {
  const desired = desiredReplicas(deployment);
  const all = current ? [...old, current] : [...old];
  const active = all.filter(({ replicas }) => replicas > 0);
  if (active.length <= 1) {
    const only = active[0] ?? current ?? [...old].sort(byAge).at(-1);
    if (only) scaleTo(only, desired, deployment);
    return;
  }
  if (current && isSaturated(deployment, current, available)) {
    for (const draft of old) if (draft.replicas > 0) scaleTo(draft, 0, deployment);
    return;
  }
  if (!isRollingUpdate(deployment)) return;
  const allowed = desired > 0 ? desired + fenceposts(deployment).maxSurge : 0;
  const toAdd = allowed - total(active);
  // Larger sets first; of equal ones the newer when growing, the older when shrinking.
  const ordered = [...active].sort((a, b) => b.replicas - a.replicas || (toAdd > 0 ? byAge(b, a) : byAge(a, b)));
  let added = 0;
  const sizes = ordered.map((draft) => {
    const proportion = toAdd === added ? 0 : fraction(deployment, draft, allowed);
    const share = toAdd > 0 ? Math.min(proportion, toAdd - added) : Math.max(proportion, toAdd - added);
    added += share;
    return draft.replicas + share;
  });
  // What rounding has left goes to the largest.
  sizes[0] = Math.max(0, sizes[0]! + toAdd - added);
  for (const [i, draft] of ordered.entries()) scaleTo(draft, sizes[i]!, deployment);
}

/** By how much a set would change if all grew or shrank alike. */
function fraction(deployment: DeploymentRef, { replicas, annotations }: Draft, allowed: number): number {
  if (desiredReplicas(deployment) === 0) return -replicas;
  const before = Number(annotations[MAX_REPLICAS] ?? deployment.status?.replicas ?? 0);
  // Never scaled by a Deployment, or an annotation somebody has broken: no proportion is known.
  if (!(before > 0)) return 0;
  return Math.round((replicas * allowed) / before) - replicas;
}

function isSaturated(deployment: DeploymentRef, current: Draft, available: Available): boolean {
  const desired = desiredReplicas(deployment);
  return (
    current.replicas === desired &&
    current.annotations[DESIRED_REPLICAS] === String(desired) &&
    available(current) === desired
  );
}
