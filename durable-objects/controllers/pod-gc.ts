import { Pod, type PodObject } from "../../api/kinds/pod.ts";
import type { HomeController } from "./controller.ts";
import { isTerminal, timeOf } from "./pod-state.ts";

/** Ended pods that a namespace may keep (upstream: a cluster); the oldest beyond that are deleted. */
export const TERMINATED_PODS_MAX = 12_500;
const DELETES_MAX = 100;

/** Keeps pods that have ended from piling up. */
export const podGc: HomeController = {
  name: "pod-garbage-collector",
  watches: [
    {
      kind: Pod,
      matters: (pod: Readonly<PodObject>, previous: Readonly<PodObject> | undefined) =>
        isTerminal(pod) && !(previous && isTerminal(previous)),
    },
  ],
  reconcileHome(view) {
    const ended = view.list(Pod).filter(isTerminal);
    const surplus = ended.length - TERMINATED_PODS_MAX;
    if (surplus <= 0) return { writes: [] };
    const oldest = ended.sort(
      (a, b) =>
        (timeOf(a.metadata.creationTimestamp) ?? 0) - (timeOf(b.metadata.creationTimestamp) ?? 0) ||
        (a.metadata.name < b.metadata.name ? -1 : 1),
    );
    return {
      writes: oldest.slice(0, Math.min(surplus, DELETES_MAX)).map(({ metadata: { name, uid } }) => ({
        op: "delete",
        kind: Pod,
        name,
        ...(uid && { uid }),
        graceSeconds: 0,
      })),
      ...(surplus > DELETES_MAX && { again: { inSeconds: 0 } }),
    };
  },
};
