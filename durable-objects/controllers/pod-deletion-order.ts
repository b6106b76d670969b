import type { PodObject } from "../../api/kinds/pod.ts";
import { isActive, isReady, readySince, timeOf } from "./pod-state.ts";

type AnyPod = Readonly<PodObject>;

const DELETION_COST = "controller.kubernetes.io/pod-deletion-cost";
const PHASES: Record<string, number> = { Pending: 0, Unknown: 1, Running: 2 };

/**
 * The order in which a scaled-down controller gives up its pods, the first first: unplaced, not yet running, not ready,
 * cheap to delete, crowded on their node, ready for a short time, often restarted, young. Times are compared by their
 * magnitude only, so that which of several old pods goes is a matter of chance, not of age (KEP-2185).
 *
 * `related`: all pods of the same application, which make a node crowded.
 */
export function deletionOrder(pods: readonly AnyPod[], related: readonly AnyPod[], now: number): AnyPod[] {
  const onNode = new Map<string, number>();
  for (const pod of related)
    if (isActive(pod)) onNode.set(pod.spec.nodeName ?? "", (onNode.get(pod.spec.nodeName ?? "") ?? 0) + 1);
  const crowd = (pod: AnyPod): number => onNode.get(pod.spec.nodeName ?? "") ?? 0;
  const criteria: ((a: AnyPod, b: AnyPod) => number)[] = [
    (a, b) => Number(Boolean(a.spec.nodeName)) - Number(Boolean(b.spec.nodeName)),
    (a, b) => phaseRank(a) - phaseRank(b),
    (a, b) => Number(isReady(a)) - Number(isReady(b)),
    (a, b) => deletionCost(a) - deletionCost(b),
    (a, b) => crowd(b) - crowd(a),
    (a, b) => (isReady(a) && isReady(b) ? byMagnitude(readySince(a), readySince(b), a, b, now) : 0),
    (a, b) => restarts(b) - restarts(a),
    (a, b) => sidecarRestarts(b) - sidecarRestarts(a),
    (a, b) => byMagnitude(timeOf(a.metadata.creationTimestamp), timeOf(b.metadata.creationTimestamp), a, b, now),
  ];
  return [...pods].sort((a, b) => {
    for (const compare of criteria) {
      const order = compare(a, b);
      if (order !== 0) return order;
    }
    return 0;
  });
}

const phaseRank = ({ status }: AnyPod): number => PHASES[status?.phase ?? ""] ?? 0;

/** An int32; what is none counts as 0. */
function deletionCost({ metadata }: AnyPod): number {
  const text = metadata.annotations?.[DELETION_COST] ?? "";
  const cost = /^(0|-?[1-9]\d{0,9})$/.test(text) ? Number(text) : 0;
  return cost === (cost | 0) ? cost : 0;
}

const restarts = ({ status }: AnyPod): number =>
  Math.max(0, ...(status?.containerStatuses ?? []).map(({ restartCount }) => restartCount));

function sidecarRestarts({ spec, status }: AnyPod): number {
  const sidecars = new Set(
    (spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always").map(({ name }) => name),
  );
  const statuses = (status?.initContainerStatuses ?? []).filter(({ name }) => sidecars.has(name));
  return Math.max(0, ...statuses.map(({ restartCount }) => restartCount));
}

/** Later (or never) before earlier, by the power of two of the age; then by uid. */
function byMagnitude(a: number | undefined, b: number | undefined, podA: AnyPod, podB: AnyPod, now: number): number {
  if (a === b) return 0;
  if (a === undefined || b === undefined) return a === undefined ? -1 : 1;
  const difference = magnitude(now - a) - magnitude(now - b);
  if (difference !== 0) return difference;
  return (podA.metadata.uid ?? "") < (podB.metadata.uid ?? "") ? -1 : 1;
}

const NANOSECONDS = 1e6;
const magnitude = (milliseconds: number): number =>
  milliseconds > 0 ? Math.floor(Math.log2(milliseconds * NANOSECONDS)) : -1;
