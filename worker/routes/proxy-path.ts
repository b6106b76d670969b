import type { ResourcePath } from "./path.ts";

/** `…/pods/<id>/proxy/<path>` and `…/services/<id>/proxy/<path>`. */
export interface ProxyPath extends ResourcePath {
  /** As it is in the URL, from the slash on; empty where there is none. */
  path: string;
}

const PROXY = /^\/api\/v1\/namespaces\/([^/]+)\/(pods|services)\/([^/]+)\/proxy(\/.*)?$/;

/** Undefined for every other path. */
export function parseProxyPath(path: string): ProxyPath | undefined {
  if (!path.includes("/proxy")) return undefined;
  const [, namespace = "", resource = "", id = "", rest = ""] = PROXY.exec(path) ?? [];
  const name = decoded(id);
  if (!name) return undefined;
  const target = { group: "", version: "v1", resource, namespace, name, subresource: "proxy" };
  return { target, watch: false, path: rest.replace(/\/{2,}/g, "/") };
}

function decoded(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

const PREFIX = /^.*?\/api\/v1\/namespaces\/[^/]+\/(?:pods|services)\/[^/]+\/proxy/;

/** What of a URL's path leads to the proxy; what follows is asked for there. */
export const proxyPrefix = (pathname: string): string => PREFIX.exec(pathname)?.[0] ?? pathname;

/** An address in an answer, so that it leads through the proxy if it leads to the same server. `hosts`: what that server is called. */
export function throughProxy(address: string, prefix: string, hosts: readonly string[]): string {
  const [, host, path = "", rest = ""] = /^(?:(?:https?:)?\/\/([^/?#]*))?([^?#]*)(.*)$/is.exec(address) ?? [];
  if ((host !== undefined && !hosts.includes(host)) || !path.startsWith("/")) return address;
  return `${path.startsWith(prefix) ? path : prefix + path}${rest}`;
}
