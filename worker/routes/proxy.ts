import type { StreamRequest } from "../../api/node-link.ts";
import type { KubeObject } from "../../api/object.ts";
import {
  noEndpoints,
  type PodEndpoint,
  podPort,
  type SchemeNamePort,
  serviceEndpoints,
  splitSchemeNamePort,
} from "../../api/service-endpoint.ts";
import { badRequest, methodNotAllowed } from "../../api/status.ts";
import { type HomeAnswer, STREAM_REQUEST_HEADER, type Verb } from "../../durable-objects/protocol.ts";
import { askToConnect } from "./ask-home.ts";
import type { Asked } from "./asked.ts";
import { rewriteLinks } from "./proxy-links.ts";
import { type ProxyPath, proxyPrefix, throughProxy } from "./proxy-path.ts";
import { NAMESPACE_NAME, unknownPath } from "./resources.ts";
import { podRef } from "./streams.ts";

const VERBS: Record<string, Verb> = {
  GET: "get",
  HEAD: "get",
  OPTIONS: "get",
  POST: "create",
  PUT: "update",
  PATCH: "patch",
  DELETE: "delete",
};

/** As whom the control plane reads what it needs to know itself. */
const SELF = { name: "system:apiserver", groups: ["system:masters"] };

/** Passes a request on to what listens in a pod: the home says whether and where, the pod's node carries it. */
export async function serveProxy(asked: Asked, { target, path }: ProxyPath): Promise<Response> {
  const { env, cluster, user, request } = asked;
  const verb = VERBS[request.method];
  if (!verb) throw methodNotAllowed();
  const id = splitSchemeNamePort(target.name);
  if (!id) throw badRequest(`invalid ${target.resource.slice(0, -1)} request ${JSON.stringify(target.name)}`);
  if (!NAMESPACE_NAME.test(target.namespace)) throw unknownPath();
  const home = env.NAMESPACE_HOME.getByName(`${cluster}/${target.namespace}`);
  const named = { ...target, name: id.name };
  const body = JSON.stringify({ path });
  const answer = await askToConnect(asked, home, { verb, user, target: named, options: {}, body });
  const object = await parsed(answer);
  if (answer.code !== 200) return Response.json(object, { status: answer.code });

  const url = new URL(request.url);
  if (path === "" && (request.method === "GET" || request.method === "HEAD"))
    return new Response(null, { status: 301, headers: { location: `${url.pathname}/${url.search}` } });

  let endpoint: PodEndpoint;
  if (target.resource === "pods") endpoint = podEndpoint(object, id);
  else {
    const slices = { ...named, group: "discovery.k8s.io", resource: "endpointslices", name: "", subresource: "" };
    const labelSelector = `kubernetes.io/service-name=${id.name}`;
    const listed = await home.handle({ verb: "list", user: SELF, target: slices, options: { labelSelector } });
    const endpoints = serviceEndpoints(object, (await parsed(listed))["items"] ?? [], id.port);
    const chosen = endpoints[Math.floor(Math.random() * endpoints.length)];
    if (!chosen) throw noEndpoints(target.name);
    endpoint = chosen;
  }
  return await passOn(asked, endpoint, { path, secure: id.scheme === "https", url });
}

const parsed = async ({ body }: HomeAnswer): Promise<KubeObject> => (await new Response(body).json()) as KubeObject;

function podEndpoint(pod: KubeObject, id: SchemeNamePort): PodEndpoint {
  const node = pod["spec"].nodeName as string | undefined;
  if (!node || !pod["status"]?.podIP) throw badRequest("address not allowed");
  return { node, pod: podRef(pod), port: podPort(pod, id) };
}

/** Between two servers alone (RFC 9110, section 7.6.1), who asks here, and what `fetch` says for itself. */
const NOT_FORWARDED =
  /^(connection|proxy-connection|keep-alive|proxy-authenticate|proxy-authorization|te|trailer|transfer-encoding|upgrade|authorization|impersonate-.*|accept-encoding|host|cf-.*|sec-websocket-(key|version|extensions|accept))$/;
/** Pages of one pod have nothing to allow for all that this server serves. */
const NOT_RETURNED = ["credentials", "headers", "methods", "origin"].map((what) => `access-control-allow-${what}`);

async function passOn(
  { env, cluster, request }: Asked,
  { node, pod, port }: PodEndpoint,
  { path, secure, url }: { path: string; secure: boolean; url: URL },
): Promise<Response> {
  const prefix = proxyPrefix(url.pathname);
  const headers: [string, string][] = [...request.headers].filter(([name]) => !NOT_FORWARDED.test(name));
  headers.push(["host", url.host], ["x-forwarded-uri", `${prefix}${path}`]);
  const client = request.headers.get("cf-connecting-ip");
  if (client) headers.push(["x-forwarded-for", client]);
  const isUpgrade = request.headers.get("upgrade") !== null;
  if (isUpgrade && request.headers.get("upgrade")?.toLowerCase() !== "websocket")
    throw badRequest("only connections to WebSockets are upgraded");
  const streamRequest: StreamRequest = {
    kind: "http",
    pod,
    port,
    secure,
    method: request.method,
    path: `${path || "/"}${url.search}`,
    headers,
    upgrade: isUpgrade,
  };
  const link = env.NODE_LINK.getByName(`${cluster}/${node}`);
  const answer = await link.fetch("https://node-link/open", {
    method: request.body ? "POST" : "GET",
    headers: { [STREAM_REQUEST_HEADER]: JSON.stringify(streamRequest), ...(isUpgrade && { upgrade: "websocket" }) },
    ...(request.body && { body: request.body }),
    // Where an answer leads is the client's business.
    redirect: "manual",
  });
  if (isUpgrade) return answer;
  const own = new Response(answer.body, answer);
  for (const name of NOT_RETURNED) own.headers.delete(name);
  const rewrite = (address: string) => throughProxy(address, prefix, [url.host]);
  const location = own.headers.get("location");
  if (location !== null) own.headers.set("location", rewrite(location));
  else if (/^text\/html *(;|$)/i.test(own.headers.get("content-type") ?? "")) return rewriteLinks(own, rewrite);
  return own;
}
