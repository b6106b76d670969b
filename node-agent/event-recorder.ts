import type { KubeObject } from "../api/object.ts";
import { timestamp } from "./pod-status.ts";

/** Events kept for counting repetitions; the oldest are forgotten, and start anew when they come again. */
const REMEMBERED_MAX = 4096;
/** Waiting to be sent; beyond it the oldest are dropped: events are best effort upstream too. */
const QUEUE_MAX = 1000;
const MESSAGE_MAX = 1024;

export interface EventOptions {
  type: "Normal" | "Warning";
  reason: string;
  message: string;
  /** `spec.containers{name}` */
  fieldPath?: string;
}

interface InvolvedObject {
  apiVersion: string;
  kind: string;
  name: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
}

/** Makes core/v1 Events as kubelet's recorder does; the same one again raises the count of the first. */
export class EventRecorder {
  readonly #nodeName: string;
  readonly #now: () => number;
  readonly #random: () => number;
  readonly #onQueued: () => void;
  readonly #known = new Map<string, KubeObject>();
  #queue = new Map<string, KubeObject>();

  constructor(options: { nodeName: string; now(): number; random(): number; onQueued(): void }) {
    this.#nodeName = options.nodeName;
    this.#now = options.now;
    this.#random = options.random;
    this.#onQueued = options.onQueued;
  }

  record(about: InvolvedObject, { type, reason, message, fieldPath }: EventOptions): void {
    const text = message.length > MESSAGE_MAX ? `${message.slice(0, MESSAGE_MAX - 3)}...` : message;
    const key = JSON.stringify([about.kind, about.namespace, about.name, about.uid, fieldPath, type, reason, text]);
    const time = timestamp(this.#now());
    const known = this.#known.get(key);
    const event = known
      ? { ...known, count: known["count"] + 1, lastTimestamp: time }
      : this.#create(about, { type, reason, message: text, ...(fieldPath && { fieldPath }) }, time);
    // Set anew: the map's order is that of use.
    this.#known.delete(key);
    this.#known.set(key, event);
    if (this.#known.size > REMEMBERED_MAX) this.#known.delete(this.#known.keys().next().value!);
    this.#queue.set(event.metadata.name, event);
    if (this.#queue.size > QUEUE_MAX) this.#queue.delete(this.#queue.keys().next().value!);
    this.#onQueued();
  }

  /** Takes at most `max` of what waits. */
  take(max: number): KubeObject[] {
    const taken = [...this.#queue.entries()].slice(0, max);
    for (const [name] of taken) this.#queue.delete(name);
    return taken.map(([, event]) => event);
  }

  /** What could not be sent comes first the next time, unless a newer count of it waits already. */
  putBack(events: KubeObject[]): void {
    const fresh = events.filter(({ metadata }) => !this.#queue.has(metadata.name));
    this.#queue = new Map([...fresh.map((event) => [event.metadata.name, event] as const), ...this.#queue]);
  }

  get waiting(): number {
    return this.#queue.size;
  }

  #create(about: InvolvedObject, { type, reason, message, fieldPath }: EventOptions, time: string): KubeObject {
    const suffix =
      Math.floor(this.#random() * 2 ** 48)
        .toString(16)
        .padStart(12, "0") + this.#now().toString(16);
    return {
      apiVersion: "v1",
      kind: "Event",
      metadata: { name: `${about.name}.${suffix}`, namespace: about.namespace ?? "default" },
      involvedObject: { ...about, ...(fieldPath && { fieldPath }) },
      reason,
      message,
      source: { component: "kubelet", host: this.#nodeName },
      firstTimestamp: time,
      lastTimestamp: time,
      count: 1,
      type,
      reportingComponent: "kubelet",
      reportingInstance: this.#nodeName,
    };
  }
}
