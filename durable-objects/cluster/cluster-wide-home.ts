import type { EventObject } from "../../api/kinds/event.ts";
import { PriorityClass } from "../../api/kinds/priority-class.ts";
import { allKinds } from "../../api/kinds.ts";
import { dnsSubdomainComplaints } from "../../api/names.ts";
import type { KubeObject, User } from "../../api/object.ts";
import { authorize } from "../admission/authorize.ts";
import { definitionLifecycle, terminatingDefinition } from "../admission/definition-lifecycle.ts";
import { dynamicAdmission, readRequest, surroundingsOf } from "../admission/dynamic-admission.ts";
import { immortalNamespaces } from "../admission/namespace-lifecycle.ts";
import { nodeRestriction } from "../admission/node-restriction.ts";
import { oneDefaultPriorityClass, type PriorityClassFacts, priorityClassFacts } from "../admission/priority.ts";
import { taintNodesByCondition } from "../admission/taint-nodes-by-condition.ts";
import type { ConversionCaller } from "../catalog/conversion.ts";
import { clusterWideControllers } from "../controllers/cluster-wide.ts";
import type { AnyController } from "../controllers/controller.ts";
import { Home, type HomeOptions, type Platform } from "../home.ts";
import type {
  CatalogFollowerRpc,
  ClusterHomeCatalogRpc,
  ClusterHomeNamespaceRpc,
  ClusterHomeTimelineRpc,
  HomeAnswer,
  HomeRequest,
  HomeRpc,
  NamespaceHomeInternalRpc,
  ServiceAsk,
  ServiceGrant,
  ServiceHolding,
  Target,
  TimelineFeedRpc,
  Verb,
  WatchAnswer,
  WatchRequest,
} from "../protocol.ts";
import { TIMELINE_FOLLOWER } from "../protocol.ts";
import { forEachBounded } from "../timeline/home-source.ts";
import { refusalAnswer } from "../verbs/answer.ts";
import { servedOf } from "../verbs/served.ts";
import { NO_TRANSPORT, type WebhookTransport } from "../webhooks/webhook-transport.ts";
import { apiServiceObjects, createClusterObjects } from "./bootstrap.ts";
import { acceptsToken, tokenSecretName } from "./bootstrap-token.ts";
import { CatalogFollowers } from "./catalog-followers.ts";
import { ClusterCatalog } from "./cluster-catalog.ts";
import { DefinitionKeeper } from "./definition-keeper.ts";
import { NamespaceKeeper } from "./namespace-keeper.ts";
import { NodePresence } from "./node-presence.ts";
import { ServiceAddresses } from "./service-addresses.ts";

export interface ClusterWideHomeOptions {
  platform: Platform;
  homeOf(
    namespace: string,
  ): HomeRpc & Pick<NamespaceHomeInternalRpc, "activate" | "terminate" | "catalogChanged" | "deleteInstances">;
  timeline: TimelineFeedRpc & CatalogFollowerRpc;
  /** Where Services' addresses come from, as `10.96.0.0/16`. */
  serviceCidr: string;
  /** Where nodes' pod ranges come from, as `10.244.0.0/16`. */
  podCidr: string;
  /** `host:port` at which pods reach the API. */
  apiEndpoint?: string | undefined;
  /** Calls webhooks. Absent: nobody can be called. */
  transport?: WebhookTransport | undefined;
  /** Calls conversion webhooks. */
  convert?: ConversionCaller | undefined;
  /** Those of every cluster unless a test names its own. */
  controllers?: readonly AnyController[];
  retention?: HomeOptions["retention"];
  /** Whether a node's link is up; asked after a restart of this home about nodes that were connected before. */
  isConnected?(node: string): Promise<boolean>;
}

/** What the control plane does for itself. */
export const SYSTEM: User = { name: "system:apiserver", groups: ["system:masters", "system:authenticated"] };
const NODE_CONTROLLER = "node-controller";
const START_RETRY_MILLISECONDS = 2_000;

/** A ClusterHome without its platform. */
export class ClusterWideHome {
  readonly home: Home;
  readonly #options: ClusterWideHomeOptions;
  readonly #controllers: readonly AnyController[];
  readonly #presence: NodePresence;
  readonly #addresses: ServiceAddresses;
  readonly #namespaces: NamespaceKeeper;
  readonly #catalog: ClusterCatalog;
  readonly #followers: CatalogFollowers;
  readonly #definitions: DefinitionKeeper;
  #isStarted = false;

  constructor(options: ClusterWideHomeOptions) {
    const { platform, homeOf, timeline, serviceCidr, podCidr } = options;
    this.#options = options;
    this.#presence = new NodePresence(platform.database);
    this.#addresses = new ServiceAddresses(platform.database, serviceCidr);
    this.#controllers =
      options.controllers ?? clusterWideControllers({ podCidr, presenceOf: (node) => this.#presence.of(node) });
    this.home = new Home({
      platform,
      namespace: "",
      timeline,
      retention: options.retention,
      kinds: allKinds().filter(({ namespaced }) => !namespaced),
      controllers: this.#controllers,
      catalog: () => this.#catalog,
      admission: [
        immortalNamespaces,
        definitionLifecycle(() => this.#catalog.claims()),
        terminatingDefinition,
        nodeRestriction,
        oneDefaultPriorityClass,
        taintNodesByCondition,
        ...dynamicAdmission(
          surroundingsOf({
            transport: options.transport ?? NO_TRANSPORT,
            scope: () => this.home.scope,
            handle: (request) => this.home.handle(request),
            readElsewhere: (target, labelSelector) => this.readObjects(target, labelSelector),
            uuid: () => platform.uuid(),
          }),
        ),
      ],
      sendEvent: (event) => void this.#sendEvent(event),
    });
    const later = (milliseconds: number, work: () => void) => void platform.later(milliseconds, work);
    const { store } = this.home;
    this.#catalog = new ClusterCatalog({ store, convert: options.convert, changed: () => this.#followers.changed() });
    this.#followers = new CatalogFollowers({
      database: platform.database,
      followerOf: (name) => (name === TIMELINE_FOLLOWER ? timeline : homeOf(name)),
      catalog: this.#catalog,
      later,
      guard: () => this.home.guard(),
    });
    this.#definitions = new DefinitionKeeper({
      home: this.home,
      homeOf,
      namespaces: () => this.#namespaces.names().names,
      claims: () => this.#catalog.claims(),
      deleteHere: (resource) => this.home.deleteInstances(resource),
      told: () => this.#followers.told(),
      later,
      now: () => platform.now(),
    });
    this.#namespaces = new NamespaceKeeper({ home: this.home, homeOf, later, now: () => platform.now() });
    this.home.store.onCommit((changes) => {
      for (const { type, stored } of changes) {
        if (stored.resource === "nodes" && type === "DELETED")
          platform.later(0, () => this.#presence.forget(stored.name));
      }
    });
  }

  async alarm(): Promise<void> {
    const passed = this.home.alarm();
    this.#namespaces.wake();
    this.#followers.wake();
    this.#definitions.wake();
    void this.ready().catch(() => this.home.guard());
    if (this.#namespaces.isBusy || this.#definitions.isBusy || this.#followers.isBehind) this.home.guard();
    await passed;
  }

  /** The first to ask anything of a new cluster finds in it what every cluster has. @throws ApiError where there is no lease to be had. */
  async ready(): Promise<void> {
    if (this.home.store.revision === 0) await this.#writable();
    this.#start();
  }

  /** There is a lease, and nothing is written before the cluster's first objects. */
  async #writable(): Promise<void> {
    await this.home.lease.whenOpen();
    if (this.home.store.revision > 0) return;
    this.home.store.write((tx) => createClusterObjects(this.home.writing(tx, SYSTEM), this.#options.serviceCidr));
  }

  /** Once in an instance's life: what must be so in a cluster, and may have changed while nobody looked. */
  #start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.#followers.wake();
    void Promise.all([this.#publishApi(), this.#checkPresence()]).catch((error: unknown) => {
      console.warn(`the cluster's start is tried again: ${String(error)}`);
      this.#isStarted = false;
      this.#options.platform.later(START_RETRY_MILLISECONDS, () => this.#start());
    });
  }

  async watch(request: WatchRequest): Promise<WatchAnswer> {
    try {
      await this.ready();
    } catch (error) {
      return refusalAnswer(error) as WatchAnswer;
    }
    return await this.home.watchFrom(request);
  }

  async handle(request: HomeRequest): Promise<HomeAnswer> {
    try {
      await this.ready();
    } catch (error) {
      return refusalAnswer(error);
    }
    const answer = await this.home.handle(request);
    const { verb, target } = request;
    // Whoever was told of a change finds it everywhere.
    const told = verb === "get" || verb === "list" ? undefined : this.#followers.told();
    if (told) await told;
    // Whoever was told of a namespace finds it in order.
    if (
      verb === "create" &&
      target.resource === "namespaces" &&
      answer.code === 201 &&
      typeof answer.body === "string"
    ) {
      await this.#namespaces.activated((JSON.parse(answer.body) as KubeObject).metadata.name);
    }
    return answer;
  }

  // For whoever has to know the catalog.

  async catalog(known: number, follower?: string): ReturnType<ClusterHomeCatalogRpc["catalog"]> {
    // Who only looks makes no cluster.
    if (follower !== undefined || this.home.store.revision > 0) await this.ready();
    if (follower !== undefined) this.#followers.add(follower);
    return this.#catalog.answer(known);
  }

  definition(name: string, uid: string, generation: number): string | null {
    return this.#catalog.definition(name, uid, generation);
  }

  // For NamespaceHomes.

  async namespaceState(name: string): ReturnType<ClusterHomeNamespaceRpc["namespaceState"]> {
    await this.ready();
    const { revision } = this.home.store;
    const object = this.home.store.read((tx) => tx.get("namespaces", name))?.object;
    if (!object) return { state: "absent", uid: "", revision };
    const state = object.metadata.deletionTimestamp ? "terminating" : "active";
    return { state, uid: object.metadata.uid ?? "", revision };
  }

  contentsChanged(namespace: string): void {
    this.#namespaces.look(namespace);
  }

  async readObjects(target: Target, labelSelector: string): Promise<HomeAnswer> {
    const request = readRequest(target, labelSelector);
    return await (target.namespace === ""
      ? this.handle(request)
      : this.#options.homeOf(target.namespace).handle(request));
  }

  async priorityClasses(): Promise<PriorityClassFacts[]> {
    await this.ready();
    const { resource } = servedOf(PriorityClass);
    return this.home.store.read((tx) => tx.list(resource)).map(({ object }) => priorityClassFacts(object));
  }

  async allocateService(ask: ServiceAsk): Promise<ServiceGrant> {
    const { platform } = this.#options;
    await this.#writable();
    return this.home.store.write<ServiceGrant>((tx) =>
      this.#addresses.allocate(this.home.writing(tx, SYSTEM), ask, ask.reservation ?? platform.uuid(), () =>
        platform.random(),
      ),
    );
  }

  async releaseService(reservation: string): Promise<void> {
    await this.#writable();
    this.home.store.write((tx) => this.#addresses.release(this.home.writing(tx, SYSTEM), reservation));
  }

  async settleServices(namespace: string, services: ServiceHolding[], underWay: string[]): Promise<void> {
    await this.#writable();
    this.home.store.write((tx) => this.#addresses.settle(this.home.writing(tx, SYSTEM), namespace, services, underWay));
  }

  // For the Timeline.

  async listNamespaces({
    at,
    since,
  }: {
    at?: number;
    since?: number;
  } = {}): ReturnType<ClusterHomeTimelineRpc["listNamespaces"]> {
    await this.ready();
    return this.#namespaces.names(at, since);
  }

  async authorize(user: User, verb: Verb | "watch", target: Target): Promise<HomeAnswer | null> {
    try {
      await this.ready();
      authorize(this.home.scope, { user, verb, target, options: {} });
      return null;
    } catch (error) {
      return refusalAnswer(error);
    }
  }

  // For nodes.

  async nodePresence(node: string, connected: boolean, at: number): Promise<void> {
    await this.ready();
    if (!this.#presence.set(node, connected, at)) return;
    this.#lookAt(node);
  }

  #lookAt(node: string): void {
    const controller = this.#controllers.find(({ name }) => name === NODE_CONTROLLER);
    if (controller) this.home.loop.look(controller, node);
    this.home.guard();
    this.home.schedulePass();
  }

  async join(bootstrapToken: string, nodeName: string): Promise<boolean> {
    const secretName = tokenSecretName(bootstrapToken);
    if (!secretName || dnsSubdomainComplaints(nodeName).length > 0) return false;
    await this.ready();
    const target = { group: "", version: "v1", resource: "secrets", namespace: "kube-system", name: secretName };
    const answer = await this.#options.homeOf("kube-system").handle({
      verb: "get",
      user: SYSTEM,
      target: { ...target, subresource: "" },
      options: {},
    });
    if (answer.code !== 200 || typeof answer.body !== "string") return false;
    return acceptsToken(JSON.parse(answer.body) as KubeObject, bootstrapToken, this.#options.platform.now());
  }

  /** Nodes that were connected when an earlier instance was lost may have been lost with it. */
  async #checkPresence(): Promise<void> {
    const { isConnected, platform } = this.#options;
    const nodes = this.home.store.read((tx) => tx.texts("nodes"));
    // The earlier instance may not have got to look at what it was told.
    for (const { name } of nodes) this.#lookAt(name);
    if (!isConnected) return;
    await forEachBounded(nodes, async ({ name }) => {
      if (this.#presence.of(name)?.connected && !(await isConnected(name))) {
        await this.nodePresence(name, false, platform.now());
      }
    });
  }

  async #publishApi(): Promise<void> {
    const { apiEndpoint, homeOf } = this.#options;
    const home = homeOf("default");
    for (const object of apiServiceObjects(this.#addresses.first, apiEndpoint)) {
      const [group, version] = object.apiVersion.includes("/") ? object.apiVersion.split("/") : ["", object.apiVersion];
      const resource =
        { Service: "services", Endpoints: "endpoints", EndpointSlice: "endpointslices" }[object.kind] ?? "";
      const target = { group: group!, version: version!, resource, namespace: "default", name: "", subresource: "" };
      const request = { user: SYSTEM, options: {}, body: JSON.stringify(object) };
      const named = { ...target, name: object.metadata.name };
      const isThere = (await home.handle({ user: SYSTEM, options: {}, verb: "get", target: named })).code === 200;
      // The Service is the user's once it is there; where it leads is not.
      if (isThere && object.kind === "Service") continue;
      const { code, body } = await home.handle(
        isThere ? { ...request, verb: "update", target: named } : { ...request, verb: "create", target },
      );
      if (code >= 300) throw new Error(`${object.kind} kubernetes: ${String(body)}`);
    }
  }

  /** Events about cluster-scoped objects are kept in the namespace default. */
  async #sendEvent(event: EventObject): Promise<void> {
    const target = { group: "", version: "v1", resource: "events", namespace: "default", name: "", subresource: "" };
    const request = { user: SYSTEM, options: {}, body: JSON.stringify(event) };
    try {
      const home = this.#options.homeOf("default");
      const { code } = await home.handle({ ...request, verb: "create", target });
      if (code !== 409) return;
      const { count, lastTimestamp, message } = event;
      const body = JSON.stringify({ count: (count ?? 1) + 1, lastTimestamp, message });
      const again = { ...target, name: event.metadata.name };
      await home.handle({ ...request, verb: "patch", target: again, patchType: "merge", body });
    } catch (error) {
      console.warn(`an event about ${event.metadata.name} was lost: ${String(error)}`);
    }
  }
}
