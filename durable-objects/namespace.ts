import { DurableObject } from "cloudflare:workers";
import { durablePlatform } from "./durable-platform.ts";
import { NamespacedHome } from "./namespace/namespaced-home.ts";
import type {
  ClusterHomeNamespaceRpc,
  HomeAnswer,
  HomeRequest,
  HomeRpc,
  NamespaceHomeInternalRpc,
  TimelineFeedRpc,
  WatchAnswer,
  WatchRequest,
} from "./protocol.ts";
import { steadyStub } from "./steady-stub.ts";

interface NamespaceHomeEnv {
  CLUSTER_HOME: DurableObjectNamespace;
  TIMELINE: DurableObjectNamespace;
  /** Certificates (PEM) that the API's own is signed by. */
  ROOT_CA?: string;
}

/** Every object of one namespace, and the controllers that live with them. */
export class NamespaceHome extends DurableObject<NamespaceHomeEnv> implements HomeRpc, NamespaceHomeInternalRpc {
  readonly #it: NamespacedHome;

  constructor(state: DurableObjectState, env: NamespaceHomeEnv) {
    super(state, env);
    const name = state.id.name ?? "";
    const [cluster, namespace] = name.split("/");
    if (!cluster || !namespace) throw new Error("a NamespaceHome is addressed as <cluster>/<namespace>");
    this.#it = new NamespacedHome({
      platform: durablePlatform(state),
      name,
      namespace,
      cluster: steadyStub<ClusterHomeNamespaceRpc>(() => env.CLUSTER_HOME.get(env.CLUSTER_HOME.idFromName(cluster))),
      timeline: steadyStub<TimelineFeedRpc>(() => env.TIMELINE.get(env.TIMELINE.idFromName(cluster))),
      rootCa: env.ROOT_CA,
    });
  }

  async handle(request: HomeRequest): Promise<HomeAnswer> {
    return await this.#it.home.handle(request);
  }

  async watch(request: WatchRequest): Promise<WatchAnswer> {
    return this.#it.home.watch(request);
  }

  override async alarm(): Promise<void> {
    await this.#it.alarm();
  }

  async changesSince(...args: Parameters<NamespaceHomeInternalRpc["changesSince"]>) {
    return this.#it.home.feed.changesSince(...args);
  }

  async snapshot(...args: Parameters<NamespaceHomeInternalRpc["snapshot"]>) {
    return this.#it.home.feed.snapshot(...args);
  }

  async setInterests(interests: string[]) {
    return this.#it.home.feed.setInterests(interests);
  }

  async bind(...args: Parameters<NamespaceHomeInternalRpc["bind"]>) {
    return await this.#it.bind(...args);
  }

  async markUnschedulable(...args: Parameters<NamespaceHomeInternalRpc["markUnschedulable"]>) {
    await this.#it.markUnschedulable(...args);
  }

  async evict(...args: Parameters<NamespaceHomeInternalRpc["evict"]>) {
    await this.#it.evict(...args);
  }

  async nodeNotReady(node: string) {
    await this.#it.nodeNotReady(node);
  }

  async activate(uid: string) {
    await this.#it.activate(uid);
  }

  async terminate() {
    return await this.#it.terminate();
  }
}
