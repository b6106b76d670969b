import { expect, test } from "vitest";
import type { FeedEvent } from "../protocol.ts";
import { servedOf } from "../verbs/served.ts";
import { WatchFilter } from "./watch-filter.ts";

const text = (reason: string, revision: number): string =>
  JSON.stringify({
    kind: "Event",
    apiVersion: "v1",
    metadata: { name: "web.1", namespace: "default", resourceVersion: String(revision) },
    involvedObject: { kind: "Pod", name: "web" },
    reason,
    message: "Container image is present",
  });
const watchFilter = (...args: ConstructorParameters<typeof WatchFilter>) => {
  const filter = new WatchFilter(...args);
  return (event: FeedEvent) => filter.line(event);
};
const told = (line: string) => JSON.parse(line);

test("a watch of a version that is not stored is told objects of its own", () => {
  const served = servedOf({ group: "events.k8s.io", version: "v1", resource: "events" });
  const event = { type: "MODIFIED" as const, revision: 8, resource: "events", name: "web.1" };
  const change = { ...event, json: text("Pulled", 8), previousJson: text("Failed", 7) };
  const own = {
    apiVersion: "events.k8s.io/v1",
    note: "Container image is present",
    regarding: { kind: "Pod", name: "web" },
  };
  expect(told(watchFilter(served, {})(change))).toMatchObject({
    type: "MODIFIED",
    object: { ...own, reason: "Pulled" },
  });
  const ofPulled = watchFilter(served, { fieldSelector: "reason=Pulled" });
  expect(told(ofPulled(change))).toMatchObject({ type: "ADDED", object: own });
  const ofFailed = watchFilter(served, { fieldSelector: "reason=Failed" });
  expect(told(ofFailed(change))).toMatchObject({
    type: "DELETED",
    object: { ...own, reason: "Failed", metadata: { resourceVersion: "8" } },
  });
  expect(told(ofPulled({ ...change, type: "DELETED" }))).toMatchObject({ type: "DELETED", object: own });
  expect(watchFilter(served, { fieldSelector: "reason=Killing" })(change)).toBe("");
});

test("what is there from the beginning is added, where it is selected", () => {
  const served = servedOf({ group: "", version: "v1", resource: "events" });
  const object = { resource: "events", json: text("Pulled", 8) };
  expect(told(new WatchFilter(served, {}).stateLine(object))).toMatchObject({
    type: "ADDED",
    object: { reason: "Pulled" },
  });
  expect(told(new WatchFilter(served, { fieldSelector: "reason=Pulled" }).stateLine(object))).toMatchObject({
    type: "ADDED",
  });
  expect(new WatchFilter(served, { fieldSelector: "reason=Failed" }).stateLine(object)).toBe("");
});

test("a selector that nobody understands is refused", () => {
  const served = servedOf({ group: "", version: "v1", resource: "pods" });
  expect(() => new WatchFilter(served, { fieldSelector: "spec.colour=red" })).toThrow("field label not supported");
});
