import type { IContainer } from "kubernetes-models/v1/Container";
import type { IContainerState } from "kubernetes-models/v1/ContainerState";
import type { IContainerStatus } from "kubernetes-models/v1/ContainerStatus";
import type { IPodCondition } from "kubernetes-models/v1/PodCondition";
import type { IPodStatus } from "kubernetes-models/v1/PodStatus";
import {
  crashBackOffUntil,
  DEADLINE_MESSAGE,
  deadlinePassed,
  initFailed,
  isFinal,
  isSidecar,
  latest,
  PULL_ERROR_SECONDS,
  podLabel,
  restarts,
} from "./pod-actions.ts";
import type { ObservedContainer, PodView } from "./pod-actions-view.ts";
import { qosClass } from "./resources.ts";

export interface StatusContext {
  /** First the primary one. */
  nodeIps: readonly string[];
  /** `containerd`: the scheme of container ids. */
  runtimeName: string;
  /** The pod's end has come: nothing of it runs, nothing will. */
  ended?: boolean;
}

type Phase = "Pending" | "Running" | "Succeeded" | "Failed";

/** The pod's status as kubelet would word it; what others wrote (PodScheduled, readiness gates) is kept from the last one. */
export function podStatus(view: PodView, context: StatusContext): IPodStatus {
  const { pod, now } = view;
  const previous = pod.status ?? {};
  const initContainers = pod.spec.initContainers ?? [];
  const initialized = isInitialized(view);
  const initStatuses = initContainers.map((container) => containerStatus(view, context, container, initialized, true));
  const statuses = pod.spec.containers.map((container) =>
    containerStatus(view, context, container, initialized, false),
  );

  const tooLate = deadlinePassed(view);
  const phase: Phase = isFinal(previous.phase)
    ? (previous.phase as Phase)
    : tooLate
      ? "Failed"
      : phaseOf(view, initStatuses, statuses, context.ended ?? false);
  const network = pod.spec.hostNetwork ? context.nodeIps : (view.sandboxes[0]?.ips ?? []);
  const ips = network.length > 0 ? network : (previous.podIPs ?? []).map(({ ip }) => ip);
  if (isFinal(phase))
    for (const status of [...initStatuses, ...statuses]) status.ready = isInitDone(status, initStatuses);
  const conditions = podConditions(view, phase, initStatuses, statuses);
  return {
    ...(pod.metadata.generation !== undefined && { observedGeneration: pod.metadata.generation }),
    phase,
    conditions: withTimes(conditions, previous.conditions ?? [], now, pod.metadata.generation),
    ...(tooLate
      ? { reason: "DeadlineExceeded", message: DEADLINE_MESSAGE }
      : {
          ...(previous.reason && { reason: previous.reason }),
          ...(previous.message && { message: previous.message }),
        }),
    ...(context.nodeIps.length > 0 && {
      hostIP: context.nodeIps[0],
      hostIPs: context.nodeIps.map((ip) => ({ ip })),
    }),
    ...(ips.length > 0 && { podIP: ips[0], podIPs: ips.map((ip) => ({ ip })) }),
    startTime: previous.startTime ?? timestamp(now),
    ...(initStatuses.length > 0 && { initContainerStatuses: initStatuses }),
    containerStatuses: statuses,
    qosClass: previous.qosClass ?? qosClass(pod.spec),
  } as IPodStatus;
}

/** An init container that did its work stays `ready` when the pod is over. */
const isInitDone = (status: IContainerStatus, initStatuses: IContainerStatus[]): boolean =>
  initStatuses.includes(status) && status.state?.terminated?.exitCode === 0;

/** metav1.Time: RFC 3339 with seconds. */
export const timestamp = (milliseconds: number): string => `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;

function isInitialized(view: PodView): boolean {
  const { initContainers = [], containers } = view.pod.spec;
  if (containers.some(({ name }) => latest(view, name) !== undefined)) return true;
  return initContainers.every((container) => {
    const instance = latest(view, container.name);
    if (isSidecar(container)) return instance?.state === "running" && (view.probes.get(instance.id)?.started ?? true);
    return instance?.state === "exited" && instance.exitCode === 0;
  });
}

function containerStatus(
  view: PodView,
  context: StatusContext,
  container: IContainer,
  initialized: boolean,
  init: boolean,
): IContainerStatus {
  const instances = view.containers.filter(({ name, state }) => name === container.name && state !== "created");
  const current = instances[0];
  if (!current) {
    // What ended before, and was cleared away since, has still ended.
    const told = init ? view.pod.status?.initContainerStatuses : view.pod.status?.containerStatuses;
    const ended = told?.find(({ name }) => name === container.name);
    if (ended?.state?.terminated) return ended;
  }
  const waiting = waitingState(view, container, current, initialized, init);
  const shown = waiting ? undefined : current;
  const before = waiting ? current : instances[1];
  const running = shown?.state === "running";
  const probes = running ? view.probes.get(shown.id) : undefined;
  const started = running ? (probes?.started ?? true) : false;
  const done = init && !isSidecar(container) && shown?.state === "exited" && shown.exitCode === 0;
  return {
    name: container.name,
    state: waiting ? { waiting } : stateOf(shown!, context),
    lastState: before?.state === "exited" ? stateOf(before, context) : {},
    ready: done || (running && started && (!init || isSidecar(container)) && (probes?.ready ?? true)),
    restartCount: current?.restartCount ?? 0,
    image: current?.image || container.image || "",
    imageID: current?.imageRef ?? "",
    ...(current?.id && { containerID: `${context.runtimeName}://${current.id}` }),
    started,
  } as IContainerStatus;
}

/** Why a container does not run yet, or not again; undefined where it runs, or has ended and stays so. */
function waitingState(
  view: PodView,
  container: IContainer,
  current: ObservedContainer | undefined,
  initialized: boolean,
  init: boolean,
): { reason: string; message?: string } | undefined {
  const live = !view.gone && !view.pod.metadata.deletionTimestamp;
  if (current && current.state !== "exited") return undefined;
  const backOff = view.backOffs.get(container.name);
  const again =
    current && (isSidecar(container) || (init ? current.exitCode !== 0 : restarts(view.pod, current.exitCode)));
  if (again && live && backOff && crashBackOffUntil(view, container.name) !== undefined) {
    return {
      reason: "CrashLoopBackOff",
      message: `back-off ${duration(backOff.seconds)} restarting failed container=${container.name} pod=${podLabel(view.pod)}`,
    };
  }
  const hold = view.holds.get(container.name);
  if (live && hold && hold.at >= (current?.finishedAt ?? 0)) {
    if (hold.reason === "ErrImagePull" && view.now >= hold.at + PULL_ERROR_SECONDS * 1000) {
      return {
        reason: "ImagePullBackOff",
        message: `Back-off pulling image "${container.image}": ErrImagePull: ${hold.message}`,
      };
    }
    return { reason: hold.reason, message: hold.message };
  }
  if (current) return undefined;
  const behindInit = (view.pod.spec.initContainers?.length ?? 0) > 0 && !initialized;
  return { reason: behindInit || (init && !isNext(view, container)) ? "PodInitializing" : "ContainerCreating" };
}

/** The first init container is being created, the others wait for it. */
const isNext = (view: PodView, container: IContainer): boolean => view.pod.spec.initContainers?.[0] === container;

/** Go's time.Duration of whole seconds: `10s`, `1m20s`, `5m0s`. */
export function duration(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  return minutes > 0 ? `${minutes}m${seconds % 60}s` : `${seconds}s`;
}

function stateOf(container: ObservedContainer, { runtimeName }: StatusContext): IContainerState {
  if (container.state === "running") return { running: { startedAt: timestamp(container.startedAt) } };
  if (container.state !== "exited") return { waiting: {} };
  return {
    terminated: {
      exitCode: container.exitCode,
      ...(container.reason && { reason: container.reason }),
      ...(container.message && { message: container.message }),
      startedAt: container.startedAt > 0 ? timestamp(container.startedAt) : null,
      finishedAt: container.finishedAt > 0 ? timestamp(container.finishedAt) : null,
      ...(container.id && { containerID: `${runtimeName}://${container.id}` }),
    } as IContainerState["terminated"],
  };
}

function phaseOf(view: PodView, initStatuses: IContainerStatus[], statuses: IContainerStatus[], ended: boolean): Phase {
  const policy = view.pod.spec.restartPolicy ?? "Always";
  if (initFailed(view)) return "Failed";
  if (!isInitialized(view)) return ended ? "Failed" : "Pending";
  let waiting = 0;
  let running = 0;
  let stopped = 0;
  let succeeded = 0;
  for (const { state, lastState } of statuses) {
    if (state?.running) running++;
    else if (state?.terminated) {
      stopped++;
      if (state.terminated.exitCode === 0) succeeded++;
    } else if (lastState?.terminated) stopped++;
    else waiting++;
  }
  const sidecarRuns = (view.pod.spec.initContainers ?? []).some(
    (container, index) => isSidecar(container) && initStatuses[index]?.state?.running,
  );
  if (waiting > 0) return ended ? "Failed" : "Pending";
  if (running > 0) return "Running";
  if (ended) return stopped === succeeded ? "Succeeded" : "Failed";
  if (policy === "Always" || sidecarRuns) return "Running";
  if (stopped === succeeded) return "Succeeded";
  return policy === "Never" ? "Failed" : "Running";
}

type Condition = Pick<IPodCondition, "type" | "status" | "reason" | "message">;

function podConditions(
  view: PodView,
  phase: Phase,
  initStatuses: IContainerStatus[],
  statuses: IContainerStatus[],
): Condition[] {
  const { spec, status: previous } = view.pod;
  const sandboxReady = view.sandboxes[0]?.ready === true;
  const containersReady = readiness(view, phase, initStatuses, statuses);
  return [
    { type: "PodReadyToStartContainers", status: sandboxReady ? "True" : "False" },
    initializedCondition(view, phase, initStatuses, statuses),
    {
      type: "Ready",
      ...(containersReady.status === "True"
        ? gates(spec.readinessGates ?? [], previous?.conditions ?? [])
        : containersReady),
    },
    { type: "ContainersReady", ...containersReady },
  ];
}

function readiness(
  view: PodView,
  phase: Phase,
  initStatuses: IContainerStatus[],
  statuses: IContainerStatus[],
): Omit<Condition, "type"> {
  if (phase === "Succeeded") return { status: "False", reason: "PodCompleted" };
  if (phase === "Failed") return { status: "False", reason: "PodFailed" };
  const sidecars = initStatuses.filter((_, index) => isSidecar(view.pod.spec.initContainers![index]!));
  const unready = [...sidecars, ...statuses].filter(({ ready }) => !ready).map(({ name }) => name);
  if (unready.length === 0) return { status: "True" };
  return {
    status: "False",
    reason: "ContainersNotReady",
    message: `containers with unready status: [${unready.join(" ")}]`,
  };
}

function gates(
  readinessGates: readonly { conditionType: string }[],
  conditions: readonly IPodCondition[],
): Omit<Condition, "type"> {
  const missing = readinessGates.flatMap(({ conditionType }) => {
    const condition = conditions.find(({ type }) => type === conditionType);
    if (!condition) return [`corresponding condition of pod readiness gate "${conditionType}" does not exist.`];
    if (condition.status === "True") return [];
    return [`the status of pod readiness gate "${conditionType}" is not "True", but ${condition.status}`];
  });
  if (missing.length === 0) return { status: "True" };
  return { status: "False", reason: "ReadinessGatesNotReady", message: missing.join(", ") };
}

function initializedCondition(
  view: PodView,
  phase: Phase,
  initStatuses: IContainerStatus[],
  statuses: IContainerStatus[],
): Condition {
  if (phase === "Succeeded") return { type: "Initialized", status: "True", reason: "PodCompleted" };
  if (statuses.some(({ state, lastState }) => state?.running || state?.terminated || lastState?.terminated)) {
    return { type: "Initialized", status: "True" };
  }
  const incomplete = initStatuses.filter((status, index) =>
    isSidecar(view.pod.spec.initContainers![index]!) ? !status.started : !status.ready,
  );
  if (incomplete.length === 0) return { type: "Initialized", status: "True" };
  return {
    type: "Initialized",
    status: "False",
    reason: "ContainersNotInitialized",
    message: `containers with incomplete status: [${incomplete.map(({ name }) => name).join(" ")}]`,
  };
}

/** Conditions keep their time while their status stays; those of others keep everything. */
function withTimes(
  conditions: Condition[],
  previous: readonly IPodCondition[],
  now: number,
  generation: number | undefined,
): IPodCondition[] {
  const mine = conditions.map((condition) => {
    const old = previous.find(({ type }) => type === condition.type);
    const lastTransitionTime = old?.status === condition.status ? old.lastTransitionTime : timestamp(now);
    return {
      ...condition,
      ...(generation !== undefined && { observedGeneration: generation }),
      lastProbeTime: null,
      lastTransitionTime,
    } as unknown as IPodCondition;
  });
  const others = previous.filter(({ type }) => !conditions.some((condition) => condition.type === type));
  return [...mine, ...others];
}
