import type { INode } from "kubernetes-models/v1/Node";
import { describe, expect, test } from "vitest";
import { parseRoutes, podCidrs, routeChanges, routesToPeers } from "./routes.ts";

const node = (name: string, podCIDR: string | undefined, address?: string) =>
  ({
    metadata: { name },
    spec: { podCIDR },
    status: { addresses: address ? [{ type: "InternalIP", address }] : [] },
  }) as unknown as INode;

describe("routes to the other nodes' pods", () => {
  test("go through each node's InternalIP, and not to this node's own", () => {
    const nodes = [node("n1", "10.244.1.0/24", "192.0.2.1"), node("n2", "10.244.2.0/24", "192.0.2.2")];
    expect(routesToPeers(nodes, "n1")).toEqual([{ cidr: "10.244.2.0/24", via: "192.0.2.2" }]);
  });

  test("wait for a node that has no address or no podCIDR yet", () => {
    expect(routesToPeers([node("n2", "10.244.2.0/24"), node("n3", undefined, "192.0.2.3")], "n1")).toEqual([]);
  });

  test("do not pass on what is no CIDR", () => {
    expect(podCidrs(node("n2", "10.244.2.0/24 dev lo"))).toEqual([]);
    expect(podCidrs(node("n2", "fd00::/64"))).toEqual([]);
  });
});

describe("bringing the kernel's routes up to date", () => {
  const present = parseRoutes(
    "10.244.2.0/24 via 192.0.2.2 dev eth0 \n10.244.3.0/24 via 192.0.2.3 dev eth0 \n10.244.9.1 via 192.0.2.9 dev eth0\n",
  );

  test("reads what ip says", () => {
    expect(present[0]).toEqual({ cidr: "10.244.2.0/24", via: "192.0.2.2" });
    expect(present[2]!.cidr).toBe("10.244.9.1/32");
    expect(parseRoutes("")).toEqual([]);
  });

  test("replaces what changed, removes what is no more, and leaves the rest", () => {
    const wanted = [
      { cidr: "10.244.2.0/24", via: "192.0.2.2" },
      { cidr: "10.244.3.0/24", via: "192.0.2.33" },
    ];
    expect(routeChanges(present, wanted).map((args) => args.join(" "))).toEqual([
      "route del 10.244.9.1/32 via 192.0.2.9 proto 196",
      "route replace 10.244.3.0/24 via 192.0.2.33 proto 196",
    ]);
  });
});
