import { isIPv4 } from "node:net";
import type { INode } from "kubernetes-models/v1/Node";
import { isCidr } from "./service-ports.ts";

/** Marks our routes (`ip route … proto`); a number that /etc/iproute2/rt_protos and routing daemons do not use. */
export const ROUTE_PROTOCOL = "196";

export interface Route {
  cidr: string;
  via: string;
}

/** The routes to the pods of all other nodes, each through its node's InternalIP. */
export function routesToPeers(nodes: Iterable<INode>, ownName: string): Route[] {
  const routes = new Map<string, Route>();
  for (const node of nodes) {
    if (node.metadata?.name === ownName) continue;
    const via = internalAddresses(node)[0];
    if (via === undefined) continue;
    for (const cidr of podCidrs(node)) routes.set(cidr, { cidr, via });
  }
  return [...routes.values()].sort((a, b) => (a.cidr < b.cidr ? -1 : 1));
}

export function podCidrs(node: INode): string[] {
  const { podCIDR, podCIDRs } = node.spec ?? {};
  return [...new Set([...(podCIDR ? [podCIDR] : []), ...(podCIDRs ?? [])])].filter(isCidr);
}

export function internalAddresses(node: INode): string[] {
  return (node.status?.addresses ?? [])
    .filter(({ type, address }) => type === "InternalIP" && isIPv4(address))
    .map(({ address }) => address);
}

/** Reads `ip route show proto …`. */
export function parseRoutes(text: string): Route[] {
  return text.split("\n").flatMap((line) => {
    const [, cidr, via] = /^(\S+) via (\S+)/.exec(line.trim()) ?? [];
    return cidr && via ? [{ cidr: cidr.includes("/") ? cidr : `${cidr}/32`, via }] : [];
  });
}

/** The `ip` calls that make `wanted` of `present`. */
export function routeChanges(present: readonly Route[], wanted: readonly Route[]): string[][] {
  const key = ({ cidr, via }: Route) => `${cidr} ${via}`;
  const there = new Set(present.map(key));
  const wantedCidrs = new Set(wanted.map(({ cidr }) => cidr));
  return [
    ...present
      .filter(({ cidr }) => !wantedCidrs.has(cidr))
      .map(({ cidr, via }) => ["route", "del", cidr, "via", via, "proto", ROUTE_PROTOCOL]),
    ...wanted
      .filter((route) => !there.has(key(route)))
      .map(({ cidr, via }) => ["route", "replace", cidr, "via", via, "proto", ROUTE_PROTOCOL]),
  ];
}
