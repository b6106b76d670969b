import { expect, test } from "vitest";
import { SchedulerState } from "./scheduler-state.ts";
import { namespacesOn } from "./unready-nodes.ts";

const node = (name: string, status: "True" | "False" | "Unknown") => ({
  metadata: { name, uid: name },
  status: { allocatable: { cpu: "4", memory: "8Gi", pods: "110" }, conditions: [{ type: "Ready", status }] },
});
const pod = (namespace: string, name: string, nodeName: string) => ({
  metadata: { namespace, name, uid: `${namespace}-${name}`, creationTimestamp: "2026-06-01T12:00:00Z" },
  spec: { nodeName, containers: [{ name: "c" }] },
  status: { phase: "Running" },
});
const told = (...nodes: object[]): SchedulerState => {
  const state = new SchedulerState();
  for (const object of nodes) state.apply({ type: "MODIFIED", resource: "nodes", object });
  return state;
};

test.each(["False", "Unknown"] as const)(
  "a node whose Ready becomes %s is taken once, with its pods' namespaces",
  (is) => {
    const state = told(node("n1", "True"));
    for (const object of [pod("a", "1", "n1"), pod("a", "2", "n1"), pod("b", "1", "n1"), pod("c", "1", "n2")])
      state.apply({ type: "ADDED", resource: "pods", object });
    expect(state.unready.take(0)).toEqual([]);
    state.apply({ type: "MODIFIED", resource: "nodes", object: node("n1", is) });
    expect(state.unready.nextDueAt).toBe(0);
    expect(state.unready.take(0)).toEqual([{ name: "n1", attempts: 0 }]);
    expect([...namespacesOn("n1", state.snapshot)]).toEqual(["a", "b"]);
    expect(state.unready.take(0)).toEqual([]);
    expect(state.unready.nextDueAt).toBe(Number.POSITIVE_INFINITY);
    // Unknown after False (or the other way round) is nothing new.
    state.apply({ type: "MODIFIED", resource: "nodes", object: node("n1", is === "False" ? "Unknown" : "False") });
    expect(state.unready.take(0)).toEqual([]);
  },
);

test("a node that is not ready when it is first seen is taken: nobody knows what was done before", () => {
  expect(told(node("n1", "Unknown")).unready.take(0)).toEqual([{ name: "n1", attempts: 0 }]);
});

test("a node that has come back, or is gone, concerns nobody", () => {
  const state = told(node("n1", "Unknown"), node("n2", "Unknown"));
  state.apply({ type: "MODIFIED", resource: "nodes", object: node("n1", "True") });
  state.apply({ type: "DELETED", resource: "nodes", object: node("n2", "Unknown") });
  expect(state.unready.take(0)).toEqual([]);
  state.unready.retry({ name: "n1", attempts: 0 }, state.snapshot, 0);
  state.unready.retry({ name: "n2", attempts: 0 }, state.snapshot, 0);
  expect(state.unready.take(60_000)).toEqual([]);
  expect([...namespacesOn("n1", state.snapshot)]).toEqual([]);
});

test("who could not be told is told again, later each time", () => {
  const state = told(node("n1", "Unknown"));
  const delays: number[] = [];
  for (let now = 0; delays.length < 9; ) {
    const [taken] = state.unready.take(now);
    state.unready.retry(taken!, state.snapshot, now);
    state.unready.retry(taken!, state.snapshot, now);
    delays.push(state.unready.nextDueAt - now);
    now = state.unready.nextDueAt;
  }
  expect(delays).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
});
