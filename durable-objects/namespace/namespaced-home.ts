import { allKinds } from "../../api/kinds.ts";
import type { User } from "../../api/object.ts";
import { defaultTolerationSeconds } from "../admission/default-toleration-seconds.ts";
import { namespaceLifecycle } from "../admission/namespace-lifecycle.ts";
import { nodeRestriction } from "../admission/node-restriction.ts";
import { type PriorityClassFacts, priority } from "../admission/priority.ts";
import { serviceAccount } from "../admission/service-account.ts";
import { serviceAllocation } from "../admission/service-allocation.ts";
import type { AnyController } from "../controllers/controller.ts";
import { namespaceDeletion } from "../controllers/namespace-deletion.ts";
import { NAMESPACED_CONTROLLERS } from "../controllers/namespaced.ts";
import { rootCaPublisher } from "../controllers/root-ca-publisher.ts";
import { Home, type Platform } from "../home.ts";
import type { ClusterHomeNamespaceRpc, HomeRequest, TimelineFeedRpc } from "../protocol.ts";
import { bindPod } from "../verbs/pods.ts";
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
  /** `<cluster>/<namespace>`. */
  name: string;
  namespace: string;
  cluster: ClusterHomeNamespaceRpc;
  timeline: TimelineFeedRpc;
  /** Certificates (PEM) that the API's own is signed by; published in the namespace. */
  rootCa?: string | undefined;
  /** Those of every namespace unless a test names its own. */
  controllers?: readonly AnyController[];
}

/** PriorityClasses change rarely: they are asked for again when they were last looked at so long ago. */
const CLASSES_MILLISECONDS = 60_000;
/** Pods that one transaction binds, marks or evicts. */
const PODS_MAX = 200;
/** The one key of controllers that look after the home as a whole. */
const HOME_KEY = "";
const CONTENTS = "namespace-controller";
const SCHEDULER_USER: User = { name: "system:kube-scheduler", groups: ["system:authenticated"] };

/** A NamespaceHome without its platform. */
export class NamespacedHome {
  readonly home: Home;
  readonly #platform: Platform;
  readonly #namespace: string;
  readonly #cluster: ClusterHomeNamespaceRpc;
  readonly #record: NamespaceRecord;
  readonly #services: ServiceSettling;
  readonly #controllers: readonly AnyController[];
  #classes: readonly PriorityClassFacts[] = [];
  #classesAt = Number.NEGATIVE_INFINITY;

  constructor({ platform, name, namespace, cluster, timeline, rootCa, controllers }: NamespacedHomeOptions) {
    this.#platform = platform;
    this.#namespace = namespace;
    this.#cluster = cluster;
    this.#record = new NamespaceRecord(platform.database);
    const publishers = rootCa ? [rootCaPublisher(rootCa)] : [];
    this.#controllers = controllers ?? [...NAMESPACED_CONTROLLERS, ...publishers];
    this.home = new Home({
      platform,
      name,
      namespace,
      timeline,
      kinds: allKinds().filter(({ namespaced }) => namespaced),
      controllers: this.#controllers,
      admission: [
        namespaceLifecycle(() => this.#record.state),
        nodeRestriction,
        serviceAccount,
        priority(() => this.#classes),
        defaultTolerationSeconds,
        serviceAllocation,
      ],
      terminating: () => this.#record.state !== "active",
      ready: (request) => this.#ready(request),
      reserve: (need) => this.#services.reserve(need),
      beforePass: () => this.#freshClasses(),
    });
    this.#services = new ServiceSettling({
      store: this.home.store,
      namespace,
      cluster,
      later: (milliseconds, work) => void platform.later(milliseconds, work),
    });
  }

  alarm(): void {
    this.home.alarm();
    this.#services.wake();
    if (this.#services.isBehind) this.home.guard();
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
    const { state, uid } = await this.#cluster.namespaceState(this.#namespace);
    if (state === "active") await this.activate(uid);
    else this.#record.set(state, uid);
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
  async activate(uid: string): Promise<void> {
    if (this.#record.state === "active" && this.#record.uid === uid) return;
    this.#record.set("active", uid);
    for (const controller of this.#controllers)
      if ("reconcileHome" in controller) this.home.loop.look(controller, HOME_KEY);
    this.home.guard();
    this.home.pass();
  }

  /** The namespace is going: deletes some of what it holds, and answers what there was. */
  async terminate(): Promise<{ remaining: Record<string, number>; finalizers: Record<string, number> }> {
    this.#record.set("terminating", this.#record.uid);
    const { remaining } = this.home.loop.carryOut(CONTENTS, this.#platform.now(), namespaceDeletion);
    this.home.schedulePass();
    return { remaining: remaining.resources, finalizers: remaining.finalizers };
  }

  async bind(bindings: { name: string; uid: string; node: string }[]): Promise<string[]> {
    const answers = await Promise.all(
      bindings.map((binding) =>
        this.home.write(SCHEDULER_USER, (writing) => bindPod(writing, binding)).then(() => "", refusalText),
      ),
    );
    const bound = bindings.filter((_, i) => answers[i] === "");
    for (const part of parts(bound)) {
      this.home.loop.carryOut(SCHEDULER, this.#platform.now(), scheduledEvents(part));
    }
    return answers;
  }

  async markUnschedulable(verdicts: UnschedulableVerdict[]): Promise<void> {
    for (const part of parts(verdicts))
      this.home.loop.carryOut(SCHEDULER, this.#platform.now(), markUnschedulable(part));
  }

  async evict(pods: PodEviction[]): Promise<void> {
    for (const part of parts(pods)) this.home.loop.carryOut(TAINT_EVICTION, this.#platform.now(), evictPods(part));
  }
}

function* parts<T>(items: readonly T[]): Generator<T[]> {
  for (let i = 0; i < items.length; i += PODS_MAX) yield items.slice(i, i + PODS_MAX);
}
