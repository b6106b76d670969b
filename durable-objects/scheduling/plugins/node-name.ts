import { FITS, type SchedulerPlugin, unfit } from "../plugin.ts";

const OTHER = unfit("node(s) didn't match the requested node name");

/** A pod that names its node fits there alone. */
export const nodeName: SchedulerPlugin = {
  name: "NodeName",
  forPod({ spec }) {
    if (!spec.nodeName) return undefined;
    return { filter: ({ name }) => (name === spec.nodeName ? FITS : OTHER) };
  },
};
