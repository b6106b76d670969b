import * as z from "zod";

/**
 * What a node-agent and its NodeLink say over the node's one WebSocket: a JSON text frame a message.
 * The agent dials `wss://…/node-link` (`/clusters/<name>/node-link`) with its node credential as bearer token.
 * Kubernetes objects in it are checked by the home they go to, not here.
 *
 * The agent's `ping` (the text frame "ping") is answered "pong" without waking the object.
 */

export const PING = "ping";
export const PONG = "pong";
export const PING_SECONDS = 10;
/** No larger frame is sent by either side; a longer list is cut into several messages. */
export const FRAME_BYTES_MAX = 1 << 20;

const object = z.looseObject({});
const podRef = z.object({ namespace: z.string(), name: z.string(), uid: z.string() });

/** The resources an agent watches: its own pods; what kube-proxy needs; the other nodes (for routes). */
export const WATCHED_RESOURCES = ["pods", "services", "endpointslices.discovery.k8s.io", "nodes"] as const;

export const messageToAgent = z.discriminatedUnion("type", [
  /**
   * Desired state. `reset`: forget what you knew of this resource, the following is all there is.
   * `synced`: with this message you know all of it (do not delete the unknown before).
   */
  z.object({
    type: z.literal("watch"),
    resource: z.enum(WATCHED_RESOURCES),
    reset: z.boolean().optional(),
    synced: z.boolean().optional(),
    events: z.array(z.object({ type: z.enum(["ADDED", "MODIFIED", "DELETED"]), object })),
  }),
  /** Answers the agent's request of this id. `code` is HTTP's; `body` the object, or a Status. */
  z.object({ type: z.literal("answer"), id: z.number(), code: z.number(), body: object }),
  /** Dial `…/node-link/streams/<stream>` and serve what is asked on it (see `streamRequest`). */
  z.object({ type: z.literal("open"), stream: z.string(), request: z.lazy(() => streamRequest) }),
]);
export type MessageToAgent = z.infer<typeof messageToAgent>;

const port = z.int().min(1).max(65_535);
const headers = z.array(z.tuple([z.string(), z.string()]));

/** WebSocket subprotocols of port-forward: SPDY/3.1 inside (KEP-4006, kubectl), and the channels of older WebSocket clients. */
export const PORT_FORWARD_PROTOCOLS = ["SPDY/3.1+portforward.k8s.io", "v4.channel.k8s.io"] as const;

/** Of a windowed stream: bytes that may be sent before the other side has asked for more. */
export const WINDOW_BYTES = 256 * 1024;
/** Data frames are no longer. */
export const DATA_FRAME_BYTES_MAX = 32 * 1024;

/** A windowed stream has binary frames, which are its bytes, and these text frames. */
export const windowMessage = z.union([
  /** So many more bytes may be sent. */
  z.object({ more: z.int().positive() }),
  /** The sender sends no more bytes. */
  z.object({ end: z.literal(true) }),
  /** Of an HTTP response. */
  z.object({ head: z.object({ status: z.int().min(200).max(599), headers }) }),
  /** There will be no response: why. */
  z.object({ failed: z.string() }),
]);
export type WindowMessage = z.infer<typeof windowMessage>;

/** What a stream carries. */
export const streamRequest = z.discriminatedUnion("kind", [
  /** Frames from the agent are the log's bytes; it closes (1000) at the end. A text frame first: `{"code":200}` or a Status. */
  z.object({
    kind: z.literal("log"),
    pod: podRef,
    container: z.string(),
    follow: z.boolean(),
    previous: z.boolean(),
    timestamps: z.boolean(),
    tailLines: z.number().optional(),
    sinceSeconds: z.number().optional(),
    sinceTime: z.string().optional(),
    limitBytes: z.number().optional(),
  }),
  /**
   * Binary frames are those of `v5.channel.k8s.io` as they are: first byte the channel (0 stdin, 1 stdout, 2 stderr,
   * 3 error = a Status as JSON, 4 resize `{"Width":…,"Height":…}`, 255 close of the channel in the second byte).
   * A text frame first from the agent: `{"code":200}`, or a Status where the container cannot be entered.
   */
  z.object({
    kind: z.enum(["exec", "attach"]),
    pod: podRef,
    container: z.string(),
    command: z.array(z.string()),
    stdin: z.boolean(),
    stdout: z.boolean(),
    stderr: z.boolean(),
    tty: z.boolean(),
  }),
  /** Frames are passed on as they are, both ways: what the runtime's own port-forward server speaks. First a text frame, as above. */
  z.object({
    kind: z.literal("port-forward"),
    pod: podRef,
    protocol: z.enum(PORT_FORWARD_PROTOCOLS),
    /** For the protocols that do not name ports themselves. */
    ports: z.array(port),
  }),
  /** One TCP connection to a port of a pod. First a text frame, as above; then a windowed stream (see `windowMessage`). */
  z.object({ kind: z.literal("connect"), pod: podRef, port }),
  /**
   * One HTTP request to a port of a pod. First a text frame, as above; then a windowed stream: the request's body one way, `head` and the response's body
   * the other. With `upgrade` the port speaks WebSocket: the first frame is `{"code":200,"protocol":…}`, all that follow are its messages.
   */
  z.object({
    kind: z.literal("http"),
    pod: podRef,
    port,
    /** TLS; who answers is not checked, as upstream. */
    secure: z.boolean(),
    method: z.string(),
    /** With the query. */
    path: z.string(),
    headers,
    upgrade: z.boolean(),
  }),
]);
export type StreamRequest = z.infer<typeof streamRequest>;

/** Each is carried out as the node's user by the home it concerns, and answered with `answer`. */
const agentRequest = z.discriminatedUnion("do", [
  /** Creates this node's Node object, or brings labels, spec.podCIDR-independent facts and status up to date. */
  z.object({ do: z.literal("register-node"), node: object }),
  /** Replaces this node's status. */
  z.object({ do: z.literal("node-status"), status: object }),
  /** Replaces status of pods of this node; the answer's body is `{"results": {"<uid>": 200 | 404 | 409 …}}`. */
  z.object({ do: z.literal("pod-statuses"), pods: z.array(podRef.extend({ status: object })) }),
  /** The pod's containers are gone for good: the object, marked for deletion before, may go. Answer as above. */
  z.object({ do: z.literal("pods-gone"), pods: z.array(podRef) }),
  /** core/v1 Events about this node or its pods; repeated ones carry a raised `count` under the same name. */
  z.object({ do: z.literal("events"), events: z.array(object) }),
  /** A ConfigMap, Secret or ServiceAccount that a pod of this node refers to; 403 for any other. */
  z.object({
    do: z.literal("get"),
    resource: z.enum(["configmaps", "secrets", "serviceaccounts"]),
    namespace: z.string(),
    name: z.string(),
  }),
]);
export type AgentRequest = z.infer<typeof agentRequest>;

export const messageFromAgent = z.object({ type: z.literal("request"), id: z.number(), request: agentRequest });
export type MessageFromAgent = z.infer<typeof messageFromAgent>;

/**
 * Joining: `POST …/node-join` with a bootstrap token (`abcdef.0123456789abcdef`) as bearer and this body. The answer is
 * the node's own credential, a bearer token for user `system:node:<name>`, group `system:nodes`.
 */
export const joinRequest = z.object({ nodeName: z.string().max(253) });
export const joinAnswer = z.object({ token: z.string(), cluster: z.string() });
