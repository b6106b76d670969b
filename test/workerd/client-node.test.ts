import {
  CoreV1Api,
  KubeConfig,
  KubernetesObjectApi,
  makeInformer,
  PatchStrategy,
  setHeaderOptions,
  type V1ConfigMap,
} from "@kubernetes/client-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { TestCluster } from "../support/control-plane.ts";
import { eventually } from "../support/cox.ts";

// What programs made with the JavaScript client do.

const namespace = "client-node";

let cluster: TestCluster;
let config: KubeConfig;
let api: CoreV1Api;

beforeAll(async () => {
  cluster = await TestCluster.start();
  config = new KubeConfig();
  config.loadFromFile(cluster.kubeconfig);
  api = config.makeApiClient(CoreV1Api);
  await api.createNamespace({ body: { metadata: { name: namespace } } });
});

afterAll(async () => {
  await cluster?.stop();
});

const create = (name: string, data: Record<string, string> = {}) =>
  api.createNamespacedConfigMap({ namespace, body: { metadata: { name }, data } });

test("an informer has everything after kill -9 of the control plane, and tells what was deleted", async () => {
  const informer = makeInformer<V1ConfigMap>(config, "/api/v1/configmaps", () => api.listConfigMapForAllNamespaces());
  const deleted: string[] = [];
  informer.on("delete", ({ metadata }) => deleted.push(metadata!.name!));
  // As its users do: it is started again where its watch has ended with an error.
  informer.on("error", () => setTimeout(() => informer.start().catch(() => undefined), 100));
  for (const name of ["before", "doomed"]) await create(name);
  await informer.start();
  const { pid } = cluster;
  cluster.kill9();
  await eventually("another workerd", () => expect([undefined, pid]).not.toContain(cluster.pid));
  await cluster.ready();
  await create("after");
  await api.deleteNamespacedConfigMap({ namespace, name: "doomed" });
  const named = ({ metadata }: V1ConfigMap) => `${metadata!.namespace}/${metadata!.name} ${metadata!.resourceVersion}`;
  await eventually("the informer's objects", async () => {
    const { items } = await api.listConfigMapForAllNamespaces();
    expect(informer.list().map(named).sort()).toEqual(items.map(named).sort());
    expect(deleted).toEqual(["doomed"]);
  });
  await informer.stop();
});

test("patches of each content type change what they say", async () => {
  await create("patched", { a: "1" });
  const patch = async (strategy: PatchStrategy, body: unknown, more: object = {}) =>
    await api.patchNamespacedConfigMap(
      { namespace, name: "patched", body, ...more },
      setHeaderOptions("Content-Type", strategy),
    );
  await patch(PatchStrategy.JsonPatch, [{ op: "add", path: "/data/json", value: "1" }]);
  await patch(PatchStrategy.MergePatch, { data: { merge: "1" } });
  await patch(PatchStrategy.StrategicMergePatch, { data: { a: null, strategic: "1" } });
  const applied = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "patched" }, data: { applied: "1" } };
  const { data } = await patch(PatchStrategy.ServerSideApply, applied, { fieldManager: "me", force: true });
  expect(data).toEqual({ json: "1", merge: "1", strategic: "1", applied: "1" });
});

test("objects of any kind are read and written by what they say they are", async () => {
  const objects = KubernetesObjectApi.makeApiClient(config);
  const object = { apiVersion: "v1", kind: "Secret", metadata: { name: "any", namespace }, stringData: { a: "b" } };
  await objects.create(object);
  const read = await objects.read(object);
  expect(read).toMatchObject({ kind: "Secret", data: { a: "Yg==" }, type: "Opaque" });
  await expect(objects.create(object)).rejects.toMatchObject({ code: 409 });
  await objects.delete(object);
  await expect(objects.read(object)).rejects.toMatchObject({ code: 404 });
});
