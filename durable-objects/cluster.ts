import { DurableObject } from "cloudflare:workers";
import { sha256By } from "../api/digest-stream.ts";
import { ClusterWideHome } from "./cluster/cluster-wide-home.ts";
import { ServiceAddresses } from "./cluster/service-addresses.ts";
import { durablePlatform } from "./durable-platform.ts";
import { durableServiceDialer, durableTransport } from "./durable-transport.ts";
import type {
  ClusterHomeNamespaceRpc,
  ClusterHomeNodeRpc,
  ClusterHomeRestoreRpc,
  ClusterHomeTimelineRpc,
  HistoryRequest,
  HomeAnswer,
  HomePastRpc,
  HomeRequest,
  HomeRpc,
  NamespaceHomeInternalRpc,
  NodeLinkRpc,
  PartRequest,
  RestoredHomeRpc,
  TimelineFeedRpc,
  TimelineRpc,
  WatchAnswer,
  WatchRequest,
} from "./protocol.ts";
import { ClusterRestore } from "./snapshot/cluster-restore.ts";
import { detachable } from "./snapshot/detachable.ts";
import { exportObjects } from "./snapshot/export-objects.ts";
import { beingRestored } from "./snapshot/sealed-home.ts";
import { steadyStub } from "./steady-stub.ts";
import { refusalAnswer, textAnswer } from "./verbs/answer.ts";
import { conversionCaller } from "./webhooks/conversion-call.ts";

interface ClusterHomeEnv {
  NAMESPACE_HOME: DurableObjectNamespace;
  NODE_LINK: DurableObjectNamespace;
  TIMELINE: DurableObjectNamespace;
  SERVICE_CIDR?: string;
  POD_CIDR?: string;
  /** `host:port` at which pods reach the API. */
  KUBERNETES_ENDPOINT?: string;
  /** "allowed": webhooks may be in private networks. */
  WEBHOOK_PRIVATE_ADDRESSES?: string;
}

const SERVICE_CIDR = "10.96.0.0/16";
const POD_CIDR = "10.244.0.0/16";

/** Cluster-scoped objects, and their controllers. */
export class ClusterHome
  extends DurableObject<ClusterHomeEnv>
  implements
    HomeRpc,
    HomePastRpc,
    ClusterHomeNamespaceRpc,
    ClusterHomeTimelineRpc,
    ClusterHomeNodeRpc,
    ClusterHomeRestoreRpc
{
  readonly #make: () => { home: ClusterWideHome; detach(): void };
  readonly #restore: ClusterRestore;
  #made: { home: ClusterWideHome; detach(): void } | undefined;

  constructor(state: DurableObjectState, env: ClusterHomeEnv) {
    super(state, env);
    const { name } = state.id;
    if (!name) throw new Error("a ClusterHome is addressed by its cluster's name");
    const { NAMESPACE_HOME, NODE_LINK, TIMELINE } = env;
    const platform = durablePlatform(state);
    const homeOf = (namespace: string) =>
      NAMESPACE_HOME.get(NAMESPACE_HOME.idFromName(`${name}/${namespace}`)) as unknown as HomeRpc &
        NamespaceHomeInternalRpc &
        RestoredHomeRpc;
    const timeline = steadyStub<TimelineFeedRpc & TimelineRpc>(() => TIMELINE.get(TIMELINE.idFromName(name)));
    const serviceCidr = env.SERVICE_CIDR || SERVICE_CIDR;
    this.#make = () => {
      const { platform: own, detach } = detachable(platform);
      const dialService = durableServiceDialer(NODE_LINK, name, (...asked) => home.readObjects(...asked));
      const transport = durableTransport(env.WEBHOOK_PRIVATE_ADDRESSES, dialService);
      const home: ClusterWideHome = new ClusterWideHome({
        platform: own,
        transport,
        convert: conversionCaller(transport, () => own.uuid()),
        homeOf,
        timeline,
        serviceCidr,
        podCidr: env.POD_CIDR || POD_CIDR,
        apiEndpoint: env.KUBERNETES_ENDPOINT,
        isConnected: async (node) =>
          await (NODE_LINK.get(NODE_LINK.idFromName(`${name}/${node}`)) as unknown as NodeLinkRpc).isConnected(),
      });
      return { home, detach };
    };
    let addresses: ServiceAddresses | undefined;
    this.#restore = new ClusterRestore({
      ...platform,
      cluster: name,
      homeOf,
      timeline,
      newHash: sha256By(crypto.DigestStream),
      deleteAll: async () => {
        await state.storage.deleteAlarm();
        await state.storage.deleteAll();
      },
      began: () => {
        this.#made?.detach();
        this.#made = undefined;
        addresses = new ServiceAddresses(platform.database, serviceCidr);
      },
      reserve: (home, object) => addresses?.adopt(home, object),
    });
  }

  /** What answers for the cluster, unless that is yet to come from a snapshot. @throws ApiError ServiceUnavailable */
  get #it(): ClusterWideHome {
    if (this.#restore.isSealed) throw beingRestored();
    this.#made ??= this.#make();
    return this.#made.home;
  }

  async handle(request: HomeRequest): Promise<HomeAnswer> {
    if (this.#restore.isSealed) return refusalAnswer(beingRestored());
    return await this.#it.handle(request);
  }

  async watch(request: WatchRequest): Promise<WatchAnswer> {
    if (this.#restore.isSealed) return refusalAnswer(beingRestored()) as WatchAnswer;
    return await this.#it.watch(request);
  }

  override async alarm(): Promise<void> {
    if (this.#restore.isSealed) await this.#restore.alarm();
    // An alarm may outlive what it was set for: that must not make a cluster.
    else if (!this.#restore.isNew) await this.#it.alarm();
  }

  async restore(snapshot: ReadableStream<Uint8Array>): Promise<HomeAnswer> {
    try {
      return textAnswer(201, JSON.stringify(await this.#restore.run(snapshot)));
    } catch (error) {
      return refusalAnswer(error);
    }
  }

  async isRestoring(restore: string) {
    return this.#restore.isRestoring(restore);
  }

  async history(request: HistoryRequest): Promise<HomeAnswer> {
    if (this.#restore.isSealed) return refusalAnswer(beingRestored());
    await this.#it.ready();
    return await this.#it.home.history(request);
  }

  async exportAt(revision: number) {
    return exportObjects(this.#it.home, revision);
  }

  async promise(ask: Parameters<ClusterHomeTimelineRpc["promise"]>[0]) {
    return this.#it.home.feed.promise(ask);
  }

  async recall(lease: number) {
    this.#it.home.lease.close(lease);
  }

  async changesSince(...args: Parameters<ClusterHomeTimelineRpc["changesSince"]>) {
    return this.#it.home.feed.changesSince(...args);
  }

  async snapshot(...args: Parameters<ClusterHomeTimelineRpc["snapshot"]>) {
    return this.#it.home.feed.snapshot(...args);
  }

  async readPart(request: PartRequest) {
    return this.#it.home.readPartFrom(request);
  }

  async catalog(known: number, follower?: string) {
    return await this.#it.catalog(known, follower);
  }

  async definition(...args: Parameters<ClusterHomeNamespaceRpc["definition"]>) {
    return this.#it.definition(...args);
  }

  async namespaceState(name: string) {
    return await this.#it.namespaceState(name);
  }

  async readObjects(...args: Parameters<ClusterHomeNamespaceRpc["readObjects"]>) {
    return await this.#it.readObjects(...args);
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

  async contentsChanged(namespace: string) {
    this.#it.contentsChanged(namespace);
  }

  async listNamespaces(...args: Parameters<ClusterHomeTimelineRpc["listNamespaces"]>) {
    return await this.#it.listNamespaces(...args);
  }

  async authorize(...args: Parameters<ClusterHomeTimelineRpc["authorize"]>) {
    if (this.#restore.isSealed) return refusalAnswer(beingRestored());
    return await this.#it.authorize(...args);
  }

  async nodePresence(...args: Parameters<ClusterHomeNodeRpc["nodePresence"]>) {
    await this.#it.nodePresence(...args);
  }

  async join(bootstrapToken: string, nodeName: string) {
    return await this.#it.join(bootstrapToken, nodeName);
  }
}
