import { describe, expect, test } from "vitest";
import type { NodeObject } from "../../api/kinds/node.ts";
import { contextAt, NOON, viewOf } from "../../test/support/view-of.ts";
import { ago } from "../../test/support/workload-objects.ts";
import { freeRange, nodeIpam } from "./node-ipam.ts";
import { GRACE_SECONDS, nodeLifecycle, type Presence, STARTUP_GRACE_SECONDS } from "./node-lifecycle.ts";

type Taints = NonNullable<NodeObject["spec"]>["taints"];

function node(
  options: { ready?: string; taints?: Taints; unschedulable?: boolean; age?: number; pressure?: boolean } = {},
): NodeObject {
  const { ready, taints, unschedulable, age = 9_000, pressure } = options;
  const told = ready
    ? [
        { type: "MemoryPressure", status: pressure ? "True" : "False", lastTransitionTime: ago(900) },
        { type: "DiskPressure", status: "False", lastTransitionTime: ago(900) },
        { type: "PIDPressure", status: "False", lastTransitionTime: ago(900) },
        { type: "Ready", status: ready, reason: "KubeletReady", lastTransitionTime: ago(900) },
      ]
    : undefined;
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name: "n1", uid: "uid-n1", resourceVersion: "1", creationTimestamp: ago(age) },
    spec: { ...(taints && { taints }), ...(unschedulable && { unschedulable }) },
    ...(told && { status: { conditions: told } }),
  };
}

const look = (subject: NodeObject, presence?: Presence) =>
  nodeLifecycle(() => presence).reconcile(subject, viewOf([subject]), contextAt());
const taintsOf = (plan: ReturnType<typeof look>) =>
  plan.writes
    .flatMap((write) => (write.op === "update" ? [write.object["spec"].taints] : []))[0]
    ?.map((taint: { key: string; effect: string }) => `${taint.key}:${taint.effect}`);
const conditionsOf = (plan: ReturnType<typeof look>) =>
  plan.writes.flatMap((write) => (write.op === "updateStatus" ? [write.object["status"].conditions] : []))[0];
const connected = { connected: true, at: NOON - 5_000 };
const lost = (secondsAgo: number) => ({ connected: false, at: NOON - secondsAgo * 1_000 });

describe("a node", () => {
  test("that is connected and ready is left alone", () => {
    expect(look(node({ ready: "True" }), connected)).toEqual({ writes: [] });
  });

  test("that has fallen silent is believed for the grace period", () => {
    const plan = look(node({ ready: "True" }), lost(20));
    expect(plan).toEqual({ writes: [], again: { inSeconds: GRACE_SECONDS - 20 } });
  });

  test("that stays silent becomes Unknown and is tainted, and an event tells it", () => {
    const plan = look(node({ ready: "True" }), lost(GRACE_SECONDS));
    expect(conditionsOf(plan)).toHaveLength(4);
    for (const condition of conditionsOf(plan))
      expect(condition).toMatchObject({
        status: "Unknown",
        reason: "NodeStatusUnknown",
        message: "Kubelet stopped posting node status.",
        lastTransitionTime: contextAt().timestamp,
      });
    expect(taintsOf(plan)).toEqual([
      "node.kubernetes.io/unreachable:NoSchedule",
      "node.kubernetes.io/unreachable:NoExecute",
    ]);
    expect(plan.writes).toContainEqual(
      expect.objectContaining({
        op: "event",
        type: "Normal",
        reason: "NodeNotReady",
        message: "Node n1 status is now: NodeNotReady",
      }),
    );
  });

  test("that never said anything is given a little longer", () => {
    const young = node({ age: STARTUP_GRACE_SECONDS - 1 });
    expect(look(young)).toEqual({ writes: [], again: { inSeconds: 1 } });
    const plan = look(node({ age: STARTUP_GRACE_SECONDS }));
    expect(
      conditionsOf(plan).map((condition: { type: string; reason: string }) => [condition.type, condition.reason]),
    ).toEqual(
      ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"].map((type) => [type, "NodeStatusNeverUpdated"]),
    );
  });

  test("that is Unknown already is not written again", () => {
    const taints = (["NoSchedule", "NoExecute"] as const).map((effect) => ({
      key: "node.kubernetes.io/unreachable",
      effect,
      timeAdded: ago(30),
    }));
    const unknown = node({ ready: "Unknown", taints });
    unknown.status!.conditions = unknown.status!.conditions!.map((condition) => ({
      ...condition,
      status: "Unknown" as const,
    }));
    expect(look(unknown, lost(GRACE_SECONDS)).writes).toEqual([]);
  });
});

describe("taints", () => {
  test("of a node that says it is not ready", () => {
    expect(taintsOf(look(node({ ready: "False" }), connected))).toEqual([
      "node.kubernetes.io/not-ready:NoSchedule",
      "node.kubernetes.io/not-ready:NoExecute",
    ]);
  });

  test("go when the node is ready again, the user's stay", () => {
    const mine = { key: "dedicated", value: "gpu", effect: "NoSchedule" as const };
    const unreachable = { key: "node.kubernetes.io/unreachable", effect: "NoExecute" as const };
    expect(taintsOf(look(node({ ready: "True", taints: [mine, unreachable] }), connected))).toEqual([
      "dedicated:NoSchedule",
    ]);
  });

  test("follow pressure and cordoning", () => {
    expect(taintsOf(look(node({ ready: "True", unschedulable: true, pressure: true }), connected))).toEqual([
      "node.kubernetes.io/memory-pressure:NoSchedule",
      "node.kubernetes.io/unschedulable:NoSchedule",
    ]);
  });

  test("that a new node was admitted with stay until it has said something", () => {
    const taints = [{ key: "node.kubernetes.io/not-ready", effect: "NoSchedule" as const }];
    expect(look(node({ taints, age: 1 })).writes).toEqual([]);
  });
});

describe("pod ranges", () => {
  test("are given to nodes that have none", () => {
    const ipam = nodeIpam("10.244.0.0/16");
    const first = node();
    const other = { ...node(), metadata: { name: "n0" }, spec: { podCIDR: "10.244.0.0/24" } };
    const plan = ipam.reconcile(first, viewOf([first, other]), contextAt());
    expect(plan.writes).toMatchObject([
      { op: "update", object: { spec: { podCIDR: "10.244.1.0/24", podCIDRs: ["10.244.1.0/24"] } } },
    ]);
    expect(ipam.reconcile(other, viewOf([other]), contextAt()).writes).toEqual([]);
  });

  test.each([
    ["10.244.0.0/16", [], "10.244.0.0/24"],
    ["10.244.0.0/16", ["10.244.0.0/24", "10.244.2.0/24"], "10.244.1.0/24"],
    ["10.0.0.0/8", Array.from({ length: 256 }, (_, i) => `10.0.${i}.0/24`), "10.1.0.0/24"],
    ["192.168.4.0/25", [], "192.168.4.0/25"],
  ])("in %s", (cluster, taken, free) => {
    expect(freeRange(cluster, taken)).toBe(free);
  });

  test("run out, and it is said", () => {
    expect(freeRange("10.244.0.0/24", ["10.244.0.0/24"])).toBeUndefined();
    const first = node();
    const other = { ...node(), metadata: { name: "n0" }, spec: { podCIDR: "10.244.0.0/24" } };
    const plan = nodeIpam("10.244.0.0/24").reconcile(first, viewOf([first, other]), contextAt());
    expect(plan.failure).toBe("no free range is left in 10.244.0.0/24");
    expect(plan.writes).toMatchObject([{ op: "event", reason: "CIDRNotAvailable" }]);
  });

  test("that are none are an error of the configuration", () => {
    expect(() => freeRange("fd00::/64", [])).toThrow("not an IPv4 range: fd00::/64");
  });
});
