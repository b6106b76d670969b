import { expect, test } from "vitest";
import { findKind, groups } from "../kinds.ts";
import { openapiV3, openapiV3Hash, openapiV3Index } from "./openapi.ts";

const documentOf = (name: string) => JSON.parse(openapiV3(name));

test("the index names a document with a hash for every served group version", () => {
  const { paths } = openapiV3Index();
  // Beside those of the versions, one for each group, and three of discovery.
  const expected = groups.reduce((sum, { name, versions }) => sum + versions.length + (name === "" ? 0 : 1), 3);
  expect(Object.keys(paths)).toHaveLength(expected);
  expect(paths["api/v1"]?.serverRelativeURL).toMatch(/^\/openapi\/v3\/api\/v1\?hash=[0-9A-F]{16}$/);
  expect(paths["apis/apps/v1"]?.serverRelativeURL).not.toContain(paths["api/v1"]!.serverRelativeURL.split("=")[1]);
});

test("every document answers its own references", () => {
  for (const name of Object.keys(openapiV3Index().paths)) {
    const { components } = documentOf(name);
    for (const [, target] of openapiV3(name).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
      expect(components.schemas, `${name}: ${target}`).toHaveProperty([target!]);
    }
  }
});

test("what is not served has no document", () => {
  for (const name of ["", "api/v2", "apis/apps/v1/x", "apis/nope", "apis/nope/v1", "apis//v1", "x/v1", "__proto__"]) {
    expect(openapiV3Hash(name), name).toBeUndefined();
  }
});

test("the PATCH of a kind has the parameters by which kubectl knows server-side validation", () => {
  const { paths } = documentOf("apis/apps/v1");
  const { patch, get, put } = paths["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"];
  expect(patch["x-kubernetes-group-version-kind"]).toEqual({ group: "apps", version: "v1", kind: "Deployment" });
  expect(patch.parameters.map(({ name }: { name: string }) => name)).toEqual([
    "dryRun",
    "fieldManager",
    "fieldValidation",
    "force",
  ]);
  expect(patch.requestBody.content).toHaveProperty(["application/strategic-merge-patch+json"]);
  expect(get["x-kubernetes-action"]).toBe("get");
  expect(put.operationId).toBe("replaceAppsV1NamespacedDeployment");
  expect(
    paths["/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale"].get["x-kubernetes-group-version-kind"],
  ).toEqual({
    group: "autoscaling",
    version: "v1",
    kind: "Scale",
  });
});

test("only verbs that are served have operations", () => {
  const { paths } = documentOf("api/v1");
  expect(Object.keys(paths["/api/v1/namespaces"]).sort()).toEqual(["get", "parameters", "post"]);
  expect(Object.keys(paths["/api/v1/namespaces/{namespace}/bindings"]).sort()).toEqual(["parameters", "post"]);
  expect(paths).not.toHaveProperty(["/api/v1/bindings"]);
  expect(findKind("", "v1", "namespaces")?.verbs).not.toContain("deletecollection");
});

test("schemas carry what kubectl apply and explain need", () => {
  const { schemas } = documentOf("api/v1").components;
  expect(schemas["io.k8s.api.core.v1.Pod"]["x-kubernetes-group-version-kind"]).toEqual([
    { group: "", kind: "Pod", version: "v1" },
  ]);
  expect(schemas["io.k8s.api.core.v1.PodSpec"].properties.containers).toEqual({
    type: "array",
    items: { allOf: [{ $ref: "#/components/schemas/io.k8s.api.core.v1.Container" }], default: {} },
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["name"],
    "x-kubernetes-patch-merge-key": "name",
    "x-kubernetes-patch-strategy": "merge",
  });
  expect(schemas["io.k8s.api.core.v1.PodSpec"].required).toEqual(["containers"]);
  expect(schemas["io.k8s.api.core.v1.ContainerPort"].properties.protocol).toEqual({
    type: "string",
    default: "TCP",
    enum: ["SCTP", "TCP", "UDP"],
  });
  expect(schemas["io.k8s.api.core.v1.PersistentVolumeClaimSpec"].properties.accessModes.items.enum).toEqual([
    "ReadOnlyMany",
    "ReadWriteMany",
    "ReadWriteOnce",
    "ReadWriteOncePod",
  ]);
  expect(schemas["io.k8s.api.core.v1.PodList"]["x-kubernetes-group-version-kind"]).toEqual([
    { group: "", kind: "PodList", version: "v1" },
  ]);
  expect(schemas["io.k8s.apimachinery.pkg.util.intstr.IntOrString"]).toEqual({
    format: "int-or-string",
    oneOf: [{ type: "integer" }, { type: "string" }],
  });
});
