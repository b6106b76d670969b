import { DurableObject } from "cloudflare:workers";
import { durablePlatform } from "./durable-platform.ts";
import { durableServiceDialer, durableTransport } from "./durable-transport.ts";
import { NamespacedHome } from "./namespace/namespaced-home.ts";
import type {
  ClusterHomeNamespaceRpc,
  ClusterHomeRestoreRpc,
  HistoryRequest,
  HomeAnswer,
  HomePastRpc,
  HomeRequest,
  HomeRpc,
  HomeTimelineRpc,
  ImportPart,
  NamespaceHomeInternalRpc,
  PartRequest,
  RestoredHomeRpc,
  TimelineFeedRpc,
  Unsealing,
  WatchAnswer,
  WatchRequest,
} from "./protocol.ts";
import { exportObjects } from "./snapshot/export-objects.ts";
import { beingRestored, SealedHome } from "./snapshot/sealed-home.ts";
import { steadyStub } from "./steady-stub.ts";
import { refusalAnswer } from "./verbs/answer.ts";
import { conversionCaller } from "./webhooks/conversion-call.ts";

interface NamespaceHomeEnv {
  CLUSTER_HOME: DurableObjectNamespace;
  NODE_LINK: DurableObjectNamespace;
  TIMELINE: DurableObjectNamespace;
  /** Certificates (PEM) that the API's own is signed by. */
  ROOT_CA?: string;
  /** "allowed": webhooks may be in private networks. */
  WEBHOOK_PRIVATE_ADDRESSES?: string;
}

/** Every object of one namespace, and the controllers that live with them. */
export class NamespaceHome
  extends DurableObject<NamespaceHomeEnv>
  implements HomeRpc, HomePastRpc, NamespaceHomeInternalRpc, RestoredHomeRpc
{
  readonly #make: () => NamespacedHome;
  readonly #sealed: SealedHome;
  #made: NamespacedHome | undefined;

  constructor(state: DurableObjectState, env: NamespaceHomeEnv) {
    super(state, env);
    const name = state.id.name ?? "";
    const [cluster, namespace] = name.split("/");
    if (!cluster || !namespace) throw new Error("a NamespaceHome is addressed as <cluster>/<namespace>");
    const platform = durablePlatform(state);
    const clusterHome = steadyStub<ClusterHomeNamespaceRpc & ClusterHomeRestoreRpc>(() =>
      env.CLUSTER_HOME.get(env.CLUSTER_HOME.idFromName(cluster)),
    );
    const timeline = steadyStub<TimelineFeedRpc>(() => env.TIMELINE.get(env.TIMELINE.idFromName(cluster)));
    const dialService = durableServiceDialer(env.NODE_LINK, cluster, (...asked) => clusterHome.readObjects(...asked));
    const transport = durableTransport(env.WEBHOOK_PRIVATE_ADDRESSES, dialService);
    const convert = conversionCaller(transport, () => platform.uuid());
    const rootCa = env.ROOT_CA;
    this.#make = () =>
      new NamespacedHome({ platform, namespace, cluster: clusterHome, timeline, rootCa, transport, convert });
    this.#sealed = new SealedHome({
      ...platform,
      deleteAll: async () => {
        await state.storage.deleteAlarm();
        await state.storage.deleteAll();
      },
      isKnown: async (restore) => await clusterHome.isRestoring(restore),
    });
  }

  /** What answers for the namespace, unless its objects are yet to come from a snapshot. @throws ApiError ServiceUnavailable */
  get #it(): NamespacedHome {
    if (this.#sealed.isSealed) throw beingRestored();
    this.#made ??= this.#make();
    return this.#made;
  }

  async handle(request: HomeRequest): Promise<HomeAnswer> {
    if (this.#sealed.isSealed) return refusalAnswer(beingRestored());
    return await this.#it.home.handle(request);
  }

  async watch(request: WatchRequest): Promise<WatchAnswer> {
    if (this.#sealed.isSealed) return refusalAnswer(beingRestored()) as WatchAnswer;
    return await this.#it.home.watchFrom(request);
  }

  override async alarm(): Promise<void> {
    if (this.#sealed.isSealed) await this.#sealed.alarm();
    // An alarm may outlive what it was set for: that must leave nothing.
    else if (!this.#sealed.isNew) await this.#it.alarm();
  }

  async takeObjects(part: ImportPart) {
    this.#sealed.take(part);
    this.#made = undefined; // It believes that there is nothing.
  }

  async unseal(unsealing: Unsealing) {
    this.#sealed.unseal(unsealing);
  }

  async discard(restore: string) {
    await this.#sealed.discard(restore);
  }

  async history(request: HistoryRequest): Promise<HomeAnswer> {
    if (this.#sealed.isSealed) return refusalAnswer(beingRestored());
    return await this.#it.home.history(request);
  }

  async exportAt(revision: number) {
    return exportObjects(this.#it.home, revision);
  }

  async promise(ask: Parameters<HomeTimelineRpc["promise"]>[0]) {
    return this.#it.home.feed.promise(ask);
  }

  async recall(lease: number) {
    this.#it.home.lease.close(lease);
  }

  async changesSince(...args: Parameters<HomeTimelineRpc["changesSince"]>) {
    return this.#it.home.feed.changesSince(...args);
  }

  async snapshot(...args: Parameters<HomeTimelineRpc["snapshot"]>) {
    return this.#it.home.feed.snapshot(...args);
  }

  async readPart(request: PartRequest) {
    return this.#it.home.readPartFrom(request);
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

  async activate(...args: Parameters<NamespaceHomeInternalRpc["activate"]>) {
    await this.#it.activate(...args);
  }

  async catalogChanged(revision: number) {
    // A home that is yet to come from a snapshot knows nothing that could be stale.
    if (!this.#sealed.isSealed) this.#made?.catalogChanged(revision);
  }

  async deleteInstances(resource: string) {
    return await this.#it.deleteInstances(resource);
  }

  async terminate() {
    return await this.#it.terminate();
  }
}
