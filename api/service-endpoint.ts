import type { KubeObject } from "./object.ts";
import { ApiError, badRequest } from "./status.ts";

/** `name`, `name:port` or `scheme:name:port`, as the proxy subresources name what they lead to (apimachinery, SplitSchemeNamePort). */
export interface SchemeNamePort {
  scheme: "" | "http" | "https";
  name: string;
  /** A number or a name; empty where none is given. */
  port: string;
}

/** Undefined where it is none of the three. */
export function splitSchemeNamePort(id: string): SchemeNamePort | undefined {
  const parts = id.split(":");
  if (parts.length > 3) return undefined;
  const [scheme, name, port] = parts.length === 3 ? parts : ["", ...parts];
  if (!name || (scheme !== "" && scheme !== "http" && scheme !== "https")) return undefined;
  return { scheme, name, port: port ?? "" };
}

/** A port of a pod on a node. */
export interface PodEndpoint {
  node: string;
  pod: { namespace: string; name: string; uid: string };
  port: number;
}

/**
 * The ports behind a Service's port, of pods that are ready. `port`: a number of the Service's, or the name of one; empty: the one without a name.
 * @throws ApiError ServiceUnavailable where the Service has no such port
 */
export function serviceEndpoints(service: KubeObject, slices: readonly KubeObject[], port: string): PodEndpoint[] {
  const name = portName(service, port);
  const found: PodEndpoint[] = [];
  for (const { ports = [], endpoints = [] } of slices as any[]) {
    const number = ports?.find((each: any) => (each.name ?? "") === name)?.port;
    if (!number) continue;
    for (const { conditions, targetRef, nodeName } of endpoints ?? []) {
      if (conditions?.ready === false || targetRef?.kind !== "Pod" || !nodeName) continue;
      const { namespace, name: pod, uid } = targetRef;
      if (namespace === service.metadata.namespace && uid)
        found.push({ node: nodeName, port: number, pod: { namespace, name: pod, uid } });
    }
  }
  return found;
}

function portName(service: KubeObject, port: string): string {
  if (!/^\d+$/.test(port)) return port;
  const found = service["spec"].ports?.find((each: any) => each.port === Number(port));
  if (found) return found.name ?? "";
  throw new ApiError(
    "ServiceUnavailable",
    `no service port ${Number(port)} found for service ${JSON.stringify(service.metadata.name)}`,
  );
}

export const noEndpoints = (id: string): ApiError =>
  new ApiError("ServiceUnavailable", `no endpoints available for service ${JSON.stringify(id)}`);

const HTTP_PORT = { "": 80, http: 80, https: 443 } as const;

/** The port of a pod that is meant: the first that its containers name, where none is given. @throws ApiError BadRequest */
export function podPort(pod: KubeObject, { scheme, port }: SchemeNamePort): number {
  if (port === "") {
    const ports = pod["spec"].containers.flatMap((container: any) => container.ports ?? []);
    return ports[0]?.containerPort ?? HTTP_PORT[scheme];
  }
  const number = Number(port);
  if (/^\d+$/.test(port) && number >= 1 && number <= 65_535) return number;
  throw badRequest(`invalid port ${JSON.stringify(port)}`);
}
