import type { IPodStatus } from "kubernetes-models/v1/PodStatus";
import type { PodObject } from "../api/kinds/pod.ts";
import type { AgentRequest } from "../api/node-link.ts";
import type { EventRecorder } from "./event-recorder.ts";

/** Changes this close together travel in one message. */
const BATCH_MILLISECONDS = 10;
const EVENTS_MILLISECONDS = 100;
/** So many per message: with room to spare below the link's frame limit. */
const STATUSES_PER_MESSAGE = 50;
const EVENTS_PER_MESSAGE = 100;
const RETRY_MILLISECONDS = 1000;

export interface StatusSenderOptions {
  request(request: AgentRequest): Promise<{ code: number; body: Record<string, unknown> }>;
  events: EventRecorder;
}

interface Waiting {
  pod: PodObject;
  status?: IPodStatus;
  /** Every container has ended, and the pod is to go. */
  gone: boolean;
}

/** A refusal that says nothing about what was sent: the control plane is not well, or has too much to do. */
const isPassing = (code: number): boolean => code >= 500 || code === 429;

/** Sends statuses, ends and events in batches; what was not acknowledged is sent again. The newest status of a pod wins. */
export class StatusSender {
  readonly #options: StatusSenderOptions;
  readonly #waiting = new Map<string, Waiting>();
  #timer: NodeJS.Timeout | undefined;
  #eventTimer: NodeJS.Timeout | undefined;
  #sending = false;
  #sendingEvents = false;
  #connected = false;
  #stopped = false;

  constructor(options: StatusSenderOptions) {
    this.#options = options;
  }

  status(pod: PodObject, status: IPodStatus): void {
    const before = this.#waiting.get(pod.metadata.uid!);
    this.#waiting.set(pod.metadata.uid!, { pod, status, gone: before?.gone ?? false });
    this.#later(BATCH_MILLISECONDS);
  }

  gone(pod: PodObject): void {
    this.#waiting.set(pod.metadata.uid!, { ...this.#waiting.get(pod.metadata.uid!), pod, gone: true });
    this.#later(BATCH_MILLISECONDS);
  }

  /** There are events to take. */
  eventsWait(): void {
    this.#eventTimer ??= setTimeout(() => void this.#sendEvents(), EVENTS_MILLISECONDS);
  }

  setConnected(connected: boolean): void {
    this.#connected = connected;
    if (!connected) return;
    if (this.#waiting.size > 0) this.#later(0);
    if (this.#options.events.waiting > 0) this.eventsWait();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#eventTimer);
  }

  #later(milliseconds: number): void {
    if (this.#stopped || this.#timer || this.#sending || !this.#connected) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#send();
    }, milliseconds);
  }

  async #send(): Promise<void> {
    this.#sending = true;
    let failed = false;
    try {
      const batch = [...this.#waiting].slice(0, STATUSES_PER_MESSAGE);
      const statuses = batch.filter(([, { status }]) => status !== undefined);
      if (statuses.length > 0) {
        const pods = statuses.map(([uid, { pod, status }]) => ({
          ...reference(pod, uid),
          status: status as Record<string, unknown>,
        }));
        const { code, body } = await this.#options.request({ do: "pod-statuses", pods });
        if (code >= 500) throw new Error(`the control plane answered ${code}`);
        const results = (body["results"] ?? {}) as Record<string, number>;
        for (const [uid, sent] of statuses) {
          const now = this.#waiting.get(uid);
          if (!now || isPassing(results[uid] ?? code)) failed ||= now !== undefined;
          else if (now.status === sent.status) {
            if (now.gone) this.#waiting.set(uid, { pod: now.pod, gone: true });
            else this.#waiting.delete(uid);
          }
        }
      }
      // Only whose last status has arrived may go.
      const leaving = batch.filter(([uid]) => {
        const now = this.#waiting.get(uid);
        return now?.gone && now.status === undefined;
      });
      if (leaving.length > 0) {
        const pods = leaving.map(([uid, { pod }]) => reference(pod, uid));
        const { code, body } = await this.#options.request({ do: "pods-gone", pods });
        if (code >= 500) throw new Error(`the control plane answered ${code}`);
        const results = (body["results"] ?? {}) as Record<string, number>;
        for (const [uid] of leaving) {
          if (isPassing(results[uid] ?? code)) failed = true;
          else this.#waiting.delete(uid);
        }
      }
    } catch {
      failed = true; // Sent again, now or with the next connection.
    }
    this.#sending = false;
    if (this.#waiting.size > 0) this.#later(failed ? RETRY_MILLISECONDS : 0);
  }

  async #sendEvents(): Promise<void> {
    this.#eventTimer = undefined;
    if (this.#stopped || this.#sendingEvents || !this.#connected) return;
    this.#sendingEvents = true;
    const { events, request } = this.#options;
    const batch = events.take(EVENTS_PER_MESSAGE);
    try {
      const { code } = await request({ do: "events", events: batch as never });
      if (code >= 500) events.putBack(batch);
    } catch {
      events.putBack(batch);
    }
    this.#sendingEvents = false;
    if (events.waiting > 0) this.#eventTimer ??= setTimeout(() => void this.#sendEvents(), RETRY_MILLISECONDS);
  }
}

const reference = ({ metadata }: PodObject, uid: string) => ({
  namespace: metadata.namespace!,
  name: metadata.name,
  uid,
});
