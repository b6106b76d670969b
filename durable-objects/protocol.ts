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
   * A home's changes to the resources of interest, in order. `continues` is the home's revision up to which the Timeline
   * has been told everything (0: the home does not know, it has just woken). Resolves to what the home should tell from now on.
   * Where `continues` is not what the Timeline has, it reads the rest from the home's history (`changesSince`).
   */
  push(home: string, continues: number, upTo: number, events: FeedEvent[]): Promise<{ interests: string[] }>;
}

/** What the Timeline, the Scheduler and the NodeLinks ask of a NamespaceHome. */
export interface NamespaceHomeInternalRpc {
  /** Changes after a revision of the named resources, oldest first; `expired` where history does not reach back that far. */
  changesSince(revision: number, resources: string[]): Promise<{ upTo: number; events: FeedEvent[]; expired: boolean }>;
  /** All objects of the named resources, and the revision they were read at. */
  snapshot(resources: string[]): Promise<{ revision: number; objects: { resource: string; json: string }[] }>;
  /** Resources that the Timeline wants to hear of from now on, beyond those it answered to `push`. */
  setInterests(interests: string[]): Promise<{ revision: number }>;
  /** Binds pods to nodes; each is re-checked (uid, still unbound, not being deleted). Answers one entry a pod: "" or why not. */
  bind(bindings: { name: string; uid: string; node: string }[]): Promise<string[]>;
  /** PodScheduled=False and a FailedScheduling event for pods that fit nowhere. */
  markUnschedulable(verdicts: { name: string; uid: string; message: string }[]): Promise<void>;
  /** Deletes pods for a cluster-wide controller (taint eviction, pod collection). `force`: at once, its node is gone. */
  evict(pods: { name: string; uid: string; reason: string; message: string; force: boolean }[]): Promise<void>;
  /** The namespace was created (or is known to exist); idempotent. */
  activate(uid: string): Promise<void>;
  /** The namespace is being deleted: refuse creates, delete the contents; answers what still remains, by resource. */
  terminate(): Promise<{ remaining: Record<string, number> }>;
}
