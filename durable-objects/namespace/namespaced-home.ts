import { allKinds } from "../../api/kinds.ts";
import type { User } from "../../api/object.ts";
import { defaultTolerationSeconds } from "../admission/default-toleration-seconds.ts";
import { terminatingDefinition } from "../admission/definition-lifecycle.ts";
import { dynamicAdmission, surroundingsOf } from "../admission/dynamic-admission.ts";
import { namespaceLifecycle } from "../admission/namespace-lifecycle.ts";
import { nodeRestriction } from "../admission/node-restriction.ts";
import { type PriorityClassFacts, priority } from "../admission/priority.ts";
import { runtimeClass } from "../admission/runtime-class.ts";
import { serviceAccount } from "../admission/service-account.ts";
import { serviceAllocation } from "../admission/service-allocation.ts";
import { CatalogFollower } from "../catalog/catalog-follower.ts";
import type { ConversionCaller } from "../catalog/conversion.ts";
import type { AnyController, Context, HomeView, Plan } from "../controllers/controller.ts";
import { namespaceDeletion } from "../controllers/namespace-deletion.ts";
import { NAMESPACED_CONTROLLERS } from "../controllers/namespaced.ts";
import { podsOfLostNode } from "../controllers/pods-of-lost-node.ts";
import { rootCaPublisher } from "../controllers/root-ca-publisher.ts";
import { Home, type HomeOptions, type Platform } from "../home.ts";
import type { CarriedOut } from "../loop/controller-loop.ts";
import type { ClusterHomeNamespaceRpc, HomeRequest, NamespaceHomeInternalRpc, TimelineFeedRpc } from "../protocol.ts";
import { lazyTables } from "../store/lazy-tables.ts";
import { bindPod } from "../verbs/pods.ts";
import { isBuiltInResource } from "../verbs/served.ts";
import { NO_TRANSPORT, type WebhookTransport } from "../webhooks/webhook-transport.ts";
import { ContentsNews } from "./contents-news.ts";
import { NamespaceRecord } from "./namespace-record.ts";
import {
  evictPods,
  markUnschedulable,
  type PodEviction,
  refusalText,
  SCHEDULER,
  scheduledEvents,
  TAINT_EVICTION,
  type UnschedulableVerdict,
} from "./pod-decisions.ts";
import { ServiceSettling } from "./service-settling.ts";

export interface NamespacedHomeOptions {
  platform: Platform;
  namespace: string;
  cluster: ClusterHomeNamespaceRpc;
  timeline: TimelineFeedRpc;
  /** Certificates (PEM) that the API's own is signed by; published in the namespace. */
  rootCa?: string | undefined;
  /** Those of every namespace unless a test names its own. */
  controllers?: readonly AnyController[];
  retention?: HomeOptions["retention"];
  /** Calls webhooks. Absent: nobody can be called. */
  transport?: WebhookTransport | undefined;
  /** Calls conversion webhooks. */
  convert?: ConversionCaller | undefined;
}

/** PriorityClasses change rarely: they are asked for again when they were last looked at so long ago. */
const CLASSES_MILLISECONDS = 60_000;
/** Pods that one transaction binds, marks or evicts. */
const PODS_MAX = 200;
/** Passes over the pods of a node that was lost: enough for ten thousand pods of one namespace. */
const LOST_NODE_PASSES_MAX = 40;
/** Refused writes that are told of, of one decision. */
const FAILURES_MAX = 10;
/** The one key of controllers that look after the home as a whole. */
const HOME_KEY = "";
const CONTENTS = "namespace-controller";
const NODE_CONTROLLER = "node-controller";
const SCHEDULER_USER: User = { name: "system:kube-scheduler", groups: ["system:authenticated"] };

/** A NamespaceHome without its platform. */
export class NamespacedHome {
  readonly home: Home;
  readonly #platform: Platform;
  readonly #namespace: string;
  readonly #cluster: ClusterHomeNamespaceRpc;
  readonly #record: NamespaceRecord;
  readonly #services: ServiceSettling;
  readonly #contents: ContentsNews;
  readonly #controllers: readonly AnyController[];
  readonly #follower: CatalogFollower;
  /** There are objects of the cluster's own kinds, or were in this instance's life. */
  #holdsCustom = false;
  #classes: readonly PriorityClassFacts[] = [];
  #classesAt = Number.NEGATIVE_INFINITY;
  /** The alarm has rung in this instance's life. */
  #hasRung = false;

  constructor(options: NamespacedHomeOptions) {
    const { platform: given, namespace, cluster, timeline, rootCa, controllers, retention, convert } = options;
    const { transport = NO_TRANSPORT } = options;
    // Anybody may ask for a namespace that is not there: that leaves nothing behind.
    const platform: Platform = { ...given, database: lazyTables(given.database) };
    this.#platform = platform;
    this.#namespace = namespace;
    this.#cluster = cluster;
    this.#record = new NamespaceRecord(platform.database);
    const publishers = rootCa ? [rootCaPublisher(rootCa)] : [];
    this.#controllers = controllers ?? [...NAMESPACED_CONTROLLERS, ...publishers];
    const surroundings = surroundingsOf({
      transport,
      scope: () => this.home.scope,
      handle: (request) => this.home.handle(request),
      readElsewhere: (target, labelSelector) => cluster.readObjects(target, labelSelector),
      uuid: () => platform.uuid(),
    });
    this.home = new Home({
      platform,
      namespace,
      timeline,
      retention,
      kinds: allKinds().filter(({ namespaced }) => namespaced),
      controllers: this.#controllers,
      admission: [
        namespaceLifecycle(() => this.#record.state),
        terminatingDefinition,
        nodeRestriction,
        serviceAccount,
        priority(() => this.#classes),
        defaultTolerationSeconds,
        serviceAllocation((ask) => this.#services.reserve(ask)),
        runtimeClass(surroundings.read),
        ...dynamicAdmission(surroundings),
      ],
      terminating: () => this.#record.state !== "active",
      ready: (request) => this.#ready(request),
      catalog: () => this.#follower,
      canPass: () => !this.#holdsCustom || !this.#follower.isUnknown,
      beforePass: () => this.#beforePass(),
    });
    this.home.store.onCommit((changes) => {
      this.#holdsCustom ||= changes.some(({ stored }) => !isBuiltInResource(stored.resource));
    });
    this.#holdsCustom = this.home.store.resources().some((resource) => !isBuiltInResource(resource));
    this.#follower = new CatalogFollower({
      cluster,
      // What is asked of a namespace that is not there leaves nothing behind.
      follower: () => (this.#record.state === "absent" ? undefined : namespace),
      convert,
      learned: (changed, revision) => {
        // What the new schemas let through is stored later than the definition.
        this.home.lease.raiseFloor(revision);
        this.home.endWatches(changed);
      },
    });
    // An earlier instance may have been lost before it committed anything above.
    this.home.lease.raiseFloor(this.#record.floor);
    this.#services = new ServiceSettling({
      store: this.home.store,
      namespace,
      cluster,
      uuid: () => platform.uuid(),
      later: (milliseconds, work) => void platform.later(milliseconds, work),
      guard: () => this.home.guard(),
    });
    this.#contents = new ContentsNews({
      isGoing: () => this.#record.state === "terminating",
      tell: () => cluster.contentsChanged(namespace),
      later: (milliseconds, work) => void platform.later(milliseconds, work),
    });
    this.home.store.onCommit(() => this.#contents.changed());
  }

  async alarm(): Promise<void> {
    const passed = this.home.alarm();
    this.#services.wake();
    if (!this.#contents.isBehind && !this.#hasRung) this.#contents.changed();
    this.#hasRung = true;
    if (this.#services.isBehind || this.#contents.isBehind) this.home.guard();
    await passed;
  }

  /** Most requests need nothing from elsewhere. */
  #ready({ verb, target }: HomeRequest): Promise<void> | undefined {
    if (verb !== "create" && verb !== "update" && verb !== "patch") return undefined;
    const { state } = this.#record;
    const isUnknown = state === "absent" || (state === "terminating" && verb === "create");
    const classes = verb === "create" && target.resource === "pods" ? this.#freshClasses() : undefined;
    if (!isUnknown) return classes;
    return Promise.all([this.#learnState(), classes]).then(() => undefined);
  }

  /** The ClusterHome tells its homes of their namespaces; a home that was not reached asks. */
  async #learnState(): Promise<void> {
    const { state, uid, revision } = await this.#cluster.namespaceState(this.#namespace);
    this.home.lease.raiseFloor(revision);
    if (state === "active") await this.activate(uid, revision);
    else this.#record.set(state, uid);
  }

  #beforePass(): Promise<void> | undefined {
    const classes = this.#freshClasses();
    // A refusal is none of the controllers' business: they go by what is known, or wait (`canPass`).
    const catalog = this.#holdsCustom ? this.#follower.fresh()?.catch(() => undefined) : undefined;
    return classes && catalog ? Promise.all([classes, catalog]).then(() => undefined) : (catalog ?? classes);
  }

  /** What is known of the cluster's own kinds is stale. */
  catalogChanged(revision: number): void {
    this.#follower.changed(revision);
  }

  /** A definition is going: deletes some of its instances, and answers how many there were. */
  async deleteInstances(resource: string): ReturnType<NamespaceHomeInternalRpc["deleteInstances"]> {
    if (this.home.store.revision === 0) return { remaining: 0, failures: [] };
    await this.#follower.fresh();
    return await this.home.deleteInstances(resource);
  }

  #freshClasses(): Promise<void> | undefined {
    if (this.#platform.now() - this.#classesAt < CLASSES_MILLISECONDS) return undefined;
    return this.#cluster.priorityClasses().then(
      (classes) => {
        this.#classes = classes;
        this.#classesAt = this.#platform.now();
      },
      // What was known last still holds; a class that is not known refuses its pods until it can be asked for.
      () => undefined,
    );
  }

  /** The namespace is there: its controllers make what every namespace has, before anybody is told that it is. */
  async activate(uid: string, revision: number): Promise<void> {
    // Whoever sees an object here sees the namespace that it is in.
    this.home.lease.raiseFloor(revision);
    const { state, uid: known } = this.#record;
    // It knows; or the word comes late, and its namespace has gone, which never comes back. A later one of the name is above all that the home ever committed.
    if (state !== "absent" && (known === uid || revision < this.home.store.revision)) return;
    this.#record.set("active", uid, revision);
    for (const controller of this.#controllers)
      if ("reconcileHome" in controller) this.home.loop.look(controller, HOME_KEY);
    this.home.guard();
    await this.home.lease.whenOpen();
    this.home.pass();
  }

  /** The namespace is going: deletes some of what it holds, and answers what there was. */
  async terminate(): ReturnType<NamespaceHomeInternalRpc["terminate"]> {
    this.#record.set("terminating", this.#record.uid);
    if (this.#holdsCustom) await this.#follower.fresh();
    const { decision, refused } = await this.#carryOut(CONTENTS, namespaceDeletion);
    this.home.schedulePass();
    const failures = refused.slice(0, FAILURES_MAX).map(({ error }) => messageOf(error));
    const { resources, finalizers } = decision.remaining;
    return { revision: this.home.store.revision, remaining: resources, finalizers, failures };
  }

  async bind(bindings: { name: string; uid: string; node: string }[]): Promise<string[]> {
    const answers = await Promise.all(
      bindings.map((binding) =>
        this.home.write(SCHEDULER_USER, (writing) => bindPod(writing, binding)).then(() => "", refusalText),
      ),
    );
    const bound = bindings.filter((_, i) => answers[i] === "");
    for (const part of parts(bound)) {
      await this.#carryOut(SCHEDULER, scheduledEvents(part));
    }
    return answers;
  }

  async markUnschedulable(verdicts: UnschedulableVerdict[]): Promise<void> {
    for (const part of parts(verdicts)) await this.#carryOut(SCHEDULER, markUnschedulable(part));
  }

  async evict(pods: PodEviction[]): Promise<void> {
    for (const part of parts(pods)) await this.#carryOut(TAINT_EVICTION, evictPods(part));
  }

  async nodeNotReady(node: string): Promise<void> {
    for (let pass = 0; pass < LOST_NODE_PASSES_MAX; pass++) {
      const { decision, refused } = await this.#carryOut(NODE_CONTROLLER, (view, context) =>
        podsOfLostNode(node, view, context),
      );
      if (decision.writes.length === 0 || refused.length > 0) return;
    }
  }

  /** What is refused of a decision is told to the log: whoever decided looks again sooner or later. */
  async #carryOut<Decision extends Plan>(
    name: string,
    decide: (view: HomeView, context: Context) => Decision,
  ): Promise<CarriedOut<Decision>> {
    const done = await this.home.carryOut(name, decide);
    for (const { write, error } of done.refused.slice(0, FAILURES_MAX))
      console.warn(`${name} in ${this.#namespace}: a write (${write.op}) failed: ${messageOf(error)}`);
    return done;
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function* parts<T>(items: readonly T[]): Generator<T[]> {
  for (let i = 0; i < items.length; i += PODS_MAX) yield items.slice(i, i + PODS_MAX);
}
