import { FITS, type SchedulerPlugin, unfit } from "../plugin.ts";
import { isTolerated, tolerates } from "../tolerations.ts";

const TAINTED = unfit("node(s) had untolerated taint(s)");

/** Keeps pods off nodes whose taints they do not tolerate, and prefers nodes with fewer PreferNoSchedule ones. */
export const taintToleration: SchedulerPlugin = {
  name: "TaintToleration",
  weight: 3,
  forPod({ tolerations }) {
    const preferences = tolerations.filter(({ effect }) => !effect || effect === "PreferNoSchedule");
    return {
      filter({ node }) {
        for (const taint of node.taints) {
          if (taint.effect !== "PreferNoSchedule" && !isTolerated(taint, tolerations)) return TAINTED;
        }
        return FITS;
      },
      fixed: "lowest",
      score({ node }) {
        let intolerable = 0;
        for (const taint of node.taints) {
          if (taint.effect === "PreferNoSchedule" && !preferences.some((one) => tolerates(one, taint))) intolerable++;
        }
        return intolerable;
      },
    };
  },
};
