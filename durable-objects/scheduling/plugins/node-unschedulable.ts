import { FITS, type SchedulerPlugin, unfit } from "../plugin.ts";
import { isTolerated } from "../tolerations.ts";

const UNSCHEDULABLE = { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" };
const CORDONED = unfit("node(s) were unschedulable");

/** Keeps pods off cordoned nodes, unless the pod tolerates being there. */
export const nodeUnschedulable: SchedulerPlugin = {
  name: "NodeUnschedulable",
  forPod({ tolerations }) {
    if (isTolerated(UNSCHEDULABLE, tolerations)) return undefined;
    return { filter: ({ node }) => (node.unschedulable ? CORDONED : FITS) };
  },
};
