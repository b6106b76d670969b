import { FITS, type SchedulerPlugin, unfit } from "../plugin.ts";

const ANY = "0.0.0.0";
const TAKEN = unfit("node(s) didn't have free ports for the requested pod ports", true);

/** No two pods of a node take the same host port, unless on different addresses. */
export const nodePorts: SchedulerPlugin = {
  name: "NodePorts",
  forPod({ hostPorts }) {
    if (hostPorts.length === 0) return undefined;
    const wanted = hostPorts.map(({ ip, protocol, port }) => ({ ip, key: `${protocol}/${port}` }));
    return {
      filter({ ports }) {
        for (const { ip, key } of wanted) {
          const taken = ports.get(key);
          if (taken && (ip === ANY || taken.has(ip) || taken.has(ANY))) return TAKEN;
        }
        return FITS;
      },
    };
  },
};
