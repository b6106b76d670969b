import type { PodObject } from "../api/kinds/pod.ts";

/** resolv.conf of a pod: the CRI runtime writes it. */
export interface PodDns {
  servers: string[];
  searches: string[];
  options: string[];
}

export interface ClusterDns {
  /** The cluster's name server; undefined: pods get the node's resolv.conf. */
  address?: string;
  domain: string;
}

// The limits of resolv.conf that validation and kubelet share.
const SERVERS_MAX = 3;
const SEARCHES_MAX = 32;
const HOSTNAME_MAX = 63;

/** By dnsPolicy and dnsConfig. `node` is the node's own resolv.conf. */
export function podDns(pod: PodObject, cluster: ClusterDns, node: PodDns): PodDns {
  const { spec, metadata } = pod;
  const policy = spec.dnsPolicy ?? "ClusterFirst";
  const usesCluster = policy === "ClusterFirstWithHostNet" || (policy === "ClusterFirst" && !spec.hostNetwork);
  let dns: PodDns;
  if (policy === "None") dns = { servers: [], searches: [], options: [] };
  else if (usesCluster && cluster.address) {
    const searches = [`${metadata.namespace}.svc.${cluster.domain}`, `svc.${cluster.domain}`, cluster.domain];
    dns = { servers: [cluster.address], searches: [...searches, ...node.searches], options: ["ndots:5"] };
  } else dns = node;
  const extra = spec.dnsConfig;
  const options = new Map(dns.options.map((option) => [option.split(":")[0]!, option]));
  for (const { name, value } of extra?.options ?? []) {
    if (name) options.set(name, value === undefined ? name : `${name}:${value}`);
  }
  return {
    servers: [...new Set([...dns.servers, ...(extra?.nameservers ?? [])])].slice(0, SERVERS_MAX),
    searches: [...new Set([...dns.searches, ...(extra?.searches ?? [])])].slice(0, SEARCHES_MAX),
    options: [...options.values()],
  };
}

/** Reads the text of /etc/resolv.conf. */
export function parseResolvConf(text: string): PodDns {
  const dns: PodDns = { servers: [], searches: [], options: [] };
  for (const line of text.split("\n")) {
    const [keyword, ...values] = line.trim().split(/\s+/);
    if (keyword === "nameserver" && values[0]) dns.servers.push(values[0]);
    else if (keyword === "search") dns.searches = values.filter((value) => value !== ".");
    else if (keyword === "options") dns.options = values;
  }
  return dns;
}

/** The name a pod's processes see; longer pod names are cut as kubelet cuts them. */
export function hostnameOf({ metadata, spec }: PodObject): string {
  const override = hostnameOverride(spec);
  if (override) return override;
  if (spec.hostname) return spec.hostname;
  return metadata.name.slice(0, HOSTNAME_MAX).replace(/[-.]+$/, "");
}

/** KEP-4762; newer than the typings. */
const hostnameOverride = (spec: PodObject["spec"]): string | undefined =>
  (spec as { hostnameOverride?: string }).hostnameOverride;

/** The text of a pod's /etc/hosts, as kubelet words it. */
export function hostsFile(pod: PodObject, ips: readonly string[], domain: string): string {
  const { spec, metadata } = pod;
  const hostname = hostnameOf(pod);
  const lines = [
    "# Kubernetes-managed hosts file.",
    "127.0.0.1\tlocalhost",
    "::1\tlocalhost ip6-localhost ip6-loopback",
    "fe00::0\tip6-localnet",
    "fe00::0\tip6-mcastprefix",
    "fe00::1\tip6-allnodes",
    "fe00::2\tip6-allrouters",
  ];
  const full =
    spec.subdomain && !hostnameOverride(spec)
      ? `${hostname}.${spec.subdomain}.${metadata.namespace}.svc.${domain}`
      : undefined;
  for (const ip of ips) lines.push(full ? `${ip}\t${full}\t${hostname}` : `${ip}\t${hostname}`);
  return `${lines.join("\n")}\n${hostAliases(pod)}`;
}

/** What is added to the node's own hosts file for a pod on the node's network. */
export function nodeHostsFile(pod: PodObject, nodeHosts: string): string {
  return `# Kubernetes-managed hosts file (host network).\n${nodeHosts}${hostAliases(pod)}`;
}

function hostAliases({ spec }: PodObject): string {
  const aliases = spec.hostAliases ?? [];
  if (aliases.length === 0) return "";
  const lines = aliases.map(({ ip, hostnames = [] }) => [ip, ...hostnames].join("\t"));
  return `\n# Entries added by HostAliases.\n${lines.join("\n")}\n`;
}
