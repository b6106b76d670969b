import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { IPodStatus } from "kubernetes-models/v1/PodStatus";
import type { PodObject } from "../api/kinds/pod.ts";
import { rotateLog } from "./log-rotation.ts";
import { logPath } from "./paths.ts";
import {
  createSandbox,
  Failure,
  findContainer,
  finish,
  killContainer,
  prepareVolumes,
  pullImage,
  startContainer,
} from "./perform.ts";
import { podActions } from "./pod-actions.ts";
import { type Action, type BackOff, type Hold, type PodView, SANDBOX, VOLUMES } from "./pod-actions-view.ts";
import { type PodHost, podEvent } from "./pod-host.ts";
import { podStatus } from "./pod-status.ts";
import { hasProbes, type ProbedContainer, Prober } from "./probes/prober.ts";
import type { Image } from "./runtime/runtime.ts";

/** The first and the longest wait between tries of what failed, in seconds. */
const RETRIES: Record<string, readonly [number, number]> = {
  ErrImagePull: [10, 300],
  [SANDBOX]: [1, 10],
  [VOLUMES]: [1, 60],
};
const RETRY_DEFAULT = [2, 30] as const;
const PULL_REASONS = new Set(["ErrImagePull", "ErrImageNeverPull", "ImageInspectError", "InvalidImageName"]);
/** Volumes made of ConfigMaps and Secrets follow these within this time. */
const REFRESH_MILLISECONDS = 45_000;
/** Notices remembered per pod, so that none is given twice. */
const NOTICES_MAX = 64;
/** setTimeout's own limit. */
const WAKE_MILLISECONDS_MAX = 2 ** 31 - 1;

export interface PodWorkerEvents {
  onStatus(pod: PodObject, status: IPodStatus): void;
  /** Nothing is left of it. */
  onFinished(pod: PodObject, gone: boolean): void;
}

/** One pod: looks at what is and what should be after each change, and sets in motion what `podActions` asks for. */
export class PodWorker {
  readonly #host: PodHost;
  readonly #events: PodWorkerEvents;
  readonly #prober: Prober;
  readonly #images = new Map<string, Image>();
  readonly #backOffs = new Map<string, BackOff>();
  readonly #holds = new Map<string, Hold>();
  readonly #inFlight = new Map<string, Action>();
  readonly #noticed = new Set<string>();
  #pod: PodObject;
  #gone = false;
  #finished = false;
  #stopped = false;
  #volumesReady = false;
  #touched = false;
  #status: IPodStatus | undefined;
  #timer: NodeJS.Timeout | undefined;
  #refresh: NodeJS.Timeout | undefined;

  constructor(host: PodHost, pod: PodObject, events: PodWorkerEvents) {
    this.#host = host;
    this.#events = events;
    this.#pod = pod;
    this.#prober = new Prober({
      runtime: host.runtime,
      now: host.now,
      onChange: () => this.touch(),
      onUnhealthy: (container, type, { outcome, output }) => {
        const name = type[0]!.toUpperCase() + type.slice(1);
        const verb = outcome === "failure" ? "failed" : "errored and resulted in unknown state";
        podEvent(host, this.#pod, {
          type: "Warning",
          reason: "Unhealthy",
          message: `${name} probe ${verb}: ${output}`,
          container,
        });
      },
    });
    this.#restoreLost();
    this.touch();
  }

  get pod(): PodObject {
    return this.#pod;
  }

  /** The last status said. */
  get status(): IPodStatus | undefined {
    return this.#status;
  }

  /** A new desired state. What the agent itself last said of the status goes before what comes back. */
  update(pod: PodObject): void {
    this.#pod = pod;
    // The control plane takes the pods of a node that it lost for unready, and is told otherwise when the node is back.
    if (this.#status && readiness(pod.status) !== readiness(this.#status)) this.#events.onStatus(pod, this.#status);
    this.touch();
  }

  /** The control plane knows the pod no more. */
  markGone(): void {
    this.#gone = true;
    this.touch();
  }

  /** Something may have changed: think again, in this turn's end. */
  touch(): void {
    if (this.#touched || this.#stopped) return;
    this.#touched = true;
    queueMicrotask(() => {
      this.#touched = false;
      if (!this.#stopped) this.#think();
    });
  }

  /** Keeps the logs of what runs from filling the disk. */
  async rotateLogs(): Promise<void> {
    const { observations, paths, runtime, now } = this.#host;
    for (const { id, name, state, restartCount } of observations.pod(this.#pod.metadata.uid!).containers) {
      if (state !== "running") continue;
      await rotateLog(runtime, id, join(paths.podLogs(this.#pod), logPath(name, restartCount)), { now: now() });
    }
  }

  /** Leaves everything as it is. */
  stop(): void {
    this.#stopped = true;
    this.#prober.stop();
    clearTimeout(this.#timer);
    clearTimeout(this.#refresh);
  }

  #view(): PodView {
    const { sandboxes, containers } = this.#host.observations.pod(this.#pod.metadata.uid!);
    return {
      pod: { ...this.#pod, status: this.#mergedStatus() },
      gone: this.#gone,
      sandboxes,
      containers,
      probes: this.#prober.verdicts(),
      images: this.#images,
      volumesReady: this.#volumesReady,
      backOffs: this.#backOffs,
      holds: this.#holds,
      inFlight: this.#inFlight,
      now: this.#host.now(),
    };
  }

  /** Ours, with the conditions that others set. */
  #mergedStatus(): IPodStatus {
    const theirs = this.#pod.status ?? {};
    if (!this.#status) return theirs;
    const mine = new Set(["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady"]);
    const conditions = [
      ...(this.#status.conditions ?? []).filter(({ type }) => mine.has(type)),
      ...(theirs.conditions ?? []).filter(({ type }) => !mine.has(type)),
    ];
    return { ...this.#status, conditions };
  }

  #think(): void {
    const view = this.#view();
    this.#syncProbes(view);
    const plan = podActions(view);
    for (const action of plan.actions) this.#begin(action);
    for (const { key, ...notice } of plan.notices) {
      if (this.#noticed.has(key)) continue;
      this.#noticed.add(key);
      if (this.#noticed.size > NOTICES_MAX) this.#noticed.delete(this.#noticed.values().next().value!);
      podEvent(this.#host, this.#pod, notice);
    }
    this.#report({ ...view, probes: this.#prober.verdicts() });
    clearTimeout(this.#timer);
    if (plan.wakeAt !== undefined) {
      const wait = Math.min(Math.max(plan.wakeAt - this.#host.now(), 1), WAKE_MILLISECONDS_MAX);
      this.#timer = setTimeout(() => this.touch(), wait);
    }
  }

  #report(view: PodView): void {
    if (this.#gone || this.#finished) return;
    const { nodeIps, runtimeName } = this.#host;
    const ended =
      Boolean(view.pod.metadata.deletionTimestamp) &&
      !view.containers.some(({ state }) => state === "running" || state === "unknown");
    const status = podStatus(view, { nodeIps, runtimeName, ended });
    if (isDeepStrictEqual(status, this.#status)) return;
    this.#status = status;
    this.#events.onStatus(this.#pod, status);
    // A status can decide (a deadline has passed): look again with it.
    this.touch();
  }

  #syncProbes(view: PodView): void {
    const ending = this.#gone || Boolean(view.pod.metadata.deletionTimestamp);
    const ip = view.pod.spec.hostNetwork ? this.#host.nodeIps[0] : view.sandboxes[0]?.ips[0];
    const statuses = [
      ...(this.#pod.status?.containerStatuses ?? []),
      ...(this.#pod.status?.initContainerStatuses ?? []),
    ];
    const probed: ProbedContainer[] = [];
    for (const { id, name, state, startedAt } of ending ? [] : view.containers) {
      const container = findContainer(view.pod, name);
      if (state !== "running" || !container || !hasProbes(container)) continue;
      const told = statuses.find(({ containerID }) => containerID === `${this.#host.runtimeName}://${id}`);
      probed.push({
        id,
        container,
        startedAt,
        ip: ip ?? "",
        wasReady: told?.ready ?? false,
        wasStarted: told?.started ?? false,
      });
    }
    this.#prober.sync(probed);
  }

  #begin(action: Action): void {
    this.#inFlight.set(action.key, action);
    const hold = holdKey(action);
    this.#perform(action)
      .then(
        () => {
          // An image that is here says nothing about why the container could not be started from it.
          const stays = action.do === "pull" && !PULL_REASONS.has(this.#holds.get(hold)?.reason ?? "");
          if (!stays) this.#holds.delete(hold);
        },
        (error: Error) => {
          const reason = error instanceof Failure ? error.reason : "";
          this.#host.log.debug(
            { pod: this.#pod.metadata.name, action: action.key, error: error.message },
            "action failed",
          );
          this.#hold(hold, reason, error.message);
        },
      )
      .finally(() => {
        // A quicker kill may have taken this one's place.
        if (this.#inFlight.get(action.key) === action) this.#inFlight.delete(action.key);
        this.touch();
      });
  }

  #hold(key: string, reason: string, message: string): void {
    const now = this.#host.now();
    const [first, max] = RETRIES[reason] ?? RETRIES[key] ?? RETRY_DEFAULT;
    const before = this.#holds.get(key);
    const seconds = before && before.reason === reason ? Math.min(before.seconds * 2, max) : first;
    this.#holds.set(key, { reason, message, at: now, until: now + seconds * 1000, seconds });
    // Also for what no plan waits for (a stop that failed): try again then.
    setTimeout(() => this.touch(), seconds * 1000).unref();
  }

  async #perform(action: Action): Promise<void> {
    const host = this.#host;
    const { sandboxes, containers } = host.observations.pod(this.#pod.metadata.uid!);
    const subject = { pod: this.#pod, sandboxes };
    switch (action.do) {
      case "prepare-volumes":
        await prepareVolumes(host, subject);
        this.#volumesReady = true;
        this.#refreshLater();
        return;
      case "create-sandbox":
        return createSandbox(host, subject, action.attempt);
      case "pull":
        this.#images.set(action.container, await pullImage(host, subject, action.container));
        return;
      case "start": {
        const image = this.#images.get(action.container)!;
        // Each start asks for its image anew, as the pull policy says.
        this.#images.delete(action.container);
        try {
          return await startContainer(host, subject, action, image);
        } finally {
          if (action.backOff) this.#backOffs.set(action.container, action.backOff);
        }
      }
      case "kill": {
        const sandboxId = containers.find(({ id }) => id === action.id)?.sandboxId ?? "";
        return killContainer(host, subject, action, sandboxId);
      }
      case "remove-container":
        await host.runtime.removeContainer(action.id);
        return host.observations.forgetContainer(action.id);
      case "stop-sandbox":
        await host.limits.stop(() => host.runtime.stopSandbox(action.id));
        return host.observations.seeSandbox(action.id);
      case "remove-sandbox":
        await host.limits.stop(() => host.runtime.removeSandbox(action.id));
        return host.observations.forgetSandbox(action.id);
      case "finish":
        await finish(host, subject);
        this.#finished = true;
        this.stop();
        this.#events.onFinished(this.#pod, this.#gone);
        return;
    }
  }

  #refreshLater(): void {
    if (
      !(this.#pod.spec.volumes ?? []).some(
        (volume) => volume.configMap || volume.secret || volume.downwardAPI || volume.projected,
      )
    )
      return;
    clearTimeout(this.#refresh);
    this.#refresh = setTimeout(() => {
      if (this.#gone || this.#pod.metadata.deletionTimestamp) return;
      const { sandboxes } = this.#host.observations.pod(this.#pod.metadata.uid!);
      prepareVolumes(this.#host, { pod: this.#pod, sandboxes })
        .catch((error: Error) =>
          this.#host.log.debug({ pod: this.#pod.metadata.name, error: error.message }, "volumes not refreshed"),
        )
        .finally(() => !this.#stopped && this.#refreshLater());
    }, REFRESH_MILLISECONDS);
    this.#refresh.unref();
  }

  /** What the status calls running and the runtime does not know was removed while no agent was looking. */
  #restoreLost(): void {
    const { uid } = this.#pod.metadata;
    const { containers } = this.#host.observations.pod(uid!);
    const status = this.#pod.status ?? {};
    for (const told of [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])]) {
      const id = told.containerID?.split("://")[1];
      if (!told.state?.running || !id || containers.some((container) => container.id === id)) continue;
      const startedAt = Date.parse(told.state.running.startedAt ?? "") || 0;
      this.#host.observations.addLost(uid!, {
        id,
        name: told.name,
        createdAt: startedAt,
        startedAt,
        finishedAt: this.#host.now(),
        hash: "",
        restartCount: told.restartCount,
        image: told.image,
        imageRef: told.imageID,
      });
    }
  }
}

/** Under which key a failure of the action is remembered. */
function holdKey(action: Action): string {
  switch (action.do) {
    case "pull":
    case "start":
      return action.container;
    case "create-sandbox":
      return SANDBOX;
    case "prepare-volumes":
      return VOLUMES;
    default:
      return action.key;
  }
}

const readiness = (status: { conditions?: { type: string; status: string }[] } | undefined): string | undefined =>
  status?.conditions?.find(({ type }) => type === "Ready")?.status;
