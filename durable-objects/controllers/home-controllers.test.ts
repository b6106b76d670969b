import { describe, expect, test } from "vitest";
import type { KubeObject } from "../../api/object.ts";
import { contextAt, NOON, viewOf } from "../../test/support/view-of.ts";
import { ago, pod } from "../../test/support/workload-objects.ts";
import { eventTtl } from "./event-ttl.ts";
import { podGc, TERMINATED_PODS_MAX } from "./pod-gc.ts";
import { rootCaPublisher } from "./root-ca-publisher.ts";
import { serviceAccount } from "./service-account.ts";

const ending = contextAt(NOON, { terminating: true });

describe("the default ServiceAccount", () => {
  test("is made where it is missing, and only there", () => {
    const plan = serviceAccount.reconcileHome(viewOf([]), contextAt());
    expect(plan.writes).toMatchObject([
      { op: "create", object: { kind: "ServiceAccount", metadata: { name: "default", namespace: "default" } } },
    ]);
    const known = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default" } };
    expect(serviceAccount.reconcileHome(viewOf([known]), contextAt()).writes).toEqual([]);
    expect(serviceAccount.reconcileHome(viewOf([]), ending).writes).toEqual([]);
  });
});

describe("kube-root-ca.crt", () => {
  const publisher = rootCaPublisher("PEM");
  const made = () => (publisher.reconcileHome(viewOf([]), contextAt()).writes[0] as { object: KubeObject }).object;

  test("is published, and put right where somebody has changed it", () => {
    expect(made()).toMatchObject({
      kind: "ConfigMap",
      metadata: { name: "kube-root-ca.crt" },
      data: { "ca.crt": "PEM" },
    });
    expect(publisher.reconcileHome(viewOf([made()]), contextAt()).writes).toEqual([]);
    const broken = { ...made(), data: { "ca.crt": "other", more: "" } };
    expect(publisher.reconcileHome(viewOf([broken]), contextAt()).writes).toMatchObject([
      { op: "update", object: { data: { "ca.crt": "PEM" } } },
    ]);
  });

  test("is not made in a namespace that is being deleted", () => {
    expect(publisher.reconcileHome(viewOf([]), ending).writes).toEqual([]);
  });
});

describe("pods that have ended", () => {
  test("are kept up to the limit; beyond it the oldest go", () => {
    const ended = Array.from({ length: TERMINATED_PODS_MAX }, (_, i) => pod(`p${i}`, { phase: "Succeeded", age: 10 }));
    expect(podGc.reconcileHome(viewOf(ended), contextAt()).writes).toEqual([]);
    const plan = podGc.reconcileHome(viewOf([...ended, pod("oldest", { phase: "Failed", age: 99 })]), contextAt());
    expect(plan.writes).toMatchObject([{ op: "delete", name: "oldest", graceSeconds: 0 }]);
  });

  test("matter when they end, not before or after", () => {
    const matters = podGc.watches[0]!.matters!;
    const [running, ended] = [pod("a"), pod("a", { phase: "Failed" })];
    expect(matters(ended, running)).toBe(true);
    expect(matters(ended, ended)).toBe(false);
    expect(matters(running, undefined)).toBe(false);
  });
});

describe("Events", () => {
  const event = (name: string, secondsAgo: number) => ({
    apiVersion: "v1",
    kind: "Event",
    metadata: { name, creationTimestamp: ago(9_000) },
    lastTimestamp: ago(secondsAgo),
    involvedObject: {},
  });

  test("are deleted an hour after they last happened", () => {
    const plan = eventTtl.reconcileHome(viewOf([event("old", 3_600), event("young", 3_000)]), contextAt());
    expect(plan.writes).toMatchObject([{ op: "delete", name: "old" }]);
    expect(plan.again).toEqual({ inSeconds: 600 });
  });

  test("are swept together, and not at all where there are none", () => {
    expect(eventTtl.reconcileHome(viewOf([event("soon", 3_599)]), contextAt()).again).toEqual({ inSeconds: 60 });
    expect(eventTtl.reconcileHome(viewOf([]), contextAt())).toEqual({ writes: [] });
  });
});
