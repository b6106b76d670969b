import type { CustomResourceDefinitionObject } from "../api/custom/definition.ts";
import type { FieldError } from "../api/field-error.ts";
import type { KubeObject, User } from "../api/object.ts";

/**
 * What the worker and the homes say to each other. The worker turns HTTP into these shapes and back; a home never
 * sees a URL, a header or an Accept. Objects travel as JSON text: nothing is parsed to be printed again.
 */

/** The body formats of PATCH, by Content-Type. */
export type PatchType = "json" | "merge" | "strategic" | "apply";

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
  /** The request's User-Agent: names the field manager where `fieldManager` does not. Writes alone. */
  userAgent?: string;
  /** PatchOptions.force: an apply takes over fields that others own. */
  force?: boolean;
  fieldValidation?: "Strict" | "Warn" | "Ignore";
  dryRun?: boolean;
  gracePeriodSeconds?: number;
  propagationPolicy?: string;
  /** Reads alone: the cluster as it was at this revision (`…/at/<time>/`). A list is of it, a watch shows it and then nothing more. */
  at?: number;
}

export interface HomeRequest {
  verb: Verb;
  user: User;
  target: Target;
  options: RequestOptions;
  /** JSON text (the worker has turned YAML into JSON). For delete and deletecollection: DeleteOptions, or nothing. */
  body?: string;
  patchType?: PatchType;
  /** Whether the authorizer's decision is wanted among the answer's annotations. */
  audited?: boolean;
}

/** The uids of the FlowSchema and the PriorityLevelConfiguration that a request was judged by. */
export interface FlowMark {
  schemaUid: string;
  levelUid: string;
}

/** A home's answer: an object, a list or a Status, as JSON text. Refusals are answers too; a home throws only bugs. */
export interface HomeAnswer {
  /** HTTP status. */
  code: number;
  /** JSON text, or the same as UTF-8 chunks where it is too large for one RPC message. */
  body: string | ReadableStream<Uint8Array>;
  /** Sent as `Warning: 299 - "…"` headers (RFC 9111). */
  warnings?: string[];
  /** What authorization and admission have to say in the audit log; of audited requests alone. */
  annotations?: Record<string, string>;
  /** Absent where it is not known. */
  flow?: FlowMark;
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
export type WatchAnswer = ({ code: 200; events: ReadableStream<Uint8Array> } | { code: number; body: string }) & {
  flow?: FlowMark;
};

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

/** The right to commit, lent to one instance of a home. */
export interface Lease {
  /** Tells this lease from every other that the home ever had; greater than 0. */
  number: number;
  /** The low 10 bits of the home's revisions: nobody else's while the lease lasts. */
  slot: number;
  /** The home never commits at or below it. */
  floor: number;
  /** The resources that the home tells the Timeline of. */
  interests: string[];
}

/**
 * What a home tells: `events` are its changes to the resources of interest after `continues` and up to `upTo`, in order; and nothing at
 * or below `upTo` is still to come: it is a promise as well. Where `continues` is beyond what the Timeline has been told, the
 * Timeline reads what lies between from the home's history (`changesSince`).
 */
export interface FeedPart {
  continues: number;
  upTo: number;
  events: FeedEvent[];
}

/** The answer to `promise`. */
export interface Promised {
  /** The lease that the instance holds; 0: none. What was lent to an earlier instance went with it. */
  lease: number;
  /** It is asking for a lease at this moment: one that it seems not to hold may be on its way to it. */
  opening: boolean;
  /** Of its last commit. */
  revision: number;
  /** Nothing before this revision can be told any more. */
  compacted: number;
  part: FeedPart;
}

/** What homes ask of the cluster's Timeline. `home` is the namespace, or empty for the ClusterHome. */
export interface TimelineFeedRpc {
  /**
   * A home that is closed asks to commit. `revision` is that of its last commit (0: none yet). A lease that was lent to the home before
   * has ended with this: a home asks only when it holds none.
   */
  open(home: string, revision: number): Promise<Lease>;
  /** Resolves, once the part is taken, to what the home should tell from now on. A part under another lease than the present one is not taken. */
  push(home: string, lease: number, part: FeedPart): Promise<{ interests: string[] }>;
  /** The home commits nothing more under this lease; the part is all that was still to be told. */
  close(home: string, lease: number, part: FeedPart): Promise<void>;
  /**
   * A home is to be read at a revision that it has not come to: another home's, or the Timeline's own. From now on every lease is above it,
   * so that what is read stays true also when the home's instance is lost. False: nobody can have handed it out.
   */
  announce(revision: number): Promise<boolean>;
}

/** One home's share of a list or of a state, at one revision. */
export interface PartRequest {
  target: Target;
  /** Of the cross-namespace request: the selectors are heeded, nothing else. */
  options: Pick<RequestOptions, "labelSelector" | "fieldSelector">;
  /** The state is that of this revision; the home commits nothing at or below it from now on. */
  revision: number;
  /** The last name of the page before; empty: from the beginning. */
  after: string;
  /** Items at most; 0: all. */
  limit: number;
}

export interface PartAnswer {
  /** History does not reach back to the revision: nothing else of the answer counts. */
  expired: boolean;
  /** The items' texts in the served version with commas between them; UTF-8 chunks where they are too many for one message (limit 0 alone). */
  items: string | ReadableStream<Uint8Array>;
  /** Of a limited answer: items in it, the last one's name, and how many objects of the resource follow it (selected or not). */
  count: number;
  last: string;
  remaining: number;
}

/** The catalog's follower that is the Timeline; all others are namespaces. */
export const TIMELINE_FOLLOWER = "*";

/** A CustomResourceDefinition that is served, without what is large: schemas and columns are fetched when they are needed. */
export interface DefinitionHead {
  readonly definition: CustomResourceDefinitionObject;
  /** Its schemas have been these at least since this revision: what was stored later went through them. */
  readonly since: number;
}

/** What travels from the ClusterHome to those who follow it, as JSON. */
export interface CatalogContents {
  readonly definitions: readonly DefinitionHead[];
  /** By resource, each by name. */
  readonly objects: Readonly<Record<string, readonly KubeObject[]>>;
}

/** What those who follow the catalog, and the worker, ask of the ClusterHome. */
export interface ClusterHomeCatalogRpc {
  /**
   * What the cluster's own objects add to its API: `contents` is a `CatalogContents` as JSON, absent where
   * the catalog is still of the revision that is `known`. A `follower` is told once when that is no longer so (`catalogChanged`), and has to ask again.
   */
  catalog(known: number, follower?: string): Promise<{ revision: number; contents?: string }>;
  /** The text of a CustomResourceDefinition; null where it is another one by now. `generation` 0: whatever it is. */
  definition(name: string, uid: string, generation: number): Promise<string | null>;
}

/** What the ClusterHome tells those who follow the catalog. */
export interface CatalogFollowerRpc {
  /** What was known of the catalog is stale; it is of this revision of the ClusterHome now. */
  catalogChanged(revision: number): Promise<void>;
}

/** What the Timeline asks of every home. */
export interface HomeTimelineRpc {
  /**
   * From now on this instance commits nothing at or below `atLeast`, lease or not, and also tells of the resources that are named.
   * `lease` is the one that the Timeline believes the home to hold.
   */
  promise(ask: { lease: number; atLeast: number; interests: string[] }): Promise<Promised>;
  /** The slot is needed elsewhere: the home closes at once (and opens again when it has to write). */
  recall(lease: number): Promise<void>;
  /**
   * Changes after a revision of the named resources, oldest first; `expired` where history does not reach back that far;
   * `more` where they did not fit into one answer: ask again from `upTo`. A resource that is not this home's has none.
   * `limit.upTo`: none later than this; `limit.chars`: an answer stops once it is longer (at least one change is told).
   */
  changesSince(
    revision: number,
    resources: string[],
    limit?: { upTo?: number; chars?: number },
  ): Promise<{ upTo: number; events: FeedEvent[]; expired: boolean; more?: boolean }>;
  /**
   * All objects of the named resources, and the revision they were read at. `next` where they did not fit into one answer
   * (RPC messages hold 32 MiB): give it as `from` for the rest, which is of the first answer's revision, too.
   * `at`: as of this revision, below which the home commits nothing from now on; throws where history does not reach back to it.
   */
  snapshot(
    resources: string[],
    from?: string,
    at?: number,
  ): Promise<{ revision: number; objects: { resource: string; json: string }[]; next?: string }>;
  readPart(request: PartRequest): Promise<PartAnswer>;
}

/** What the Scheduler, the NodeLinks and the ClusterHome ask of a NamespaceHome. */
export interface NamespaceHomeInternalRpc extends HomeTimelineRpc, CatalogFollowerRpc {
  /**
   * Deletes the instances of a custom resource whose definition is being deleted; answers how many there still are. To be called again until
   * there are none.
   */
  deleteInstances(resource: string): Promise<{ remaining: number; failures: string[] }>;
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
  /** The namespace was created (or is known to exist) at a revision of the ClusterHome, which the home stays above; idempotent. */
  activate(uid: string, revision: number): Promise<void>;
  /** A node is not ready any more: its ready pods here are marked as not ready, so that Services stop sending to them. */
  nodeNotReady(node: string): Promise<void>;
  /**
   * The namespace is being deleted: refuse creates, delete the contents; answers what still remains, by resource, and why
   * something could not be deleted. From then on the home tells the ClusterHome when it holds less (`contentsChanged`).
   */
  terminate(): Promise<{
    /** Of the home's last commit: the namespace's own removal stays above it. */
    revision: number;
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
export interface ClusterHomeNamespaceRpc extends ClusterHomeCatalogRpc {
  /** `revision`: of the ClusterHome's last commit; the namespace's home stays above it. */
  namespaceState(name: string): Promise<{ state: "absent" | "active" | "terminating"; uid: string; revision: number }>;
  /** A namespace that is being deleted holds less than when it was last asked: it is worth asking again. */
  contentsChanged(namespace: string): Promise<void>;
  /** An object (`target.name`), or those that a label selector selects, of any home: as the control plane itself reads them. */
  readObjects(target: Target, labelSelector: string): Promise<HomeAnswer>;
  /** All PriorityClasses. */
  priorityClasses(): Promise<{ name: string; value: number; globalDefault: boolean; preemptionPolicy: string }[]>;
  allocateService(ask: ServiceAsk): Promise<ServiceGrant>;
  releaseService(reservation: string): Promise<void>;
  /** All Services of a namespace: what else it holds is released, but for the reservations whose writes are under way. */
  settleServices(namespace: string, services: ServiceHolding[], underWay: string[]): Promise<void>;
}

/** Of one object. */
export interface HistoryRequest {
  user: User;
  target: Target;
  /** Versions at most. */
  limit: number;
}

/** What the worker asks of every home about the past. */
export interface HomePastRpc {
  /** Who changed an object when: an ObjectHistory, the newest version first; the texts of all versions together are bounded. */
  history(request: HistoryRequest): Promise<HomeAnswer>;
  /**
   * All objects as of a revision, at or below which the home commits nothing from now on, as the lines of a snapshot (api/snapshot-format.ts).
   * Nothing where history does not reach back that far; should that happen while it is read, the stream breaks off with an error.
   */
  exportAt(revision: number): Promise<ReadableStream<Uint8Array> | null>;
}

/** Objects for a home that is being restored. */
export interface ImportPart {
  /** Which restore this is. */
  restore: string;
  /** Of the snapshot: the home's history begins there. */
  revision: number;
  objects: { resource: string; name: string; revision: number; json: string }[];
}

export interface Unsealing {
  restore: string;
  /** Of the Namespace object. */
  state: "active" | "terminating";
  uid: string;
}

/** What a ClusterHome that restores asks of the namespaces' homes. A home that has taken a part is sealed: it answers nobody else. */
export interface RestoredHomeRpc {
  /** Rejects where the home holds anything that is not of this restore. */
  takeObjects(part: ImportPart): Promise<void>;
  /** The home is in use from now on; nothing happens where it is already. */
  unseal(unsealing: Unsealing): Promise<void>;
  /** Whatever it has taken of this restore is gone. */
  discard(restore: string): Promise<void>;
}

export interface ClusterHomeRestoreRpc {
  /** Makes the cluster from a snapshot: all of it, or nothing. Answers `{cluster, revision, homes, objects}` or a Status. */
  restore(snapshot: ReadableStream<Uint8Array>): Promise<HomeAnswer>;
  /** Whether a restore is under way, or decided and not finished: asked by sealed homes. */
  isRestoring(restore: string): Promise<boolean>;
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
export interface TimelineRpc extends HomeRpc, TimelineFeedRpc, CatalogFollowerRpc {
  /**
   * A revision at which the cluster can be read as a whole: no home commits at or below it any more, everything that was acknowledged before
   * the call is at or below it. `at`: this one instead, which may lie in the past. Homes with nothing are named as well; "" is the ClusterHome.
   */
  cut(at?: number): Promise<{ revision: number; homes: string[] } | { expired: true }>;
  /** A cluster that was made from a snapshot: no home commits at or below its revision. */
  startAbove(revision: number): Promise<void>;
  /** Registers (or re-registers: the resources are replaced); the present state then arrives through `deliver`. */
  subscribe(subscription: Subscription): Promise<void>;
  unsubscribe(subscription: Pick<Subscription, "class" | "name">): Promise<void>;
}

/** What the Timeline asks of the ClusterHome, beyond what it asks of every home. */
export interface ClusterHomeTimelineRpc extends HomeTimelineRpc, ClusterHomeCatalogRpc {
  /**
   * Names of all namespaces, terminating ones included, sorted. `at`: those of this revision, below which the ClusterHome commits nothing from
   * now on. `since`: with those that were there at any time after this revision, also if they have gone. `expired`: history does
   * not reach back that far.
   */
  listNamespaces(options?: { at?: number; since?: number }): Promise<{ names: string[]; expired: boolean }>;
  /** May the user do this in all namespaces? Nothing, or the refusal. */
  authorize(user: User, verb: Verb | "watch", target: Target): Promise<HomeAnswer | null>;
}

/** Carries a `StreamRequest` of `api/node-link.ts` as JSON from the worker to the pod's NodeLink. */
export const STREAM_REQUEST_HEADER = "x-coxswain-stream";

/** A NodeLink answers `/` (the agent's socket), `/streams/<id>` (a stream the agent was asked for) and `/open` (the worker). */
export interface NodeLinkRpc extends SubscriberRpc {
  /** Whether the agent's socket is open: what the ClusterHome asks after a restart. */
  isConnected(): Promise<boolean>;
  fetch(
    url: string,
    init?: { method?: string; headers: Headers | Record<string, string>; body?: ReadableStream; redirect?: "manual" },
  ): Promise<Response>;
}

/** What NodeLinks ask of the ClusterHome. */
export interface ClusterHomeNodeRpc {
  /** The node's socket was opened or lost. `at`: milliseconds since 1970. */
  nodePresence(node: string, connected: boolean, at: number): Promise<void>;
  /** Whether the bootstrap token (`abcdef.0123456789abcdef`) lets this node join. */
  join(bootstrapToken: string, nodeName: string): Promise<boolean>;
}
