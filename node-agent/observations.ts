import { setTimeout as sleep } from "node:timers/promises";
import type { ObservedContainer, ObservedSandbox } from "./pod-actions-view.ts";
import { ANNOTATION, LABEL } from "./pod-config.ts";
import type { Container, ContainerStatus, Runtime, Sandbox } from "./runtime/runtime.ts";

/** What the runtime was last seen to run of one pod; newest first. */
export interface ObservedPod {
  name: string;
  namespace: string;
  sandboxes: ObservedSandbox[];
  containers: ObservedContainer[];
}

interface Entry<T> {
  uid: string;
  name: string;
  namespace: string;
  value: T;
  /** The look that brought it: an older list must not undo it. */
  look: number;
}

/** Detailed looks that run at once while relisting. */
const LOOKS_MAX = 8;
/** containerd hears of a container's end and of the reason (its memory was used up) by two ways; the second may take so much longer. */
const OUT_OF_MEMORY_MILLISECONDS = 250;
const JUST_MILLISECONDS = 3_000;
const SIGKILL_EXIT_CODE = 137;
/** What a container that somebody removed ended with, as kubelet tells it. */
const LOST = {
  exitCode: 137,
  reason: "ContainerStatusUnknown",
  message: "The container could not be located when the pod was deleted.  The container used to be Running",
};

/**
 * What the runtime runs, by pod. CRI of containerd 1.6 tells nothing by itself: `relist` (about each second) finds what
 * happened behind the agent's back, `seeSandbox` and `seeContainer` look at once at what the agent has just done.
 */
export class Observations {
  readonly #runtime: Runtime;
  readonly #nodeName: string;
  readonly #terminationMessage: (container: ContainerStatus, uid: string) => Promise<string>;
  readonly #now: () => number;
  readonly #sandboxes = new Map<string, Entry<ObservedSandbox>>();
  readonly #containers = new Map<string, Entry<ObservedContainer>>();
  #looks = 0;

  constructor(options: {
    runtime: Runtime;
    nodeName: string;
    /** What a container left behind for its terminationMessagePath. */
    terminationMessage(container: ContainerStatus, uid: string): Promise<string>;
    now(): number;
  }) {
    this.#runtime = options.runtime;
    this.#nodeName = options.nodeName;
    this.#terminationMessage = options.terminationMessage;
    this.#now = options.now;
  }

  /** All pods of which something is left. */
  uids(): Set<string> {
    return new Set([...this.#sandboxes.values(), ...this.#containers.values()].map(({ uid }) => uid));
  }

  pod(uid: string): ObservedPod {
    const sandboxes = [...this.#sandboxes.values()].filter((entry) => entry.uid === uid);
    const containers = [...this.#containers.values()].filter((entry) => entry.uid === uid);
    const any = sandboxes[0] ?? containers[0];
    return {
      name: any?.name ?? "",
      namespace: any?.namespace ?? "",
      sandboxes: sandboxes.map(({ value }) => value).sort((a, b) => b.attempt - a.attempt || b.createdAt - a.createdAt),
      containers: containers.map(({ value }) => value).sort((a, b) => b.createdAt - a.createdAt),
    };
  }

  /** Brings everything up to date; the uids of pods of which something changed. */
  async relist(): Promise<Set<string>> {
    const look = ++this.#looks;
    const [sandboxes, containers] = await Promise.all([this.#runtime.listSandboxes(), this.#runtime.listContainers()]);
    const mine = sandboxes.filter(({ annotations }) => isMine(annotations, this.#nodeName));
    const mySandboxes = new Set(mine.map(({ id }) => id));
    const changed = new Set<string>();
    const looks: (() => Promise<void>)[] = [];

    this.#dropMissing(this.#sandboxes, mySandboxes, look, changed);
    for (const sandbox of mine) {
      const known = this.#sandboxes.get(sandbox.id);
      if (known && (known.look > look || known.value.ready === sandbox.ready)) continue;
      changed.add(sandbox.uid);
      looks.push(() => this.seeSandbox(sandbox.id));
    }
    const myContainers = containers.filter(({ sandboxId }) => mySandboxes.has(sandboxId));
    this.#loseMissing(new Set(myContainers.map(({ id }) => id)), look, changed);
    for (const container of myContainers) {
      const known = this.#containers.get(container.id);
      if (known && (known.look > look || known.value.state === container.state)) continue;
      changed.add(container.labels[LABEL.podUid] ?? "");
      looks.push(() => this.#seeChanged(container));
    }
    await inParallel(looks, LOOKS_MAX);
    return changed;
  }

  async seeSandbox(id: string): Promise<void> {
    const look = ++this.#looks;
    const status = await this.#runtime.sandboxStatus(id);
    if (!status) this.#sandboxes.delete(id);
    else
      this.#sandboxes.set(id, {
        ...identity(status),
        look,
        value: observedSandbox(status, this.#sandboxes.get(id)?.value),
      });
  }

  /** What happened behind the agent's back. A container that was just killed may have been for its memory, which is told a moment later. */
  async #seeChanged({ id, sandboxId }: Container): Promise<void> {
    await this.seeContainer(id, sandboxId);
    const seen = this.#containers.get(id)?.value;
    if (!seen || !mayBeOutOfMemory(seen) || this.#now() - seen.finishedAt > JUST_MILLISECONDS) return;
    await sleep(OUT_OF_MEMORY_MILLISECONDS);
    await this.seeContainer(id, sandboxId);
  }

  async seeContainer(id: string, sandboxId: string): Promise<void> {
    const look = ++this.#looks;
    const known = this.#containers.get(id);
    const status = await this.#runtime.containerStatus(id);
    if (!status) {
      if (known) this.#lose(known);
      return;
    }
    const uid = status.labels[LABEL.podUid] ?? "";
    const value = observedContainer(status, sandboxId);
    if (value.state === "exited" && value.message === "") {
      value.message =
        known?.value.state === "exited" ? known.value.message : await this.#terminationMessage(status, uid);
    }
    this.#containers.set(id, {
      uid,
      name: status.labels[LABEL.podName] ?? "",
      namespace: status.labels[LABEL.podNamespace] ?? "",
      look,
      value,
    });
  }

  forgetContainer(id: string): void {
    this.#containers.delete(id);
  }

  forgetSandbox(id: string): void {
    this.#sandboxes.delete(id);
    for (const [key, { value }] of this.#containers) if (value.sandboxId === id) this.#containers.delete(key);
  }

  forgetPod(uid: string): void {
    for (const entries of [this.#sandboxes, this.#containers]) {
      for (const [id, entry] of entries) if (entry.uid === uid) entries.delete(id);
    }
  }

  /** A container that only the pod's status still knows of: it was removed while no agent was looking. */
  addLost(
    uid: string,
    container: Omit<ObservedContainer, "state" | "lost" | "sandboxId" | "exitCode" | "reason" | "message">,
  ): void {
    const value: ObservedContainer = { ...container, ...LOST, state: "exited", lost: true, sandboxId: "" };
    this.#containers.set(container.id, { uid, name: "", namespace: "", look: ++this.#looks, value });
  }

  #dropMissing(entries: Map<string, Entry<unknown>>, present: Set<string>, look: number, changed: Set<string>): void {
    for (const [id, entry] of entries) {
      if (present.has(id) || entry.look > look) continue;
      entries.delete(id);
      changed.add(entry.uid);
    }
  }

  #loseMissing(present: Set<string>, look: number, changed: Set<string>): void {
    for (const [id, entry] of this.#containers) {
      if (present.has(id) || entry.look > look || entry.value.lost) continue;
      this.#lose(entry);
      changed.add(entry.uid);
    }
  }

  /** A running one that vanished has ended; what was dead before is simply gone. */
  #lose(entry: Entry<ObservedContainer>): void {
    if (entry.value.state !== "running") {
      this.#containers.delete(entry.value.id);
      return;
    }
    entry.value = { ...entry.value, ...LOST, state: "exited", lost: true, sandboxId: "", finishedAt: this.#now() };
  }
}

/** Only what carries this node's mark: several agents, or a user of crictl, may share a containerd. */
const isMine = (annotations: Record<string, string>, nodeName: string): boolean =>
  annotations[ANNOTATION.node] === nodeName;

const identity = ({ uid, name, namespace }: Sandbox) => ({ uid, name, namespace });

function observedSandbox(status: Sandbox & { ips: string[] }, known: ObservedSandbox | undefined): ObservedSandbox {
  const ips = status.ips.length > 0 ? status.ips : (known?.ips ?? []);
  return { id: status.id, attempt: status.attempt, ready: status.ready, createdAt: status.createdAt, ips };
}

/** Killed, and nobody has said why yet. */
const mayBeOutOfMemory = ({ state, exitCode, reason }: ObservedContainer): boolean =>
  state === "exited" && exitCode === SIGKILL_EXIT_CODE && reason === "Error";

const observedContainer = (status: ContainerStatus, sandboxId: string): ObservedContainer => ({
  id: status.id,
  sandboxId,
  name: status.labels[LABEL.containerName] ?? status.name,
  state: status.state,
  createdAt: status.createdAt,
  startedAt: status.startedAt,
  finishedAt: status.finishedAt,
  exitCode: status.exitCode,
  reason: status.reason,
  message: status.message,
  hash: status.annotations[ANNOTATION.hash] ?? "",
  restartCount: restartCountOf(status),
  image: status.image,
  imageRef: status.imageRef,
  lost: false,
});

const restartCountOf = (container: Pick<Container, "annotations" | "attempt">): number =>
  Number(container.annotations[ANNOTATION.restartCount] ?? container.attempt);

async function inParallel(work: (() => Promise<void>)[], max: number): Promise<void> {
  const queue = work.values();
  const worker = async () => {
    for (const next of queue) await next();
  };
  await Promise.all(Array.from({ length: Math.min(max, work.length) }, worker));
}
