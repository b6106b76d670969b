import { expect, test } from "vitest";
import type { KubeObject } from "../../api/object.ts";
import { ApiError } from "../../api/status.ts";
import { TestCluster } from "../../test/support/cluster.ts";
import { watchEvents } from "../../test/support/home.ts";
import type { Conversion } from "./conversion.ts";

const CRDS = "apiextensions.k8s.io/v1/customresourcedefinitions";
const V1 = "example.com/v1/servers";
const V2 = "example.com/v2/servers";

const version = (name: string, field: string, storage: boolean) => ({
  name,
  served: true,
  storage,
  schema: { openAPIV3Schema: { type: "object", properties: { [field]: { type: "string" }, n: { type: "integer" } } } },
});

/** Objects are stored in v2, where what v1 calls host is an address. */
const definition = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "servers.example.com" },
  spec: {
    group: "example.com",
    scope: "Namespaced",
    names: { plural: "servers", kind: "Server" },
    versions: [version("v1", "host", false), version("v2", "address", true)],
    conversion: {
      strategy: "Webhook",
      webhook: { clientConfig: { url: "https://example.com/convert" }, conversionReviewVersions: ["v1"] },
    },
  },
};

const server = (name: string, fields: object, apiVersion = "example.com/v1"): KubeObject => ({
  apiVersion,
  kind: "Server",
  metadata: { name },
  ...fields,
});

async function clusterWith(asked: Conversion[] = []): Promise<TestCluster> {
  const cluster = new TestCluster({
    convert: async (conversion) => {
      asked.push(conversion);
      await Promise.resolve();
      return conversion.objects.map((object) => {
        const { host, address, ...rest } = object;
        const name = conversion.desiredAPIVersion === "example.com/v2" ? "address" : "host";
        return { ...rest, apiVersion: conversion.desiredAPIVersion, [name]: host ?? address } as KubeObject;
      });
    },
  });
  expect((await cluster.ask("", "create", CRDS, { object: definition })).code).toBe(201);
  return cluster;
}

const storedIn = (cluster: TestCluster): KubeObject[] =>
  cluster
    .namespace("default")
    .home.store.read((tx) => tx.texts("servers.example.com"))
    .map(({ json }) => JSON.parse(json) as KubeObject);

test("a webhook converts what is stored, and what is read", async () => {
  const cluster = await clusterWith();
  const created = await cluster.ask("default", "create", V1, { object: server("a", { host: "x", n: 1 }) });
  expect([created.code, created.body.apiVersion, created.body.host]).toEqual([201, "example.com/v1", "x"]);
  expect(storedIn(cluster)).toMatchObject([{ apiVersion: "example.com/v2", address: "x", n: 1 }]);
  expect((await cluster.ask("default", "get", `${V2}/a`)).body.address).toBe("x");
  expect((await cluster.ask("default", "get", `${V1}/a`)).body).toMatchObject({
    host: "x",
    metadata: created.body.metadata,
  });
});

test("a patch speaks of the version it is made in", async () => {
  const cluster = await clusterWith();
  await cluster.ask("default", "create", V1, { object: server("a", { host: "x" }) });
  const patched = await cluster.ask("default", "patch", `${V1}/a`, { patchType: "merge", body: '{"host":"y"}' });
  expect([patched.code, patched.body.host, patched.body.metadata.generation]).toEqual([200, "y", 2]);
  expect(storedIn(cluster)).toMatchObject([{ address: "y", metadata: { uid: patched.body.metadata.uid } }]);
});

test("a list is converted in one call", async () => {
  const asked: Conversion[] = [];
  const cluster = await clusterWith(asked);
  for (const name of ["a", "b", "c"])
    await cluster.ask("default", "create", V2, { object: server(name, { address: name }, "example.com/v2") });
  expect(asked).toHaveLength(0);
  const { body } = await cluster.ask("default", "list", V1);
  expect(body.items.map(({ host, apiVersion }: any) => [host, apiVersion])).toEqual(
    ["a", "b", "c"].map((name) => [name, "example.com/v1"]),
  );
  expect(asked.map(({ objects }) => objects.length)).toEqual([3]);
});

test("a watch is converted as it goes", async () => {
  const cluster = await clusterWith();
  await cluster.ask("default", "create", V1, { object: server("a", { host: "x" }) });
  const opened = cluster.namespace("default").home.watchFrom({
    user: { name: "admin", groups: ["system:masters"] },
    target: {
      group: "example.com",
      version: "v1",
      resource: "servers",
      namespace: "default",
      name: "",
      subresource: "",
    },
    options: {},
  });
  await cluster.settle();
  const events = watchEvents(await opened);
  expect((await events.take(1)).map(({ type, object }) => [type, object.host])).toEqual([["ADDED", "x"]]);
  await cluster.ask("default", "delete", `${V2}/a`);
  expect((await events.take(1)).map(({ type, object }) => [type, object.host])).toEqual([["DELETED", "x"]]);
});

test("what the webhook refuses is refused, and changes nothing", async () => {
  const cluster = new TestCluster({
    convert: async () => {
      throw new ApiError("InternalError", "conversion webhook for example.com/v1, Kind=Server failed: no");
    },
  });
  await cluster.ask("", "create", CRDS, { object: definition });
  const { code, body } = await cluster.ask("default", "create", V1, { object: server("a", { host: "x" }) });
  expect([code, body.message]).toEqual([500, "conversion webhook for example.com/v1, Kind=Server failed: no"]);
  expect(storedIn(cluster)).toEqual([]);
});
