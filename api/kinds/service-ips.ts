import { sameJson } from "../equality.ts";
import type { ServiceObject } from "./service-object.ts";

type Spec = ServiceObject["spec"];

/** Of whom the API allocates a cluster IP. */
export const needsClusterIp = ({ type }: Spec): boolean =>
  type === "ClusterIP" || type === "NodePort" || type === "LoadBalancer";
export const isHeadless = ({ clusterIPs }: Spec): boolean => clusterIPs?.length === 1 && clusterIPs[0] === "None";
export const needsNodePort = ({ type, allocateLoadBalancerNodePorts }: Spec): boolean =>
  type === "NodePort" || (type === "LoadBalancer" && allocateLoadBalancerNodePorts !== false);
export const needsHealthCheckPort = ({ type, externalTrafficPolicy }: Spec): boolean =>
  type === "LoadBalancer" && externalTrafficPolicy === "Local";

/**
 * Brings clusterIP (which old clients know alone) and clusterIPs together. To run before addresses are allocated, and
 * before validation: what still differs then is an error.
 */
export function normalizeClusterIps(next: Spec, previous?: Spec): void {
  if (!previous) {
    if (next.clusterIP && !next.clusterIPs?.length) next.clusterIPs = [next.clusterIP];
    return;
  }
  const [ipChanged, ipsChanged] = [
    (next.clusterIP ?? "") !== (previous.clusterIP ?? ""),
    !sameJson(next.clusterIPs, previous.clusterIPs),
  ];
  if (ipChanged && !ipsChanged) {
    // A client that knows clusterIP alone: set, replaced or cleared.
    if (next.clusterIP) next.clusterIPs = [next.clusterIP];
    else delete next.clusterIPs;
  } else if (ipsChanged && !ipChanged && next.clusterIPs?.length === 0) {
    delete next.clusterIP;
  } else if (!next.clusterIPs?.length && next.clusterIP && ipsChanged && ipChanged) {
    next.clusterIPs = [next.clusterIP];
  }
}

/** An update that does not speak of what was allocated keeps it; a change of type lets go of what the new one has not. */
export function keepAllocated(next: Spec, previous: Spec): void {
  dropByType(next, previous);
  if (needsClusterIp(next) && needsClusterIp(previous)) {
    if (!next.clusterIP && previous.clusterIP) next.clusterIP = previous.clusterIP;
    if (!next.clusterIPs?.length && next.clusterIP === previous.clusterIP) next.clusterIPs = previous.clusterIPs;
    next.ipFamilies ??= previous.ipFamilies;
    next.ipFamilyPolicy ??= previous.ipFamilyPolicy;
  }
  if (needsNodePort(next) && needsNodePort(previous)) {
    const taken = new Set(next.ports?.map(({ protocol, nodePort }) => `${protocol} ${nodePort}`));
    for (const port of next.ports ?? []) {
      if (port.nodePort) continue;
      const old = previous.ports?.find(
        ({ protocol, port: number }) => protocol === port.protocol && number === port.port,
      );
      if (old?.nodePort && !taken.has(`${port.protocol} ${old.nodePort}`)) port.nodePort = old.nodePort;
    }
  }
  if (needsHealthCheckPort(next) && needsHealthCheckPort(previous)) {
    next.healthCheckNodePort ||= previous.healthCheckNodePort;
  }
}

/** Clears what belongs to the old type, where the client left it as it was. */
function dropByType(next: Spec, previous: Spec): void {
  if (needsClusterIp(previous) && !needsClusterIp(next)) {
    if (sameJson(next.clusterIPs, previous.clusterIPs)) {
      delete next.clusterIP;
      delete next.clusterIPs;
    }
    if (sameJson(next.ipFamilies, previous.ipFamilies)) delete next.ipFamilies;
    if (next.ipFamilyPolicy === previous.ipFamilyPolicy) delete next.ipFamilyPolicy;
  }
  if (usesNodePorts(previous) && !usesNodePorts(next)) {
    const old = new Map(previous.ports?.map(({ protocol, port, nodePort }) => [`${protocol} ${port}`, nodePort]));
    for (const port of next.ports ?? []) {
      if (port.nodePort === old.get(`${port.protocol} ${port.port}`)) delete port.nodePort;
    }
  }
  if (needsHealthCheckPort(previous) && !needsHealthCheckPort(next)) {
    if (next.healthCheckNodePort === previous.healthCheckNodePort) delete next.healthCheckNodePort;
  }
  if (previous.type === "LoadBalancer" && next.type !== "LoadBalancer") {
    if (next.allocateLoadBalancerNodePorts === previous.allocateLoadBalancerNodePorts) {
      delete next.allocateLoadBalancerNodePorts;
    }
    if (next.loadBalancerClass === previous.loadBalancerClass) delete next.loadBalancerClass;
  }
  if (usesNodePorts(previous) && !usesNodePorts(next) && !next.externalIPs?.length) {
    if (next.externalTrafficPolicy === previous.externalTrafficPolicy) delete next.externalTrafficPolicy;
  }
}

const usesNodePorts = ({ type }: Spec): boolean => type === "NodePort" || type === "LoadBalancer";
