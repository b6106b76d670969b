import { describe, expect, test } from "vitest";
import type { EventObject } from "../../api/kinds/event.ts";
import { NOON } from "../../test/support/view-of.ts";
import { pod } from "../../test/support/workload-objects.ts";
import { EventRecorder, type Happening } from "./events.ts";

const about = pod("web");
const happening = (message = "Created pod: web-1", more: Partial<Happening> = {}): Happening => ({
  about,
  type: "Normal",
  reason: "SuccessfulCreate",
  message,
  component: "replicaset-controller",
  ...more,
});

/** A recorder and the namespace's events. */
function record() {
  const recorder = new EventRecorder();
  const events = new Map<string, EventObject>();
  return {
    events,
    say(what: Happening, now = NOON) {
      const recorded = recorder.record(what, now, (name) => events.get(name));
      if (recorded) events.set(recorded.event.metadata.name, recorded.event);
      return recorded;
    },
  };
}

describe("an event", () => {
  test("has upstream's shape", () => {
    const { say } = record();
    expect(say(happening(undefined, { fieldPath: "spec.containers{web}", host: "n1" }))).toEqual({
      op: "create",
      event: {
        apiVersion: "v1",
        kind: "Event",
        metadata: { name: expect.stringMatching(/^web\.[0-9a-f]{16}$/), namespace: "default" },
        involvedObject: {
          apiVersion: "v1",
          kind: "Pod",
          namespace: "default",
          name: "web",
          uid: "uid-web",
          resourceVersion: "1",
          fieldPath: "spec.containers{web}",
        },
        reason: "SuccessfulCreate",
        message: "Created pod: web-1",
        source: { component: "replicaset-controller", host: "n1" },
        firstTimestamp: "2026-06-01T12:00:00Z",
        lastTimestamp: "2026-06-01T12:00:00Z",
        count: 1,
        type: "Normal",
        reportingComponent: "replicaset-controller",
        reportingInstance: "n1",
      },
    });
  });

  test("that happens again raises the count of the first, also after a restart", () => {
    const { say, events } = record();
    say(happening());
    expect(say(happening(), NOON + 5_000)?.event).toMatchObject({
      count: 2,
      firstTimestamp: "2026-06-01T12:00:00Z",
      lastTimestamp: "2026-06-01T12:00:05Z",
    });
    const restarted = new EventRecorder().record(happening(), NOON + 9_000, (name) => events.get(name));
    expect(restarted).toMatchObject({ op: "update", event: { count: 3 } });
  });

  test("about an object without namespace is the default namespace's", () => {
    const node = { apiVersion: "v1", kind: "Node", metadata: { name: "n1", uid: "u" } };
    const { event } = record().say(happening("x", { about: node }))!;
    expect(event.metadata.namespace).toBe("default");
    expect(event.involvedObject).not.toHaveProperty("namespace");
  });

  test("of the same words about another object, reason or part is another", () => {
    const { say, events } = record();
    say(happening());
    say(happening(undefined, { about: pod("web2") }));
    say(happening(undefined, { reason: "Other" }));
    say(happening(undefined, { fieldPath: "spec.containers{web}" }));
    expect(events.size).toBe(4);
  });

  test("has a name and a message of bounded length", () => {
    const { event } = record().say(happening("x".repeat(5_000), { about: pod("p".repeat(250)) }))!;
    expect(event.metadata.name).toHaveLength(253);
    expect(event.message).toHaveLength(1_024);
  });
});

describe("a flood", () => {
  test("of different messages is combined after the tenth", () => {
    const { say, events } = record();
    for (let i = 0; i < 15; i++) say(happening(`Created pod: web-${i}`));
    expect(events.size).toBe(11);
    expect([...events.values()].at(-1)).toMatchObject({
      message: "(combined from similar events): Created pod: web-14",
      count: 5,
    });
  });

  test("about one object is cut off, and let through again drop by drop", () => {
    const { say } = record();
    const written = Array.from({ length: 40 }, (_, i) => say(happening(`Created pod: web-${i}`))).filter(Boolean);
    expect(written).toHaveLength(25);
    expect(say(happening("later"), NOON + 299_000)).toBeUndefined();
    expect(say(happening("later"), NOON + 301_000)).toBeDefined();
    expect(say(happening("later"), NOON + 301_001)).toBeUndefined();
  });

  test("about one object does not silence another", () => {
    const { say } = record();
    for (let i = 0; i < 40; i++) say(happening(`Created pod: web-${i}`));
    expect(say(happening("x", { about: pod("web2") }))).toBeDefined();
  });
});
