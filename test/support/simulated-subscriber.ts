import type { Delivery, Subscription, SubscriptionResource, TimelineRpc } from "../../durable-objects/protocol.ts";
import { markOf, type Truth } from "./simulated-truth.ts";
import { LOST, type SimulatedWorld, type Surroundings } from "./simulated-world.ts";

interface Held {
  revision: number;
  mark: string;
  isDeleted: boolean;
}

/** What a durable subscriber is told, looked at from outside; its knowledge goes with its instance. */
export class SubscriberAudit {
  readonly resources: SubscriptionResource[];
  readonly subscription: Subscription;
  readonly complaints: string[];
  held = new Map<string, Held>();
  isBegun = false;
  isSynced = false;
  /** Of deliveries that it refuses. */
  failureRate = 0;
  deliveries = 0;

  constructor(subscription: Subscription, complaints: string[]) {
    this.subscription = subscription;
    this.resources = subscription.resources;
    this.complaints = complaints;
  }

  forget(): void {
    this.held = new Map();
    this.isBegun = false;
    this.isSynced = false;
  }

  take({ reset, synced, events }: Delivery): void {
    this.deliveries++;
    if (reset) this.forget();
    this.isBegun ||= reset === true;
    for (const { type, revision, resource, namespace, name, json } of events) {
      const key = `${resource} ${namespace}/${name}`;
      const known = this.held.get(key);
      if (known && revision < known.revision)
        this.complaints.push(`${this.subscription.name} was told of ${key} at ${revision} after ${known.revision}`);
      this.held.set(key, { revision, mark: markOf(json), isDeleted: type === "DELETED" });
    }
    if (synced) this.isSynced = true;
  }

  /** What it knows differs so from what is; nothing where it does not. */
  difference(truth: Truth): string {
    if (!this.isSynced) return `${this.subscription.name} is not synced`;
    const known = new Map([...this.held].filter(([, { isDeleted }]) => !isDeleted));
    for (const { resource } of this.resources) {
      for (const [key, { revision }] of truth.stateAt({ resource }, Number.POSITIVE_INFINITY)) {
        const held = known.get(`${resource} ${key}`);
        known.delete(`${resource} ${key}`);
        if (held?.revision !== revision)
          return `${this.subscription.name} knows ${resource} ${key} at ${held?.revision}, it is at ${revision}`;
      }
    }
    const [extra] = known.keys();
    return extra === undefined ? "" : `${this.subscription.name} knows ${extra}, which is gone`;
  }
}

/** One instance of a subscriber: what an earlier one knew is lost, and asked for anew. */
export class SimulatedSubscriber {
  readonly #audit: SubscriberAudit;
  readonly #world: SimulatedWorld;
  readonly #timeline: TimelineRpc;

  constructor(audit: SubscriberAudit, world: SimulatedWorld, { stub, platform }: Surroundings, timeline: string) {
    this.#audit = audit;
    this.#world = world;
    this.#timeline = stub<TimelineRpc>(timeline);
    audit.forget();
    platform.later(0, () => void this.#subscribe());
  }

  async deliver(delivery: Delivery): Promise<void> {
    if (this.#world.chance(this.#audit.failureRate)) throw new Error(LOST);
    // Before it has been told from the beginning it can make nothing of it.
    if (delivery.reset || this.#audit.isBegun) this.#audit.take(delivery);
  }

  async #subscribe(): Promise<void> {
    for (;;) {
      try {
        await this.#timeline.subscribe(this.#audit.subscription);
        return;
      } catch {
        await this.#world.sleep(200);
      }
    }
  }

  async alarm(): Promise<void> {}
}
