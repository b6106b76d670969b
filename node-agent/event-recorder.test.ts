import { expect, test } from "vitest";
import { EventRecorder } from "./event-recorder.ts";

const POD = { apiVersion: "v1", kind: "Pod", name: "web", namespace: "shop", uid: "u1" };
const EVENT = {
  type: "Normal",
  reason: "Started",
  message: "Container started",
  fieldPath: "spec.containers{app}",
} as const;

function recorder() {
  let now = Date.parse("2026-01-01T00:00:00Z");
  let random = 0;
  const subject = new EventRecorder({
    nodeName: "n1",
    now: () => now,
    random: () => {
      random += 0.01;
      return random;
    },
    onQueued: () => {},
  });
  return { subject, later: (seconds: number) => (now += seconds * 1000) };
}

test("an event names its object, source and time", () => {
  const { subject } = recorder();
  subject.record(POD, EVENT);
  const [event] = subject.take(10);
  expect(event).toMatchObject({
    metadata: { namespace: "shop", name: expect.stringMatching(/^web\.[0-9a-f]+$/) },
    involvedObject: { ...POD, fieldPath: "spec.containers{app}" },
    source: { component: "kubelet", host: "n1" },
    count: 1,
    firstTimestamp: "2026-01-01T00:00:00Z",
  });
  expect(subject.take(10)).toEqual([]);
});

test("the same again raises the count under the same name", () => {
  const { subject, later } = recorder();
  subject.record(POD, EVENT);
  const [first] = subject.take(10);
  later(5);
  subject.record(POD, EVENT);
  const [second] = subject.take(10);
  expect(second).toMatchObject({
    metadata: first!.metadata,
    count: 2,
    firstTimestamp: "2026-01-01T00:00:00Z",
    lastTimestamp: "2026-01-01T00:00:05Z",
  });
});

test("another message is another event", () => {
  const { subject } = recorder();
  subject.record(POD, EVENT);
  subject.record(POD, { ...EVENT, message: "other" });
  expect(new Set(subject.take(10).map(({ metadata }) => metadata.name)).size).toBe(2);
});

test("what could not be sent waits on, unless a newer count of it does", () => {
  const { subject } = recorder();
  subject.record(POD, EVENT);
  const unsent = subject.take(10);
  subject.record(POD, EVENT);
  subject.putBack(unsent);
  expect(subject.take(10).map((event) => event["count"])).toEqual([2]);
});

test("a very long message is cut", () => {
  const { subject } = recorder();
  subject.record(POD, { ...EVENT, message: "x".repeat(5000) });
  expect(subject.take(1)[0]!["message"]).toHaveLength(1024);
});
