import { Node, type NodeObject } from "../../api/kinds/node.ts";
import { type Controller, defineController } from "./controller.ts";

/** Bits of a node's range, as upstream's default: 254 pods' addresses. */
const NODE_MASK_BITS = 24;
/** Ranges tried for one node; bounds the search in a large cluster range. */
const RANGES_MAX = 65_536;

/** Gives each node its own part of the cluster's pod range (IPv4, as `10.244.0.0/16`). */
export const nodeIpam = (clusterCidr: string): Controller<NodeObject> =>
  defineController<NodeObject>({
    name: "cidrAllocator",
    for: Node,
    reconcile(node, view) {
      if (node.spec?.podCIDR || node.metadata.deletionTimestamp) return { writes: [] };
      const taken = view.list(Node).flatMap(({ spec }) => spec?.podCIDR ?? []);
      const podCIDR = freeRange(clusterCidr, taken);
      if (podCIDR)
        return {
          writes: [
            { op: "update", kind: Node, object: { ...node, spec: { ...node.spec, podCIDR, podCIDRs: [podCIDR] } } },
          ],
        };
      const message = `Node ${node.metadata.name} status is now: CIDRNotAvailable`;
      return {
        writes: [{ op: "event", about: node, type: "Normal", reason: "CIDRNotAvailable", message }],
        failure: `no free range is left in ${clusterCidr}`,
      };
    },
  });

/** The first range of a node's size in the cluster's that nobody has; undefined where none is left. */
export function freeRange(clusterCidr: string, taken: readonly string[]): string | undefined {
  const cluster = parse(clusterCidr);
  const bits = Math.max(cluster.bits, NODE_MASK_BITS);
  const size = 2 ** (32 - bits);
  const used = taken.map(parse);
  const count = Math.min(2 ** (bits - cluster.bits), RANGES_MAX);
  for (let i = 0; i < count; i++) {
    const start = cluster.start + i * size;
    const isFree = used.every((other) => start + size <= other.start || other.start + 2 ** (32 - other.bits) <= start);
    if (isFree) return `${[24, 16, 8, 0].map((shift) => Math.floor(start / 2 ** shift) % 256).join(".")}/${bits}`;
  }
  return undefined;
}

function parse(cidr: string): { start: number; bits: number } {
  const [, address = "", bits] = /^(\d+\.\d+\.\d+\.\d+)\/(\d+)$/.exec(cidr) ?? [];
  if (!bits) throw new Error(`not an IPv4 range: ${cidr}`);
  const value = address.split(".").reduce((number, part) => number * 256 + Number(part), 0);
  const size = 2 ** (32 - Number(bits));
  return { start: Math.floor(value / size) * size, bits: Number(bits) };
}
