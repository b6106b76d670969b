import type { Delivery, FeedEvent, NamespacedFeedEvent, Subscription } from "../protocol.ts";
import { addedEvent, forEachBounded, type HomeSource, readObjects } from "./home-source.ts";
import { Joining } from "./joining.ts";

/** One delivery holds at most so many events, of at most so much text (one larger event travels alone). */
const DELIVERY_EVENTS_MAX = 500;
const DELIVERY_LENGTH_MAX = 4 << 20;
/** A subscriber that has fallen so far behind is told everything anew when it answers again. */
const QUEUE_EVENTS_MAX = 20_000;
const RETRY_FIRST_MILLISECONDS = 100;
const RETRY_LAST_MILLISECONDS = 30_000;

/**
 * `live`: told what happens. `stale`: has missed something, is to be told everything anew, after a back-off.
 * `resetting`: is being told.
 */
type Mode = "live" | "stale" | "resetting";

interface Subscriber {
  readonly key: string;
  subscription: Subscription;
  mode: Mode;
  queue: NamespacedFeedEvent[];
  /** The next delivery begins, the last of the queue completes the telling of everything. */
  reset: boolean;
  synced: boolean;
  /** Resolves when what is being delivered has been. */
  delivering: Promise<void> | undefined;
  /** What its predecessor under the same name had still under way: it must not arrive after what this one is told. */
  predecessor: Promise<void> | undefined;
  failures: number;
  /** Where its latest telling of everything left each home. */
  joining: Joining | undefined;
  /** Called when the queue is empty, or has been given up. */
  drained: (() => void)[];
}

/** Everything is read once for all who want it at the time. */
interface Round {
  members: Set<Subscriber>;
  joining: Joining;
}

export interface SubscribersOptions {
  source: HomeSource;
  /** All homes, the ClusterHome ("") included. */
  homes(): Promise<string[]>;
  deliver(subscription: Subscription, delivery: Delivery): Promise<void>;
  /** Remembers over a restart that the subscriber has to be told everything. */
  remember(subscription: Pick<Subscription, "class" | "name">, stale: boolean): void;
  /** All that was to be delivered has been. */
  quiet(): void;
  sleep(milliseconds: number): Promise<void>;
  log(message: string, error: unknown): void;
}

const subscriberKey = ({ class: kind, name }: Pick<Subscription, "class" | "name">): string => `${kind}/${name}`;

/** Tells durable subscribers what happens, or, whenever one may have missed something, everything anew. */
export class Subscribers {
  readonly #options: SubscribersOptions;
  readonly #all = new Map<string, Subscriber>();
  /** Who hears of a resource; of pods: who hears of all, and who of one node's. */
  readonly #byResource = new Map<string, Set<Subscriber>>();
  readonly #byNode = new Map<string, Set<Subscriber>>();
  /** Stale ones, and those of them whose back-off is over. */
  readonly #wanting = new Set<Subscriber>();
  readonly #ready = new Set<Subscriber>();
  #round: Round | undefined;
  #busy = 0;

  constructor(options: SubscribersOptions) {
    this.#options = options;
  }

  get resources(): Iterable<string> {
    return this.#byResource.keys();
  }

  /** `upToDate`: it was registered before and has missed nothing. */
  add(subscription: Subscription, upToDate: boolean): void {
    const key = subscriberKey(subscription);
    const earlier = this.#all.get(key);
    this.remove(subscription);
    const subscriber: Subscriber = {
      key,
      subscription,
      mode: "live",
      queue: [],
      reset: false,
      synced: false,
      delivering: undefined,
      predecessor: earlier?.delivering ?? earlier?.predecessor,
      failures: 0,
      joining: undefined,
      drained: [],
    };
    this.#all.set(key, subscriber);
    for (const { resource, nodeName } of subscription.resources) {
      add(this.#byResource, resource, subscriber, nodeName === undefined);
      if (nodeName !== undefined) add(this.#byNode, nodeName, subscriber);
    }
    if (!upToDate) this.#want(subscriber);
  }

  remove(subscription: Pick<Subscription, "class" | "name">): void {
    const key = subscriberKey(subscription);
    const subscriber = this.#all.get(key);
    if (!subscriber) return;
    this.#all.delete(key);
    this.#leave(subscriber);
    for (const { resource, nodeName } of subscriber.subscription.resources) {
      this.#byResource.get(resource)?.delete(subscriber);
      if (nodeName !== undefined) drop(this.#byNode, nodeName, subscriber);
    }
  }

  /** A home's next changes. */
  emit(home: string, events: FeedEvent[]): void {
    const round = this.#round;
    for (const event of events) {
      const isForRound = round?.joining.admits(home, event) ?? false;
      for (const subscriber of this.#interestedIn(event)) {
        const isNews =
          subscriber.mode === "resetting" ? isForRound : subscriber.mode === "live" && isAfter(subscriber, home, event);
        if (!isNews) continue;
        if (subscriber.queue.length < QUEUE_EVENTS_MAX) this.#enqueue(subscriber, home, event);
        else this.#want(subscriber);
      }
    }
  }

  /** What happened in a home is not known any more: everybody is told everything anew. */
  lost(home: string): void {
    for (const subscriber of this.#all.values()) {
      if (subscriber.mode === "resetting" && this.#round?.joining.isAhead(home)) continue;
      this.#want(subscriber);
    }
  }

  /** Nothing is queued, under way or to be retried. */
  get isQuiet(): boolean {
    return this.#busy === 0 && this.#wanting.size === 0 && !this.#round;
  }

  #interestedIn(event: FeedEvent): Iterable<Subscriber> {
    const everybody = this.#byResource.get(event.resource) ?? [];
    if (event.resource !== "pods" || this.#byNode.size === 0) return everybody;
    const now = nodeNameOf(event.json);
    const before = event.previousJson === undefined ? undefined : nodeNameOf(event.previousJson);
    const interested = new Set(everybody);
    for (const node of [now, before]) {
      for (const subscriber of (node !== undefined && this.#byNode.get(node)) || []) interested.add(subscriber);
    }
    return interested;
  }

  #enqueue(subscriber: Subscriber, home: string, event: FeedEvent): void {
    subscriber.queue.push(forNode(subscriber, home, event));
    this.#pump(subscriber);
  }

  #pump(subscriber: Subscriber): void {
    if (subscriber.delivering) return;
    this.#busy++;
    subscriber.delivering = this.#deliver(subscriber).finally(() => {
      subscriber.delivering = undefined;
      this.#busy--;
      for (const done of subscriber.drained.splice(0)) done();
      if (this.isQuiet) this.#options.quiet();
    });
  }

  async #deliver(subscriber: Subscriber): Promise<void> {
    await subscriber.predecessor;
    subscriber.predecessor = undefined;
    while (this.#all.get(subscriber.key) === subscriber && subscriber.mode !== "stale") {
      const events = takeBatch(subscriber.queue);
      const delivery: Delivery = { events };
      if (subscriber.reset) delivery.reset = true;
      if (subscriber.synced && subscriber.queue.length === 0) delivery.synced = true;
      if (events.length === 0 && !delivery.reset && !delivery.synced) return;
      subscriber.reset = false;
      if (delivery.synced) subscriber.synced = false;
      try {
        await this.#options.deliver(subscriber.subscription, delivery);
        if (delivery.synced) this.#settle(subscriber);
      } catch (error) {
        this.#options.log(`${subscriber.key} did not take a delivery`, error);
        this.#want(subscriber);
      }
    }
  }

  /** It knows everything now. */
  #settle(subscriber: Subscriber): void {
    if (this.#all.get(subscriber.key) !== subscriber || subscriber.mode !== "live") return;
    subscriber.failures = 0;
    this.#options.remember(subscriber.subscription, false);
  }

  /** Has it told everything anew, as soon as its back-off is over. */
  #want(subscriber: Subscriber): void {
    if (this.#all.get(subscriber.key) !== subscriber || this.#wanting.has(subscriber)) return;
    this.#leave(subscriber);
    subscriber.mode = "stale";
    subscriber.queue.length = 0;
    subscriber.reset = false;
    subscriber.synced = false;
    this.#wanting.add(subscriber);
    this.#options.remember(subscriber.subscription, true);
    const delay = subscriber.failures === 0 ? 0 : RETRY_FIRST_MILLISECONDS * 2 ** Math.min(subscriber.failures - 1, 16);
    subscriber.failures++;
    void this.#options.sleep(Math.min(delay, RETRY_LAST_MILLISECONDS)).then(() => this.#begin(subscriber));
  }

  #leave(subscriber: Subscriber): void {
    this.#wanting.delete(subscriber);
    this.#round?.members.delete(subscriber);
    for (const done of subscriber.drained.splice(0)) done();
  }

  #begin(subscriber: Subscriber): void {
    if (this.#all.get(subscriber.key) !== subscriber || !this.#wanting.has(subscriber)) return;
    this.#ready.add(subscriber);
    if (!this.#round) void this.#runRounds();
  }

  async #runRounds(): Promise<void> {
    while (this.#ready.size > 0) {
      const members = new Set([...this.#ready].filter((one) => this.#wanting.has(one)));
      this.#ready.clear();
      const round: Round = { members, joining: new Joining() };
      this.#round = round;
      try {
        await this.#tellEverything(round);
      } catch (error) {
        this.#options.log("could not read everything that subscribers are to be told", error);
        for (const subscriber of [...round.members]) this.#want(subscriber);
      }
      this.#round = undefined;
    }
    if (this.isQuiet) this.#options.quiet();
  }

  async #tellEverything({ members, joining }: Round): Promise<void> {
    const resources = new Set<string>();
    for (const subscriber of members) {
      this.#wanting.delete(subscriber);
      subscriber.mode = "resetting";
      subscriber.reset = true;
      subscriber.joining = joining;
      for (const { resource } of subscriber.subscription.resources) resources.add(resource);
      this.#pump(subscriber);
    }
    const homes = joining.listed(await this.#options.homes());
    await forEachBounded(homes, async (home) => {
      if (members.size === 0) return;
      joining.begin(home);
      let floor = 0;
      for await (const { revision, objects } of readObjects(this.#options.source, home, [...resources])) {
        floor = revision;
        this.#tellMembers(members, home, objects.map(addedEvent));
        await this.#whenDrained(members);
      }
      this.#tellMembers(members, home, joining.end(home, floor));
    });
    for (const subscriber of members) {
      subscriber.mode = "live";
      subscriber.synced = true;
      this.#pump(subscriber);
    }
  }

  #tellMembers(members: Set<Subscriber>, home: string, events: FeedEvent[]): void {
    for (const event of events) {
      for (const subscriber of this.#interestedIn(event)) {
        if (members.has(subscriber)) this.#enqueue(subscriber, home, event);
      }
    }
  }

  /** Waits for the slowest member, so that no more than one home's objects wait in memory. */
  async #whenDrained(members: Set<Subscriber>): Promise<void> {
    const busy = [...members].filter((subscriber) => subscriber.delivering);
    await Promise.all(busy.map((one) => new Promise<void>((resolve) => one.drained.push(resolve))));
  }
}

/** What its latest telling of everything has not told it yet. */
const isAfter = ({ joining }: Subscriber, home: string, event: FeedEvent): boolean =>
  joining === undefined || event.revision > joining.floorOf(home);

function add(index: Map<string, Set<Subscriber>>, key: string, subscriber: Subscriber, listed = true): void {
  const set = index.get(key) ?? new Set();
  if (listed) set.add(subscriber);
  index.set(key, set);
}

function drop(index: Map<string, Set<Subscriber>>, key: string, subscriber: Subscriber): void {
  const set = index.get(key);
  set?.delete(subscriber);
  if (set?.size === 0) index.delete(key);
}

function nodeNameOf(json: string): string | undefined {
  // Most pods are looked at once bound: a search is cheaper than parsing, and tells for sure of those that are not.
  if (!json.includes('"nodeName":"')) return undefined;
  return JSON.parse(json).spec?.nodeName;
}

/** A pod that is not (or no more) on the subscriber's node is gone for it. */
function forNode({ subscription }: Subscriber, namespace: string, event: FeedEvent): NamespacedFeedEvent {
  const nodeName = subscription.resources.find(({ resource }) => resource === event.resource)?.nodeName;
  const { type, revision, resource, name, json } = event;
  const told = { type, revision, resource, name, json, namespace };
  if (nodeName === undefined || type === "DELETED") return told;
  const isHere = nodeNameOf(event.json) === nodeName;
  const wasHere = event.previousJson !== undefined && nodeNameOf(event.previousJson) === nodeName;
  return { ...told, type: !isHere ? "DELETED" : wasHere ? "MODIFIED" : "ADDED" };
}

function takeBatch(queue: NamespacedFeedEvent[]): NamespacedFeedEvent[] {
  let length = 0;
  let count = 0;
  for (; count < queue.length && count < DELIVERY_EVENTS_MAX; count++) {
    length += queue[count]!.json.length;
    if (count > 0 && length > DELIVERY_LENGTH_MAX) break;
  }
  return queue.splice(0, count);
}
