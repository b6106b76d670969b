import type { PodObject } from "../../api/kinds/pod.ts";

type AnyPod = Readonly<PodObject>;

/** Milliseconds since 1970 of a metav1.Time; undefined where there is none. */
export const timeOf = (timestamp: string | null | undefined): number | undefined =>
  timestamp ? Date.parse(timestamp) : undefined;

/** Its containers have ended and will not run again. */
export const isTerminal = ({ status }: AnyPod): boolean => status?.phase === "Succeeded" || status?.phase === "Failed";

export const isTerminating = ({ metadata }: AnyPod): boolean => Boolean(metadata.deletionTimestamp);

/** Counts as a replica: neither ended nor being deleted. */
export const isActive = (pod: AnyPod): boolean => !isTerminal(pod) && !isTerminating(pod);

const readyCondition = ({ status }: AnyPod) => status?.conditions?.find(({ type }) => type === "Ready");

export const isReady = (pod: AnyPod): boolean => readyCondition(pod)?.status === "True";

/** Milliseconds since 1970 since when it is ready; undefined where it is not. */
export const readySince = (pod: AnyPod): number | undefined => {
  const condition = readyCondition(pod);
  return condition?.status === "True" ? timeOf(condition.lastTransitionTime as string | undefined) : undefined;
};

/** Milliseconds until it is available: 0 for one that is, undefined for one that is not ready. */
export function availableIn(pod: AnyPod, minReadySeconds: number, now: number): number | undefined {
  if (!isReady(pod)) return undefined;
  if (minReadySeconds === 0) return 0;
  const since = readySince(pod);
  return since === undefined ? undefined : Math.max(0, since + minReadySeconds * 1_000 - now);
}

/** Ready for at least so long. */
export const isAvailable = (pod: AnyPod, minReadySeconds: number, now: number): boolean =>
  availableIn(pod, minReadySeconds, now) === 0;
