import { expect, test } from "vitest";
import type { PodObject } from "../api/kinds/pod.ts";
import { containerHash, podActions } from "./pod-actions.ts";
import type { Action, ObservedContainer, PodView } from "./pod-actions-view.ts";

const NOW = Date.parse("2026-01-01T00:00:00Z");
const SANDBOX = { id: "s1", attempt: 0, ready: true, createdAt: NOW - 60_000, ips: ["10.0.0.2"] };
const IMAGE = { id: "sha256:1" };

type RestartPolicy = PodObject["spec"]["restartPolicy"];

const container = (name: string, more: object = {}) => ({ name, image: `${name}:1`, ...more });

function pod(spec: Partial<PodObject["spec"]> = {}, metadata: object = {}): PodObject {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "web", namespace: "default", uid: "u1", ...metadata },
    spec: { containers: [container("app")], ...spec },
  };
}

let ids = 0;
function observed(name: string, more: Partial<ObservedContainer> = {}): ObservedContainer {
  return {
    id: `${name}-${++ids}`,
    sandboxId: "s1",
    name,
    state: "running",
    createdAt: NOW - 50_000,
    startedAt: NOW - 50_000,
    finishedAt: 0,
    exitCode: 0,
    reason: "",
    message: "",
    hash: containerHash(container(name)),
    restartCount: 0,
    image: `${name}:1`,
    imageRef: "sha256:1",
    lost: false,
    ...more,
  };
}
const exited = (name: string, exitCode: number, more: Partial<ObservedContainer> = {}) =>
  observed(name, { state: "exited", exitCode, finishedAt: NOW - 1000, ...more });

function view(more: Partial<PodView> = {}): PodView {
  return {
    pod: pod(),
    gone: false,
    sandboxes: [SANDBOX],
    containers: [],
    probes: new Map(),
    images: new Map(),
    volumesReady: true,
    backOffs: new Map(),
    holds: new Map(),
    inFlight: new Map(),
    now: NOW,
    ...more,
  };
}

const images = (...names: string[]) => new Map(names.map((name) => [name, IMAGE]));
const does = (plan: { actions: Action[] }) => plan.actions.map(({ key }) => key);

test("a new pod gets volumes, sandbox and image at once: none waits for another", () => {
  const plan = podActions(view({ sandboxes: [], volumesReady: false }));
  expect(does(plan)).toEqual(["prepare-volumes", "create-sandbox", "pull:app"]);
});

test("what is under way is not asked for again", () => {
  const first = podActions(view({ sandboxes: [], volumesReady: false }));
  const inFlight = new Map(first.actions.map((action) => [action.key, action]));
  expect(podActions(view({ sandboxes: [], volumesReady: false, inFlight })).actions).toEqual([]);
});

test.each([
  ["the sandbox", { sandboxes: [] }],
  ["the volumes", { volumesReady: false }],
])("a container does not start without %s", (_, missing) => {
  const { actions } = podActions(view({ images: images("app"), ...missing }));
  expect(actions.map(({ do: what }) => what)).not.toContain("start");
});

test("with sandbox, volumes and image there, a container starts", () => {
  const { actions } = podActions(view({ images: images("app") }));
  expect(actions).toEqual([{ key: "start:app", do: "start", container: "app", sandboxId: "s1", restartCount: 0 }]);
});

test("a pod that runs as it should is left alone", () => {
  expect(podActions(view({ containers: [observed("app")] }))).toEqual({ actions: [], notices: [] });
});

test("init containers run one after the other, then the others together", () => {
  const spec = { initContainers: [container("a"), container("b")], containers: [container("app"), container("log")] };
  const all = images("a", "b", "app", "log");
  const at = (...containers: ObservedContainer[]) =>
    does(podActions(view({ pod: pod(spec), images: all, containers })));
  expect(at()).toEqual(["start:a"]);
  expect(at(observed("a"))).toEqual([]);
  expect(at(exited("a", 0))).toEqual(["start:b"]);
  expect(at(exited("b", 0), exited("a", 0))).toEqual(["start:app", "start:log"]);
});

test("init containers do not run again once the others have started, even if their remains are gone", () => {
  const spec = { initContainers: [container("a")] };
  expect(does(podActions(view({ pod: pod(spec), containers: [observed("app")] })))).toEqual([]);
});

test("a failed init container is tried again, unless the pod is never to restart", () => {
  const failed = { containers: [exited("a", 1)], images: images("a") };
  const spec = (restartPolicy: RestartPolicy) => pod({ initContainers: [container("a")], restartPolicy });
  expect(does(podActions(view({ pod: spec("OnFailure"), ...failed })))).toEqual(["start:a"]);
  expect(does(podActions(view({ pod: spec("Never"), ...failed })))).toEqual(["stop-sandbox:s1"]);
});

test("a sidecar has to be started before what follows it, and runs beside it", () => {
  const spec = { initContainers: [container("side", { restartPolicy: "Always" })] };
  const all = images("side", "app");
  const side = observed("side");
  const at = (more: Partial<PodView>) => does(podActions(view({ pod: pod(spec), images: all, ...more })));
  expect(at({})).toEqual(["start:side"]);
  expect(at({ containers: [side], probes: new Map([[side.id, { started: false, ready: false }]]) })).toEqual([]);
  expect(at({ containers: [side] })).toEqual(["start:app"]);
  expect(at({ containers: [observed("app"), exited("side", 1)] })).toEqual(["start:side"]);
});

test.each([
  ["Always", 0, ["start:app"]],
  ["Always", 1, ["start:app"]],
  ["OnFailure", 0, ["stop-sandbox:s1"]],
  ["OnFailure", 1, ["start:app"]],
  ["Never", 1, ["stop-sandbox:s1"]],
] as const)("restartPolicy %s after exit code %i", (restartPolicy, exitCode, expected) => {
  const plan = podActions(
    view({ pod: pod({ restartPolicy }), containers: [exited("app", exitCode)], images: images("app") }),
  );
  expect(does(plan)).toEqual(expected);
});

test("the first restart is at once, the following wait 10 s, 20 s … 300 s after the end", () => {
  const restart = (backOffs: PodView["backOffs"], finishedAt = NOW) =>
    podActions(view({ containers: [exited("app", 1, { finishedAt })], images: images("app"), backOffs }));
  const first = restart(new Map()).actions[0]!;
  expect(first).toMatchObject({ do: "start", restartCount: 1, backOff: { seconds: 10, since: NOW } });
  const waits = restart(new Map([["app", { seconds: 10, since: NOW }]]));
  expect(waits).toMatchObject({ actions: [], wakeAt: NOW + 10_000 });
  expect(waits.notices).toMatchObject([
    { reason: "BackOff", message: "Back-off restarting failed container app in pod web_default(u1)" },
  ]);
  const next = restart(new Map([["app", { seconds: 160, since: NOW - 200_000 }]]), NOW - 160_000).actions[0];
  expect(next).toMatchObject({ backOff: { seconds: 300 } });
});

test("a container that ran for ten minutes begins its back-off anew", () => {
  const backOffs = new Map([["app", { seconds: 300, since: NOW - 700_000 }]]);
  const plan = podActions(
    view({ containers: [exited("app", 1, { finishedAt: NOW })], images: images("app"), backOffs }),
  );
  expect(plan.actions[0]).toMatchObject({ do: "start", backOff: { seconds: 10 } });
});

test("a failed pull is tried again when its time has come, and told as back-off before", () => {
  const hold = { reason: "ErrImagePull", message: "no", at: NOW - 6000, until: NOW + 4000, seconds: 10 };
  const waits = podActions(view({ holds: new Map([["app", hold]]) }));
  expect(waits.actions).toEqual([]);
  expect(waits.wakeAt).toBe(NOW + 4000);
  expect(waits.notices.map(({ message }) => message)).toEqual([
    'Back-off pulling image "app:1"',
    "Error: ImagePullBackOff",
  ]);
  expect(does(podActions(view({ holds: new Map([["app", { ...hold, until: NOW }]]) })))).toEqual(["pull:app"]);
});

test("a container in an unknown state is killed before another is started", () => {
  const { actions } = podActions(view({ containers: [observed("app", { state: "unknown" })] }));
  expect(actions).toMatchObject([
    { do: "kill", container: "app", message: 'Container is in "unknown" state, try killing it before restart' },
  ]);
});

test("a changed image ends the container, with the grace of the pod", () => {
  const changed = pod({ containers: [container("app", { image: "app:2" })], terminationGracePeriodSeconds: 7 });
  const { actions } = podActions(view({ pod: changed, containers: [observed("app")] }));
  expect(actions).toMatchObject([
    { do: "kill", container: "app", graceSeconds: 7, message: "Container app definition changed, will be restarted" },
  ]);
});

test.each([
  ["liveness", { livenessProbe: { terminationGracePeriodSeconds: 3 } }, 3],
  ["startup", { startupProbe: {} }, 30],
] as const)("a failed %s probe ends the container", (failed, probe, graceSeconds) => {
  const app = observed("app");
  const plan = podActions(
    view({
      pod: pod({ containers: [container("app", probe)] }),
      containers: [app],
      probes: new Map([[app.id, { started: true, ready: false, failed }]]),
    }),
  );
  const message = `Container app failed ${failed} probe, will be restarted`;
  expect(plan.actions).toMatchObject([{ do: "kill", id: app.id, graceSeconds, message }]);
});

test("a container that was made but never started is removed", () => {
  const app = observed("app", { state: "created" });
  expect(does(podActions(view({ containers: [app] })))).toEqual([`remove:${app.id}`]);
});

test("a lost sandbox is made anew once what still runs in it has ended", () => {
  const dead = { ...SANDBOX, ready: false };
  const survivor = observed("app");
  const first = podActions(view({ sandboxes: [dead], containers: [survivor] }));
  expect(does(first)).toEqual([`kill:${survivor.id}`]);
  expect(first.notices[0]).toMatchObject({ reason: "SandboxChanged" });
  const then = podActions(view({ sandboxes: [dead], containers: [exited("app", 137)] }));
  expect(then.actions[0]).toEqual({ key: "create-sandbox", do: "create-sandbox", attempt: 1 });
});

test("a pod whose containers are done gets no new sandbox", () => {
  const dead = { ...SANDBOX, ready: false };
  const plan = podActions(
    view({ pod: pod({ restartPolicy: "OnFailure" }), sandboxes: [dead], containers: [exited("app", 0)] }),
  );
  expect(plan.actions).toEqual([]);
});

test("deleting ends containers, then sidecars, then sandboxes, and finishes at last", () => {
  const deleted = pod(
    { initContainers: [container("side", { restartPolicy: "Always" })] },
    { deletionTimestamp: "2026-01-01T00:00:20Z", deletionGracePeriodSeconds: 20 },
  );
  const app = observed("app");
  const side = observed("side");
  const at = (more: Partial<PodView>) => podActions(view({ pod: deleted, ...more }));
  expect(at({ containers: [app, side] }).actions).toMatchObject([{ do: "kill", id: app.id, graceSeconds: 20 }]);
  expect(at({ containers: [exited("app", 0), side] }).actions).toMatchObject([{ do: "kill", id: side.id }]);
  expect(does(at({ containers: [exited("app", 0), exited("side", 0)] }))).toEqual(["stop-sandbox:s1"]);
  expect(does(at({ sandboxes: [{ ...SANDBOX, ready: false }] }))).toEqual(["remove-sandbox:s1"]);
  expect(does(at({ sandboxes: [] }))).toEqual(["finish"]);
});

test("a kill under way is repeated only to be quicker", () => {
  const app = observed("app");
  const key = `kill:${app.id}`;
  const kill: Action = { key, do: "kill", id: app.id, container: "app", graceSeconds: 20, message: "" };
  const at = (deletionGracePeriodSeconds: number) =>
    podActions(
      view({
        pod: pod({}, { deletionTimestamp: "2026-01-01T00:00:20Z", deletionGracePeriodSeconds }),
        containers: [app],
        inFlight: new Map([[key, kill]]),
      }),
    ).actions;
  expect(at(20)).toEqual([]);
  expect(at(1)).toMatchObject([{ do: "kill", graceSeconds: 1 }]);
});

test("deleting waits for a start that is under way", () => {
  const deleted = pod({}, { deletionTimestamp: "2026-01-01T00:00:20Z" });
  const start: Action = { key: "start:app", do: "start", container: "app", sandboxId: "s1", restartCount: 0 };
  expect(podActions(view({ pod: deleted, inFlight: new Map([[start.key, start]]) })).actions).toEqual([]);
});

test("what failed is not done again before its time", () => {
  const deleted = pod({}, { deletionTimestamp: "2026-01-01T00:00:20Z" });
  const hold = { reason: "", message: "containerd is down", at: NOW, until: NOW + 2000, seconds: 2 };
  const plan = podActions(view({ pod: deleted, holds: new Map([["stop-sandbox:s1", hold]]) }));
  expect(plan).toMatchObject({ actions: [], wakeAt: NOW + 2000 });
});

test("a pod that the control plane does not know is ended", () => {
  const app = observed("app");
  const spec = { terminationGracePeriodSeconds: 60 };
  const { actions } = podActions(view({ gone: true, pod: pod(spec), containers: [app] }));
  expect(actions).toMatchObject([{ key: `kill:${app.id}`, graceSeconds: 1 }]);
});

test("activeDeadlineSeconds wakes in time, and ends what runs", () => {
  const limited = { ...pod({ activeDeadlineSeconds: 60 }), status: { startTime: "2025-12-31T23:59:30Z" } };
  const app = observed("app");
  const before = podActions(view({ pod: limited, containers: [app] }));
  expect(before).toMatchObject({ actions: [], wakeAt: NOW + 30_000 });
  const after = podActions(view({ pod: limited, containers: [app], now: NOW + 30_000 }));
  expect(does(after)).toEqual([`kill:${app.id}`]);
  expect(after.notices).toMatchObject([{ type: "Normal", reason: "DeadlineExceeded" }]);
});

test("dead containers are kept for their logs, two of each", () => {
  const dead = [exited("app", 1), exited("app", 1), exited("app", 1)];
  expect(does(podActions(view({ containers: [observed("app"), ...dead] })))).toEqual([`remove:${dead[2]!.id}`]);
});

test("an old sandbox goes once no dead container in it is kept", () => {
  const old = { ...SANDBOX, id: "s0", ready: false };
  const newer = { ...SANDBOX, attempt: 1 };
  const app = observed("app");
  const kept = exited("app", 1, { sandboxId: "s0" });
  expect(does(podActions(view({ sandboxes: [newer, old], containers: [app, kept] })))).toEqual([]);
  expect(does(podActions(view({ sandboxes: [newer, old], containers: [app] })))).toEqual(["remove-sandbox:s0"]);
});

test("a container that vanished is restarted as its pod's policy says", () => {
  const lost = exited("app", 137, { lost: true, sandboxId: "" });
  const at = (restartPolicy: RestartPolicy) =>
    does(podActions(view({ pod: pod({ restartPolicy }), containers: [lost], images: images("app") })));
  expect(at("Always")).toEqual(["start:app"]);
  expect(at("Never")).toEqual(["stop-sandbox:s1"]);
});
