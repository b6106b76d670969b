import type { AdmissionPlugin } from "./plugin.ts";

/** A pod outlives its node's trouble by this long unless it says otherwise. */
const DEFAULT_SECONDS = 300;
const TAINTS = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"];

interface Toleration {
  key?: string;
  operator?: string;
  effect?: string;
}

export const defaultTolerationSeconds: AdmissionPlugin = {
  name: "DefaultTolerationSeconds",
  admit({ operation, served, subresource, object }) {
    if (operation === "delete" || served.resource !== "pods" || subresource || !object["spec"]) return;
    const { spec } = object;
    for (const key of TAINTS) {
      const tolerations: Toleration[] = spec.tolerations ?? [];
      if (tolerations.some((each) => tolerates(each, key))) continue;
      const added = { key, operator: "Exists", effect: "NoExecute", tolerationSeconds: DEFAULT_SECONDS };
      spec.tolerations = [...tolerations, added];
    }
  },
};

const tolerates = ({ key, effect }: Toleration, taint: string): boolean =>
  (key === taint || !key) && (effect === "NoExecute" || !effect);
