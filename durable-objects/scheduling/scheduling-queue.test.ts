import { beforeEach, expect, test } from "vitest";
import { pending } from "../../test/support/scheduling-objects.ts";
import { SchedulingQueue } from "./scheduling-queue.ts";

const NOW = 1_000_000;
let queue: SchedulingQueue;
beforeEach(() => {
  queue = new SchedulingQueue();
});
const names = (max = 100): string[] => queue.take(max).map(({ pod }) => pod.name);

test("pods are taken by priority, each once", () => {
  queue.set(pending("low"));
  queue.set(pending("high", { priority: 5 }));
  expect(names(1)).toEqual(["high"]);
  queue.set(pending("higher", { priority: 9 }));
  expect(names()).toEqual(["higher", "low"]);
  expect(names()).toEqual([]);
});

test("a pod that is deleted is not taken", () => {
  queue.set(pending("a"));
  queue.set(pending("b"));
  expect(names(1)).toEqual(["a"]);
  queue.delete("default/b");
  expect(names()).toEqual([]);
  expect(queue.size).toBe(0);
});

test("without any change a pod that fits nowhere waits for five minutes", () => {
  queue.park(pending("a"), 0, NOW);
  expect(queue.nextDueAt).toBe(NOW + 300_000);
  queue.wake(NOW + 299_999);
  expect(names()).toEqual([]);
  queue.wake(NOW + 300_000);
  expect(names()).toEqual(["a"]);
});

test("a change makes it due when its back-off is over, which grows to ten seconds", () => {
  for (const [attempts, seconds] of [
    [0, 1],
    [1, 2],
    [2, 4],
    [3, 8],
    [4, 10],
    [40, 10],
  ] as const) {
    queue.park(pending("a"), attempts, NOW);
    queue.changed();
    expect(queue.nextDueAt).toBe(NOW + seconds * 1000);
    queue.wake(NOW + seconds * 1000);
    expect(queue.take(1)).toMatchObject([{ attempts: attempts + 1 }]);
  }
});

test("a status that changes does not wake it, a spec that changes does", () => {
  queue.park(pending("a", { requests: { cpu: "8" } }), 0, NOW);
  queue.set(pending("a", { requests: { cpu: "8" }, phase: "Pending" }));
  expect(names()).toEqual([]);
  queue.set(pending("a", { requests: { cpu: "1" } }));
  expect(names()).toEqual(["a"]);
});

test("a pod of the same name that was created anew does not inherit the wait", () => {
  queue.park(pending("a", { uid: "1" }), 3, NOW);
  queue.set(pending("a", { uid: "2" }));
  expect(queue.take(1)).toMatchObject([{ attempts: 0, pod: { uid: "2" } }]);
});

test("a binding that failed is tried again after its back-off, without any change", () => {
  queue.retry(pending("a"), 0, NOW);
  queue.wake(NOW + 1000);
  expect(names()).toEqual(["a"]);
});

test("nothing is due where nothing waits", () => {
  queue.park(pending("a"), 0, NOW);
  queue.delete("default/a");
  expect(queue.nextDueAt).toBe(Number.POSITIVE_INFINITY);
});
