import type { IContainer } from "kubernetes-models/v1/Container";
import type { PodObject } from "../api/kinds/pod.ts";
import type {
  Action,
  BackOff,
  Notice,
  ObservedContainer,
  ObservedSandbox,
  PodPlan,
  PodView,
} from "./pod-actions-view.ts";
import { SANDBOX, VOLUMES } from "./pod-actions-view.ts";

// The numbers are kubelet's.
const BACK_OFF_FIRST_SECONDS = 10;
const BACK_OFF_MAX_SECONDS = 300;
/** A container that ran this long past its last restart begins anew. */
const BACK_OFF_RESET_SECONDS = 2 * BACK_OFF_MAX_SECONDS;
const GRACE_DEFAULT_SECONDS = 30;
/** Whoever is killed has a moment to leave in order. */
const GRACE_MIN_SECONDS = 1;
/** Dead instances that are kept per container: the last one, and the one before for `logs --previous`. */
const DEAD_KEPT = 2;
/** For this long a failed pull is called ErrImagePull, then ImagePullBackOff. */
export const PULL_ERROR_SECONDS = 5;

/** What is to be done about a pod now. Called again after each change; what is under way is not asked for twice. */
export function podActions(view: PodView): PodPlan {
  const plan = new Plan(view);
  noticeDeadline(view, plan);
  if (view.gone || view.pod.metadata.deletionTimestamp) end(view, plan);
  else if (isOver(view)) finishRunning(view, plan);
  else keepRunning(view, plan);
  return { actions: plan.actions, notices: plan.notices, ...(plan.wakeAt !== undefined && { wakeAt: plan.wakeAt }) };
}

class Plan {
  readonly actions: Action[] = [];
  readonly notices: Notice[] = [];
  wakeAt: number | undefined;
  readonly #view: PodView;

  constructor(view: PodView) {
    this.#view = view;
  }

  add(action: Action): void {
    if (!this.#view.inFlight.has(action.key) && !this.held(action.key)) this.actions.push(action);
  }

  /** A kill under way is repeated only to be quicker. */
  kill(container: ObservedContainer, graceSeconds: number, message: string): void {
    const key = `kill:${container.id}`;
    const underWay = this.#view.inFlight.get(key);
    if (underWay && !(underWay.do === "kill" && graceSeconds < underWay.graceSeconds)) return;
    if (this.held(key)) return;
    this.actions.push({ key, do: "kill", id: container.id, container: container.name, graceSeconds, message });
  }

  wake(at: number): void {
    this.wakeAt = Math.min(this.wakeAt ?? at, at);
  }

  /** Still to be waited for: `key` failed a while ago. */
  held(key: string): boolean {
    const hold = this.#view.holds.get(key);
    if (!hold || hold.until <= this.#view.now) return false;
    this.wake(hold.until);
    return true;
  }
}

export const isSidecar = (container: IContainer): boolean => container.restartPolicy === "Always";

/** The newest instance of a container. */
export const latest = (view: PodView, name: string): ObservedContainer | undefined =>
  view.containers.find((container) => container.name === name);

const isRunning = (container: ObservedContainer): boolean =>
  container.state === "running" || container.state === "unknown";

/**
 * The pod's end: deleted, or unknown to the control plane. The spec's containers first, then sidecars in reverse order,
 * then the sandboxes; at last `finish`.
 */
function end(view: PodView, plan: Plan): void {
  const running = stopContainers(view, plan, graceSeconds(view));
  if (running || starting(view)) return;
  for (const { id, ready } of view.sandboxes) {
    if (ready) plan.add({ key: `stop-sandbox:${id}`, do: "stop-sandbox", id });
  }
  if (view.sandboxes.some(({ ready }) => ready)) return;
  for (const { id } of view.sandboxes) plan.add({ key: `remove-sandbox:${id}`, do: "remove-sandbox", id });
  if (view.sandboxes.length === 0 && view.inFlight.size === 0) plan.add({ key: "finish", do: "finish" });
}

/** Something that is being made has to be there before it can be taken away. */
const starting = (view: PodView): boolean =>
  [...view.inFlight.values()].some(({ do: what }) => what === "start" || what === "create-sandbox");

function graceSeconds({ pod, gone }: PodView): number {
  // Nobody waits for it any more; another of its name may run elsewhere.
  if (gone) return GRACE_MIN_SECONDS;
  const { deletionGracePeriodSeconds } = pod.metadata;
  const grace = deletionGracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds ?? GRACE_DEFAULT_SECONDS;
  return Math.max(grace, GRACE_MIN_SECONDS);
}

/** True while anything still runs. */
function stopContainers(view: PodView, plan: Plan, grace: number): boolean {
  const running = view.containers.filter(isRunning);
  const sidecars = (view.pod.spec.initContainers ?? []).filter(isSidecar).map(({ name }) => name);
  const first = running.filter(({ name }) => !sidecars.includes(name));
  const deadline = view.pod.metadata.deletionTimestamp;
  for (const container of first) plan.kill(container, grace, `Stopping container ${container.name}`);
  if (first.length === 0) {
    const lastSidecar = sidecars.findLast((name) => running.some((container) => container.name === name));
    const left = deadline ? Math.ceil((Date.parse(deadline) - view.now) / 1000) : grace;
    for (const container of running.filter(({ name }) => name === lastSidecar)) {
      plan.kill(container, Math.max(Math.min(left, grace), GRACE_MIN_SECONDS), `Stopping container ${container.name}`);
    }
  }
  return running.length > 0;
}

/** No container of it will run again: what still runs (sidecars) ends, the sandbox is stopped, the dead stay for their logs. */
function finishRunning(view: PodView, plan: Plan): void {
  const running = stopContainers(view, plan, view.pod.spec.terminationGracePeriodSeconds ?? GRACE_DEFAULT_SECONDS);
  if (running || starting(view)) return;
  for (const { id, ready } of view.sandboxes) {
    if (ready) plan.add({ key: `stop-sandbox:${id}`, do: "stop-sandbox", id });
  }
}

/** Milliseconds since 1970 at which activeDeadlineSeconds runs out. */
function deadlineOf(pod: PodObject): number | undefined {
  const seconds = pod.spec.activeDeadlineSeconds;
  const start = pod.status?.startTime;
  return seconds === undefined || !start ? undefined : Date.parse(start) + seconds * 1000;
}

/** Also the message of its event. */
export const DEADLINE_MESSAGE = "Pod was active on the node longer than the specified deadline";

/** Its time is over, and its status does not say so yet. */
export function deadlinePassed({ pod, now }: PodView): boolean {
  const deadline = deadlineOf(pod);
  return deadline !== undefined && deadline <= now && !isFinal(pod.status?.phase);
}

export const isFinal = (phase: string | undefined): boolean => phase === "Succeeded" || phase === "Failed";

function noticeDeadline(view: PodView, plan: Plan): void {
  if (!deadlinePassed(view) || view.gone) return;
  plan.notices.push({ key: "deadline", type: "Normal", reason: "DeadlineExceeded", message: DEADLINE_MESSAGE });
}

/** No container of the pod is ever to be started again. */
export function isOver(view: PodView): boolean {
  if (isFinal(view.pod.status?.phase) || deadlinePassed(view)) return true;
  if (initFailed(view)) return true;
  return view.pod.spec.containers.every(({ name }) => {
    const container = latest(view, name);
    return container?.state === "exited" && !restarts(view.pod, container.exitCode);
  });
}

/** An init container failed for good. */
export const initFailed = (view: PodView): boolean =>
  view.pod.spec.restartPolicy === "Never" &&
  (view.pod.spec.initContainers ?? []).some((container) => {
    const instance = latest(view, container.name);
    return !isSidecar(container) && instance?.state === "exited" && instance.exitCode !== 0;
  });

/** A container of the spec that ended so is started again; init containers only where they failed. */
export const restarts = (pod: PodObject, exitCode: number): boolean => {
  const policy = pod.spec.restartPolicy ?? "Always";
  return policy === "Always" || (policy === "OnFailure" && exitCode !== 0);
};

function keepRunning(view: PodView, plan: Plan): void {
  const deadline = deadlineOf(view.pod);
  if (deadline !== undefined) plan.wake(deadline);
  if (!view.volumesReady && !plan.held(VOLUMES)) plan.add({ key: "prepare-volumes", do: "prepare-volumes" });
  collectDead(view, plan);

  const newest = view.sandboxes[0];
  const sandbox = newest?.ready ? newest : undefined;
  if (!sandbox) renewSandbox(view, plan, newest);
  for (const { container, known } of wanted(view, sandbox)) {
    if (known && isRunning(known) && known.sandboxId === sandbox?.id) keepContainer(view, plan, container, known);
    else startContainer(view, plan, container, known, sandbox);
  }
}

function renewSandbox(view: PodView, plan: Plan, old: ObservedSandbox | undefined): void {
  const survivors = view.containers.filter(isRunning);
  for (const container of survivors) plan.kill(container, GRACE_MIN_SECONDS, `Stopping container ${container.name}`);
  if (old) {
    plan.notices.push({
      key: `sandbox-changed:${old.id}`,
      type: "Normal",
      reason: "SandboxChanged",
      message: "Pod sandbox changed, it will be killed and re-created.",
    });
    // Its network has to be given back before another sandbox of this pod asks for one.
    if (survivors.length > 0) return;
  }
  if (plan.held(SANDBOX)) return;
  plan.add({ key: "create-sandbox", do: "create-sandbox", attempt: old ? old.attempt + 1 : 0 });
}

interface Wanted {
  container: IContainer;
  known: ObservedContainer | undefined;
}

/** The containers that should be running now, in the order of the spec. */
function wanted(view: PodView, sandbox: ObservedSandbox | undefined): Wanted[] {
  const { initContainers = [], containers } = view.pod.spec;
  const here = (name: string) => {
    const container = latest(view, name);
    return sandbox && container && (container.sandboxId === sandbox.id || container.lost) ? container : undefined;
  };
  const initialized = containers.some(({ name }) => here(name) !== undefined);
  const result: Wanted[] = [];
  for (const container of initContainers) {
    const known = here(container.name);
    if (isSidecar(container)) {
      result.push({ container, known: latest(view, container.name) });
      if (!initialized && !(known?.state === "running" && isStarted(view, known))) return result;
    } else if (!initialized) {
      if (known?.state === "exited" && known.exitCode === 0) continue;
      result.push({ container, known: latest(view, container.name) });
      return result;
    }
  }
  for (const container of containers) {
    const known = latest(view, container.name);
    if (known?.state === "exited" && !restarts(view.pod, known.exitCode)) continue;
    result.push({ container, known });
  }
  return result;
}

const isStarted = (view: PodView, container: ObservedContainer): boolean =>
  view.probes.get(container.id)?.started ?? true;

const unknownTitle = ({ pod }: PodView, container: IContainer): string =>
  pod.spec.initContainers?.includes(container) ? "Init container" : "Container";

function keepContainer(view: PodView, plan: Plan, container: IContainer, known: ObservedContainer): void {
  const failed = view.probes.get(known.id)?.failed;
  const grace = view.pod.spec.terminationGracePeriodSeconds ?? GRACE_DEFAULT_SECONDS;
  const { name } = container;
  if (known.state === "unknown")
    plan.kill(known, grace, `${unknownTitle(view, container)} is in "unknown" state, try killing it before restart`);
  else if (known.hash !== "" && known.hash !== containerHash(container)) {
    plan.kill(known, grace, `Container ${name} definition changed, will be restarted`);
  } else if (failed) {
    const probe = failed === "liveness" ? container.livenessProbe : container.startupProbe;
    const probeGrace = probe?.terminationGracePeriodSeconds ?? grace;
    plan.kill(known, probeGrace, `Container ${name} failed ${failed} probe, will be restarted`);
  }
}

function startContainer(
  view: PodView,
  plan: Plan,
  container: IContainer,
  known: ObservedContainer | undefined,
  sandbox: ObservedSandbox | undefined,
): void {
  const { name } = container;
  if (known && isRunning(known)) return; // In an old sandbox, being killed.
  if (view.inFlight.has(`start:${name}`)) return;
  // Made, but the agent was killed before starting it.
  if (known?.state === "created") {
    plan.add({ key: `remove:${known.id}`, do: "remove-container", id: known.id });
    return;
  }
  const until = crashBackOffUntil(view, name);
  if (until !== undefined) {
    plan.wake(until);
    plan.notices.push({
      key: `back-off:${name}:${known?.restartCount}`,
      type: "Warning",
      reason: "BackOff",
      message: `Back-off restarting failed container ${name} in pod ${podLabel(view.pod)}`,
      container: name,
    });
    return;
  }
  if (plan.held(name)) {
    noticePullBackOff(view, plan, container);
    return;
  }
  if (!view.images.has(name)) {
    plan.add({ key: `pull:${name}`, do: "pull", container: name });
    return;
  }
  if (!sandbox || !view.volumesReady) return;
  plan.add({
    key: `start:${name}`,
    do: "start",
    container: name,
    sandboxId: sandbox.id,
    restartCount: known ? known.restartCount + 1 : 0,
    ...(known && { backOff: nextBackOff(view.backOffs.get(name), known, view.now) }),
  });
}

function noticePullBackOff(view: PodView, plan: Plan, container: IContainer): void {
  const hold = view.holds.get(container.name)!;
  if (hold.reason !== "ErrImagePull") return;
  const from = hold.at + PULL_ERROR_SECONDS * 1000;
  if (view.now < from) {
    plan.wake(from);
    return;
  }
  const common = { container: container.name };
  plan.notices.push(
    {
      ...common,
      key: `pull-back-off:${container.name}:${hold.at}`,
      type: "Normal",
      reason: "BackOff",
      message: `Back-off pulling image "${container.image}"`,
    },
    {
      ...common,
      key: `pull-error:${container.name}:${hold.at}`,
      type: "Warning",
      reason: "Failed",
      message: "Error: ImagePullBackOff",
    },
  );
}

/** When a container that ended may run again; undefined where it may now. */
export function crashBackOffUntil(view: PodView, name: string): number | undefined {
  const container = latest(view, name);
  const backOff = view.backOffs.get(name);
  if (container?.state !== "exited" || !backOff || isExpired(backOff, container)) return undefined;
  const until = container.finishedAt + backOff.seconds * 1000;
  return until > view.now ? until : undefined;
}

const isExpired = (backOff: BackOff, container: ObservedContainer): boolean =>
  container.finishedAt - backOff.since > BACK_OFF_RESET_SECONDS * 1000;

function nextBackOff(previous: BackOff | undefined, container: ObservedContainer, now: number): BackOff {
  const seconds =
    !previous || isExpired(previous, container)
      ? BACK_OFF_FIRST_SECONDS
      : Math.min(previous.seconds * 2, BACK_OFF_MAX_SECONDS);
  return { seconds, since: now };
}

/** Removes dead containers and sandboxes that nobody will ask for again. */
function collectDead(view: PodView, plan: Plan): void {
  const seen = new Map<string, number>();
  const kept = new Set<string>();
  for (const container of view.containers) {
    if (container.lost) continue;
    const dead = container.state === "exited" ? (seen.get(container.name) ?? 0) + 1 : 0;
    seen.set(container.name, Math.max(dead, seen.get(container.name) ?? 0));
    if (dead > DEAD_KEPT) plan.add({ key: `remove:${container.id}`, do: "remove-container", id: container.id });
    else kept.add(container.sandboxId);
  }
  for (const [index, { id, ready }] of view.sandboxes.entries()) {
    if (index === 0) continue;
    if (ready) plan.add({ key: `stop-sandbox:${id}`, do: "stop-sandbox", id });
    else if (!kept.has(id)) plan.add({ key: `remove-sandbox:${id}`, do: "remove-sandbox", id });
  }
}

/** `name_namespace(uid)`, as kubelet's messages call a pod. */
export const podLabel = ({ metadata }: PodObject): string => `${metadata.name}_${metadata.namespace}(${metadata.uid})`;

/** What of a container's spec, when changed, makes it another container: its name and image, since all else is immutable. */
export function containerHash({ name, image }: IContainer): string {
  // FNV-1a, 32 bits: a label of which equality alone matters.
  let hash = 0x811c9dc5;
  for (const character of `${name}\0${image}`) {
    hash = Math.imul(hash ^ character.codePointAt(0)!, 0x01000193) >>> 0;
  }
  return hash.toString(16);
}
