import { findKind } from "../../api/kinds.ts";
import { PORT_FORWARD_PROTOCOLS, type StreamRequest } from "../../api/node-link.ts";
import type { KubeObject } from "../../api/object.ts";
import type { Status } from "../../api/status.ts";
import { ApiError, badRequest } from "../../api/status.ts";
import type { Target } from "../../durable-objects/protocol.ts";
import { STREAM_REQUEST_HEADER } from "../../durable-objects/protocol.ts";
import { askToConnect } from "./ask-home.ts";
import type { Asked } from "./asked.ts";
import { isTrue } from "./options.ts";
import { homeOf, unknownPath } from "./resources.ts";

/** Subresources of pods that are served by the pod's node. */
const STREAMED = new Set(["log", "exec", "attach", "portforward"]);

export const isStream = (target: Target): boolean =>
  target.group === "" && target.resource === "pods" && target.name !== "" && STREAMED.has(target.subresource);

/** `kubectl logs`, `exec`, `attach` and `port-forward`: the home says whether and where, the pod's node serves. */
export async function serveStream(asked: Asked, target: Target): Promise<Response> {
  const { env, cluster, user, query = new URLSearchParams(), request } = asked;
  const kind = findKind(target.group, target.version, target.resource);
  if (!kind || target.namespace === "") throw unknownPath();
  // The home authorizes the subresource and answers with the pod.
  const answer = await askToConnect(asked, homeOf(env, cluster, kind, target), {
    verb: target.subresource === "log" ? "get" : "create",
    user,
    target,
    options: {},
    ...(target.subresource !== "log" && { body: JSON.stringify(connectionOptions(query)) }),
  });
  const value = (await new Response(answer.body).json()) as KubeObject | Status;
  if (answer.code !== 200) return Response.json(value, { status: answer.code });

  const pod = value as KubeObject;
  const streamRequest = requestOf(pod, target.subresource, asked);
  if (streamRequest.kind !== "log") requireWebSocket(request.headers);
  const node = nodeOf(pod, streamRequest);
  const link = env.NODE_LINK.getByName(`${cluster}/${node}`);
  const headers = new Headers({ [STREAM_REQUEST_HEADER]: JSON.stringify(streamRequest) });
  for (const name of ["upgrade", "connection", "sec-websocket-protocol"]) {
    const text = request.headers.get(name);
    if (text !== null) headers.set(name, text);
  }
  return await link.fetch("https://node-link/open", { headers });
}

/** @throws ApiError BadRequest */
function requireWebSocket(headers: Headers): void {
  if (headers.get("upgrade")?.toLowerCase() === "websocket") return;
  throw badRequest(
    "Upgrade request required: this server speaks WebSocket (v5.channel.k8s.io, and SPDY/3.1+portforward.k8s.io); kubectl 1.31 and newer do by themselves, 1.29 and 1.30 with KUBECTL_REMOTE_COMMAND_WEBSOCKETS=true and KUBECTL_PORT_FORWARD_WEBSOCKETS=true",
  );
}

/** PodExecOptions, PodAttachOptions and PodPortForwardOptions, as admission is told of them; what makes no sense is refused later. */
function connectionOptions(query: URLSearchParams): object {
  const container = query.get("container");
  const command = query.getAll("command");
  const ports = portsOf(query);
  const streams = ["stdin", "stdout", "stderr", "tty"].filter((name) => isTrue(query.get(name)));
  return {
    ...Object.fromEntries(streams.map((name) => [name, true])),
    ...(container && { container }),
    ...(command.length > 0 && { command }),
    ...(ports.length > 0 && { ports }),
  };
}

function requestOf(
  pod: KubeObject,
  subresource: string,
  { query = new URLSearchParams(), request }: Pick<Asked, "query" | "request">,
): StreamRequest {
  switch (subresource) {
    case "log":
      return logRequest(pod, query);
    case "exec":
      return execRequest(pod, query);
    case "attach":
      return attachRequest(pod, query);
    default:
      return portForwardRequest(pod, query, request.headers);
  }
}

const PORTS_MAX = 256;

function portsOf(query: URLSearchParams): number[] {
  const texts = query.getAll("ports").flatMap((text) => text.split(","));
  if (texts.length > PORTS_MAX) throw badRequest(`at most ${PORTS_MAX} ports can be forwarded at once`);
  return texts.map((text) => {
    const port = Number(text);
    if (!/^\d+$/.test(text) || port < 1 || port > 65_535) throw badRequest(`invalid port ${JSON.stringify(text)}`);
    return port;
  });
}

function portForwardRequest(pod: KubeObject, query: URLSearchParams, headers: Headers): StreamRequest {
  requireWebSocket(headers);
  const offered = (headers.get("sec-websocket-protocol") ?? "").split(",").map((name) => name.trim());
  const protocol = PORT_FORWARD_PROTOCOLS.find((name) => offered.includes(name));
  if (!protocol)
    throw badRequest(
      `unable to negotiate protocol: client supports ${JSON.stringify(offered)}, server accepts ${JSON.stringify(PORT_FORWARD_PROTOCOLS)}`,
    );
  return { kind: "port-forward", pod: podRef(pod), protocol, ports: portsOf(query) };
}

function nodeOf(pod: KubeObject, request: StreamRequest): string {
  const node = pod["spec"].nodeName as string | undefined;
  if (node) return node;
  if (request.kind === "log")
    throw badRequest(
      `container "${request.container}" in pod "${pod.metadata.name}" is waiting to start: not scheduled to a node yet`,
    );
  throw badRequest(`pod ${pod.metadata.name} does not have a host assigned`);
}

export const podRef = ({ metadata }: KubeObject) => ({
  namespace: metadata.namespace!,
  name: metadata.name,
  uid: metadata.uid!,
});

function logRequest(pod: KubeObject, query: URLSearchParams): StreamRequest {
  const sinceTime = query.get("sinceTime");
  const sinceSeconds = positive(query, "sinceSeconds", 1);
  if (sinceTime && sinceSeconds !== undefined)
    throw invalidLogOptions("at most one of `sinceTime` or `sinceSeconds` may be specified");
  return {
    kind: "log",
    pod: podRef(pod),
    container: containerOf(pod, query.get("container")),
    follow: isTrue(query.get("follow")),
    previous: isTrue(query.get("previous")),
    timestamps: isTrue(query.get("timestamps")),
    ...numbers({
      tailLines: positive(query, "tailLines", 0),
      sinceSeconds,
      limitBytes: positive(query, "limitBytes", 1),
    }),
    ...(sinceTime && { sinceTime }),
  };
}

function execRequest(pod: KubeObject, query: URLSearchParams): StreamRequest {
  const command = query.getAll("command");
  if (command.length === 0) throw badRequest("you must specify at least one command for the container");
  const phase = pod["status"]?.phase as string | undefined;
  if (phase === "Succeeded" || phase === "Failed")
    throw badRequest(`cannot exec into a container in a completed pod; current phase is ${phase}`);
  return {
    kind: "exec",
    pod: podRef(pod),
    container: containerOf(pod, query.get("container")),
    command,
    ...streams(query),
  };
}

const attachRequest = (pod: KubeObject, query: URLSearchParams): StreamRequest => ({
  kind: "attach",
  pod: podRef(pod),
  command: [],
  container: containerOf(pod, query.get("container")),
  ...streams(query),
});

function streams(query: URLSearchParams) {
  const tty = isTrue(query.get("tty"));
  const stdin = isTrue(query.get("stdin"));
  const stdout = isTrue(query.get("stdout"));
  const stderr = isTrue(query.get("stderr")) && !tty;
  if (!stdin && !stdout && !stderr) throw badRequest("you must specify at least 1 of stdin, stdout, stderr");
  return { stdin, stdout, stderr, tty };
}

/** The container that is meant; as upstream, one has to be named where there are several. */
function containerOf(pod: KubeObject, named: string | null): string {
  const namesOf = (list: { name: string }[] | undefined) => (list ?? []).map(({ name }) => name);
  const { containers, initContainers, ephemeralContainers } = pod["spec"];
  const names = namesOf(containers);
  const init = namesOf(initContainers);
  if (named) {
    if ([...names, ...init, ...namesOf(ephemeralContainers)].includes(named)) return named;
    throw badRequest(`container ${named} is not valid for pod ${pod.metadata.name}`);
  }
  if (names.length === 1) return names[0]!;
  const choose = `a container name must be specified for pod ${pod.metadata.name}, choose one of: [${names.join(" ")}]`;
  throw badRequest(init.length > 0 ? `${choose} or one of the init containers: [${init.join(" ")}]` : choose);
}

function positive(query: URLSearchParams, name: string, least: number): number | undefined {
  const text = query.get(name);
  if (text === null || text === "") return undefined;
  const value = Number(text);
  if (!Number.isSafeInteger(value))
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  if (value < least)
    throw invalidLogOptions(
      `${name}: Invalid value: ${value}: must be greater than ${least === 0 ? "or equal to 0" : "0"}`,
    );
  return value;
}

const invalidLogOptions = (why: string): ApiError =>
  new ApiError("Invalid", `PodLogOptions "" is invalid: ${why}`, { kind: "PodLogOptions" });

/** Leaves out what is undefined. */
const numbers = <T extends Record<string, number | undefined>>(values: T): { [K in keyof T]?: number } =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as { [K in keyof T]?: number };
