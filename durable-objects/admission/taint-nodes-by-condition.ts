import type { AdmissionPlugin } from "./plugin.ts";

const NOT_READY = { key: "node.kubernetes.io/not-ready", effect: "NoSchedule" };

/** Nothing is placed on a new node before it has said that it is ready. */
export const taintNodesByCondition: AdmissionPlugin = {
  name: "TaintNodesByCondition",
  admit({ operation, served, object }) {
    if (operation !== "create" || served.resource !== "nodes") return;
    object["spec"] ??= {};
    const taints: { key: string; effect: string }[] = object["spec"].taints ?? [];
    if (taints.some(({ key, effect }) => key === NOT_READY.key && effect === NOT_READY.effect)) return;
    object["spec"].taints = [...taints, NOT_READY];
  },
};
