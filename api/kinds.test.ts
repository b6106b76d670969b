import { expect, test } from "vitest";
import { ConfigMap } from "./kinds/config-map.ts";
import { KIND_RULES } from "./kinds/rules.ts";
import {
  allKinds,
  compareVersions,
  findKind,
  groups,
  kindByGvk,
  kindsOf,
  rulesOf,
  storageKind,
  storageVersion,
} from "./kinds.ts";

test("a kind is found by its address and by the names in its objects", () => {
  const deployments = findKind("apps", "v1", "deployments");
  expect(deployments).toMatchObject({
    kind: "Deployment",
    namespaced: true,
    singular: "deployment",
    shortNames: ["deploy"],
    categories: ["all"],
  });
  expect(kindByGvk("apps", "v1", "Deployment")).toBe(deployments);
  expect(deployments?.verbs).toEqual([
    "create",
    "delete",
    "deletecollection",
    "get",
    "list",
    "patch",
    "update",
    "watch",
  ]);
});

test("subresources say what travels and what may be done", () => {
  const scale = findKind("apps", "v1", "deployments")?.subresources.find(({ name }) => name === "scale");
  expect(scale).toEqual({
    name: "scale",
    group: "autoscaling",
    version: "v1",
    kind: "Scale",
    verbs: ["get", "patch", "update"],
  });
  expect(findKind("", "v1", "pods")?.subresources.map(({ name }) => name)).toEqual([
    "attach",
    "binding",
    "ephemeralcontainers",
    "eviction",
    "exec",
    "log",
    "portforward",
    "proxy",
    "resize",
    "status",
  ]);
});

test("a kind may have several short names", () => {
  const definitions = findKind("apiextensions.k8s.io", "v1", "customresourcedefinitions");
  expect(definitions).toMatchObject({ shortNames: ["crd", "crds"], categories: ["api-extensions"] });
});

test("what is not served is not found", () => {
  expect(findKind("apps", "v2", "deployments")).toBeUndefined();
  expect(findKind("", "v1", "componentstatuses")).toBeUndefined();
  expect(kindByGvk("authentication.k8s.io", "v1", "TokenReview")).toBeUndefined();
  expect(kindsOf("nope", "v1")).toEqual([]);
});

test("cluster-scoped kinds are not namespaced", () => {
  expect(findKind("", "v1", "nodes")?.namespaced).toBe(false);
  expect(findKind("", "v1", "namespaces")?.namespaced).toBe(false);
  expect(findKind("rbac.authorization.k8s.io", "v1", "clusterroles")?.namespaced).toBe(false);
});

test("groups come in upstream's order with the preferred version first", () => {
  expect(groups.slice(0, 4).map(({ name }) => name)).toEqual(["", "apiregistration.k8s.io", "apps", "events.k8s.io"]);
  expect(groups.find(({ name }) => name === "autoscaling")?.versions).toEqual(["v2", "v1"]);
  expect(groups.find(({ name }) => name === "resource.k8s.io")?.versions).toEqual([
    "v1",
    "v1beta2",
    "v1beta1",
    "v1alpha3",
  ]);
});

test("versions are ordered by stability, then by number", () => {
  const versions = ["v1alpha1", "v1", "v2beta1", "v1beta2", "v2", "v10", "v1beta1"];
  expect(versions.sort(compareVersions)).toEqual(["v10", "v2", "v1", "v2beta1", "v1beta2", "v1beta1", "v1alpha1"]);
});

test("objects of several versions are stored in the preferred one, new events as core events", () => {
  expect(storageVersion("autoscaling", "horizontalpodautoscalers")).toBe("v2");
  expect(storageVersion("resource.k8s.io", "devicetaintrules")).toBe("v1beta2");
  expect(storageKind("events.k8s.io", "events")).toBe(findKind("", "v1", "events"));
  expect(storageKind("apps", "nothings")).toBeUndefined();
});

test("every kind with rules is a kind that is served, with the same resource and scope", () => {
  for (const { group, version, kind, resource, namespaced } of KIND_RULES) {
    expect(findKind(group, version, resource), `${group}/${version} ${resource}`).toMatchObject({ kind, namespaced });
  }
});

test("a kind's rules are found, and a kind without any has empty ones", () => {
  expect(rulesOf(findKind("", "v1", "configmaps")!)).toBe(ConfigMap.rules);
  expect(rulesOf({ group: "", kind: "ComponentStatus" })).toEqual({});
});

test("no two kinds share an address", () => {
  const addresses = allKinds().map(({ group, version, resource }) => `${group}/${version}/${resource}`);
  expect(new Set(addresses).size).toBe(addresses.length);
});
