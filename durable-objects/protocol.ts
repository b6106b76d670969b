import type { FieldError } from "../api/field-error.ts";
import type { User } from "../api/object.ts";

/**
 * What the worker and the homes say to each other. The worker turns HTTP into these shapes and back; a home never
 * sees a URL, a header or an Accept. Objects travel as JSON text: nothing is parsed to be printed again.
 */

/** The body formats of PATCH, by Content-Type. */
export type PatchType = "json" | "merge" | "strategic";

export type Verb = "get" | "list" | "create" | "update" | "patch" | "delete" | "deletecollection";

/** What an API path names. `namespace` and `name` are empty where the path has none. */
export interface Target {
  group: string;
  version: string;
  /** Plural, lower case: `pods`. */
  resource: string;
  namespace: string;
  name: string;
  /** `status`, `scale`, `binding`, … or empty. */
  subresource: string;
}

/** The query parameters of ListOptions, CreateOptions, UpdateOptions, PatchOptions and DeleteOptions, decoded. */
export interface RequestOptions {
  labelSelector?: string;
  fieldSelector?: string;
  resourceVersion?: string;
  resourceVersionMatch?: string;
  limit?: number;
  continue?: string;
  timeoutSeconds?: number;
  allowWatchBookmarks?: boolean;
  sendInitialEvents?: boolean;
  fieldManager?: string;
  fieldValidation?: "Strict" | "Warn" | "Ignore";
  dryRun?: boolean;
  gracePeriodSeconds?: number;
  propagationPolicy?: string;
}

export interface HomeRequest {
  verb: Verb;
  user: User;
  target: Target;
  options: RequestOptions;
  /** JSON text (the worker has turned YAML into JSON). For delete and deletecollection: DeleteOptions, or nothing. */
  body?: string;
  patchType?: PatchType;
}

/** A home's answer: an object, a list or a Status, as JSON text. Refusals are answers too; a home throws only bugs. */
export interface HomeAnswer {
  /** HTTP status. */
  code: number;
  /** JSON text, or the same as UTF-8 chunks where it is too large for one RPC message. */
  body: string | ReadableStream<Uint8Array>;
  /** Sent as `Warning: 299 - "…"` headers (RFC 9111). */
  warnings?: string[];
}

export interface WatchRequest {
  user: User;
  target: Target;
  options: RequestOptions;
}

/**
 * A watch: `code` 200 and a stream of UTF-8 lines, each `{"type":…,"object":…}` (chunks hold whole lines); otherwise
 * `body` is a Status.
 */
export type WatchAnswer = { code: 200; events: ReadableStream<Uint8Array> } | { code: number; body: string };

/** What the worker may ask of a NamespaceHome or a ClusterHome. */
export interface HomeRpc {
  handle(request: HomeRequest): Promise<HomeAnswer>;
  watch(request: WatchRequest): Promise<WatchAnswer>;
}

/** One committed change as homes tell the Timeline. `json` is the object as stored; of a deletion, its last state. */
export interface FeedEvent {
  type: "ADDED" | "MODIFIED" | "DELETED";
  revision: number;
  /** `pods`, `deployments.apps`. */
  resource: string;
  name: string;
  json: string;
  /** The object before the change (for selectors: an object that leaves one is DELETED to its watcher). */
  previousJson?: string;
}

/** What homes ask of the cluster's Timeline. */
export interface TimelineFeedRpc {
  /**
   * `home` is the namespace, or empty for the ClusterHome. The first commit of an instance that has just woken is always told
   * (`continues` 0, `events` may be empty), since it does not know what the Timeline is interested in.
   * A home's changes to the resources of interest, in order. `continues` is the home's revision up to which the Timeline
   * has been told everything (0: the home does not know, it has just woken). Resolves to what the home should tell from now on.
   * Where `continues` is not what the Timeline has, it reads the rest from the home's history (`changesSince`).
   */
  push(home: string, continues: number, upTo: number, events: FeedEvent[]): Promise<{ interests: string[] }>;
}

/** What the Timeline, the Scheduler and the NodeLinks ask of a NamespaceHome. */
export interface NamespaceHomeInternalRpc {
  /**
   * Changes after a revision of the named resources, oldest first; `expired` where history does not reach back that far;
   * `more` where they did not fit into one answer: ask again from `upTo`. A resource that is not this home's has none.
   */
  changesSince(
    revision: number,
    resources: string[],
  ): Promise<{ upTo: number; events: FeedEvent[]; expired: boolean; more?: boolean }>;
  /**
   * All objects of the named resources, and the revision they were read at. `next` where they did not fit into one answer
   * (RPC messages hold 32 MiB): give it as `from` for the rest, which is of the first answer's revision, too.
   */
  snapshot(
    resources: string[],
    from?: string,
  ): Promise<{ revision: number; objects: { resource: string; json: string }[]; next?: string }>;
  /** Resources that the Timeline wants to hear of from now on, beyond those it answered to `push`. */
  setInterests(interests: string[]): Promise<{ revision: number }>;
  /** Binds pods to nodes; each is re-checked (uid, still unbound, not being deleted). Answers one entry a pod: "" or why not. */
  bind(bindings: { name: string; uid: string; node: string }[]): Promise<string[]>;
  /** PodScheduled=False and a FailedScheduling event for pods that fit nowhere. */
  markUnschedulable(verdicts: { name: string; uid: string; message: string }[]): Promise<void>;
  /**
   * Deletes pods for a cluster-wide controller, each re-checked (uid). `force`: at once, its node is gone. Reason `TaintManagerEviction`:
   * a Normal event of source `taint-eviction-controller` with this reason and message (upstream also sets the condition DisruptionTarget,
   * DeletionByTaintManager, "Taint manager: deleting due to NoExecute taint"). Reason `DeletionByPodGC`: the reason and message of
   * the condition DisruptionTarget (none where the message is empty), no event.
   */
  evict(pods: { name: string; uid: string; reason: string; message: string; force: boolean }[]): Promise<void>;
  /** The namespace was created (or is known to exist); idempotent. */
  activate(uid: string): Promise<void>;
  /** A node is not ready any more: its ready pods here are marked as not ready, so that Services stop sending to them. */
  nodeNotReady(node: string): Promise<void>;
  /**
   * The namespace is being deleted: refuse creates, delete the contents; answers what still remains, by resource, and why
   * something could not be deleted.
   */
  terminate(): Promise<{
    remaining: Record<string, number>;
    finalizers: Record<string, number>;
    failures?: string[];
  }>;
}

/** What a Service needs that is unique in the cluster. */
export interface ServiceAsk {
  /**
   * What the grant will be called: chosen by who asks, so that it can say that it is under way before it has been answered,
   * and can give it back if it never is.
   */
  reservation?: string;
  namespace: string;
  name: string;
  /** An address, "" for any; null for none. */
  clusterIP: string | null;
  /** Where the object tells of each port, and the port (0: any). */
  nodePorts: { field: string; port: number }[];
}

/** What was allocated, in the order it was asked for, until `releaseService` or a `settleServices` that does not know it. */
export type ServiceGrant =
  | { reservation: string; clusterIP: string | null; nodePorts: number[] }
  | { errors: FieldError[] };

/** The addresses and ports that a stored Service has. */
export interface ServiceHolding {
  name: string;
  clusterIPs: string[];
  nodePorts: number[];
}

/** What NamespaceHomes ask of the ClusterHome. */
export interface ClusterHomeNamespaceRpc {
  namespaceState(name: string): Promise<{ state: "absent" | "active" | "terminating"; uid: string }>;
  /** All PriorityClasses. */
  priorityClasses(): Promise<{ name: string; value: number; globalDefault: boolean; preemptionPolicy: string }[]>;
  allocateService(ask: ServiceAsk): Promise<ServiceGrant>;
  releaseService(reservation: string): Promise<void>;
  /** All Services of a namespace: what else it holds is released, but for the reservations whose writes are under way. */
  settleServices(namespace: string, services: ServiceHolding[], underWay: string[]): Promise<void>;
}

/** Which objects a durable subscriber wants: all of a resource, or the pods that are on a node. */
export interface SubscriptionResource {
  /** `pods`, `endpointslices.discovery.k8s.io`. */
  resource: string;
  /** Pods alone: those with this spec.nodeName. One that leaves (or is deleted) arrives as DELETED. */
  nodeName?: string;
}

/** A durable subscription: kept over restarts of both sides until `unsubscribe`. */
export interface Subscription {
  class: "NODE_LINK" | "SCHEDULER";
  /** The subscriber's Durable Object name (`<cluster>/<node>`, `<cluster>`). */
  name: string;
  resources: SubscriptionResource[];
}

/** `namespace` is empty for what lives in the ClusterHome. */
export interface NamespacedFeedEvent extends FeedEvent {
  namespace: string;
}

/**
 * What a subscriber is sent, in order. After `subscribe`, and whenever it may have missed something, it is told everything
 * anew: the first delivery carries `reset` (forget all you knew), the last `synced` (you know all now; do not act on an
 * object's absence before). Both may be the same delivery. Otherwise events just follow; those of one object never go back.
 */
export interface Delivery {
  reset?: boolean;
  synced?: boolean;
  events: NamespacedFeedEvent[];
}

/** What Scheduler and NodeLink offer to the Timeline. After a throw, and a back-off, everything is told anew. */
export interface SubscriberRpc {
  deliver(delivery: Delivery): Promise<void>;
}

/** The Timeline as the worker (lists and watches that cross namespaces), the homes, Scheduler and NodeLink see it. */
export interface TimelineRpc extends HomeRpc, TimelineFeedRpc {
  /** Registers (or re-registers: the resources are replaced); the present state then arrives through `deliver`. */
  subscribe(subscription: Subscription): Promise<void>;
  unsubscribe(subscription: Pick<Subscription, "class" | "name">): Promise<void>;
}

/** What the Timeline asks of the ClusterHome, beyond what it asks of every home. */
export interface ClusterHomeTimelineRpc {
  /** Names of all namespaces, terminating ones included. */
  listNamespaces(): Promise<string[]>;
  /** May the user do this in all namespaces? Nothing, or the refusal. */
  authorize(user: User, verb: Verb | "watch", target: Target): Promise<HomeAnswer | null>;
}

/** Carries a `StreamRequest` of `api/node-link.ts` as JSON from the worker to the pod's NodeLink. */
export const STREAM_REQUEST_HEADER = "x-coxswain-stream";

/** A NodeLink answers `/` (the agent's socket), `/streams/<id>` (a stream the agent was asked for) and `/open` (the worker). */
export interface NodeLinkRpc extends SubscriberRpc {
  /** Whether the agent's socket is open: what the ClusterHome asks after a restart. */
  isConnected(): Promise<boolean>;
  fetch(url: string, init?: { headers: Headers | Record<string, string> }): Promise<Response>;
}

/** What NodeLinks ask of the ClusterHome. */
export interface ClusterHomeNodeRpc {
  /** The node's socket was opened or lost. `at`: milliseconds since 1970. */
  nodePresence(node: string, connected: boolean, at: number): Promise<void>;
  /** Whether the bootstrap token (`abcdef.0123456789abcdef`) lets this node join. */
  join(bootstrapToken: string, nodeName: string): Promise<boolean>;
}
