import type { KubeObject } from "../../api/object.ts";
import { noEndpoints, type PodEndpoint, serviceEndpoints } from "../../api/service-endpoint.ts";
import type { HomeAnswer, Target } from "../protocol.ts";
import type { Channel } from "../tls/channel.ts";
import type { ServiceAddress } from "./webhook-transport.ts";

/** What dialling a Service needs of a home. */
export interface ServiceDialing {
  /** An object, or those that a label selector selects: as the control plane itself reads them. */
  read(target: Target, labelSelector: string): Promise<HomeAnswer>;
  connect(endpoint: PodEndpoint): Promise<Channel>;
  /** From 0 up to, but not including, 1. */
  random(): number;
}

/** Connects to a Service: to one of the pods behind it that are ready, by the pod's node. Rejects with what there is none of, in upstream's words. */
export const serviceDialer =
  ({ read, connect, random }: ServiceDialing) =>
  async ({ namespace, name, port }: ServiceAddress): Promise<Channel> => {
    const target = { group: "", version: "v1", resource: "services", namespace, name, subresource: "" };
    const found = await read(target, "");
    if (found.code === 404) throw new Error(`service ${JSON.stringify(name)} not found`);
    const service = await parsed(found);
    const { type = "ClusterIP" } = service["spec"];
    if (type === "ExternalName") throw new Error(`unsupported service type ${JSON.stringify(type)}`);
    const slices = { ...target, group: "discovery.k8s.io", resource: "endpointslices", name: "" };
    const listed = await parsed(await read(slices, `kubernetes.io/service-name=${name}`));
    const endpoints = serviceEndpoints(service, listed["items"] ?? [], String(port));
    const endpoint = endpoints[Math.floor(random() * endpoints.length)];
    if (!endpoint) throw noEndpoints(name);
    return await connect(endpoint);
  };

async function parsed({ code, body }: HomeAnswer): Promise<KubeObject> {
  const value = (await new Response(body).json()) as KubeObject;
  if (code !== 200) throw new Error(String(value["message"]));
  return value;
}
