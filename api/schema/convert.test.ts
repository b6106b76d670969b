import { expect, test } from "vitest";
import { allKinds, findKind, storageKind } from "../kinds.ts";
import type { KubeObject } from "../object.ts";
import { convert } from "./convert.ts";
import { decodeValue } from "./decode.ts";

const kind = (group: string, version: string, resource: string) => findKind(group, version, resource)!;

test("between versions of one shape only apiVersion changes", () => {
  const info = kind("networking.k8s.io", "v1beta1", "ipaddresses");
  const { object } = decodeValue(info, {
    metadata: { name: "a" },
    spec: { parentRef: { name: "x", resource: "services" } },
  });
  const stored = convert(structuredClone(object), kind("networking.k8s.io", "v1", "ipaddresses"));
  expect(stored).toEqual({ ...object, apiVersion: "networking.k8s.io/v1" });
});

test("an event of events.k8s.io is stored as a core event and read back the same", () => {
  const event = (): KubeObject => ({
    apiVersion: "events.k8s.io/v1",
    kind: "Event",
    metadata: { name: "a", namespace: "b" },
    regarding: { kind: "Pod", name: "p" },
    note: "Started",
    reason: "Started",
    reportingController: "kubelet",
    deprecatedCount: 2,
  });
  const stored = convert(event(), storageKind("events.k8s.io", "events")!);
  expect(stored).toMatchObject({
    apiVersion: "v1",
    involvedObject: { kind: "Pod", name: "p" },
    message: "Started",
    reportingComponent: "kubelet",
    count: 2,
  });
  expect(stored["note"]).toBeUndefined();
  expect(convert(stored, kind("events.k8s.io", "v1", "events"))).toEqual(event());
});

const v1 = kind("autoscaling", "v1", "horizontalpodautoscalers");
const v2 = kind("autoscaling", "v2", "horizontalpodautoscalers");

test("autoscaling/v1's CPU target is a metric of v2", () => {
  const autoscaler: KubeObject = {
    apiVersion: "autoscaling/v1",
    kind: "HorizontalPodAutoscaler",
    metadata: { name: "a" },
    spec: { maxReplicas: 3, scaleTargetRef: { kind: "Deployment", name: "a" }, targetCPUUtilizationPercentage: 70 },
    status: { currentReplicas: 1, desiredReplicas: 1, currentCPUUtilizationPercentage: 40 },
  };
  const stored = convert(structuredClone(autoscaler), v2);
  expect(stored["spec"].metrics).toEqual([
    { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 70 } } },
  ]);
  expect(stored["status"].currentMetrics).toEqual([
    { type: "Resource", resource: { name: "cpu", current: { averageUtilization: 40 } } },
  ]);
  expect(decodeValue(v2, structuredClone(stored)).strictErrors).toEqual([]);
  expect(convert(stored, v1)).toMatchObject({ spec: autoscaler["spec"], status: autoscaler["status"] });
});

test("what only autoscaling/v2 can say survives a way through v1", () => {
  const autoscaler: KubeObject = {
    apiVersion: "autoscaling/v2",
    kind: "HorizontalPodAutoscaler",
    metadata: { name: "a", annotations: { mine: "x" } },
    spec: {
      maxReplicas: 3,
      scaleTargetRef: { kind: "Deployment", name: "a" },
      metrics: [
        { type: "Resource", resource: { name: "memory", target: { type: "AverageValue", averageValue: "1Gi" } } },
        { type: "Pods", pods: { metric: { name: "rps" }, target: { type: "AverageValue", averageValue: "10" } } },
        {
          type: "External",
          external: {
            metric: { name: "queue", selector: { matchLabels: { a: "b" } } },
            target: { type: "Value", value: "30" },
          },
        },
        {
          type: "Object",
          object: {
            describedObject: { kind: "Service", name: "s" },
            metric: { name: "hits" },
            target: { type: "Value", value: "5" },
          },
        },
      ],
      behavior: { scaleDown: { stabilizationWindowSeconds: 10 } },
    },
    status: { currentReplicas: 1, desiredReplicas: 1, conditions: [{ type: "AbleToScale", status: "True" }] },
  };
  const through = convert(structuredClone(autoscaler), v1);
  expect(decodeValue(v1, structuredClone(through)).strictErrors).toEqual([]);
  expect(JSON.parse(through.metadata.annotations?.["autoscaling.alpha.kubernetes.io/metrics"] ?? "")[0]).toEqual({
    type: "Resource",
    resource: { name: "memory", targetAverageValue: "1Gi" },
  });
  expect(convert(through, v2)).toEqual(autoscaler);
});

test("an annotation that is no JSON does not stop a conversion", () => {
  const autoscaler: KubeObject = {
    apiVersion: "autoscaling/v1",
    kind: "HorizontalPodAutoscaler",
    metadata: { name: "a", annotations: { "autoscaling.alpha.kubernetes.io/metrics": "{" } },
    spec: {},
  };
  expect(convert(autoscaler, v2)["spec"]).toEqual({});
});

test("device requests and devices change shape between v1beta1 and v1", () => {
  const claim: KubeObject = {
    apiVersion: "resource.k8s.io/v1beta1",
    kind: "ResourceClaim",
    metadata: { name: "a" },
    spec: {
      devices: {
        requests: [
          { name: "r", deviceClassName: "gpu", count: 1 },
          { name: "s", firstAvailable: [{ name: "t" }] },
        ],
      },
    },
  };
  const stored = convert(structuredClone(claim), kind("resource.k8s.io", "v1", "resourceclaims"));
  expect(stored["spec"].devices.requests).toEqual([
    { name: "r", exactly: { deviceClassName: "gpu", count: 1 } },
    { name: "s", firstAvailable: [{ name: "t" }] },
  ]);
  expect(convert(stored, kind("resource.k8s.io", "v1beta1", "resourceclaims"))).toEqual(claim);

  const slice: KubeObject = {
    apiVersion: "resource.k8s.io/v1beta1",
    kind: "ResourceSlice",
    metadata: { name: "a" },
    spec: { devices: [{ name: "d", basic: { attributes: { a: { bool: true } } } }] },
  };
  const storedSlice = convert(structuredClone(slice), kind("resource.k8s.io", "v1", "resourceslices"));
  expect(storedSlice["spec"].devices).toEqual([{ name: "d", attributes: { a: { bool: true } } }]);
  expect(convert(storedSlice, kind("resource.k8s.io", "v1beta1", "resourceslices"))).toEqual(slice);
});

test("every served version can become the stored one", () => {
  for (const info of allKinds()) {
    const stored = storageKind(info.group, info.resource);
    if (!stored) throw new Error(`${info.resource} is not stored`);
    const { object } = decodeValue(info, {});
    expect(convert(object, stored).apiVersion).toBe(
      stored.group ? `${stored.group}/${stored.version}` : stored.version,
    );
  }
});

test("another kind is a programmer's error", () => {
  expect(() => convert({ apiVersion: "v1", kind: "Pod", metadata: { name: "a" } }, v2)).toThrow("cannot become");
});
