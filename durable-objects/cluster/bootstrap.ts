import { parseIp } from "../../api/ip.ts";
import type { Kind } from "../../api/kind.ts";
import { apiVersionOf } from "../../api/kinds/define-kind.ts";
import { Namespace } from "../../api/kinds/namespace.ts";
import { PriorityClass, SYSTEM_PRIORITIES } from "../../api/kinds/priority-class.ts";
import { ServiceCIDR } from "../../api/kinds/service-cidr.ts";
import type { KubeObject } from "../../api/object.ts";
import { createObject } from "../verbs/create.ts";
import { copyOf, timestampOf, type Writing } from "../verbs/scope.ts";
import { servedOf } from "../verbs/served.ts";
import { STATUS, updateObject } from "../verbs/update.ts";

const NAMESPACES = ["default", "kube-system", "kube-public", "kube-node-lease"];
const DESCRIPTIONS: Record<string, string> = {
  "system-node-critical": "Used for system critical pods that must not be moved from their current node.",
  "system-cluster-critical":
    "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
};
const CIDR_NAME = "kubernetes";

/** What every cluster has from the beginning, in one transaction. */
export function createClusterObjects(writing: Writing, serviceCidr: string): void {
  const create = (kind: Kind<any>, name: string, fields: object) => {
    const served = servedOf(kind);
    const object = { apiVersion: apiVersionOf(kind), kind: kind.kind, metadata: { name }, ...fields } as KubeObject;
    createObject(writing, served, served.complete(object));
  };
  for (const name of NAMESPACES) create(Namespace, name, {});
  for (const [name, value] of Object.entries(SYSTEM_PRIORITIES)) {
    create(PriorityClass, name, { value, description: DESCRIPTIONS[name] ?? "" });
  }
  create(ServiceCIDR, CIDR_NAME, { spec: { cidrs: [serviceCidr] } });
  const lastTransitionTime = timestampOf(writing.scope.now());
  const ready = {
    type: "Ready",
    status: "True",
    reason: "",
    message: "Kubernetes Service CIDR is ready",
    lastTransitionTime,
  };
  updateObject(
    writing,
    servedOf(ServiceCIDR),
    CIDR_NAME,
    (current) => ({ ...copyOf(current), status: { conditions: [ready] } }),
    STATUS,
  );
}

const API_PORT = 443;
const LABELS = { component: "apiserver", provider: "kubernetes" };

/** The Service by which pods reach the API, and where it leads (`host:port` of an IPv4 address), where that is known. */
export function apiServiceObjects(clusterIP: string, endpoint: string | undefined): KubeObject[] {
  const [, host = "", portText = ""] = /^(.+):(\d+)$/.exec(endpoint ?? "") ?? [];
  const port = Number(portText) || API_PORT;
  const objects: KubeObject[] = [
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "kubernetes", namespace: "default", labels: LABELS },
      spec: {
        type: "ClusterIP",
        clusterIP,
        ports: [{ name: "https", protocol: "TCP", port: API_PORT, targetPort: port }],
      },
    },
  ];
  if (parseIp(host)?.family !== "IPv4") return objects;
  const ports = [{ name: "https", protocol: "TCP", port }];
  return [
    ...objects,
    {
      apiVersion: "v1",
      kind: "Endpoints",
      metadata: {
        name: "kubernetes",
        namespace: "default",
        labels: { "endpointslice.kubernetes.io/skip-mirror": "true" },
      },
      subsets: [{ addresses: [{ ip: host }], ports }],
    },
    {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { name: "kubernetes", namespace: "default", labels: { "kubernetes.io/service-name": "kubernetes" } },
      addressType: "IPv4",
      endpoints: [{ addresses: [host], conditions: { ready: true } }],
      ports,
    },
  ];
}
