import { expect, test } from "vitest";
import { servedOf } from "../verbs/served.ts";
import { watchFilter } from "./watch-filter.ts";

const text = (reason: string, revision: number): string =>
  JSON.stringify({
    kind: "Event",
    apiVersion: "v1",
    metadata: { name: "web.1", namespace: "default", resourceVersion: String(revision) },
    involvedObject: { kind: "Pod", name: "web" },
    reason,
    message: "Container image is present",
  });
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
