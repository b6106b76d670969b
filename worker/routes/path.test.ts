import { describe, expect, test } from "vitest";
import { parseResourcePath, splitCluster, splitTime } from "./path.ts";

describe("splitCluster", () => {
  test.each([
    ["/api/v1/pods", { cluster: "default", path: "/api/v1/pods" }],
    ["/clusters/blue/api/v1/pods", { cluster: "blue", path: "/api/v1/pods" }],
    ["/clusters/blue", { cluster: "blue", path: "/" }],
    ["/clusters/../api", undefined],
    ["/clusters/a%2Fb/api", undefined],
    ["/clusters//api", undefined],
  ])("%s", (path, expected) => {
    expect(splitCluster(path)).toEqual(expected);
  });
});

describe("splitTime", () => {
  test.each([
    ["/api/v1/pods", { at: undefined, path: "/api/v1/pods" }],
    ["/at/10m/api/v1/pods", { at: "10m", path: "/api/v1/pods" }],
    ["/at/2026-01-31T12:00:00+02:00/version", { at: "2026-01-31T12:00:00+02:00", path: "/version" }],
    ["/at/2026-01-31T12%3A00%3A00%2B02%3A00/version", { at: "2026-01-31T12:00:00+02:00", path: "/version" }],
    ["/at/10m", { at: "10m", path: "/" }],
    ["/at", { at: "", path: "/" }],
    ["/at//api", { at: "", path: "/api" }],
    ["/at/%zz/api", { at: "", path: "/api" }],
    ["/attic/api", { at: undefined, path: "/attic/api" }],
  ])("%s", (path, expected) => {
    expect(splitTime(path)).toEqual(expected);
  });
});

describe("parseResourcePath", () => {
  const target = (fields: object) => ({
    group: "",
    version: "v1",
    resource: "",
    namespace: "",
    name: "",
    subresource: "",
    ...fields,
  });

  test.each([
    ["/api/v1/pods", target({ resource: "pods" })],
    ["/api/v1/namespaces", target({ resource: "namespaces" })],
    ["/api/v1/namespaces/blue", target({ resource: "namespaces", name: "blue" })],
    ["/api/v1/namespaces/blue/status", target({ resource: "namespaces", name: "blue", subresource: "status" })],
    ["/api/v1/namespaces/blue/finalize", target({ resource: "namespaces", name: "blue", subresource: "finalize" })],
    ["/api/v1/namespaces/blue/pods/", target({ resource: "pods", namespace: "blue" })],
    [
      "/api/v1/namespaces/blue/pods/a/log",
      target({ resource: "pods", namespace: "blue", name: "a", subresource: "log" }),
    ],
    ["/apis/apps/v1/deployments", target({ group: "apps", resource: "deployments" })],
    [
      "/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode",
      target({ group: "rbac.authorization.k8s.io", resource: "clusterroles", name: "system:node" }),
    ],
  ])("reads %s", (path, expected) => {
    expect(parseResourcePath(path)).toEqual({ target: expected, watch: false });
  });

  test("reads the deprecated watch form", () => {
    expect(parseResourcePath("/api/v1/watch/namespaces/blue/pods")).toEqual({
      target: target({ resource: "pods", namespace: "blue" }),
      watch: true,
    });
  });

  test.each([
    "/api",
    "/api/v1",
    "/apis/apps/v1",
    "/apis//v1/pods",
    "/version",
    "/api/v1/pods/a/b/c",
    "/api/v1/%zz",
    "/api/v1//pods",
    "/api/v1/namespaces/a%2Fb/pods/a/log",
  ])("names no resource: %s", (path) => {
    expect(parseResourcePath(path)).toBeUndefined();
  });
});
