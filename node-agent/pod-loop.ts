import type { IPodStatus } from "kubernetes-models/v1/PodStatus";
import type { PodObject } from "../api/kinds/pod.ts";
import type { MessageToAgent } from "../api/node-link.ts";
import type { PodHost } from "./pod-host.ts";
import { PodWorker } from "./pod-worker.ts";

type WatchMessage = Extract<MessageToAgent, { type: "watch" }>;

/** How often the runtime is asked what it runs, for what happens behind the agent's back. */
const RELIST_MILLISECONDS = 1000;
/** kubelet's containerLogMonitorInterval. */
const ROTATE_MILLISECONDS = 10_000;
/** A runtime that has not answered a look for this long is not healthy (kubelet: PLEG's relist threshold). */
const HEALTHY_MILLISECONDS = 3 * 60_000;

export interface PodLoopEvents {
  onStatus(pod: PodObject, status: IPodStatus): void;
  /** The pod's end, asked for by the control plane, is complete. */
  onPodGone(pod: PodObject): void;
  /** The desired pods changed; `pods()` has them. */
  onDesired(): void;
  /** The first look at the runtime is done. */
  onReady?(): void;
}

/** The pods of one node: a worker for each, fed with what is wanted and with what the runtime shows. */
export class PodLoop {
  readonly #host: PodHost;
  readonly #events: PodLoopEvents;
  readonly #workers = new Map<string, PodWorker>();
  /** Until the runtime has been looked at, nobody knows what is to be done about a pod. */
  #waiting: WatchMessage[] | undefined = [];
  /** Pods not named yet since the last reset. */
  #stale: Set<string> | undefined;
  #synced = false;
  #stopped = false;
  #timer: NodeJS.Timeout | undefined;
  #rotateTimer: NodeJS.Timeout | undefined;
  #lastLook = 0;
  #blind = false;

  constructor(host: PodHost, events: PodLoopEvents) {
    this.#host = host;
    this.#events = events;
  }

  /** Begins with what was desired when the agent last ran. */
  async start(saved: readonly PodObject[]): Promise<void> {
    await this.#relist();
    for (const pod of saved) this.#desire(pod);
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const message of waiting) this.apply(message);
    this.#events.onReady?.();
    this.#relistLater();
    if (this.#host.hasDisk) this.#rotateLater();
  }

  /** Takes the link's messages about pods. */
  apply(message: WatchMessage): void {
    if (message.resource !== "pods") return;
    if (this.#waiting) {
      if (message.reset) this.#waiting = [];
      this.#waiting.push(message);
      return;
    }
    if (message.reset) this.#stale = new Set(this.#workers.keys());
    for (const { type, object } of message.events) {
      const pod = object as unknown as PodObject;
      const uid = pod.metadata.uid!;
      this.#stale?.delete(uid);
      if (type === "DELETED") this.#workers.get(uid)?.markGone();
      else this.#desire(pod);
    }
    if (message.synced) {
      for (const uid of this.#stale ?? []) this.#workers.get(uid)?.markGone();
      this.#stale = undefined;
      this.#synced = true;
      this.#endOrphans();
    }
    this.#events.onDesired();
  }

  /** What is desired, with the statuses last said. */
  pods(): PodObject[] {
    return [...this.#workers.values()].map(({ pod, status }) => (status ? { ...pod, status } : pod));
  }

  find(uid: string): PodObject | undefined {
    return this.#workers.get(uid)?.pod;
  }

  statusOf(uid: string): IPodStatus | undefined {
    return this.#workers.get(uid)?.status;
  }

  /** All of the statuses that the control plane should have. */
  statuses(): { pod: PodObject; status: IPodStatus }[] {
    return [...this.#workers.values()].flatMap(({ pod, status }) => (status ? [{ pod, status }] : []));
  }

  healthy(): boolean {
    return this.#host.now() - this.#lastLook < HEALTHY_MILLISECONDS;
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#rotateTimer);
    for (const worker of this.#workers.values()) worker.stop();
  }

  #desire(pod: PodObject): void {
    const uid = pod.metadata.uid!;
    const worker = this.#workers.get(uid);
    if (worker) worker.update(pod);
    else this.#workers.set(uid, this.#worker(pod));
  }

  #worker(pod: PodObject): PodWorker {
    return new PodWorker(this.#host, pod, {
      onStatus: (about, status) => this.#events.onStatus(about, status),
      onFinished: (about, gone) => {
        this.#workers.delete(about.metadata.uid!);
        if (!gone) this.#events.onPodGone(about);
        this.#events.onDesired();
      },
    });
  }

  /** Ends what the runtime runs and nobody wants, once it is known what is wanted. */
  #endOrphans(): void {
    if (!this.#synced) return;
    for (const uid of this.#host.observations.uids()) {
      if (this.#workers.has(uid)) continue;
      const { name, namespace } = this.#host.observations.pod(uid);
      const metadata = { name, namespace, uid };
      const worker = this.#worker({ apiVersion: "v1", kind: "Pod", metadata, spec: { containers: [] } });
      worker.markGone();
      this.#workers.set(uid, worker);
    }
  }

  async #relist(): Promise<void> {
    try {
      const changed = await this.#host.observations.relist();
      this.#lastLook = this.#host.now();
      if (this.#blind) this.#host.log.info("the runtime answers again");
      this.#blind = false;
      for (const uid of changed) this.#workers.get(uid)?.touch();
      this.#endOrphans();
    } catch (error) {
      if (this.#waiting) throw error;
      if (!this.#blind)
        this.#host.log.warn({ error: (error as Error).message }, "the runtime could not be asked what it runs");
      this.#blind = true;
    }
  }

  async #rotate(): Promise<void> {
    for (const worker of this.#workers.values()) {
      await worker.rotateLogs().catch((error: Error) => {
        this.#host.log.warn({ pod: worker.pod.metadata.name, error: error.message }, "a log could not be rotated");
      });
    }
  }

  #rotateLater(): void {
    if (this.#stopped) return;
    this.#rotateTimer = setTimeout(() => void this.#rotate().finally(() => this.#rotateLater()), ROTATE_MILLISECONDS);
  }

  #relistLater(): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => void this.#relist().finally(() => this.#relistLater()), RELIST_MILLISECONDS);
  }
}
