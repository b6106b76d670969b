import type { Target } from "../../durable-objects/protocol.ts";

export const DEFAULT_CLUSTER = "default";

export const CLUSTER_NAME = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/** `/clusters/<name>/rest` is a cluster's API at `/rest`; every other path is the cluster `default`'s. */
export function splitCluster(path: string): { cluster: string; path: string } | undefined {
  if (!path.startsWith("/clusters/")) return { cluster: DEFAULT_CLUSTER, path };
  const end = path.indexOf("/", "/clusters/".length);
  const cluster = path.slice("/clusters/".length, end < 0 ? undefined : end);
  if (!CLUSTER_NAME.test(cluster)) return undefined;
  return { cluster, path: end < 0 ? "/" : path.slice(end) };
}

/** `/at/<time>/rest` is `/rest` as it was at that time; what stands for the time is not looked at here. */
export function splitTime(path: string): { at: string | undefined; path: string } {
  if (path !== "/at" && !path.startsWith("/at/")) return { at: undefined, path };
  const end = path.indexOf("/", "/at/".length);
  const at = decodeSegment(path.slice("/at/".length, end < 0 ? undefined : end)) ?? "";
  return { at, path: end < 0 ? "/" : path.slice(end) };
}

export interface ResourcePath {
  target: Target;
  /** The deprecated `/watch/` form of a path. */
  watch: boolean;
}

/** Third path segments that belong to the namespace itself, not to a resource in it. */
const NAMESPACE_SUBRESOURCES = new Set(["status", "finalize"]);

/**
 * Reads `/api/v1/…` and `/apis/<group>/<version>/…` as kube-apiserver's RequestInfoFactory does; undefined for a path
 * that names no resource (discovery), or more than a resource has.
 */
export function parseResourcePath(path: string): ResourcePath | undefined {
  const segments = path.split("/").slice(1).map(decodeSegment);
  if (segments.at(-1) === "") segments.pop();
  if (segments.includes(undefined) || segments.includes("")) return undefined;
  let rest = segments as string[];
  const root = rest.shift();
  let group = "";
  if (root === "apis") group = rest.shift() ?? "";
  else if (root !== "api") return undefined;
  const version = rest.shift();
  if (version === undefined || (root === "apis" && group === "")) return undefined;

  const watch = rest[0] === "watch";
  if (watch) rest = rest.slice(1);

  let namespace = "";
  if (rest[0] === "namespaces" && rest.length > 1) {
    namespace = rest[1]!;
    if (namespace.includes("/")) return undefined; // An escaped slash: there is no such home to ask.
    if (rest.length > 2 && !NAMESPACE_SUBRESOURCES.has(rest[2]!)) rest = rest.slice(2);
    else namespace = ""; // The Namespace object is cluster-scoped: `rest` still says namespaces/<name>.
  }
  const [resource, name = "", subresource = "", ...more] = rest;
  if (resource === undefined || more.length > 0) return undefined;
  return { target: { group, version, resource, namespace, name, subresource }, watch };
}

function decodeSegment(segment: string): string | undefined {
  if (!segment.includes("%")) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}
