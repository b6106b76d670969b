import { ApiError, methodNotAllowed } from "../../api/status.ts";
import { CatalogFollower } from "../catalog/catalog-follower.ts";
import type { ConversionCaller } from "../catalog/conversion.ts";
import { completeAnswer, completeWatch } from "../catalog/convert-answer.ts";
import { FlowGate } from "../flow-control/flow-gate.ts";
import type { Platform } from "../home.ts";
import type {
  ClusterHomeTimelineRpc,
  FeedEvent,
  FeedPart,
  HomeAnswer,
  HomeRequest,
  HomeTimelineRpc,
  Lease,
  RequestOptions,
  SubscriberRpc,
  Subscription,
  Target,
  TimelineRpc,
  WatchAnswer,
  WatchRequest,
} from "../protocol.ts";
import { TIMELINE_FOLLOWER } from "../protocol.ts";
import { refusalAnswer } from "../verbs/answer.ts";
import { expiredRevision } from "../verbs/list.ts";
import { checkListOptions, checkReadable, parseResourceVersion } from "../verbs/resource-version.ts";
import { builtInAt, type Served, servedIn } from "../verbs/served.ts";
import { Calls } from "./calls.ts";
import { Cuts } from "./cuts.ts";
import { Frontier } from "./frontier.ts";
import { expired } from "./history-pages.ts";
import { HomeAsks } from "./home-asks.ts";
import { HomeFeeds } from "./home-feeds.ts";
import { forEachBounded, HOMES_AT_ONCE, type HomeSource } from "./home-source.ts";
import { Interests } from "./interests.ts";
import { Leases } from "./leases.ts";
import { Lists } from "./lists.ts";
import { RecentEvents } from "./recent-events.ts";
import { Subscribers } from "./subscribers.ts";
import { TimelineRecords } from "./timeline-records.ts";
import { Watchers, type WatchStart } from "./watchers.ts";

const CLUSTER_HOME = "";
/** Nothing being open or under way for so long, it is written down that all has been told. */
const QUIET_MILLISECONDS = 500;
/** While something is open or under way the alarm looks after it so often, also in an instance that knows nothing of it. */
const GUARD_MILLISECONDS = 5_000;
/** An open home of which nothing was heard for so long is asked whether it is still there. */
const SILENT_MILLISECONDS = 15_000;
/** How often a home that needs a slot has another one asked to give its own back, and how long it waits for that each time. */
const RECALLS_MAX = 20;
const RECALL_MILLISECONDS_MAX = 1_000;

export interface ClusterTimelineOptions {
  cluster: string;
  platform: Pick<Platform, "database" | "now" | "random" | "later" | "setAlarm">;
  /** A stub of a home to keep: its calls arrive in order. "" is the ClusterHome. */
  homeOf(home: string): HomeTimelineRpc;
  clusterHome(): ClusterHomeTimelineRpc;
  subscriber(subscription: Subscription): SubscriberRpc;
  /** Calls conversion webhooks. */
  convert?: ConversionCaller | undefined;
}

/**
 * The Timeline without its platform. It holds no objects. What it writes down is who holds a lease, a revision above everything that it
 * has let out, who subscribes, and that it is busy: an instance that finds that tells every subscriber everything anew. While no home is open
 * and everything has been told it is not busy; then there is nothing that a next instance would have to know.
 */
export class ClusterTimeline implements TimelineRpc {
  readonly #options: ClusterTimelineOptions;
  readonly #calls: Calls;
  readonly #records: TimelineRecords;
  readonly #leases: Leases;
  readonly #interests: Interests;
  readonly #feeds: HomeFeeds;
  readonly #asks: HomeAsks;
  readonly #frontier: Frontier;
  readonly #recent: RecentEvents;
  readonly #cuts: Cuts;
  readonly #lists: Lists;
  readonly #watchers: Watchers;
  readonly #subscribers: Subscribers;
  readonly #follower: CatalogFollower;
  readonly #gate: FlowGate;
  /** Stubs of open homes. */
  readonly #stubs = new Map<string, HomeTimelineRpc>();
  readonly #waitingForSlot: (() => void)[] = [];
  #isBusy: boolean;
  #isSettling = false;
  #alarmAt = Number.POSITIVE_INFINITY;

  constructor(options: ClusterTimelineOptions) {
    this.#options = options;
    const { platform } = options;
    const now = () => platform.now();
    const later = (milliseconds: number, work: () => void) => platform.later(milliseconds, work);
    const calls = new Calls(later);
    this.#calls = calls;
    this.#records = new TimelineRecords(platform.database);
    this.#isBusy = this.#records.isBusy;
    this.#leases = new Leases(this.#records, now);
    this.#interests = new Interests(() => this.#feeds.highestTold);
    this.#recent = new RecentEvents(this.#leases.announced);

    const home = (name: string): HomeTimelineRpc => this.#home(name);
    const sleep = (milliseconds: number) => calls.sleep(milliseconds);
    const once: HomeSource = {
      changesSince: (name, ...rest) => calls.once(() => home(name).changesSince(...rest)),
      snapshot: (name, ...rest) => calls.once(() => home(name).snapshot(...rest)),
    };
    const persistent: HomeSource = {
      changesSince: (name, ...rest) => calls.persistently(() => home(name).changesSince(...rest)),
      snapshot: (name, ...rest) => calls.persistently(() => this.#snapshot(name, ...rest)),
    };
    this.#feeds = new HomeFeeds({
      source: once,
      interests: this.#interests,
      emit: (name, events) => this.#emit(name, events),
      advanced: () => this.#advanced(),
      lost: (name, upTo) => {
        this.#subscribers.lost(name);
        this.#overrun(upTo);
      },
      sleep,
    });
    this.#asks = new HomeAsks({
      home,
      once: (call) => calls.once(call),
      leases: this.#leases,
      feeds: this.#feeds,
      interests: this.#interests,
      vanished: (name, revision) => {
        this.#feeds.vanish(name, revision);
        this.#ended(name, revision);
      },
    });
    this.#frontier = new Frontier({
      leases: this.#leases,
      feeds: this.#feeds,
      interests: this.#interests,
      now,
      later,
      ask: async (name, atLeast) => {
        const { lease } = await this.#asks.ask(name, atLeast);
        return lease !== 0 && lease === this.#leases.get(name)?.number;
      },
      passed: (events) => {
        this.#recent.add(events);
        this.#watchers.tell(events);
      },
      overrun: (upTo) => this.#overrun(upTo),
    });
    this.#cuts = new Cuts({
      leases: this.#leases,
      now,
      ask: (name, atLeast) => calls.persistently(() => this.#asks.ask(name, atLeast)),
    });
    this.#lists = new Lists({
      cut: () => this.#cuts.cut(),
      announced: () => this.#leases.announced,
      namespacesAt: (revision) => this.#namespaces({ at: revision }),
      readPart: (name, request) => calls.persistently(() => home(name).readPart(request)),
      reaches: (names, revision) => this.#reaches(names, revision),
    });
    this.#watchers = new Watchers({
      source: persistent,
      frontier: this.#frontier,
      recent: this.#recent,
      interests: this.#interests,
      changedSince: (revision) => this.#changedSince(revision),
      namespacesAt: async (revision) => orExpired(await this.#namespaces({ at: revision })),
      now,
      later,
      random: () => platform.random(),
    });
    this.#subscribers = new Subscribers({
      source: once,
      homes: async () => {
        await this.#feeds.known();
        await this.#frontier.learn();
        const { names } = await calls.once(() => options.clusterHome().listNamespaces());
        return [CLUSTER_HOME, ...names];
      },
      deliver: (subscription, delivery) => options.subscriber(subscription).deliver(delivery),
      remember: (subscription, stale) => this.#records.setStale(subscription, stale),
      quiet: () => this.#settleSoon(),
      sleep,
      log: (message, error) => console.error(message, error),
    });
    this.#follower = new CatalogFollower({
      cluster: {
        catalog: (...args) => calls.persistently(() => options.clusterHome().catalog(...args)),
        definition: (...args) => calls.persistently(() => options.clusterHome().definition(...args)),
      },
      follower: () => TIMELINE_FOLLOWER,
      convert: options.convert,
      learned: (changed) => this.#watchers.end(changed),
    });
    this.#gate = new FlowGate({
      later,
      catalog: () => this.#follower.catalog,
      // It asks every home.
      countOf: () => Number.POSITIVE_INFINITY,
      learn: () => void this.#follower.fresh()?.catch(() => undefined),
    });
    this.#restore();
  }

  async catalogChanged(revision: number): Promise<void> {
    this.#follower.changed(revision);
  }

  // What homes say.

  async open(home: string, revision: number): Promise<Lease> {
    this.#stir();
    // Looked at again after each wait, and then nothing is waited for until the slot is lent.
    for (let recalls = 0; !this.#leases.get(home) && !this.#leases.hasFreeSlot; recalls++) {
      if (recalls === RECALLS_MAX) throw new Error("too many namespaces are being written to at the same time");
      await this.#recallOne();
    }
    // Before the floor is made: it is above.
    this.#leases.announce(revision);
    const told = this.#feeds.open(home, revision, this.#leases.announced);
    const lent = this.#leases.lend(home, told);
    this.#interests.opened(home);
    this.#advanced();
    return { ...lent, interests: this.#interests.resources };
  }

  async push(home: string, lease: number, part: FeedPart): Promise<{ interests: string[] }> {
    if (this.#leases.get(home)?.number !== lease) {
      // Of an instance that is gone, or of one whose lease ended without its knowing: that one is to ask for another.
      void this.#asks.recall(home, lease);
      throw new Error("the lease has ended");
    }
    this.#leases.hear(home);
    this.#feeds.take(home, part);
    return { interests: this.#interests.resources };
  }

  async close(home: string, lease: number, part: FeedPart): Promise<void> {
    if (this.#leases.get(home)?.number !== lease) return;
    this.#feeds.close(home, part);
    this.#ended(home, part.upTo);
  }

  async announce(revision: number): Promise<boolean> {
    try {
      await this.#checkReadable(revision, {});
    } catch (error) {
      if (error instanceof ApiError && error.reason === "Timeout") return false;
      throw error;
    }
    return true;
  }

  /** Nobody commits under the home's lease any more; `revision` is at or above what was committed. */
  #ended(home: string, revision: number): void {
    this.#leases.end(home, revision);
    this.#interests.ended(home);
    this.#stubs.delete(home);
    for (const resolve of this.#waitingForSlot.splice(0)) resolve();
    this.#advanced();
    this.#settleSoon();
  }

  /** Asks the home that was heard of least recently to give its slot back, and waits for it, or until it is time to ask another. */
  async #recallOne(): Promise<void> {
    const home = this.#leases.leastHeard!;
    void this.#asks.recall(home, this.#leases.get(home)!.number);
    // Who waits as well recalls another one.
    this.#leases.hear(home);
    await new Promise<void>((resolve) => {
      this.#waitingForSlot.push(resolve);
      this.#options.platform.later(RECALL_MILLISECONDS_MAX, resolve);
    });
  }

  // Durable subscribers.

  async subscribe(subscription: Subscription): Promise<void> {
    this.#stir();
    this.#records.saveSubscription(subscription);
    this.#add(subscription, false);
  }

  async unsubscribe(subscription: Pick<Subscription, "class" | "name">): Promise<void> {
    this.#records.deleteSubscription(subscription);
    this.#subscribers.remove(subscription);
  }

  #add(subscription: Subscription, upToDate: boolean): void {
    for (const { resource } of subscription.resources) this.#interests.keep(resource);
    this.#subscribers.add(subscription, upToDate);
  }

  // What crosses namespaces.

  async handle(request: HomeRequest): Promise<HomeAnswer> {
    return await this.#gate.handle(request, () => this.#handle(request));
  }

  async watch(request: WatchRequest): Promise<WatchAnswer> {
    return await this.#gate.watch(request, () => this.#watch(request));
  }

  async #handle({ verb, user, target, options }: HomeRequest): Promise<HomeAnswer> {
    try {
      if (verb !== "list") throw methodNotAllowed();
      const refusal = await this.#authorize(user, verb, target);
      if (refusal) return refusal;
      const served = await this.#served(target);
      await this.#asked(options);
      return await completeAnswer(served, await this.#lists.list(served, target, options));
    } catch (error) {
      return refusalAnswer(error);
    }
  }

  async #watch({ user, target, options }: WatchRequest): Promise<WatchAnswer> {
    try {
      checkListOptions(options, true);
      const refusal = await this.#authorize(user, "watch", target);
      if (refusal) return { code: refusal.code, body: refusal.body as string };
      const served = await this.#served(target);
      const asked = await this.#asked(options);
      const start = await this.#startOf(options, asked);
      return completeWatch(served, { code: 200, events: this.#watchers.open(served, options, start) });
    } catch (error) {
      return refusalAnswer(error) as WatchAnswer;
    }
  }

  async #served(target: Target): Promise<Served> {
    const builtIn = builtInAt(target);
    if (builtIn) return builtIn;
    await this.#follower.learn(target);
    return servedIn(this.#follower.catalog, target);
  }

  async cut(at?: number): Promise<{ revision: number; homes: string[] } | { expired: true }> {
    const revision = at ?? (await this.#cuts.cut());
    if (at !== undefined) await this.#checkReadable(at, {});
    const names = await this.#namespaces({ at: revision });
    if (!names) return { expired: true };
    const homes = [CLUSTER_HOME, ...names];
    // Of the past it has to be asked; with that every home promises.
    if (at !== undefined && !(await this.#reaches(homes, at))) return { expired: true };
    return { revision, homes };
  }

  async startAbove(revision: number): Promise<void> {
    this.#leases.announce(revision);
    // What the cluster was made from is nothing that anybody was told.
    for (const { subscription } of this.#records.subscriptions()) await this.subscribe(subscription);
  }

  async #authorize(...asked: Parameters<ClusterHomeTimelineRpc["authorize"]>): Promise<HomeAnswer | null> {
    return await this.#calls.persistently(() => this.#options.clusterHome().authorize(...asked));
  }

  /**
   * The revision that the options name. Some home may have handed it out of which nothing is known here: a clock may be ahead. So before
   * it is refused for being too large the homes are asked how far they are.
   */
  async #asked(options: RequestOptions): Promise<number> {
    const asked = parseResourceVersion(options.resourceVersion);
    await this.#checkReadable(asked, options);
    return asked;
  }

  async #checkReadable(revision: number, options: RequestOptions): Promise<void> {
    // A cut is at or above all that any clock here has come to.
    if (Math.max(revision, options.at ?? 0) > this.#leases.announced) await this.#cuts.cut();
    checkReadable(revision, options, { highest: () => this.#leases.announced });
  }

  async #startOf(options: RequestOptions, asked: number): Promise<WatchStart> {
    const { sendInitialEvents, at } = options;
    const state = sendInitialEvents ?? asked === 0;
    if (at !== undefined) {
      if (!(await this.#reaches(orExpired(await this.#namespaces({ at })), at))) throw expiredRevision();
      return { state, revision: state || asked === 0 ? at : asked, past: at };
    }
    const revision = state || asked === 0 ? await this.#cuts.cut() : asked;
    return { state, revision, past: undefined };
  }

  /** Undefined where the ClusterHome's history does not reach back that far. */
  async #namespaces(options: { at?: number; since?: number }): Promise<string[] | undefined> {
    const { names, expired: isExpired } = await this.#calls.persistently(() =>
      this.#options.clusterHome().listNamespaces(options),
    );
    return isExpired ? undefined : names;
  }

  /** Homes that may have changed after a revision. A namespace that came later than this answer holds only what is later still. */
  async #changedSince(revision: number): Promise<string[]> {
    const known = this.#leases.changedSince(revision);
    if (known) return known;
    const names = await this.#namespaces({ since: revision });
    if (!names) throw expired();
    return [...new Set([...names, ...this.#leases.homes])];
  }

  /** Whether these homes' histories reach back to a revision, at or below which they commit nothing from now on. */
  async #reaches(homes: string[], revision: number): Promise<boolean> {
    let reaches = true;
    await forEachBounded(
      homes,
      async (home) => {
        if (!reaches) return;
        const { compacted } = await this.#calls.persistently(() => this.#asks.ask(home, revision));
        if (compacted > revision) reaches = false;
      },
      HOMES_AT_ONCE,
    );
    return reaches;
  }

  /** @throws ApiError Expired where the home's history does not reach back to `at`. */
  async #snapshot(
    home: string,
    ...[resources, from, at]: Parameters<HomeTimelineRpc["snapshot"]>
  ): ReturnType<HomeTimelineRpc["snapshot"]> {
    try {
      return await this.#home(home).snapshot(resources, from, at);
    } catch (error) {
      // Which error it was does not come through a call.
      if (at !== undefined && (await this.#asks.ask(home, at)).compacted > at) throw expired();
      throw error;
    }
  }

  // What goes on inside.

  #emit(home: string, events: FeedEvent[]): void {
    this.#subscribers.emit(home, events);
    const watched = events.filter(({ resource }) => this.#interests.isWatched(resource));
    if (watched.length > 0) this.#frontier.hold(watched);
  }

  /** More was told: the frontier may have moved. Not while this is being made. */
  #advanced(): void {
    this.#frontier.advance();
  }

  #overrun(upTo: number): void {
    this.#recent.restart(upTo);
    this.#watchers.overrun();
  }

  /** Takes up what was written down: all of it was told, or nobody knows what was. */
  #restore(): void {
    for (const home of this.#leases.homes) {
      this.#feeds.survived(home);
      this.#interests.survived(home);
    }
    for (const { subscription, stale } of this.#records.subscriptions()) {
      this.#add(subscription, !stale && !this.#isBusy);
    }
    // The Scheduler is there from the beginning: nobody has to wake it first.
    const scheduler: Subscription = {
      class: "SCHEDULER",
      name: this.#options.cluster,
      resources: [{ resource: "pods" }, { resource: "nodes" }],
    };
    if (!this.#records.hasSubscription(scheduler)) {
      this.#records.saveSubscription(scheduler);
      this.#add(scheduler, false);
    }
    if (this.#isBusy || this.#leases.size > 0 || !this.#subscribers.isQuiet) this.#stir();
    this.#advanced();
  }

  /** There is work that must not be forgotten. Written down before the answer to whoever brought it leaves. */
  #stir(): void {
    if (!this.#isBusy) {
      this.#isBusy = true;
      this.#records.setBusy(true);
    }
    this.#guard();
    this.#settleSoon();
  }

  #guard(): void {
    const at = this.#options.platform.now() + GUARD_MILLISECONDS;
    if (this.#alarmAt <= at) return;
    this.#alarmAt = at;
    this.#options.platform.setAlarm(at);
  }

  /** Looks after homes that were lost while they were open, and after an instance of its own that was. Never rejects. */
  async alarm(): Promise<void> {
    this.#alarmAt = Number.POSITIVE_INFINITY;
    if (!this.#isBusy) return;
    this.#guard();
    this.#settleSoon();
    const announced = this.#leases.announced;
    await forEachBounded(this.#leases.silentFor(SILENT_MILLISECONDS), async (home) => {
      await this.#asks.ask(home, announced).catch(() => undefined);
    });
  }

  #settleSoon(): void {
    if (this.#isSettling || !this.#isBusy) return;
    this.#isSettling = true;
    this.#options.platform.later(QUIET_MILLISECONDS, () => {
      this.#isSettling = false;
      if (this.#leases.size > 0 || !this.#subscribers.isQuiet || this.#feeds.isReading) return;
      this.#records.setBusy(false);
      this.#isBusy = false;
    });
  }

  #home(home: string): HomeTimelineRpc {
    const kept = this.#stubs.get(home);
    if (kept) return kept;
    const stub = this.#options.homeOf(home);
    if (this.#leases.get(home)) this.#stubs.set(home, stub);
    return stub;
  }
}

function orExpired<T>(value: T | undefined): T {
  if (value === undefined) throw expiredRevision();
  return value;
}
