import type { IContainer } from "kubernetes-models/v1/Container";
import type { PodObject } from "../api/kinds/pod.ts";
import { parseQuantity } from "../api/quantity.ts";

/** Addresses that fields may ask for, before the pod's status carries them. */
export interface PodAddresses {
  podIps: readonly string[];
  nodeIps: readonly string[];
}

/** The node's allocatable amounts: what a container without a limit may use. */
export type Allocatable = Record<string, string>;

/** The value that a fieldRef names. Throws on a path that is none (validation has let only good ones through). */
export function fieldValue(pod: PodObject, path: string, addresses: PodAddresses): string {
  const keyed = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(path);
  if (keyed) return pod.metadata[keyed[1] as "labels" | "annotations"]?.[keyed[2]!] ?? "";
  switch (path) {
    case "metadata.name":
      return pod.metadata.name;
    case "metadata.namespace":
      return pod.metadata.namespace ?? "";
    case "metadata.uid":
      return pod.metadata.uid ?? "";
    case "metadata.labels":
      return formatMap(pod.metadata.labels ?? {});
    case "metadata.annotations":
      return formatMap(pod.metadata.annotations ?? {});
    case "spec.nodeName":
      return pod.spec.nodeName ?? "";
    case "spec.serviceAccountName":
      return pod.spec.serviceAccountName ?? "";
    case "status.hostIP":
      return addresses.nodeIps[0] ?? "";
    case "status.hostIPs":
      return addresses.nodeIps.join(",");
    case "status.podIP":
      return addresses.podIps[0] ?? "";
    case "status.podIPs":
      return addresses.podIps.join(",");
    default:
      throw new Error(`unsupported fieldPath: ${path}`);
  }
}

/** Lines of `key="value"`, sorted, as the downward API writes labels and annotations. */
const formatMap = (map: Record<string, string>): string =>
  Object.keys(map)
    .sort()
    .map((key) => `${key}=${JSON.stringify(map[key])}`)
    .join("\n");

/** The number that a resourceFieldRef names: the amount over the divisor, rounded up. */
export function resourceValue(
  container: IContainer,
  resource: string,
  divisor: string | undefined,
  allocatable: Allocatable,
): string {
  const [kind, ...rest] = resource.split(".");
  const name = rest.join(".");
  const amounts = (kind === "limits" ? container.resources?.limits : container.resources?.requests) as
    | Record<string, string | number>
    | undefined;
  const fallback =
    kind === "limits" ? allocatable[name] : (container.resources?.limits as Record<string, string> | undefined)?.[name];
  const amount = parseQuantity(amounts?.[name] ?? fallback ?? "0").nanos;
  const unit = parseQuantity(!divisor || divisor === "0" ? "1" : divisor).nanos;
  return String((amount + unit - 1n) / unit);
}
