import { isIPv4 } from "node:net";
import type { IEndpointSlice } from "kubernetes-models/discovery.k8s.io/v1/EndpointSlice";
import type { IService } from "kubernetes-models/v1/Service";

/** More endpoints of one port are left out: a rule is walked for each of them. Upstream cuts Endpoints at as many. */
export const ENDPOINTS_MAX = 1000;
const SERVICE_NAME_LABEL = "kubernetes.io/service-name";
/** Services that carry one of these are another proxy's, or nobody's. */
const FOREIGN_LABELS = ["service.kubernetes.io/service-proxy-name", "service.kubernetes.io/headless"];
const PROTOCOLS: Record<string, "tcp" | "udp" | "sctp"> = { TCP: "tcp", UDP: "udp", SCTP: "sctp" };
const AFFINITY_SECONDS_DEFAULT = 10800;

/** What the rules need to know of the node they are for. */
export interface NodeFacts {
  name: string;
  zone?: string;
  /** Its InternalIPs. */
  addresses: readonly string[];
}

/** One port of one Service, and where its traffic may go. Endpoints are `address:port`, sorted, IPv4. */
export interface ServicePort {
  /** `namespace/name:port`, or `namespace/name` for a port without name. */
  id: string;
  protocol: "tcp" | "udp" | "sctp";
  clusterIP: string;
  port: number;
  nodePort: number | undefined;
  externalIPs: string[];
  loadBalancerIPs: string[];
  /** CIDRs that alone may use the load balancer's addresses; undefined: everybody may. */
  loadBalancerSourceRanges: string[] | undefined;
  /** `sessionAffinity: ClientIP` and how long it sticks. */
  affinitySeconds: number | undefined;
  internalLocal: boolean;
  externalLocal: boolean;
  /** For traffic under policy Cluster. */
  clusterEndpoints: string[];
  /** For traffic under policy Local: those on this node. */
  localEndpoints: string[];
  /** Somewhere there is an endpoint, if not on this node: what finds none here is dropped, not refused. */
  hasAnyEndpoint: boolean;
}

interface Endpoint {
  target: string;
  ready: boolean;
  serving: boolean;
  terminating: boolean;
  local: boolean;
  zones: readonly string[];
  nodes: readonly string[];
}

/**
 * What is to be proxied on `node`: every port of every Service with a cluster IP (IPv4), in the order of their ids.
 * Values that are not what the API promises (addresses, ports, names) are left out rather than put into a rule.
 */
export function servicePorts(
  services: Iterable<IService>,
  slices: Iterable<IEndpointSlice>,
  node: NodeFacts,
): ServicePort[] {
  const slicesOf = groupByService(slices);
  const ports: ServicePort[] = [];
  for (const service of services) {
    const { name = "", namespace = "", labels = {} } = service.metadata ?? {};
    const spec = service.spec;
    if (!spec || spec.type === "ExternalName" || FOREIGN_LABELS.some((label) => label in labels)) continue;
    const clusterIP = [spec.clusterIP, ...(spec.clusterIPs ?? [])].find(isAddress);
    if (clusterIP === undefined || !isName(namespace) || !isName(name)) continue;
    const external = spec.type === "NodePort" || spec.type === "LoadBalancer";
    const shared = {
      clusterIP,
      externalIPs: (spec.externalIPs ?? []).filter(isAddress),
      loadBalancerIPs: spec.type === "LoadBalancer" ? loadBalancerIPs(service) : [],
      loadBalancerSourceRanges: spec.loadBalancerSourceRanges?.length
        ? spec.loadBalancerSourceRanges.map((range) => range.trim()).filter(isCidr)
        : undefined,
      affinitySeconds:
        spec.sessionAffinity === "ClientIP"
          ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? AFFINITY_SECONDS_DEFAULT)
          : undefined,
      internalLocal: spec.internalTrafficPolicy === "Local",
      externalLocal: spec.externalTrafficPolicy === "Local" && (external || (spec.externalIPs ?? []).length > 0),
    };
    for (const port of spec.ports ?? []) {
      const protocol = PROTOCOLS[port.protocol ?? "TCP"];
      if (!protocol || !isPort(port.port) || (port.name && !isName(port.name))) continue;
      const endpoints = endpointsOf(slicesOf.get(`${namespace}/${name}`) ?? [], port.name ?? "", protocol, node);
      ports.push({
        ...shared,
        ...choose(endpoints, node),
        id: port.name ? `${namespace}/${name}:${port.name}` : `${namespace}/${name}`,
        protocol,
        port: port.port,
        nodePort: external && isPort(port.nodePort) ? port.nodePort : undefined,
      });
    }
  }
  return ports.sort((a, b) => compare(a.id, b.id) || compare(a.protocol, b.protocol));
}

function groupByService(slices: Iterable<IEndpointSlice>): Map<string, IEndpointSlice[]> {
  const groups = new Map<string, IEndpointSlice[]>();
  for (const slice of slices) {
    const name = slice.metadata?.labels?.[SERVICE_NAME_LABEL];
    if (!name || slice.addressType !== "IPv4") continue;
    const key = `${slice.metadata?.namespace}/${name}`;
    const group = groups.get(key);
    if (group) group.push(slice);
    else groups.set(key, [slice]);
  }
  return groups;
}

function endpointsOf(
  slices: readonly IEndpointSlice[],
  portName: string,
  protocol: string,
  node: NodeFacts,
): Endpoint[] {
  const endpoints = new Map<string, Endpoint>();
  for (const slice of slices) {
    const ports = (slice.ports ?? []).filter(
      (port) => (port.name ?? "") === portName && PROTOCOLS[port.protocol ?? "TCP"] === protocol && isPort(port.port),
    );
    for (const { port } of ports) {
      for (const endpoint of slice.endpoints ?? []) {
        const address = endpoint.addresses[0];
        if (!isAddress(address)) continue;
        const target = `${address}:${port}`;
        const ready = endpoint.conditions?.ready ?? true;
        // While an endpoint moves from one slice to another both may name it: the ready one is right.
        if (endpoints.get(target)?.ready && !ready) continue;
        endpoints.set(target, {
          target,
          ready,
          serving: endpoint.conditions?.serving ?? true,
          terminating: endpoint.conditions?.terminating ?? false,
          local: endpoint.nodeName === node.name,
          zones: (endpoint.hints?.forZones ?? []).map((zone) => zone.name),
          nodes: (endpoint.hints?.forNodes ?? []).map((hint) => hint.name),
        });
      }
    }
  }
  return [...endpoints.values()].sort((a, b) => compare(a.target, b.target));
}

/**
 * Ready endpoints; where there are none, those that still serve while they terminate (KEP-1669). Hints narrow traffic of
 * policy Cluster to this node or zone, provided that every endpoint has one (KEP-2433, KEP-4444).
 */
function choose(
  endpoints: readonly Endpoint[],
  node: NodeFacts,
): Pick<ServicePort, "clusterEndpoints" | "localEndpoints" | "hasAnyEndpoint"> {
  const ready = endpoints.filter((endpoint) => endpoint.ready);
  const leaving = endpoints.filter((endpoint) => !endpoint.ready && endpoint.serving && endpoint.terminating);
  const orLeaving = (chosen: readonly Endpoint[], fallback: readonly Endpoint[]) =>
    (chosen.length > 0 ? chosen : fallback).slice(0, ENDPOINTS_MAX).map((endpoint) => endpoint.target);
  return {
    clusterEndpoints: orLeaving(near(ready, node), leaving),
    localEndpoints: orLeaving(
      ready.filter((endpoint) => endpoint.local),
      leaving.filter((endpoint) => endpoint.local),
    ),
    hasAnyEndpoint: ready.length + leaving.length > 0,
  };
}

function near(ready: readonly Endpoint[], node: NodeFacts): readonly Endpoint[] {
  const here = ready.filter((endpoint) => endpoint.nodes.includes(node.name));
  if (here.length > 0 && ready.every((endpoint) => endpoint.nodes.length > 0)) return here;
  const zone = node.zone;
  if (zone === undefined) return ready;
  const inZone = ready.filter((endpoint) => endpoint.zones.includes(zone));
  return inZone.length > 0 && ready.every((endpoint) => endpoint.zones.length > 0) ? inZone : ready;
}

function loadBalancerIPs(service: IService): string[] {
  const ingress = service.status?.loadBalancer?.ingress ?? [];
  // ipMode Proxy: the balancer wants its traffic sent through it, not short-circuited here (KEP-1860).
  return ingress.flatMap(({ ip, ipMode }) => (isAddress(ip) && ipMode !== "Proxy" ? [ip] : []));
}

function isAddress(value: string | undefined): value is string {
  return value !== undefined && isIPv4(value);
}

function isPort(value: number | undefined): value is number {
  return Number.isInteger(value) && value! > 0 && value! < 65536;
}

/** `10.0.0.0/8`; what is written into a rule must not be more than that. */
export function isCidr(value: string): boolean {
  const [address = "", bits = "", ...rest] = value.split("/");
  return rest.length === 0 && isIPv4(address) && /^\d{1,2}$/.test(bits) && Number(bits) <= 32;
}

function isName(value: string): boolean {
  return /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(value);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
