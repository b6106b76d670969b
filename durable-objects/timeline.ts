import { DurableObject } from "cloudflare:workers";
import { methodNotAllowed } from "../api/status.ts";
import type {
  ClusterHomeTimelineRpc,
  FeedEvent,
  HomeAnswer,
  HomeRequest,
  HomeRpc,
  NamespaceHomeInternalRpc,
  SubscriberRpc,
  Subscription,
  TimelineRpc,
  WatchAnswer,
  WatchRequest,
} from "./protocol.ts";
import { durableSql } from "./store/durable-sql.ts";
import { HomeFeeds } from "./timeline/home-feeds.ts";
import type { HomeSource } from "./timeline/home-source.ts";
import { mergeLists } from "./timeline/merge-lists.ts";
import { RecentLists } from "./timeline/recent-lists.ts";
import { Subscribers } from "./timeline/subscribers.ts";
import { TimelineRecords } from "./timeline/timeline-records.ts";
import { Watchers } from "./timeline/watchers.ts";
import { refusalAnswer } from "./verbs/answer.ts";
import { servedOf } from "./verbs/served.ts";

interface TimelineEnv {
  NAMESPACE_HOME: DurableObjectNamespace;
  CLUSTER_HOME: DurableObjectNamespace;
  SCHEDULER: DurableObjectNamespace;
  NODE_LINK: DurableObjectNamespace;
}

/** What durable subscribers want: homes that wake need not be told. */
const ALWAYS_OF_INTEREST = ["pods", "services", "endpointslices.discovery.k8s.io", "nodes"];
const CLUSTER_HOME = "";
/** What has been told is written down when there has been nothing to tell for so long. */
const QUIET_MILLISECONDS = 500;
/** Wakes an instance that was lost in the middle of its work. */
const GUARD_MILLISECONDS = 5_000;

/**
 * One cluster's crossroads: homes tell it what happens, subscribers and watches that cross namespaces hear it. It holds no objects,
 * and writes nothing down while it is busy but that it is: after a crash everybody is told everything anew.
 *
 * This is the simple protocol: events of one home keep their order, those of different homes are sent as they come. (Slots, promises
 * and the frontier of design section 5 replace `recent-lists.ts` and the watchers' emit.)
 */
export class Timeline extends DurableObject<TimelineEnv> implements TimelineRpc {
  readonly #cluster: string;
  readonly #records: TimelineRecords;
  readonly #feeds: HomeFeeds;
  readonly #subscribers: Subscribers;
  readonly #watchers: Watchers;
  readonly #lists = new RecentLists(() => Date.now());
  #isBusy = false;
  #quietTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(state: DurableObjectState, env: TimelineEnv) {
    super(state, env);
    const cluster = state.id.name;
    if (!cluster) throw new Error("a Timeline is addressed by its cluster's name");
    this.#cluster = cluster;
    this.#records = new TimelineRecords(durableSql(state.storage));

    const source: HomeSource = {
      changesSince: (home, revision, resources) => this.#home(home).changesSince(revision, resources),
      snapshot: (home, resources, from) => this.#home(home).snapshot(resources, from),
      setInterests: (home, resources) => this.#home(home).setInterests(resources),
    };
    this.#watchers = new Watchers({
      source,
      homes: () => this.#clusterHome.listNamespaces(),
      startOf: (revision) => this.#lists.startOf(revision),
      safeRevision: () => this.#lists.safeRevision(),
      random: Math.random,
    });
    this.#subscribers = new Subscribers({
      source,
      homes: async () => [CLUSTER_HOME, ...(await this.#clusterHome.listNamespaces())],
      deliver: (subscription, delivery) => this.#subscriber(subscription).deliver(delivery),
      joined: (home) => this.#joined(home),
      remember: (subscription, stale) => this.#records.setStale(subscription, stale),
      quiet: () => this.#settleSoon(),
      sleep,
      log,
    });
    this.#feeds = new HomeFeeds({
      source,
      interests: () => this.#interests(),
      emit: (home, events) => this.#emit(home, events),
      lost: (home) => {
        this.#watchers.lost(home);
        this.#subscribers.lost(home);
      },
      sleep,
    });
    this.#restore();
  }

  // What homes say.

  async push(home: string, continues: number, upTo: number, events: FeedEvent[]): Promise<{ interests: string[] }> {
    this.#stir();
    this.#feeds.push(home, continues, upTo, events);
    return { interests: this.#interests() };
  }

  // Durable subscribers.

  async subscribe(subscription: Subscription): Promise<void> {
    this.#stir();
    this.#records.saveSubscription(subscription);
    this.#subscribers.add(subscription, false);
  }

  async unsubscribe(subscription: Pick<Subscription, "class" | "name">): Promise<void> {
    this.#records.deleteSubscription(subscription);
    this.#subscribers.remove(subscription);
  }

  // What crosses namespaces.

  async handle({ verb, user, target, options }: HomeRequest): Promise<HomeAnswer> {
    try {
      if (verb !== "list") throw methodNotAllowed();
      const served = servedOf(target);
      const refusal = await this.#clusterHome.authorize(user, verb, target);
      if (refusal) return refusal;
      const begun = this.#lists.safeRevision();
      const namespaces = (await this.#clusterHome.listNamespaces()).sort();
      return await mergeLists({
        served,
        options,
        namespaces,
        list: (namespace, part) =>
          this.#home(namespace).handle({ verb, user, target: { ...target, namespace }, options: part }),
        revisionOf: (homes) => this.#lists.add(begun, homes),
      });
    } catch (error) {
      return refusalAnswer(error);
    }
  }

  async watch({ user, target, options }: WatchRequest): Promise<WatchAnswer> {
    try {
      const refusal = await this.#clusterHome.authorize(user, "watch", target);
      if (refusal) return { code: refusal.code, body: refusal.body as string };
      return { code: 200, events: this.#watchers.open(servedOf(target), options) };
    } catch (error) {
      return refusalAnswer(error) as WatchAnswer;
    }
  }

  /** The guard: an instance that finds that it was lost in the middle of its work goes on when it is made. */
  override async alarm(): Promise<void> {
    if (this.#isBusy) await this.ctx.storage.setAlarm(Date.now() + GUARD_MILLISECONDS);
  }

  #emit(home: string, events: FeedEvent[]): void {
    this.#subscribers.emit(home, events);
    this.#watchers.emit(home, events);
  }

  /** Of a home that has told nothing yet, everybody may know all by having read it. */
  #joined(home: string): void {
    if (this.#feeds.isKnown(home)) return;
    const base = Math.min(this.#subscribers.baseOf(home), this.#watchers.baseOf(home));
    if (base > 0 && base < Number.POSITIVE_INFINITY) this.#feeds.startAt(home, base);
  }

  #interests(): string[] {
    return [...new Set([...ALWAYS_OF_INTEREST, ...this.#subscribers.resources, ...this.#watchers.resources])];
  }

  /** Takes up what was written down: all of it was told, or nobody knows what was. */
  #restore(): void {
    const wasLost = this.#records.isBusy;
    if (!wasLost) for (const [home, revision] of this.#records.homes()) this.#feeds.startAt(home, revision);
    for (const { subscription, stale } of this.#records.subscriptions()) {
      this.#subscribers.add(subscription, !stale && !wasLost);
    }
    // The Scheduler is there from the beginning: nobody has to wake it first.
    const scheduler: Subscription = {
      class: "SCHEDULER",
      name: this.#cluster,
      resources: [{ resource: "pods" }, { resource: "nodes" }],
    };
    if (!this.#records.hasSubscription(scheduler)) {
      this.#records.saveSubscription(scheduler);
      this.#subscribers.add(scheduler, false);
    }
    if (!this.#subscribers.isQuiet) this.#stir();
  }

  /** There is work that must not be forgotten. Written down before the answer to whoever brought it leaves. */
  #stir(): void {
    if (this.#quietTimer !== undefined) clearTimeout(this.#quietTimer);
    this.#quietTimer = undefined;
    if (!this.#isBusy) {
      this.#isBusy = true;
      this.#records.setBusy(true);
      void this.ctx.storage.setAlarm(Date.now() + GUARD_MILLISECONDS);
    }
    this.#settleSoon();
  }

  #settleSoon(): void {
    this.#quietTimer ??= setTimeout(() => {
      this.#quietTimer = undefined;
      if (!this.#subscribers.isQuiet || this.#feeds.isReading) return this.#settleSoon();
      this.#records.saveHomes(this.#feeds.revisions());
      this.#records.setBusy(false);
      this.#isBusy = false;
    }, QUIET_MILLISECONDS);
  }

  #home(home: string): NamespaceHomeInternalRpc & HomeRpc {
    const { NAMESPACE_HOME, CLUSTER_HOME: CLUSTER } = this.env;
    const stub =
      home === CLUSTER_HOME
        ? CLUSTER.get(CLUSTER.idFromName(this.#cluster))
        : NAMESPACE_HOME.get(NAMESPACE_HOME.idFromName(`${this.#cluster}/${home}`));
    return stub as unknown as NamespaceHomeInternalRpc & HomeRpc;
  }

  get #clusterHome(): ClusterHomeTimelineRpc {
    return this.#home(CLUSTER_HOME) as unknown as ClusterHomeTimelineRpc;
  }

  #subscriber({ class: kind, name }: Subscription): SubscriberRpc {
    const namespace = this.env[kind];
    return namespace.get(namespace.idFromName(name)) as unknown as SubscriberRpc;
  }
}

const sleep = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

const log = (message: string, error: unknown): void => console.error(message, error);
