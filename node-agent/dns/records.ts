import { isIPv4 } from "node:net";
import type { IEndpointSlice } from "kubernetes-models/discovery.k8s.io/v1/EndpointSlice";
import type { IService } from "kubernetes-models/v1/Service";

/** A record's target of one name: where an SRV record points to. */
export interface ServiceTarget {
  port: number;
  /** Name relative to the zone, `web-0.web.default.svc`. */
  target: string;
}

/** What one Service has in the DNS. Names are relative to the Service's own name, and in lower case. */
export interface ServiceRecords {
  /** A records of the Service's name. */
  addresses: string[];
  /** A records of names below it (headless Services' endpoints): `web-0` → addresses. */
  hosts: Map<string, string[]>;
  /** `_http._tcp` → SRV records. */
  ports: Map<string, ServiceTarget[]>;
  /** ExternalName: the Service's name is an alias of this one. */
  alias?: string;
}

/** The cluster's part of the DNS (Kubernetes DNS-Based Service Discovery 1.1.0), without the zone's own name. */
export interface ClusterRecords {
  /** namespace → Service → its records. */
  namespaces: Map<string, Map<string, ServiceRecords>>;
  /** Address → names relative to the zone, for PTR. */
  reverse: Map<string, string[]>;
}

export function clusterRecords(services: Iterable<IService>, slices: Iterable<IEndpointSlice>): ClusterRecords {
  const slicesOf = new Map<string, IEndpointSlice[]>();
  for (const slice of slices) {
    const name = slice.metadata?.labels?.["kubernetes.io/service-name"];
    if (!name || slice.addressType !== "IPv4") continue;
    push(slicesOf, `${slice.metadata?.namespace}/${name}`, slice);
  }
  const records: ClusterRecords = { namespaces: new Map(), reverse: new Map() };
  for (const service of services) {
    const { name = "", namespace = "" } = service.metadata ?? {};
    const path = `${name}.${namespace}.svc`;
    const ofService = serviceRecords(service, path, slicesOf.get(`${namespace}/${name}`) ?? [], records.reverse);
    let ofNamespace = records.namespaces.get(namespace);
    if (!ofNamespace) {
      ofNamespace = new Map();
      records.namespaces.set(namespace, ofNamespace);
    }
    ofNamespace.set(name, ofService);
  }
  return records;
}

function serviceRecords(
  service: IService,
  path: string,
  slices: readonly IEndpointSlice[],
  reverse: Map<string, string[]>,
): ServiceRecords {
  const records: ServiceRecords = { addresses: [], hosts: new Map(), ports: new Map() };
  const spec = service.spec;
  if (!spec) return records;
  if (spec.type === "ExternalName") {
    const alias = (spec.externalName ?? "").toLowerCase().replace(/\.$/, "");
    // An address is no name: an alias of it would lead nowhere.
    if (alias && !isIPv4(alias)) records.alias = alias;
    return records;
  }
  const clusterIP = [spec.clusterIP, ...(spec.clusterIPs ?? [])].find((ip) => ip !== undefined && isIPv4(ip));
  if (clusterIP !== undefined) {
    records.addresses.push(clusterIP);
    push(reverse, clusterIP, path);
    for (const { name, protocol, port } of spec.ports ?? []) {
      if (name) push(records.ports, portLabel(name, protocol), { port, target: path });
    }
    return records;
  }
  if (spec.clusterIP === "None") addEndpoints(records, path, slices, reverse);
  return records;
}

/** Endpoints that are not ready have no records; `publishNotReadyAddresses` makes them ready in their slices. */
function addEndpoints(
  records: ServiceRecords,
  path: string,
  slices: readonly IEndpointSlice[],
  reverse: Map<string, string[]>,
): void {
  const seen = new Set<string>();
  for (const slice of slices) {
    for (const endpoint of slice.endpoints ?? []) {
      const address = endpoint.addresses[0];
      if (address === undefined || !isIPv4(address) || !(endpoint.conditions?.ready ?? true)) continue;
      const host = endpoint.hostname?.toLowerCase() ?? address.replaceAll(".", "-");
      const target = `${host}.${path}`;
      if (!seen.has(`${host} ${address}`)) {
        seen.add(`${host} ${address}`);
        if (!records.addresses.includes(address)) records.addresses.push(address);
        push(records.hosts, host, address);
        if (endpoint.hostname) push(reverse, address, target);
      }
      for (const { name, protocol, port } of slice.ports ?? []) {
        if (!name || port === undefined) continue;
        const label = portLabel(name, protocol);
        const known = records.ports.get(label) ?? [];
        if (!known.some((srv) => srv.port === port && srv.target === target))
          push(records.ports, label, { port, target });
      }
    }
  }
}

function portLabel(name: string, protocol = "TCP"): string {
  return `_${name}._${protocol}`.toLowerCase();
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const values = map.get(key);
  if (values) values.push(value);
  else map.set(key, [value]);
}
