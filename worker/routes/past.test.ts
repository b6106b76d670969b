import { expect, test } from "vitest";
import type { Target } from "../../durable-objects/protocol.ts";
import { revisionAt, SLOTS } from "../../durable-objects/revision.ts";
import { pastOf, refuseInPast } from "./past.ts";

const NOW = Date.UTC(2026, 0, 31, 12);
const PATH = "/api/v1/namespaces/default/pods/web";
const MINUTE = 60_000;

test("a duration is so long ago, and the revision the last of then", () => {
  const time = NOW - 10 * MINUTE;
  expect(pastOf("10m", NOW)).toEqual({ time, revision: revisionAt(time) + SLOTS - 1 });
});

test.each(["soon", "", "2026-01-31T12:00:00.001Z"])("%j is refused", (text) => {
  expect(() => pastOf(text, NOW)).toThrow(expect.objectContaining({ code: 400 }));
});

const pod = (subresource = ""): Target => ({
  group: "",
  version: "v1",
  resource: "pods",
  namespace: "default",
  name: "web",
  subresource,
});

test.each(["GET", "HEAD"])("%s reads", (method) => {
  expect(() => refuseInPast(method, PATH, pod())).not.toThrow();
  expect(() => refuseInPast(method, PATH, pod("status"))).not.toThrow();
  expect(() => refuseInPast(method, "/version", undefined)).not.toThrow();
});

test.each(["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])("%s is not allowed", (method) => {
  for (const target of [pod(), undefined])
    expect(() => refuseInPast(method, PATH, target)).toThrow(
      expect.objectContaining({ code: 405, message: "the past is read-only" }),
    );
});

test.each(["log", "exec", "attach", "portforward", "proxy"])("a pod's %s is not to be had", (subresource) => {
  expect(() => refuseInPast("GET", PATH, pod(subresource))).toThrow(expect.objectContaining({ code: 405 }));
});

test("a node does not link up with the past", () => {
  expect(() => refuseInPast("GET", "/node-link", undefined)).toThrow(expect.objectContaining({ code: 405 }));
});
