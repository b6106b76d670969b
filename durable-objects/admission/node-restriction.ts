import { sameJson } from "../../api/equality.ts";
import { forbidden } from "../../api/status.ts";
import { nodeOf } from "./authorize.ts";
import type { Admission, AdmissionPlugin } from "./plugin.ts";
import { MIRROR_ANNOTATION } from "./service-account.ts";

/** What a node may write is narrower than which requests it may make: its own objects, and not what steers pods to it. */
export const nodeRestriction: AdmissionPlugin = {
  name: "NodeRestriction",
  admit(admission) {
    const node = nodeOf(admission.user);
    if (node === undefined) return;
    const why = refusal(node, admission);
    if (why) throw forbidden(admission.served.groupResource, admission.name, why);
  },
};

function refusal(node: string, admission: Admission): string | undefined {
  switch (admission.served.resource) {
    case "pods":
      return admission.subresource === "status" ? statusRefusal(node, admission) : podRefusal(node, admission);
    case "nodes":
      return nodeRefusal(node, admission);
    case "leases.coordination.k8s.io":
      if (admission.name === node) return undefined;
      return "can only access node lease with the same name as the requesting node";
    default:
      return undefined;
  }
}

function podRefusal(node: string, { operation, object }: Admission): string | undefined {
  switch (operation) {
    case "create":
      // Static pods are not served, so there is nothing that a node would have to mirror.
      return `pod does not have "${MIRROR_ANNOTATION}" annotation, node "${node}" can only create mirror pods`;
    case "delete":
      if (object["spec"]?.nodeName === node) return undefined;
      return `node "${node}" can only delete pods with spec.nodeName set to itself`;
    case "update":
      return `unexpected operation "UPDATE", node "${node}" can only create and delete mirror pods`;
  }
}

function statusRefusal(node: string, { object, previous }: Admission): string | undefined {
  if (previous?.["spec"]?.nodeName !== node) {
    return `node "${node}" can only update pod status for pods with spec.nodeName set to itself`;
  }
  if (!sameJson(object.metadata.labels, previous.metadata.labels)) {
    return `node "${node}" cannot update labels through pod status`;
  }
  return undefined;
}

function nodeRefusal(node: string, { name, operation, object, previous }: Admission): string | undefined {
  if (name !== node) return `node "${node}" is not allowed to modify node "${name}"`;
  if (operation === "delete") return undefined;
  const labels = forbiddenLabels(object.metadata.labels ?? {}, previous?.metadata.labels ?? {});
  if (operation === "create") {
    return labels ? `node "${node}" is not allowed to set the following labels: ${labels}` : undefined;
  }
  if (!sameJson(object["spec"]?.taints, previous?.["spec"]?.taints)) {
    return `node "${node}" is not allowed to modify taints`;
  }
  return labels ? `is not allowed to modify labels: ${labels}` : undefined;
}

const RESTRICTED = /(^|\.)node-restriction\.kubernetes\.io$/;
const OF_KUBERNETES = /(^|\.)(kubernetes|k8s)\.io$/;
/** What kubelets say of themselves by labels. */
const OF_KUBELET = new Set([
  "kubernetes.io/hostname",
  "kubernetes.io/arch",
  "kubernetes.io/os",
  "beta.kubernetes.io/arch",
  "beta.kubernetes.io/os",
  "beta.kubernetes.io/instance-type",
  "node.kubernetes.io/instance-type",
  "failure-domain.beta.kubernetes.io/zone",
  "failure-domain.beta.kubernetes.io/region",
  "topology.kubernetes.io/zone",
  "topology.kubernetes.io/region",
]);
const KUBELET_PREFIX = /(^|\.)(kubelet|node)\.kubernetes\.io$/;

function forbiddenLabels(next: Record<string, string>, previous: Record<string, string>): string {
  const changed = Object.keys({ ...previous, ...next }).filter((key) => next[key] !== previous[key]);
  return changed.filter(isForbidden).sort().join(", ");
}

function isForbidden(key: string): boolean {
  const slash = key.indexOf("/");
  const prefix = slash < 0 ? "" : key.slice(0, slash);
  if (RESTRICTED.test(prefix)) return true;
  return OF_KUBERNETES.test(prefix) && !OF_KUBELET.has(key) && !KUBELET_PREFIX.test(prefix);
}
