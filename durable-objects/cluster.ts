import { DurableObject } from "cloudflare:workers";
import { ClusterWideHome } from "./cluster/cluster-wide-home.ts";
import { durablePlatform } from "./durable-platform.ts";
import type {
  ClusterHomeNamespaceRpc,
  ClusterHomeNodeRpc,
  ClusterHomeTimelineRpc,
  HomeAnswer,
  HomeRequest,
  HomeRpc,
  NamespaceHomeInternalRpc,
  NodeLinkRpc,
  TimelineFeedRpc,
  WatchAnswer,
  WatchRequest,
} from "./protocol.ts";
import { steadyStub } from "./steady-stub.ts";

interface ClusterHomeEnv {
  NAMESPACE_HOME: DurableObjectNamespace;
  NODE_LINK: DurableObjectNamespace;
  TIMELINE: DurableObjectNamespace;
  SERVICE_CIDR?: string;
  POD_CIDR?: string;
  /** `host:port` at which pods reach the API. */
  KUBERNETES_ENDPOINT?: string;
}

const SERVICE_CIDR = "10.96.0.0/16";
const POD_CIDR = "10.244.0.0/16";

type FromHomes = Pick<NamespaceHomeInternalRpc, "changesSince" | "snapshot" | "setInterests">;

/** Cluster-scoped objects, and their controllers. */
export class ClusterHome
  extends DurableObject<ClusterHomeEnv>
  implements HomeRpc, FromHomes, ClusterHomeNamespaceRpc, ClusterHomeTimelineRpc, ClusterHomeNodeRpc
{
  readonly #it: ClusterWideHome;

  constructor(state: DurableObjectState, env: ClusterHomeEnv) {
    super(state, env);
    const { name } = state.id;
    if (!name) throw new Error("a ClusterHome is addressed by its cluster's name");
    const { NAMESPACE_HOME, NODE_LINK, TIMELINE } = env;
    this.#it = new ClusterWideHome({
      platform: durablePlatform(state),
      name,
      homeOf: (namespace) =>
        NAMESPACE_HOME.get(NAMESPACE_HOME.idFromName(`${name}/${namespace}`)) as unknown as HomeRpc &
          NamespaceHomeInternalRpc,
      timeline: steadyStub<TimelineFeedRpc>(() => TIMELINE.get(TIMELINE.idFromName(name))),
      serviceCidr: env.SERVICE_CIDR || SERVICE_CIDR,
      podCidr: env.POD_CIDR || POD_CIDR,
      apiEndpoint: env.KUBERNETES_ENDPOINT,
      isConnected: async (node) =>
        await (NODE_LINK.get(NODE_LINK.idFromName(`${name}/${node}`)) as unknown as NodeLinkRpc).isConnected(),
    });
  }

  async handle(request: HomeRequest): Promise<HomeAnswer> {
    this.#it.start();
    return await this.#it.handle(request);
  }

  async watch(request: WatchRequest): Promise<WatchAnswer> {
    return this.#it.home.watch(request);
  }

  override async alarm(): Promise<void> {
    await this.#it.alarm();
  }

  async changesSince(...args: Parameters<FromHomes["changesSince"]>) {
    return this.#it.home.feed.changesSince(...args);
  }

  async snapshot(...args: Parameters<FromHomes["snapshot"]>) {
    return this.#it.home.feed.snapshot(...args);
  }

  async setInterests(interests: string[]) {
    return this.#it.home.feed.setInterests(interests);
  }

  async namespaceState(name: string) {
    return await this.#it.namespaceState(name);
  }

  async priorityClasses() {
    return await this.#it.priorityClasses();
  }

  async allocateService(...args: Parameters<ClusterHomeNamespaceRpc["allocateService"]>) {
    return await this.#it.allocateService(...args);
  }

  async releaseService(reservation: string) {
    await this.#it.releaseService(reservation);
  }

  async settleServices(...args: Parameters<ClusterHomeNamespaceRpc["settleServices"]>) {
    await this.#it.settleServices(...args);
  }

  async listNamespaces() {
    return await this.#it.listNamespaces();
  }

  async authorize(...args: Parameters<ClusterHomeTimelineRpc["authorize"]>) {
    return await this.#it.authorize(...args);
  }

  async nodePresence(...args: Parameters<ClusterHomeNodeRpc["nodePresence"]>) {
    await this.#it.nodePresence(...args);
  }

  async join(bootstrapToken: string, nodeName: string) {
    return await this.#it.join(bootstrapToken, nodeName);
  }
}
