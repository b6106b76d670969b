import { ClusterWideHome } from "../../durable-objects/cluster/cluster-wide-home.ts";
import { NamespacedHome } from "../../durable-objects/namespace/namespaced-home.ts";
import type {
  CatalogFollowerRpc,
  ClusterHomeNamespaceRpc,
  HomeRequest,
  HomeTimelineRpc,
  NamespaceHomeInternalRpc,
  PartRequest,
  Subscription,
  TimelineFeedRpc,
  WatchRequest,
} from "../../durable-objects/protocol.ts";
import { steadyStub } from "../../durable-objects/steady-stub.ts";
import type { Retention } from "../../durable-objects/store/compaction.ts";
import { ClusterTimeline } from "../../durable-objects/timeline/cluster-timeline.ts";
import { checkLinearizable } from "./linearizability.ts";
import { checkAnswers, missing } from "./simulated-checks.ts";
import { CLUSTER_HOME, homeName, RESOURCES, SimulatedClients, TIMELINE } from "./simulated-clients.ts";
import { SimulatedSubscriber, SubscriberAudit } from "./simulated-subscriber.ts";
import { Truth } from "./simulated-truth.ts";
import { type Faults, NO_FAULTS, SimulatedWorld, type Surroundings } from "./simulated-world.ts";

const CLUSTER = "sim";
const SHORT_RETENTION: Retention = { ageMilliseconds: 3_600_000, changesMax: 8, step: 2 };
const SUBSCRIBER = "subscriber ";
/** After faults have ended everybody has been told everything within so long. */
const SETTLING_MILLISECONDS_MAX = 120_000;
const SETTLING_STEP_MILLISECONDS = 500;
/** After everybody has gone the last home closes within so long; then nothing happens for so long. */
const CLOSING_MILLISECONDS = 120_000;
const QUIET_MILLISECONDS = 600_000;
/** A simulation that does more hangs. */
const STEPS_MAX = 60_000;
const COMPLAINTS_SHOWN = 5;

export interface Outcome {
  seed: number;
  /** Why it failed; empty where it did not. */
  failures: string[];
  /** The same for the same seed. */
  digest: string;
  steps: number;
  versions: number;
  lists: number;
  events: number;
  crashes: number;
}

/** What kind of run a seed is: faults of a few kinds at a time find more than all of them always. */
interface Plan {
  namespaces: string[];
  churned: string | undefined;
  writers: number;
  activeMilliseconds: number;
  faults: Faults;
  retention: Retention | undefined;
  subscribers: number;
  reflectors: number;
}

/** One seed: a cluster that is used while everything goes wrong, and what it has come to when that is over. */
export class StoreSimulation {
  readonly #seed: number;
  readonly #world: SimulatedWorld;
  readonly #truth = new Truth();
  readonly #plan: Plan;
  readonly #clients: SimulatedClients;
  readonly #subscribers = new Map<string, SubscriberAudit>();
  #failures: string[] = [];

  constructor(seed: number, trace?: (line: string) => void) {
    this.#seed = seed;
    const truth = this.#truth;
    this.#world = new SimulatedWorld(seed, (name, surroundings) => this.#make(name, surroundings), {
      committed: (name, rows) => {
        const home = namespaceOf(name);
        if (home === undefined) return;
        if (trace)
          for (const { revision, resource, name: object, deleted, json } of rows)
            this.#world.trace(
              `${name} commits ${resource}/${object} at ${revision}${deleted ? " (deleted)" : ""} ${/"mark":"[^"]*"/.exec(json)?.[0] ?? ""}`,
            );
        truth.committed(home, rows, this.#world.now);
      },
      synced: (name) => truth.synced(namespaceOf(name) ?? name),
      lost: (name) => truth.lost(namespaceOf(name) ?? name),
      ...(trace && { trace }),
    });
    this.#plan = this.#makePlan();
    const { namespaces, retention, faults } = this.#plan;
    this.#clients = new SimulatedClients(this.#world, namespaces, {
      expires: retention !== undefined,
      clocksDiffer: faults.clock > 0,
    });
  }

  async run(): Promise<Outcome> {
    const restore = takeConsole((line) => this.#world.trace(line));
    try {
      await this.#use();
      await this.#settle();
      if (this.#failures.length === 0) await this.#rest();
      this.#failures.push(...checkAnswers(this.#clients, this.#truth));
      this.#checkLinearizable();
    } catch (error) {
      this.#failures.push(String((error as Error).stack ?? error));
    } finally {
      this.#world.close();
      restore();
    }
    const { steps, digest, crashes } = this.#world;
    return {
      seed: this.#seed,
      failures: this.#failures.slice(0, COMPLAINTS_SHOWN),
      digest,
      steps,
      versions: this.#truth.all.length,
      lists: this.#clients.lists.length,
      events: this.#clients.watches.reduce((sum, { events }) => sum + events.length, 0),
      crashes,
    };
  }

  #makePlan(): Plan {
    const world = this.#world;
    const rate = (probability: number, max: number) => (world.chance(probability) ? world.upTo(max) : 0);
    const faults: Faults = {
      loss: rate(0.5, 0.06),
      repetition: rate(0.4, 0.2),
      delay: rate(0.5, 0.08),
      crash: rate(0.6, 0.012),
      lastWords: rate(0.5, 0.2),
      clock: rate(0.5, 0.01),
      slowDisk: rate(0.3, 0.1),
    };
    const namespaces = ["a", "b", "c", "d"].slice(0, 2 + Math.floor(world.upTo(3)));
    const isShort = world.chance(0.35);
    return {
      namespaces,
      churned: world.chance(0.3) ? namespaces.at(-1) : undefined,
      writers: 1 + Math.floor(world.upTo(3)),
      activeMilliseconds: 3_000 + world.upTo(12_000),
      faults,
      retention: isShort ? SHORT_RETENTION : undefined,
      subscribers: Math.floor(world.upTo(3)),
      reflectors: 1 + Math.floor(world.upTo(3)),
    };
  }

  #make(name: string, surroundings: Surroundings): object {
    const { platform, stub } = surroundings;
    if (name.startsWith(SUBSCRIBER)) {
      const audit = this.#subscribers.get(name);
      return audit ? new SimulatedSubscriber(audit, this.#world, surroundings, TIMELINE) : { deliver: () => undefined };
    }
    const { retention } = this.#plan;
    if (name === TIMELINE)
      return new ClusterTimeline({
        cluster: CLUSTER,
        platform,
        homeOf: (home) => stub(homeName(home)),
        clusterHome: () => stub(CLUSTER_HOME),
        subscriber: (subscription) => stub(subscriberName(subscription)),
      });
    const timeline = steadyStub<TimelineFeedRpc & CatalogFollowerRpc>(() => stub(TIMELINE));
    if (name === CLUSTER_HOME) {
      const it = new ClusterWideHome({
        platform,
        homeOf: (namespace) => stub(homeName(namespace)),
        timeline,
        serviceCidr: "10.96.0.0/24",
        podCidr: "10.244.0.0/16",
        controllers: [],
        retention,
      });
      return {
        ...homeRpc(it),
        handle: (request: HomeRequest) => it.handle(request),
        watch: (request: WatchRequest) => it.watch(request),
        namespaceState: (namespace: string) => it.namespaceState(namespace),
        catalog: (...args: Parameters<ClusterHomeNamespaceRpc["catalog"]>) => it.catalog(...args),
        definition: async (...args: Parameters<ClusterHomeNamespaceRpc["definition"]>) => it.definition(...args),
        contentsChanged: async (namespace: string) => it.contentsChanged(namespace),
        priorityClasses: () => it.priorityClasses(),
        readObjects: (...args: Parameters<ClusterHomeNamespaceRpc["readObjects"]>) => it.readObjects(...args),
        allocateService: (...args: Parameters<ClusterHomeNamespaceRpc["allocateService"]>) =>
          it.allocateService(...args),
        releaseService: (reservation: string) => it.releaseService(reservation),
        settleServices: (...args: Parameters<ClusterHomeNamespaceRpc["settleServices"]>) => it.settleServices(...args),
        listNamespaces: (...args: Parameters<ClusterWideHome["listNamespaces"]>) => it.listNamespaces(...args),
        authorize: (...args: Parameters<ClusterWideHome["authorize"]>) => it.authorize(...args),
      };
    }
    const namespace = namespaceOf(name)!;
    const it = new NamespacedHome({
      platform,
      namespace,
      cluster: steadyStub<ClusterHomeNamespaceRpc>(() => stub(CLUSTER_HOME)),
      timeline,
      controllers: [],
      retention,
    });
    return {
      ...homeRpc(it),
      handle: (request: HomeRequest) => it.home.handle(request),
      watch: (request: WatchRequest) => it.home.watchFrom(request),
      activate: (...args: Parameters<NamespaceHomeInternalRpc["activate"]>) => it.activate(...args),
      terminate: () => it.terminate(),
      catalogChanged: async (revision: number) => it.catalogChanged(revision),
      deleteInstances: (resource: string) => it.deleteInstances(resource),
    };
  }

  async #use(): Promise<void> {
    const world = this.#world;
    const clients = this.#clients;
    const { namespaces, churned, writers, activeMilliseconds, faults, subscribers, reflectors } = this.#plan;
    if (world.chance(0.5)) world.faults = faults;
    const made = Promise.all(namespaces.map((namespace) => clients.createNamespace(namespace)));
    let isMade = false;
    void made.then(() => {
      isMade = true;
    });
    while (!isMade) await this.#pass(100);
    world.faults = faults;
    for (let i = 0; i < writers; i++) clients.start(clients.write());
    clients.start(clients.readLists());
    clients.start(clients.probe());
    if (world.chance(0.5)) clients.start(clients.cut());
    if (churned) clients.start(clients.churn(churned));
    for (let i = 0; i < reflectors; i++) {
      const scope = {
        resource: world.pick(RESOURCES),
        ...(world.chance(0.25) && { home: world.pick(namespaces) }),
        ...(world.chance(0.3) && { label: "red" }),
      };
      clients.start(clients.reflect(scope, { isSlow: world.chance(0.3), streams: world.chance(0.3) }));
    }
    for (let i = 0; i < subscribers; i++) this.#subscribe(i);
    const end = world.now + activeMilliseconds;
    while (world.now < end) {
      await this.#pass(500 + world.upTo(4_000));
      if (world.now >= end || world.chance(0.7)) continue;
      // Long enough for homes to close.
      clients.isIdle = true;
      await this.#pass(2_000 + world.upTo(6_000));
      clients.isIdle = false;
    }
  }

  #subscribe(i: number): void {
    const resources = RESOURCES.slice(0, 1 + (i % RESOURCES.length)).map((resource) => ({ resource }));
    const subscription: Subscription = { class: "NODE_LINK", name: `${CLUSTER}/n${i}`, resources };
    const audit = new SubscriberAudit(subscription, this.#clients.complaints);
    if (this.#plan.faults.loss > 0) audit.failureRate = 0.1;
    const name = subscriberName(subscription);
    this.#subscribers.set(name, audit);
    this.#world.lifeOf(name);
  }

  /** Faults are over: within bounded time everybody has what there is. */
  async #settle(): Promise<void> {
    const world = this.#world;
    const clients = this.#clients;
    // In the middle of whatever is under way, and nobody comes who would wake what sleeps.
    if (world.faults.crash > 0 && world.chance(0.5))
      for (const name of world.kept.keys()) if (world.chance(0.5)) world.lose(name);
    world.faults = NO_FAULTS;
    clients.isActive = false;
    clients.isSettling = true;
    world.trace("FAULTS END");
    for (const [name, audit] of this.#subscribers) {
      audit.failureRate = 0;
      world.lifeOf(name);
    }
    const until = world.now + SETTLING_MILLISECONDS_MAX;
    let why = "";
    while (world.now < until) {
      await this.#pass(SETTLING_STEP_MILLISECONDS);
      why = this.#unsettled();
      if (why === "") return;
    }
    this.#failures.push(`${SETTLING_MILLISECONDS_MAX / 1000} s after faults have ended ${why}`);
  }

  #unsettled(): string {
    const clients = this.#clients;
    const truth = this.#truth;
    for (const { database } of this.#world.kept.values()) if (database.isDirty) return "something is still written";
    const [waiting] = clients.waiting;
    if (waiting !== undefined) return `a client waits for ${waiting}`;
    const open = clients.watches.filter(({ isOpen }) => isOpen);
    if (open.length < this.#plan.reflectors) return `${open.length} of ${this.#plan.reflectors} watches are open`;
    for (const watch of open) {
      const why = missing(watch, truth);
      if (why) return why;
    }
    for (const audit of this.#subscribers.values()) {
      const why = audit.difference(truth);
      if (why !== "") return why;
    }
    return "";
  }

  /** Nobody is there any more: then nothing happens, and costs nothing. */
  async #rest(): Promise<void> {
    const world = this.#world;
    let haveLeft = false;
    void this.#clients.leave().then(() => {
      haveLeft = true;
    });
    await this.#pass(CLOSING_MILLISECONDS);
    if (!haveLeft) this.#failures.push("a client has not got away");
    const cost = () =>
      world.messages + [...world.kept.values()].reduce((sum, { database }) => sum + database.rowsWritten, 0);
    const before = cost();
    world.trace("QUIET FROM HERE");
    await this.#pass(QUIET_MILLISECONDS);
    if (cost() > before) this.#failures.push(`a quiet cluster sent messages or wrote rows: ${cost() - before}`);
  }

  #checkLinearizable(): void {
    const verdict = checkLinearizable(
      this.#clients.objects.flatMap((record) => {
        const { verb, home, resource, name, mark, from, invoked, responded, code, revision, seen } = record;
        const result =
          code === 0
            ? undefined
            : code < 300
              ? "ok"
              : code === 404
                ? "absent"
                : code !== 409
                  ? ""
                  : verb === "create"
                    ? "exists"
                    : "conflict";
        // Refused for other reasons than what there is; and what is emptied with its namespace, no client has deleted.
        if (result === "" || (code === 0 && verb === "get") || home === this.#plan.churned) return [];
        const precondition = from !== undefined && { from };
        return [
          {
            key: `${resource} ${home}/${name}`,
            action:
              verb === "get"
                ? { verb }
                : verb === "create"
                  ? { verb, value: mark }
                  : verb === "delete"
                    ? { verb, ...precondition }
                    : { verb: "update" as const, value: mark, ...precondition },
            invoked,
            responded,
            ...(result && {
              outcome:
                result === "ok"
                  ? { result, ...(verb === "get" && { value: seen! }), ...(revision !== undefined && { revision }) }
                  : { result },
            }),
          },
        ];
      }),
    );
    if (!verdict.ok) this.#failures.push(`not linearizable: ${verdict.key}: ${verdict.why}`);
  }

  async #pass(milliseconds: number): Promise<void> {
    await this.#world.pass(milliseconds);
    if (this.#world.steps > STEPS_MAX) throw new Error(`still busy after ${STEPS_MAX} steps`);
  }
}

const subscriberName = ({ class: kind, name }: Pick<Subscription, "class" | "name">): string =>
  `${SUBSCRIBER}${kind} ${name}`;

/** Undefined: not a home. */
const namespaceOf = (name: string): string | undefined =>
  name === CLUSTER_HOME ? "" : name.startsWith("home ") ? name.slice("home ".length) : undefined;

/** What every home offers to the Timeline, as its Durable Object passes it on. */
const homeRpc = (it: NamespacedHome | ClusterWideHome) => ({
  alarm: () => it.alarm(),
  promise: async (ask: Parameters<HomeTimelineRpc["promise"]>[0]) => it.home.feed.promise(ask),
  recall: async (lease: number) => it.home.lease.close(lease),
  changesSince: async (...args: Parameters<HomeTimelineRpc["changesSince"]>) => it.home.feed.changesSince(...args),
  snapshot: async (...args: Parameters<HomeTimelineRpc["snapshot"]>) => it.home.feed.snapshot(...args),
  readPart: async (request: PartRequest) => it.home.readPart(request),
});

/** What the product tells the log is news only to who reads every step. */
function takeConsole(tell: (line: string) => void): () => void {
  const { warn, error } = console;
  const log = (...parts: unknown[]) =>
    tell(parts.map((part) => (part instanceof Error ? (part.stack ?? part.message) : String(part))).join(" "));
  Object.assign(console, { warn: log, error: log });
  return () => Object.assign(console, { warn, error });
}
