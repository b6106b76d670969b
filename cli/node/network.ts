import { networkInterfaces } from "node:os";
import ipaddr from "ipaddr.js";
import { Failure } from "../failure.ts";
import { run, runOrThrow } from "../processes.ts";

/**
 * The network that joins the nodes of one machine: a bridge with a subnet of 172.31.0.0/16, on which this machine is .1.
 * The first node uses the machine's own network; each further one has a namespace with a leg on the bridge. Pods reach
 * the API at the bridge's address, which no other machine can.
 */
export interface Bridge {
  /** The third number of the subnet 172.31.<octet>.0/24; also names what is made, so that clusters do not meet. */
  octet: number;
}

const OCTETS = { first: 200, last: 250 };
/** .1 to .250: an address each. */
export const NODES_MAX = 50;

const bridgeName = ({ octet }: Bridge): string => `cox${octet}`;
const subnet = ({ octet }: Bridge): string => `172.31.${octet}.0/24`;

/** A node's address on the bridge. @param node 1 is the machine itself */
export const addressOnBridge = ({ octet }: Bridge, node: number): string => `172.31.${octet}.${node}`;

/** The network namespace of a node; the first has none. */
export const namespaceOf = (bridge: Bridge, node: number): string | undefined =>
  node === 1 ? undefined : `${bridgeName(bridge)}-${node}`;

/** The cgroup around all pods of a cluster: clusters on one machine must not remove each other's. */
export const cgroupRoot = ({ octet }: Bridge): string => `/coxswain-${octet}`;

/** A command as it runs inside a namespace. Only the network differs: mounts must stay shared with the other processes. */
export const inNamespace = (namespace: string | undefined, command: string[]): string[] =>
  namespace === undefined ? command : ["nsenter", `--net=/run/netns/${namespace}`, "--", ...command];

/** A subnet that nothing on this machine uses. */
export async function chooseBridge(): Promise<Bridge> {
  const routes = await run("ip", ["-4", "route", "show", "table", "all"]);
  const octet = freeOctet([
    ...Object.values(networkInterfaces()).flatMap((addresses) => (addresses ?? []).map(({ cidr }) => cidr ?? "")),
    ...[...routes.stdout.matchAll(/(?:^|\s)(\d+\.\d+\.\d+\.\d+\/\d+)/gm)].map((match) => match[1]!),
  ]);
  if (octet !== undefined) return { octet };
  throw new Failure(
    "no subnet of 172.31.200.0 to 172.31.250.0 is free for the nodes: stop another cluster with `cox down`",
  );
}

/** The first third number whose subnet overlaps none of the IPv4 ones among `taken` (`10.0.0.0/8`). */
export function freeOctet(taken: readonly string[]): number | undefined {
  const networks = taken.filter((cidr) => ipaddr.IPv4.isValidCIDR(cidr));
  for (let octet = OCTETS.first; octet <= OCTETS.last; octet += 1) {
    if (!networks.some((cidr) => overlaps(cidr, subnet({ octet })))) return octet;
  }
  return undefined;
}

function overlaps(one: string, other: string): boolean {
  const [a, aBits] = ipaddr.IPv4.parseCIDR(one);
  const [b, bBits] = ipaddr.IPv4.parseCIDR(other);
  const bits = Math.min(aBits, bBits);
  return bits > 0 && a.match(b, bits); // The default route overlaps everything, and takes nothing.
}

/** iptables rules that let the nodes out into the world and their packets through this machine. */
const hostRules = (bridge: Bridge): { table: string; chain: string; rule: string[] }[] => {
  const comment = ["-m", "comment", "--comment", `coxswain ${bridgeName(bridge)}`];
  return [
    {
      table: "nat",
      chain: "POSTROUTING",
      rule: ["-s", subnet(bridge), "!", "-d", subnet(bridge), ...comment, "-j", "MASQUERADE"],
    },
    { table: "filter", chain: "FORWARD", rule: ["-i", bridgeName(bridge), ...comment, "-j", "ACCEPT"] },
    { table: "filter", chain: "FORWARD", rule: ["-o", bridgeName(bridge), ...comment, "-j", "ACCEPT"] },
  ];
};

/** Makes the bridge and the namespaces of the nodes 2 to `nodes`; what is there already stays as it is. */
export async function raiseNetwork(bridge: Bridge, nodes: number): Promise<void> {
  const name = bridgeName(bridge);
  if (!(await exists(name))) {
    await runOrThrow("ip", ["link", "add", name, "type", "bridge"]);
    await runOrThrow("ip", ["address", "add", `${addressOnBridge(bridge, 1)}/24`, "dev", name]);
    await runOrThrow("ip", ["link", "set", name, "up"]);
  }
  if (nodes < 2) return;
  await runOrThrow("sysctl", ["-q", "-w", "net.ipv4.ip_forward=1"]);
  for (const { table, chain, rule } of hostRules(bridge)) {
    const there = await run("iptables", ["-w", "-t", table, "-C", chain, ...rule]);
    if (there.code !== 0) await runOrThrow("iptables", ["-w", "-t", table, "-I", chain, ...rule]);
  }
  for (let node = 2; node <= nodes; node += 1) await raiseNamespace(bridge, node);
}

async function raiseNamespace(bridge: Bridge, node: number): Promise<void> {
  const namespace = namespaceOf(bridge, node)!;
  const leg = namespace; // The host's end of the pair bears the namespace's name.
  if (await exists(leg)) return;
  await run("ip", ["netns", "delete", namespace]); // One without its leg is left from a machine that broke down.
  await runOrThrow("ip", ["netns", "add", namespace]);
  const inside = ["ip", "-n", namespace] as const;
  await runOrThrow("ip", ["link", "add", leg, "type", "veth", "peer", "name", "eth0", "netns", namespace]);
  await runOrThrow("ip", ["link", "set", leg, "master", bridgeName(bridge), "up"]);
  for (const args of [
    ["link", "set", "lo", "up"],
    ["address", "add", `${addressOnBridge(bridge, node)}/24`, "dev", "eth0"],
    ["link", "set", "eth0", "up"],
    ["route", "add", "default", "via", addressOnBridge(bridge, 1)],
  ]) {
    await runOrThrow(inside[0], [...inside.slice(1), ...args]);
  }
}

const exists = async (link: string): Promise<boolean> => (await run("ip", ["link", "show", link])).code === 0;

/** Takes away all that `raiseNetwork` made, for however many nodes. */
export async function removeNetwork(bridge: Bridge): Promise<void> {
  const listed = await run("ip", ["netns", "list"]);
  for (const line of listed.stdout.split("\n")) {
    const namespace = line.split(" ")[0]!;
    if (!namespace.startsWith(`${bridgeName(bridge)}-`)) continue;
    await run("ip", ["link", "delete", namespace]); // At once: with the namespace alone the pair goes some time later.
    await run("ip", ["netns", "delete", namespace]);
  }
  await run("ip", ["link", "delete", bridgeName(bridge)]);
  for (const { table, chain, rule } of hostRules(bridge))
    await run("iptables", ["-w", "-t", table, "-D", chain, ...rule]);
}
