import { DurableObject } from "cloudflare:workers";
import type { AgentRequest, MessageFromAgent, MessageToAgent, StreamRequest } from "../api/node-link.ts";
import { FRAME_BYTES_MAX, messageFromAgent, PING, PING_SECONDS, PONG, WATCHED_RESOURCES } from "../api/node-link.ts";
import type { KubeObject, User } from "../api/object.ts";
import { ApiError, badRequest, internalError } from "../api/status.ts";
import { answerHttp } from "./node-link/answer-http.ts";
import { watchMessages } from "./node-link/delivery.ts";
import { bridge, CHANNEL_PROTOCOLS, streamLog } from "./node-link/pipe.ts";
import type { ReportedPod } from "./node-link/requests.ts";
import { goneRequest, nodeStatusRequest, statusRequest, storedTarget } from "./node-link/requests.ts";
import type {
  ClusterHomeNodeRpc,
  Delivery,
  HomeAnswer,
  HomeRequest,
  HomeRpc,
  SubscriberRpc,
  Target,
  TimelineRpc,
} from "./protocol.ts";
import { STREAM_REQUEST_HEADER } from "./protocol.ts";

interface NodeLinkEnv {
  NAMESPACE_HOME: DurableObjectNamespace;
  CLUSTER_HOME: DurableObjectNamespace;
  TIMELINE: DurableObjectNamespace;
}

/** What the agent's socket carries through hibernation. */
interface Attachment {
  /** Milliseconds since 1970. */
  connectedAt: number;
}

/** A node that has not pinged for so long is taken for gone, though its socket seems open. */
const SILENCE_SECONDS_MAX = 3 * PING_SECONDS;
/** How long the agent may take to dial a stream it was asked for, and to say whether it can serve it. */
const STREAM_OPEN_MILLISECONDS_MAX = 10_000;
const STREAMS_WAITING_MAX = 256;
const CONTROL = "control";

/**
 * One node's end of the line. The agent dials in and keeps one socket; desired state goes down it, statuses come up it, and
 * whatever needs a stream of its own (logs, exec) is dialled by the agent when asked. Holds no state but who waits for a stream.
 */
export class NodeLink extends DurableObject<NodeLinkEnv> implements SubscriberRpc {
  readonly #cluster: string;
  readonly #node: string;
  readonly #user: User;
  readonly #waiting = new Map<string, (socket: WebSocket) => void>();

  constructor(state: DurableObjectState, env: NodeLinkEnv) {
    super(state, env);
    const [cluster, node] = (state.id.name ?? "").split("/");
    if (!cluster || !node) throw new Error("a NodeLink is addressed as <cluster>/<node>");
    this.#cluster = cluster;
    this.#node = node;
    this.#user = { name: `system:node:${node}`, groups: ["system:nodes", "system:authenticated"] };
    state.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING, PONG));
  }

  override async fetch(request: Request): Promise<Response> {
    try {
      const { pathname } = new URL(request.url);
      if (pathname === "/") return await this.#connect();
      if (pathname === "/open") return await this.#open(request);
      if (pathname.startsWith("/streams/")) return this.#acceptStream(pathname.slice("/streams/".length));
      throw new ApiError("NotFound", "the server could not find the requested resource", {});
    } catch (error) {
      if (error instanceof ApiError) return Response.json(error.toStatus(), { status: error.code });
      throw error;
    }
  }

  /** Whether the node has its socket open: what presence that was told, and perhaps lost, comes down to. */
  async isConnected(): Promise<boolean> {
    return this.#control !== undefined;
  }

  // The agent's socket.

  async #connect(): Promise<Response> {
    for (const socket of this.ctx.getWebSockets(CONTROL))
      socket.close(1012, "a newer connection of this node took over");
    const { 0: theirs, 1: ours } = new WebSocketPair();
    this.ctx.acceptWebSocket(ours, [CONTROL]);
    ours.serializeAttachment({ connectedAt: Date.now() } satisfies Attachment);
    await this.ctx.storage.setAlarm(Date.now() + SILENCE_SECONDS_MAX * 1000);
    await this.#presence(true);
    this.ctx.waitUntil(
      this.#timeline.subscribe({
        class: "NODE_LINK",
        name: `${this.#cluster}/${this.#node}`,
        resources: WATCHED_RESOURCES.map((resource) =>
          resource === "pods" ? { resource, nodeName: this.#node } : { resource },
        ),
      }),
    );
    return new Response(null, { status: 101, webSocket: theirs });
  }

  /** Desired state, from the Timeline. Without a socket it is dropped: a node that returns is told everything anew. */
  async deliver(delivery: Delivery): Promise<void> {
    const socket = this.#control;
    if (!socket) {
      await this.#timeline.unsubscribe({ class: "NODE_LINK", name: `${this.#cluster}/${this.#node}` });
      return;
    }
    for (const message of watchMessages(delivery, FRAME_BYTES_MAX)) socket.send(message);
  }

  override async webSocketMessage(socket: WebSocket, frame: string | ArrayBuffer): Promise<void> {
    const message = readMessage(frame);
    if (!message) {
      socket.close(1003, "not a message of the node link");
      return;
    }
    const answer = await this.#carryOut(message.request);
    const reply: MessageToAgent = { type: "answer", id: message.id, code: answer.code, body: answer.body };
    socket.send(JSON.stringify(reply));
  }

  override async webSocketClose(socket: WebSocket, code: number): Promise<void> {
    await this.#lost(socket, code);
  }

  override async webSocketError(socket: WebSocket): Promise<void> {
    await this.#lost(socket, 1011);
  }

  /** Looks whether the node still pings; pings themselves wake nobody. */
  override async alarm(): Promise<void> {
    const socket = this.#control;
    const now = Date.now();
    if (!socket) {
      // The process that held the socket may have died without a word; telling the ClusterHome twice is harmless.
      await this.#presence(false, now);
      return;
    }
    const { connectedAt } = socket.deserializeAttachment() as Attachment;
    const silentSince = this.ctx.getWebSocketAutoResponseTimestamp(socket)?.getTime() ?? connectedAt;
    if (now - silentSince > SILENCE_SECONDS_MAX * 1000) {
      socket.close(1001, "no ping");
      await this.#presence(false, silentSince);
      return;
    }
    await this.ctx.storage.setAlarm(now + SILENCE_SECONDS_MAX * 1000);
  }

  async #lost(socket: WebSocket, code: number): Promise<void> {
    // 1005 and 1006 are what the platform says of a close without a code; they may not be sent.
    socket.close(code >= 1000 && code !== 1005 && code !== 1006 ? code : 1000);
    if (this.#control) return; // It was replaced by a newer one.
    await this.#presence(false);
  }

  /** The socket in use: the newest that is open. */
  get #control(): WebSocket | undefined {
    return this.ctx.getWebSockets(CONTROL).findLast((socket) => socket.readyState === WebSocket.OPEN);
  }

  // What the agent asks for; each home decides what this node's user may do.

  async #carryOut(request: AgentRequest): Promise<{ code: number; body: Record<string, unknown> }> {
    switch (request.do) {
      case "register-node":
        return await this.#registerNode(request.node as KubeObject);
      case "node-status":
        return await this.#ask(nodeStatusRequest(this.#user, this.#node, request.status));
      case "pod-statuses":
        return await this.#askForEach(request.pods, (pod) => statusRequest(this.#user, pod));
      case "pods-gone":
        return await this.#askForEach(request.pods, (pod) => goneRequest(this.#user, pod));
      case "events":
        return await this.#recordEvents(request.events as KubeObject[]);
      case "get": {
        const { resource, namespace, name } = request;
        return await this.#ask(this.#on("get", { resource, namespace, name }));
      }
    }
  }

  async #registerNode(node: KubeObject): Promise<{ code: number; body: Record<string, unknown> }> {
    const created = await this.#ask(this.#on("create", { resource: "nodes" }, node));
    if (created.code !== 409) return created;
    const { labels, annotations } = node.metadata;
    const merge = this.#on("patch", { resource: "nodes", name: this.#node }, { metadata: { labels, annotations } });
    const merged = await this.#ask({ ...merge, patchType: "merge" });
    if (merged.code !== 200) return merged;
    return await this.#ask(nodeStatusRequest(this.#user, this.#node, node["status"] ?? {}));
  }

  async #recordEvents(events: KubeObject[]): Promise<{ code: number; body: Record<string, unknown> }> {
    const answers = await Promise.all(
      events.map(async (event) => {
        const where = { resource: "events", namespace: event.metadata.namespace ?? "default" };
        const isRepeated = (event["count"] ?? 1) > 1;
        const update = this.#on("patch", { ...where, name: event.metadata.name }, repeatedFields(event));
        if (isRepeated) {
          const updated = await this.#ask({ ...update, patchType: "merge" });
          if (updated.code !== 404) return updated;
        }
        return await this.#ask(this.#on("create", where, event));
      }),
    );
    return { code: 200, body: { results: answers.map(({ code }) => code) } };
  }

  async #askForEach(pods: ReportedPod[], requestFor: (pod: ReportedPod) => HomeRequest) {
    const codes = await Promise.all(pods.map(async (pod) => [pod.uid, (await this.#ask(requestFor(pod))).code]));
    return { code: 200, body: { results: Object.fromEntries(codes) } };
  }

  #on(verb: HomeRequest["verb"], target: Partial<Target>, body?: unknown): HomeRequest {
    const request: HomeRequest = { verb, user: this.#user, target: storedTarget(target), options: {} };
    if (body !== undefined) request.body = JSON.stringify(body);
    return request;
  }

  async #ask(request: HomeRequest): Promise<{ code: number; body: Record<string, unknown> }> {
    const { code, body } = (await this.#homeOf(request.target).handle(request)) as HomeAnswer;
    return { code, body: JSON.parse(typeof body === "string" ? body : await new Response(body).text()) };
  }

  // Streams: the worker asks, the agent dials.

  async #open(request: Request): Promise<Response> {
    const asked = JSON.parse(request.headers.get(STREAM_REQUEST_HEADER) ?? "null") as StreamRequest | null;
    if (!asked) throw badRequest("no stream was asked for");
    const socket = await this.#dialled(asked);
    // What follows the first frame may follow at once: whoever takes it listens before anything else happens.
    const { response } = await firstFrame(socket, (first) => ({
      response: this.#carry(asked, socket, first, request),
    }));
    return await response;
  }

  #carry(
    asked: StreamRequest,
    socket: WebSocket,
    first: Record<string, unknown>,
    request: Request,
  ): Response | Promise<Response> {
    if (first["code"] !== 200) {
      socket.close(1000);
      return Response.json(first, { status: Number(first["code"]) || 500 });
    }
    switch (asked.kind) {
      case "log":
        return streamLog(socket, asked.follow);
      case "exec":
      case "attach": {
        const offered = (request.headers.get("sec-websocket-protocol") ?? "").split(",").map((name) => name.trim());
        const protocol = CHANNEL_PROTOCOLS.find((name) => offered.includes(name));
        if (protocol) return bridge(socket, protocol);
        socket.close(1000);
        return new Response(`no subprotocol of ${CHANNEL_PROTOCOLS.join(", ")} was offered\n`, { status: 400 });
      }
      case "port-forward":
        return bridge(socket, asked.protocol);
      case "connect":
        return bridge(socket);
      case "http":
        return asked.upgrade ? bridge(socket, first["protocol"] as string) : answerHttp(socket, request.body);
    }
  }

  async #dialled(request: StreamRequest): Promise<WebSocket> {
    const control = this.#control;
    if (!control) throw internalError(`error dialing backend: node ${JSON.stringify(this.#node)} is not connected`);
    if (this.#waiting.size >= STREAMS_WAITING_MAX)
      throw new ApiError("TooManyRequests", "too many streams of this node are being opened", { retryAfterSeconds: 1 });
    const stream = crypto.randomUUID();
    try {
      return await withDeadline(
        new Promise<WebSocket>((resolve) => {
          this.#waiting.set(stream, resolve);
          const message: MessageToAgent = { type: "open", stream, request };
          control.send(JSON.stringify(message));
        }),
      );
    } finally {
      this.#waiting.delete(stream);
    }
  }

  #acceptStream(id: string): Response {
    const resolve = this.#waiting.get(id);
    if (!resolve) throw new ApiError("NotFound", `nobody waits for stream ${JSON.stringify(id)}`, {});
    const { 0: theirs, 1: ours } = new WebSocketPair();
    ours.binaryType = "arraybuffer";
    resolve(ours);
    return new Response(null, { status: 101, webSocket: theirs });
  }

  // Who else there is.

  async #presence(connected: boolean, at = Date.now()): Promise<void> {
    await this.#clusterHome.nodePresence(this.#node, connected, at);
  }

  get #clusterHome(): HomeRpc & ClusterHomeNodeRpc {
    const { CLUSTER_HOME } = this.env;
    return CLUSTER_HOME.get(CLUSTER_HOME.idFromName(this.#cluster)) as unknown as HomeRpc & ClusterHomeNodeRpc;
  }

  get #timeline(): TimelineRpc {
    const { TIMELINE } = this.env;
    return TIMELINE.get(TIMELINE.idFromName(this.#cluster)) as unknown as TimelineRpc;
  }

  #homeOf({ namespace }: Target): HomeRpc {
    if (namespace === "") return this.#clusterHome;
    const { NAMESPACE_HOME } = this.env;
    return NAMESPACE_HOME.get(NAMESPACE_HOME.idFromName(`${this.#cluster}/${namespace}`)) as unknown as HomeRpc;
  }
}

function readMessage(frame: string | ArrayBuffer): MessageFromAgent | undefined {
  if (typeof frame !== "string" || frame.length > FRAME_BYTES_MAX) return undefined;
  try {
    return messageFromAgent.safeParse(JSON.parse(frame)).data;
  } catch {
    return undefined;
  }
}

/** Of an Event that happened again: what its next occurrence changes. */
const repeatedFields = (event: KubeObject) => ({
  count: event["count"],
  lastTimestamp: event["lastTimestamp"],
  message: event["message"],
});

/** Accepts a stream and takes its first frame: `{"code":200}`, or the Status that the client is to be told. */
async function firstFrame<T>(socket: WebSocket, take: (first: Record<string, unknown>) => T): Promise<T> {
  return await withDeadline(
    new Promise<T>((resolve, reject) => {
      queueMicrotask(() => socket.accept()); // Once somebody listens: what comes before is not kept.
      const onFrame = ({ data }: MessageEvent) => {
        // Not now: workerd tells this very frame to whoever begins to listen meanwhile.
        queueMicrotask(() => {
          try {
            resolve(take(typeof data === "string" ? JSON.parse(data) : {}));
          } catch (error) {
            reject(error);
          }
        });
      };
      const onClose = () => reject(internalError("error dialing backend: the node closed the stream"));
      socket.addEventListener("message", onFrame, { once: true });
      socket.addEventListener("close", onClose, { once: true });
    }),
  );
}

async function withDeadline<T>(work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | null = null;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new ApiError("Timeout", "error dialing backend: the node did not answer in time")),
      STREAM_OPEN_MILLISECONDS_MAX,
    );
  });
  try {
    return await Promise.race([work, deadline]);
  } finally {
    clearTimeout(timer);
  }
}
