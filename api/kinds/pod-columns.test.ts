import { describe, expect, test } from "vitest";
import { tableOf } from "../table.ts";
import { Pod } from "./pod.ts";
import { summarize } from "./pod-columns.ts";
import type { PodObject } from "./pod-object.ts";

const NOW = Date.UTC(2025, 0, 1, 0, 10, 0);

interface Options {
  phase?: string;
  reason?: string;
  init?: object[];
  initSpecs?: object[];
  containers?: object[];
  conditions?: object[];
  deleted?: boolean;
  gates?: object[];
}

const pod = ({ phase = "Running", reason, init, initSpecs, containers = [], conditions, deleted, gates }: Options) =>
  ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: "p",
      creationTimestamp: "2025-01-01T00:00:00Z",
      ...(deleted && { deletionTimestamp: "2025-01-01T00:09:00Z" }),
    },
    spec: {
      containers: containers.map((_, i) => ({ name: `c${i}` })),
      initContainers: initSpecs ?? init?.map((_, i) => ({ name: `i${i}` })),
      readinessGates: gates,
    },
    status: { phase, reason, conditions, initContainerStatuses: init, containerStatuses: containers },
  }) as unknown as PodObject;

const running = { ready: true, restartCount: 0, state: { running: {} } };
const waiting = (reason: string) => ({ ready: false, restartCount: 0, state: { waiting: { reason } } });
const ended = (exitCode: number, more = {}) => ({
  ready: false,
  restartCount: 0,
  state: { terminated: { exitCode, ...more } },
});
const condition = (type: string, status = "True", reason?: string) => ({ type, status, reason });

describe("a pod's status in a word", () => {
  test.each<[string, string, Options]>([
    ["is its phase", "Pending", { phase: "Pending" }],
    ["is its reason, if it has one", "Evicted", { phase: "Failed", reason: "Evicted" }],
    [
      "tells of its gates",
      "SchedulingGated",
      { phase: "Pending", conditions: [condition("PodScheduled", "False", "SchedulingGated")] },
    ],
    ["counts init containers", "Init:1/2", { phase: "Pending", init: [ended(0), waiting("PodInitializing")] }],
    ["tells of init containers that crash", "Init:CrashLoopBackOff", { init: [waiting("CrashLoopBackOff")] }],
    ["tells of init containers that fail", "Init:Error", { init: [ended(1, { reason: "Error" })] }],
    ["tells an init container's exit code", "Init:ExitCode:3", { init: [ended(3)] }],
    ["tells an init container's signal", "Init:Signal:9", { init: [ended(137, { signal: 9 })] }],
    [
      "is what the first container waits for",
      "CrashLoopBackOff",
      { containers: [waiting("CrashLoopBackOff"), running] },
    ],
    ["is ContainerCreating", "ContainerCreating", { phase: "Pending", containers: [waiting("ContainerCreating")] }],
    ["is Completed", "Completed", { phase: "Succeeded", containers: [ended(0, { reason: "Completed" })] }],
    ["is an exit code", "ExitCode:2", { containers: [ended(2)] }],
    [
      "is Running while any runs and all is ready",
      "Running",
      { containers: [ended(0, { reason: "Completed" }), running], conditions: [condition("Ready")] },
    ],
    ["is NotReady while any runs", "NotReady", { containers: [ended(0, { reason: "Completed" }), running] }],
    ["is Terminating", "Terminating", { containers: [running], deleted: true }],
    [
      "is Completed although it is being deleted",
      "Completed",
      { phase: "Succeeded", containers: [ended(0, { reason: "Completed" })], deleted: true },
    ],
    ["is Unknown on a lost node", "Unknown", { reason: "NodeLost", deleted: true }],
  ])("%s: %s", (_, reason, options) => {
    expect(summarize(pod(options)).reason).toBe(reason);
  });
});

const cells = (options: Options) => {
  const table = tableOf(Pod.rules, [pod(options)], { now: NOW });
  return Object.fromEntries(table.columnDefinitions.map(({ name }, i) => [name, table.rows[0]!.cells[i]]));
};

test("sidecars count among the containers once they have started", () => {
  const sidecar = { name: "i0", restartPolicy: "Always" };
  const options = { initSpecs: [sidecar], init: [{ ...running, name: "i0", started: true }], containers: [running] };
  expect(cells(options)).toMatchObject({ Ready: "2/2", Status: "Running" });
});

test("restarts are counted, and the last of them dated", () => {
  const restarted = (count: number, finishedAt: string) => ({
    ...running,
    restartCount: count,
    lastState: { terminated: { exitCode: 1, finishedAt } },
  });
  const containers = [restarted(2, "2025-01-01T00:04:00Z"), restarted(1, "2025-01-01T00:05:00Z")];
  expect(cells({ containers })["Restarts"]).toBe("3 (5m ago)");
  expect(cells({ containers: [running] })["Restarts"]).toBe("0");
});

test("wide columns are marked so, and say <none>", () => {
  const wide = tableOf(Pod.rules, [], { now: NOW }).columnDefinitions.filter(({ priority }) => priority === 1);
  expect(wide.map(({ name }) => name)).toEqual(["IP", "Node", "Nominated Node", "Readiness Gates"]);
  expect(cells({})).toMatchObject({
    IP: "<none>",
    Node: "<none>",
    "Nominated Node": "<none>",
    "Readiness Gates": "<none>",
  });
  const gates = [{ conditionType: "a.io/a" }, { conditionType: "a.io/b" }];
  expect(cells({ gates, conditions: [condition("a.io/a")] })["Readiness Gates"]).toBe("1/2");
});
