import { beforeEach, expect, test } from "vitest";
import { node, pod } from "../../test/support/scheduling-objects.ts";
import type { PendingPod } from "./pod-facts.ts";
import { schedule } from "./schedule.ts";
import { SchedulerState } from "./scheduler-state.ts";

const NOW = 1_000_000;
let state: SchedulerState;
beforeEach(() => {
  state = new SchedulerState();
});
const tell = (resource: string, object: any, type: "ADDED" | "DELETED" = "ADDED") =>
  state.apply({ type, resource, object });

/** Places what is to be placed; answers where. */
function place(): Record<string, string> {
  const taken = state.queue.take(100);
  const { placements, unschedulable } = schedule(
    state.snapshot,
    taken.map((one) => one.pod),
  );
  for (const one of placements) state.assume(one.pod);
  for (const one of unschedulable) state.queue.park(one.pod, 0, NOW);
  return Object.fromEntries(placements.map((one) => [one.pod.name, one.node]));
}

test("pods of another scheduler, gated, bound or deleted ones are left alone", () => {
  tell("nodes", node("a"));
  tell("pods", pod("theirs", { spec: { schedulerName: "other" } }));
  tell("pods", pod("gated", { spec: { schedulingGates: [{ name: "wait" }] } }));
  tell("pods", pod("bound", { nodeName: "a" }));
  tell("pods", pod("deleted", { deleting: true }));
  expect(place()).toEqual({});
  tell("pods", pod("gated", { spec: { schedulingGates: [] } }));
  expect(place()).toEqual({ gated: "a" });
});

test("a pod that was placed is not placed twice while its binding is on the way", () => {
  tell("nodes", node("a"));
  tell("pods", pod("p"));
  expect(place()).toEqual({ p: "a" });
  tell("pods", pod("p", { phase: "Pending" }));
  expect(place()).toEqual({});
  tell("pods", pod("p", { nodeName: "a" }));
  expect(state.snapshot.node("a")!.pods.size).toBe(1);
});

test("a refused binding gives its room back, and is tried again", () => {
  tell("nodes", node("a"));
  tell("pods", pod("p", { requests: { cpu: "4" } }));
  const [{ pod: taken }] = state.queue.take(1) as unknown as [{ pod: PendingPod }];
  schedule(state.snapshot, [taken]);
  state.assume(taken);
  state.refused(taken, 0, NOW);
  expect(state.snapshot.node("a")!.used.milliCpu).toBe(0);
  state.queue.wake(NOW + 1000);
  expect(place()).toEqual({ p: "a" });
});

test("a refused binding of a pod that is gone is forgotten", () => {
  tell("nodes", node("a"));
  tell("pods", pod("p"));
  const [{ pod: taken }] = state.queue.take(1) as unknown as [{ pod: PendingPod }];
  schedule(state.snapshot, [taken]);
  state.assume(taken);
  tell("pods", pod("p"), "DELETED");
  expect(state.snapshot.node("a")!.pods.size).toBe(0);
  state.refused(taken, 0, NOW);
  expect(state.queue.size).toBe(0);
});

test("a pod created anew under the name of one that was placed is placed itself", () => {
  tell("nodes", node("a"));
  tell("pods", pod("p", { uid: "1" }));
  place();
  tell("pods", pod("p", { uid: "2" }));
  expect(place()).toEqual({ p: "a" });
  expect(state.snapshot.node("a")!.pods.size).toBe(1);
});

test("a pod that fits nowhere is tried again when a node comes, room is made, or a pod ends", () => {
  const big = (name: string, options = {}) => pod(name, { requests: { cpu: "4" }, ...options });
  const helps: [string, () => void, string][] = [
    ["a node", () => tell("nodes", node("b")), "b"],
    ["a deletion", () => tell("pods", big("old", { nodeName: "a" }), "DELETED"), "a"],
    ["an end", () => tell("pods", big("old", { nodeName: "a", phase: "Succeeded" })), "a"],
    ["more room", () => tell("nodes", node("a", { cpu: "8" })), "a"],
  ];
  for (const [what, help, where] of helps) {
    state = new SchedulerState();
    tell("nodes", node("a"));
    tell("pods", big("old", { nodeName: "a" }));
    tell("pods", big("p"));
    expect(place(), what).toEqual({});
    // A heartbeat of a node is no change.
    tell("nodes", node("a"));
    state.queue.wake(NOW + 1000);
    expect(place(), what).toEqual({});
    help();
    state.queue.wake(NOW + 1000);
    expect(place(), what).toEqual({ p: where });
  }
});

test("a pod bound by somebody else is counted where it is", () => {
  tell("nodes", node("a"));
  tell("nodes", node("b"));
  tell("pods", pod("p"));
  const { p } = place();
  const other = p === "a" ? "b" : "a";
  tell("pods", pod("p", { nodeName: other }));
  expect(state.snapshot.node(p!)!.pods.size).toBe(0);
  expect(state.snapshot.node(other)!.pods.size).toBe(1);
});

test("a node that is gone gets no pods", () => {
  tell("nodes", node("a"));
  tell("nodes", node("a"), "DELETED");
  tell("pods", pod("p"));
  expect(place()).toEqual({});
});
