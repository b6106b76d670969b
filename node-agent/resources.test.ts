import { expect, test } from "vitest";
import { containerResources, podCgroup, qosClass } from "./resources.ts";

const GIBIBYTE = 2 ** 30;
type Amounts = Record<string, string>;
const container = (requests?: Amounts, limits?: Amounts, more: object = {}) => ({
  name: "app",
  image: "app:1",
  resources: { ...(requests && { requests }), ...(limits && { limits }) },
  ...more,
});

test.each([
  ["BestEffort", [container()]],
  ["BestEffort", [container({ cpu: "0" })]],
  ["Burstable", [container({ cpu: "100m" })]],
  ["Burstable", [container(undefined, { cpu: "1" })]],
  ["Burstable", [container(undefined, { cpu: "1", memory: "1Gi" }), container()]],
  ["Burstable", [container({ cpu: "500m", memory: "1Gi" }, { cpu: "1", memory: "1Gi" })]],
  ["Guaranteed", [container(undefined, { cpu: "1", memory: "1Gi" })]],
  ["Guaranteed", [container({ cpu: "1000m", memory: "1024Mi" }, { cpu: "1", memory: "1Gi" })]],
])("%s", (expected, containers) => {
  expect(qosClass({ containers })).toBe(expected);
});

test("an init container counts for the class", () => {
  expect(qosClass({ containers: [container()], initContainers: [container({ cpu: "1" })] })).toBe("Burstable");
});

test.each([
  [container(), { cpuShares: 2, cpuQuota: 0, cpuPeriod: 0, memoryLimitBytes: 0, oomScoreAdj: 1000 }],
  [container({ cpu: "250m", memory: "1Gi" }), { cpuShares: 256, cpuQuota: 0, memoryLimitBytes: 0, oomScoreAdj: 750 }],
  [container({ memory: "1" }), { cpuShares: 2, oomScoreAdj: 999 }],
  [container({ memory: "4Gi", cpu: "1m" }), { cpuShares: 2, oomScoreAdj: 3 }],
  [
    container(undefined, { cpu: "1500m", memory: "64Mi" }),
    { cpuShares: 1536, cpuQuota: 150_000, cpuPeriod: 100_000, memoryLimitBytes: 64 * 2 ** 20, oomScoreAdj: -997 },
  ],
  [container(undefined, { cpu: "1m" }), { cpuQuota: 1000 }],
])("cgroup settings of %j", (one, expected) => {
  expect(containerResources({ containers: [one] }, one, 4 * GIBIBYTE)).toMatchObject(expected);
});

test("a pod's cgroup lies below its class, and is limited only where every container is", () => {
  const limited = container(undefined, { cpu: "500m", memory: "64Mi" });
  expect(podCgroup("/coxswain", "u1", { containers: [limited, limited] })).toEqual({
    path: "/coxswain/podu1",
    cpuShares: 1024,
    cpuPeriod: 100_000,
    cpuQuota: 100_000,
    memoryLimitBytes: 128 * 2 ** 20,
  });
  expect(podCgroup("/coxswain", "u1", { containers: [limited, container()] })).toMatchObject({
    path: "/coxswain/burstable/podu1",
    cpuQuota: -1,
    memoryLimitBytes: 0,
  });
  expect(podCgroup("/coxswain", "u1", { containers: [container()] }).path).toBe("/coxswain/besteffort/podu1");
});

test("an init container that needs more than all others raises the pod's limits, a sidecar adds to them", () => {
  const limited = container(undefined, { cpu: "500m", memory: "64Mi" });
  const init = container(undefined, { cpu: "2", memory: "64Mi" });
  const sidecar = container(undefined, { cpu: "1", memory: "64Mi" }, { restartPolicy: "Always" });
  expect(podCgroup("/c", "u1", { containers: [limited], initContainers: [init] }).cpuQuota).toBe(200_000);
  expect(podCgroup("/c", "u1", { containers: [limited], initContainers: [sidecar] }).cpuQuota).toBe(150_000);
});
