import type { ServicePort } from "./service-ports.ts";

/**
 * The arguments of the `conntrack` calls that make the kernel forget UDP flows which would go on to where they may no
 * longer go: to endpoints that left, or nowhere, from before the first endpoint came. (TCP flows end by themselves, and
 * those to a terminating endpoint are to be finished.)
 */
export function staleFlows(before: readonly ServicePort[], now: readonly ServicePort[]): string[][] {
  const current = new Map(now.map((port) => [key(port), port]));
  const calls: string[][] = [];
  for (const old of before) {
    if (old.protocol !== "udp") continue;
    const port = current.get(key(old));
    const kept = new Set(port ? endpoints(port) : []);
    for (const endpoint of endpoints(old)) {
      if (kept.has(endpoint)) continue;
      const address = endpoint.slice(0, endpoint.indexOf(":"));
      for (const destination of destinations(old))
        calls.push(["-D", "-p", "udp", ...destination, "--dst-nat", address]);
    }
  }
  const known = new Map(before.map((port) => [key(port), port]));
  for (const port of now) {
    if (port.protocol !== "udp" || endpoints(port).length === 0) continue;
    const old = known.get(key(port));
    if (old && endpoints(old).length > 0) continue;
    for (const destination of destinations(port)) calls.push(["-D", "-p", "udp", ...destination]);
  }
  return calls;
}

function destinations(port: ServicePort): string[][] {
  const addresses = [port.clusterIP, ...port.externalIPs, ...port.loadBalancerIPs];
  const calls = addresses.map((address) => ["--orig-dst", address]);
  if (port.nodePort !== undefined) calls.push(["--orig-port-dst", String(port.nodePort)]);
  return calls;
}

function endpoints(port: ServicePort): string[] {
  return [...new Set([...port.clusterEndpoints, ...port.localEndpoints])];
}

function key(port: ServicePort): string {
  return `${port.id} ${port.protocol} ${port.clusterIP}`;
}
