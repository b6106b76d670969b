import { sameJson } from "../../api/equality.ts";
import type { RuntimeClassObject } from "../../api/kinds/runtime-class.ts";
import type { KubeObject } from "../../api/object.ts";
import { type ApiError, forbidden } from "../../api/status.ts";
import type { Admission, AdmissionPlugin } from "./plugin.ts";

interface Toleration {
  key?: string;
  operator?: string;
  value?: string;
  effect?: string;
  tolerationSeconds?: number;
}

const TARGET = { group: "node.k8s.io", version: "v1", resource: "runtimeclasses", namespace: "" };
const MISMATCH = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead";

/** Gives pods what their RuntimeClass costs and where it is (upstream's plugin of this name, KEP-688). */
export const runtimeClass = (
  read: (ask: { target: typeof TARGET & { name: string } }) => Promise<KubeObject[]>,
): AdmissionPlugin => ({
  name: "RuntimeClass",
  admit(admission) {
    if (!isNewPod(admission)) return;
    const { spec } = admission.object;
    const found = classOf(admission, read);
    if (!found) return;
    const { overhead, scheduling } = found;
    if (overhead) {
      const isSet = Object.keys(spec.overhead ?? {}).length > 0;
      if (isSet && !sameJson(spec.overhead, overhead.podFixed)) throw refusal(admission, MISMATCH);
      spec.overhead = { ...overhead.podFixed };
    }
    if (!scheduling) return;
    spec.nodeSelector = mergedSelector(admission, scheduling.nodeSelector ?? {});
    spec.tolerations = mergedTolerations([
      ...(spec.tolerations ?? []),
      ...((scheduling.tolerations ?? []) as Toleration[]),
    ]);
  },
  validate(admission) {
    if (!isNewPod(admission)) return;
    const { overhead } = admission.object["spec"];
    const defined = classOf(admission, read)?.overhead;
    if (defined) {
      if (!sameJson(defined.podFixed, overhead)) throw refusal(admission, MISMATCH);
    } else if (overhead !== undefined) {
      throw refusal(admission, "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead");
    }
  },
});

const isNewPod = ({ operation, served, subresource, object }: Admission): boolean =>
  operation === "create" && served.resource === "pods" && subresource === "" && Boolean(object["spec"]);

const refusal = ({ served, name }: Admission, why: string): ApiError => forbidden(served.groupResource, name, why);

function classOf(admission: Admission, read: Parameters<typeof runtimeClass>[0]): RuntimeClassObject | undefined {
  const name: string | undefined = admission.object["spec"].runtimeClassName;
  if (name === undefined) return undefined;
  const [found] = admission.answers.to({
    key: "runtime class",
    ask: name,
    answer: async () => ({ value: await read({ target: { ...TARGET, name } }) }),
  });
  if (!found) throw refusal(admission, `pod rejected: RuntimeClass ${JSON.stringify(name)} not found`);
  return structuredClone(found) as RuntimeClassObject;
}

function mergedSelector(admission: Admission, wanted: Record<string, string>): Record<string, string> {
  const own: Record<string, string> = { ...admission.object["spec"].nodeSelector };
  for (const [key, value] of Object.entries(wanted)) {
    if (Object.hasOwn(own, key) && own[key] !== value) {
      const why = `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${own[key]}`;
      throw refusal(admission, why);
    }
    own[key] = value;
  }
  return own;
}

/** Of two of which one tolerates all that the other does, the wider one stays. */
function mergedTolerations(all: readonly Toleration[]): Toleration[] {
  const merged: Toleration[] = [];
  all.forEach((each, i) => {
    if (merged.some((other) => covers(other, each))) return;
    if (all.slice(i + 1).some((other) => !sameJson(other, each) && covers(other, each))) return;
    merged.push(each);
  });
  return merged;
}

function covers(wide: Toleration, narrow: Toleration): boolean {
  if (sameJson(wide, narrow)) return true;
  const { key = "", operator = "", value = "", effect = "" } = narrow;
  if ((wide.key ?? "") !== key && (wide.key || wide.operator !== "Exists")) return false;
  if (wide.effect && wide.effect !== effect) return false;
  if (wide.effect === "NoExecute" && wide.tolerationSeconds !== undefined) {
    if (narrow.tolerationSeconds === undefined || narrow.tolerationSeconds > wide.tolerationSeconds) return false;
  }
  if (wide.operator === "Exists") return true;
  return (
    (wide.operator === undefined || wide.operator === "Equal") && operator === "Equal" && value === (wide.value ?? "")
  );
}
