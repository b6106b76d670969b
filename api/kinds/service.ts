import { formatLabels } from "../selector.ts";
import { AGE } from "../table.ts";
import { defineKind } from "./define-kind.ts";
import { keepAllocated, normalizeClusterIps } from "./service-ips.ts";
import type { ServiceObject } from "./service-object.ts";
import { validateService, validateServiceStatus, validateServiceUpdate } from "./service-validation.ts";
import { keepStatus } from "./status.ts";

export type { ServiceObject };

const AFFINITY_SECONDS = 10800;

/** A name and an address for a set of pods. */
export const Service = defineKind<ServiceObject>("v1", "Service", {
  resource: "services",
  // RFC 1123 since KEP-5311.
  nameRule: "label",
  columns: [
    { name: "Type", description: "How far the service reaches.", value: ({ spec }) => spec.type ?? "" },
    {
      name: "Cluster-IP",
      description: "Address inside the cluster.",
      value: ({ spec }) => spec.clusterIPs?.[0] ?? "<none>",
    },
    { name: "External-IP", description: "Addresses from outside.", value: externalIp },
    {
      name: "Port(s)",
      description: "Ports, with the node's where it has one.",
      value: ({ spec }) =>
        (spec.ports ?? [])
          .map(({ port, nodePort, protocol }) => `${port}${nodePort ? `:${nodePort}` : ""}/${protocol}`)
          .join(",") || "<none>",
    },
    AGE,
    {
      name: "Selector",
      priority: 1,
      description: "Labels of the service's pods.",
      value: ({ spec }) => formatLabels(spec.selector),
    },
  ],
  setDefaults({ spec, status }) {
    for (const ingress of status?.loadBalancer?.ingress ?? []) if (ingress.ip) ingress.ipMode ??= "VIP";
    if (!spec) return;
    spec.sessionAffinity ||= "None";
    if (spec.sessionAffinity === "None") delete spec.sessionAffinityConfig;
    if (
      spec.sessionAffinity === "ClientIP" &&
      typeof spec.sessionAffinityConfig?.clientIP?.timeoutSeconds !== "number"
    ) {
      spec.sessionAffinityConfig = { clientIP: { timeoutSeconds: AFFINITY_SECONDS } };
    }
    spec.type ||= "ClusterIP";
    for (const port of spec.ports ?? []) {
      port.protocol ||= "TCP";
      // 0 and "" are what clients write who leave it out.
      if (!port.targetPort) port.targetPort = port.port;
    }
    if (spec.type === "NodePort" || spec.type === "LoadBalancer") spec.externalTrafficPolicy ||= "Cluster";
    if (spec.type !== "ExternalName") spec.internalTrafficPolicy ??= "Cluster";
    if (spec.type === "LoadBalancer") spec.allocateLoadBalancerNodePorts ??= true;
  },
  prepareForCreate(service) {
    service.status = { loadBalancer: {} };
    normalizeClusterIps(service.spec);
  },
  prepareForUpdate(next, previous) {
    keepStatus(next, previous);
    normalizeClusterIps(next.spec, previous.spec);
    keepAllocated(next.spec, previous.spec);
  },
  validate: validateService,
  validateUpdate: validateServiceUpdate,
  validateStatusUpdate: validateServiceStatus,
  selectableFields: ({ spec }) => ({ "spec.clusterIP": spec?.clusterIP ?? "", "spec.type": spec?.type ?? "" }),
});

function externalIp({ spec, status }: ServiceObject): string {
  const external = spec.externalIPs ?? [];
  switch (spec.type) {
    case "ClusterIP":
    case "NodePort":
      return external.join(",") || "<none>";
    case "LoadBalancer": {
      const balanced = (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip || hostname || "");
      return [...[...new Set(balanced)].filter(Boolean).sort(), ...external].join(",") || "<pending>";
    }
    case "ExternalName":
      return spec.externalName ?? "";
    default:
      return "<unknown>";
  }
}
