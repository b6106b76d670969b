import { DurableObject } from "cloudflare:workers";
import { durablePlatform } from "./durable-platform.ts";
import { durableServiceDialer, durableTransport } from "./durable-transport.ts";
import type {
  ClusterHomeNamespaceRpc,
  ClusterHomeTimelineRpc,
  HomeAnswer,
  HomeRequest,
  HomeTimelineRpc,
  SubscriberRpc,
  Subscription,
  TimelineRpc,
  WatchAnswer,
  WatchRequest,
} from "./protocol.ts";
import { steadyStub } from "./steady-stub.ts";
import { ClusterTimeline } from "./timeline/cluster-timeline.ts";
import { conversionCaller } from "./webhooks/conversion-call.ts";

interface TimelineEnv {
  NAMESPACE_HOME: DurableObjectNamespace;
  CLUSTER_HOME: DurableObjectNamespace;
  SCHEDULER: DurableObjectNamespace;
  NODE_LINK: DurableObjectNamespace;
  /** "allowed": webhooks may be in private networks. */
  WEBHOOK_PRIVATE_ADDRESSES?: string;
}

/** One cluster's order: which homes may commit, and above what; lists and watches that cross namespaces; durable subscribers. */
export class Timeline extends DurableObject<TimelineEnv> implements TimelineRpc {
  readonly #it: ClusterTimeline;

  constructor(state: DurableObjectState, env: TimelineEnv) {
    super(state, env);
    const cluster = state.id.name;
    if (!cluster) throw new Error("a Timeline is addressed by its cluster's name");
    const clusterHome = steadyStub<ClusterHomeTimelineRpc & Pick<ClusterHomeNamespaceRpc, "readObjects">>(() =>
      env.CLUSTER_HOME.get(env.CLUSTER_HOME.idFromName(cluster)),
    );
    const platform = durablePlatform(state);
    const dialService = durableServiceDialer(env.NODE_LINK, cluster, (...asked) => clusterHome.readObjects(...asked));
    const transport = durableTransport(env.WEBHOOK_PRIVATE_ADDRESSES, dialService);
    this.#it = new ClusterTimeline({
      cluster,
      platform,
      convert: conversionCaller(transport, () => platform.uuid()),
      homeOf: (home) =>
        home === ""
          ? clusterHome
          : steadyStub<HomeTimelineRpc>(() =>
              env.NAMESPACE_HOME.get(env.NAMESPACE_HOME.idFromName(`${cluster}/${home}`)),
            ),
      clusterHome: () => clusterHome,
      subscriber: ({ class: kind, name }) => env[kind].get(env[kind].idFromName(name)) as unknown as SubscriberRpc,
    });
  }

  async open(...args: Parameters<TimelineRpc["open"]>) {
    return await this.#it.open(...args);
  }

  async push(...args: Parameters<TimelineRpc["push"]>) {
    return await this.#it.push(...args);
  }

  async announce(revision: number) {
    return await this.#it.announce(revision);
  }

  async close(...args: Parameters<TimelineRpc["close"]>) {
    await this.#it.close(...args);
  }

  async subscribe(subscription: Subscription): Promise<void> {
    await this.#it.subscribe(subscription);
  }

  async unsubscribe(subscription: Pick<Subscription, "class" | "name">): Promise<void> {
    await this.#it.unsubscribe(subscription);
  }

  async handle(request: HomeRequest): Promise<HomeAnswer> {
    return await this.#it.handle(request);
  }

  async watch(request: WatchRequest): Promise<WatchAnswer> {
    return await this.#it.watch(request);
  }

  async cut(at?: number) {
    return await this.#it.cut(at);
  }

  async startAbove(revision: number): Promise<void> {
    await this.#it.startAbove(revision);
  }

  async catalogChanged(revision: number): Promise<void> {
    await this.#it.catalogChanged(revision);
  }

  override async alarm(): Promise<void> {
    await this.#it.alarm();
  }
}
