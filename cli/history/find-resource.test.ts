import { describe, expect, test } from "vitest";
import { collectionPath, findResource, type GroupDiscoveryList, objectPath } from "./find-resource.ts";

const resource = (plural: string, kind: string, shortNames: string[] = [], scope = "Namespaced") => ({
  resource: plural,
  singularResource: kind.toLowerCase(),
  responseKind: { kind },
  scope,
  shortNames,
});
const CORE: GroupDiscoveryList = {
  items: [
    {
      metadata: {},
      versions: [
        {
          version: "v1",
          resources: [resource("nodes", "Node", ["no"], "Cluster"), resource("events", "Event", ["ev"])],
        },
      ],
    },
  ],
};
const GROUPS: GroupDiscoveryList = {
  items: [
    {
      metadata: { name: "apps" },
      versions: [{ version: "v1", resources: [resource("deployments", "Deployment", ["deploy"])] }],
    },
    {
      metadata: { name: "autoscaling" },
      versions: ["v2", "v1"].map((version) => ({
        version,
        resources: [resource("horizontalpodautoscalers", "HorizontalPodAutoscaler", ["hpa"])],
      })),
    },
    {
      metadata: { name: "events.k8s.io" },
      versions: [{ version: "v1", resources: [resource("events", "Event", ["ev"])] }],
    },
    // Its plural is another's short name.
    {
      metadata: { name: "example.com" },
      versions: [{ version: "v1beta1", resources: [{ resource: "deploy", scope: "Cluster" }] }],
    },
  ],
};
const find = (text: string) => findResource([CORE, GROUPS], text);

describe("a resource is found", () => {
  const deployments = { group: "apps", version: "v1", resource: "deployments", namespaced: true };
  test.each([
    ["deployments", deployments],
    ["deployment", deployments],
    ["Deployment", deployments],
    ["deployments.apps", deployments],
    ["deploy.apps", deployments],
    ["deployment.v1.apps", deployments],
    ["no", { group: "", version: "v1", resource: "nodes", namespaced: false }],
    ["node.v1.", { group: "", version: "v1", resource: "nodes", namespaced: false }],
  ])("as %s", (text, found) => {
    expect(find(text)).toEqual(found);
  });

  test("in the core group first, and in another where that is named", () => {
    expect(find("ev")?.group).toBe("");
    expect(find("events.events.k8s.io")?.group).toBe("events.k8s.io");
  });

  test("in the preferred version, and in another where that is named", () => {
    expect(find("hpa")?.version).toBe("v2");
    expect(find("hpa.v1.autoscaling")?.version).toBe("v1");
  });

  test("by its own name rather than by another's short name", () => {
    expect(find("deploy")?.group).toBe("example.com");
  });

  test.each(["", "web", "deployments.batch", "deployments.v2.apps", ".apps", "pods/log"])("not as %j", (text) => {
    expect(find(text)).toBeUndefined();
  });
});

test("paths have a namespace where the resource has", () => {
  expect(objectPath(find("deploy.apps")!, "blue", "web")).toBe("/apis/apps/v1/namespaces/blue/deployments/web");
  expect(objectPath(find("no")!, "blue", "n 1")).toBe("/api/v1/nodes/n%201");
  expect(collectionPath(find("ev")!, "blue")).toBe("/api/v1/namespaces/blue/events");
});
