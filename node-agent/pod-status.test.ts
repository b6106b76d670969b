import type { IPodStatus } from "kubernetes-models/v1/PodStatus";
import { expect, test } from "vitest";
import type { PodObject } from "../api/kinds/pod.ts";
import type { ObservedContainer, PodView } from "./pod-actions-view.ts";
import { duration, podStatus } from "./pod-status.ts";

const NOW = Date.parse("2026-01-01T00:00:00Z");
const CONTEXT = { nodeIps: ["192.168.0.1"], runtimeName: "containerd" };
const container = (name: string, more: object = {}) => ({ name, image: `${name}:1`, ...more });

function pod(spec: Partial<PodObject["spec"]> = {}, more: Partial<PodObject> = {}): PodObject {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "web", namespace: "default", uid: "u1", generation: 3 },
    spec: { containers: [container("app")], ...spec },
    ...more,
  };
}

const observed = (name: string, more: Partial<ObservedContainer> = {}): ObservedContainer => ({
  id: `${name}-id`,
  sandboxId: "s1",
  name,
  state: "running",
  createdAt: NOW - 50_000,
  startedAt: NOW - 50_000,
  finishedAt: 0,
  exitCode: 0,
  reason: "",
  message: "",
  hash: "",
  restartCount: 0,
  image: `docker.io/library/${name}:1`,
  imageRef: "sha256:1",
  lost: false,
  ...more,
});
const exited = (name: string, exitCode: number, more: Partial<ObservedContainer> = {}) =>
  observed(name, {
    state: "exited",
    exitCode,
    reason: exitCode === 0 ? "Completed" : "Error",
    finishedAt: NOW - 1000,
    ...more,
  });

const view = (more: Partial<PodView> = {}): PodView => ({
  pod: pod(),
  gone: false,
  sandboxes: [{ id: "s1", attempt: 0, ready: true, createdAt: NOW, ips: ["10.0.0.2"] }],
  containers: [],
  probes: new Map(),
  images: new Map(),
  volumesReady: true,
  backOffs: new Map(),
  holds: new Map(),
  inFlight: new Map(),
  now: NOW,
  ...more,
});

const status = (more: Partial<PodView>) => podStatus(view(more), CONTEXT);
const conditions = ({ conditions = [] }: IPodStatus) =>
  Object.fromEntries(
    conditions.map(({ type, status: is, reason, message }) => [type, [is, reason, message].filter(Boolean).join(" ")]),
  );
const waiting = (of: IPodStatus, index = 0) => of.containerStatuses?.[index]?.state?.waiting;

test("a pod without a sandbox is Pending, its container being created", () => {
  const result = status({ sandboxes: [] });
  expect(result).toMatchObject({
    phase: "Pending",
    observedGeneration: 3,
    hostIP: "192.168.0.1",
    qosClass: "BestEffort",
  });
  expect(result.podIP).toBeUndefined();
  expect(waiting(result)).toEqual({ reason: "ContainerCreating" });
  expect(conditions(result)).toEqual({
    PodReadyToStartContainers: "False",
    Initialized: "True",
    Ready: "False ContainersNotReady containers with unready status: [app]",
    ContainersReady: "False ContainersNotReady containers with unready status: [app]",
  });
});

test("a running pod is Running and ready, with addresses and ids", () => {
  const result = status({ containers: [observed("app")] });
  expect(result).toMatchObject({
    phase: "Running",
    podIP: "10.0.0.2",
    podIPs: [{ ip: "10.0.0.2" }],
    startTime: "2026-01-01T00:00:00Z",
    containerStatuses: [
      {
        name: "app",
        state: { running: { startedAt: "2025-12-31T23:59:10Z" } },
        lastState: {},
        ready: true,
        started: true,
        restartCount: 0,
        image: "docker.io/library/app:1",
        imageID: "sha256:1",
        containerID: "containerd://app-id",
      },
    ],
  });
  expect(conditions(result)).toEqual({
    PodReadyToStartContainers: "True",
    Initialized: "True",
    Ready: "True",
    ContainersReady: "True",
  });
});

test("a pod on the node's network has the node's addresses", () => {
  const result = status({ pod: pod({ hostNetwork: true }), containers: [observed("app")] });
  expect(result).toMatchObject({ podIP: "192.168.0.1", hostIP: "192.168.0.1" });
});

test("before init containers are done, the others wait for them", () => {
  const spec = { initContainers: [container("a"), container("b")] };
  const result = status({ pod: pod(spec), containers: [observed("a")] });
  expect(result.phase).toBe("Pending");
  expect(waiting(result)).toEqual({ reason: "PodInitializing" });
  expect(result.initContainerStatuses?.[0]?.state?.running).toBeDefined();
  expect(result.initContainerStatuses?.[1]?.state?.waiting).toEqual({ reason: "PodInitializing" });
  expect(conditions(result)["Initialized"]).toBe(
    "False ContainersNotInitialized containers with incomplete status: [a b]",
  );
});

test("an init container that is done is ready", () => {
  const result = status({
    pod: pod({ initContainers: [container("a")] }),
    containers: [observed("app"), exited("a", 0)],
  });
  expect(result.initContainerStatuses?.[0]).toMatchObject({
    ready: true,
    state: { terminated: { exitCode: 0, reason: "Completed" } },
  });
});

test("a crashing container waits with the last end as last state", () => {
  const result = status({
    containers: [exited("app", 3, { restartCount: 4 })],
    backOffs: new Map([["app", { seconds: 80, since: NOW - 100_000 }]]),
  });
  expect(result.phase).toBe("Running");
  expect(waiting(result)).toEqual({
    reason: "CrashLoopBackOff",
    message: "back-off 1m20s restarting failed container=app pod=web_default(u1)",
  });
  expect(result.containerStatuses?.[0]).toMatchObject({
    restartCount: 4,
    lastState: { terminated: { exitCode: 3, reason: "Error", containerID: "containerd://app-id" } },
  });
});

test("what succeeded after crashes, and is not started again, has ended", () => {
  const backOffs = new Map([
    ["once", { seconds: 20, since: NOW - 2000 }],
    ["app", { seconds: 20, since: NOW - 2000 }],
  ]);
  const containers = [exited("app", 0, { restartCount: 2 }), exited("once", 0, { restartCount: 2 })];
  const spec = { restartPolicy: "OnFailure" as const, initContainers: [container("once")] };
  const status = podStatus(view({ pod: pod(spec), containers, backOffs }), CONTEXT);
  expect(status.phase).toBe("Succeeded");
  expect(status.initContainerStatuses![0]).toMatchObject({ ready: true, state: { terminated: { exitCode: 0 } } });
  expect(status.containerStatuses![0]).toMatchObject({ state: { terminated: { exitCode: 0 } } });
});

test("a failed pull is ErrImagePull at first, then ImagePullBackOff", () => {
  const at = (age: number) =>
    waiting(
      status({
        holds: new Map([
          ["app", { reason: "ErrImagePull", message: "no route", at: NOW - age, until: NOW + 9000, seconds: 10 }],
        ]),
      }),
    );
  expect(at(0)).toEqual({ reason: "ErrImagePull", message: "no route" });
  expect(at(6000)).toEqual({
    reason: "ImagePullBackOff",
    message: 'Back-off pulling image "app:1": ErrImagePull: no route',
  });
});

test("a wrong configuration is told in its own words", () => {
  const hold = {
    reason: "CreateContainerConfigError",
    message: 'configmap "x" not found',
    at: NOW,
    until: NOW + 2000,
    seconds: 2,
  };
  expect(waiting(status({ holds: new Map([["app", hold]]) }))).toEqual({ reason: hold.reason, message: hold.message });
});

test.each([
  ["Never", [0, 0], "Succeeded"],
  ["Never", [0, 1], "Failed"],
  ["OnFailure", [0, 0], "Succeeded"],
  ["OnFailure", [0, 1], "Running"],
  ["Always", [0, 0], "Running"],
] as const)("restartPolicy %s with exit codes %j is %s", (restartPolicy, [first, second], phase) => {
  const result = status({
    pod: pod({ restartPolicy, containers: [container("a"), container("b")] }),
    containers: [exited("a", first!), exited("b", second!)],
  });
  expect(result.phase).toBe(phase);
});

test("what is over is completed, not merely unready", () => {
  const result = status({ pod: pod({ restartPolicy: "Never" }), containers: [exited("app", 0)] });
  expect(conditions(result)).toMatchObject({
    Ready: "False PodCompleted",
    ContainersReady: "False PodCompleted",
    Initialized: "True PodCompleted",
  });
});

test("a pod whose end is complete has a final phase, also where it would be restarted otherwise", () => {
  const deleted = pod();
  deleted.metadata.deletionTimestamp = "2026-01-01T00:00:00Z";
  const ended = (exitCode: number) =>
    podStatus(view({ pod: deleted, containers: [exited("app", exitCode)] }), { ...CONTEXT, ended: true }).phase;
  expect(ended(0)).toBe("Succeeded");
  expect(ended(137)).toBe("Failed");
});

test("a passed deadline fails the pod and says why", () => {
  const limited = pod({ activeDeadlineSeconds: 30 }, { status: { startTime: "2025-12-31T23:59:30Z" } });
  expect(status({ pod: limited, containers: [observed("app")] })).toMatchObject({
    phase: "Failed",
    reason: "DeadlineExceeded",
  });
});

test("a final phase stays", () => {
  const over = pod({}, { status: { phase: "Failed", reason: "Evicted" } });
  expect(status({ pod: over, containers: [observed("app")] })).toMatchObject({ phase: "Failed", reason: "Evicted" });
});

test("what ended before and has left nothing in the runtime keeps its last status", () => {
  const terminated = { exitCode: 0, reason: "Completed" };
  const told = {
    name: "app",
    state: { terminated },
    ready: false,
    restartCount: 2,
    image: "app:1",
    imageID: "sha256:1",
  };
  const over = pod({ restartPolicy: "Never" }, { status: { phase: "Succeeded", containerStatuses: [told] } });
  expect(status({ pod: over, sandboxes: [] }).containerStatuses).toMatchObject([told]);
});

test("readiness follows the probes, and a condition keeps its time while it stays", () => {
  const before: IPodStatus = {
    conditions: [
      { type: "Ready", status: "False", lastTransitionTime: "2025-12-31T00:00:00Z" },
      { type: "PodScheduled", status: "True", lastTransitionTime: "2025-12-30T00:00:00Z" },
    ],
  };
  const app = observed("app");
  const at = (ready: boolean) =>
    status({
      pod: pod({}, { status: before }),
      containers: [app],
      probes: new Map([[app.id, { started: true, ready }]]),
    });
  const time = (of: IPodStatus, type: string) =>
    of.conditions?.find((condition) => condition.type === type)?.lastTransitionTime;
  expect(conditions(at(false))["Ready"]).toBe("False ContainersNotReady containers with unready status: [app]");
  expect(time(at(false), "Ready")).toBe("2025-12-31T00:00:00Z");
  expect(time(at(true), "Ready")).toBe("2026-01-01T00:00:00Z");
  expect(time(at(true), "PodScheduled")).toBe("2025-12-30T00:00:00Z");
});

test("a readiness gate that nobody has answered keeps the pod unready", () => {
  const gated = pod({ readinessGates: [{ conditionType: "example.com/lb" }] });
  const result = status({ pod: gated, containers: [observed("app")] });
  expect(conditions(result)["ContainersReady"]).toBe("True");
  expect(conditions(result)["Ready"]).toBe(
    'False ReadinessGatesNotReady corresponding condition of pod readiness gate "example.com/lb" does not exist.',
  );
});

test.each([
  [10, "10s"],
  [80, "1m20s"],
  [300, "5m0s"],
])("%i seconds are %s", (seconds, text) => {
  expect(duration(seconds)).toBe(text);
});
