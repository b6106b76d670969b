import { readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { TestCluster } from "../support/control-plane.ts";
import { Kubectl } from "../support/kubectl.ts";

// A cluster's past as a kubectl user looks at it: `/at/<time>` behind the server's address.

let cluster: TestCluster;
let present: Kubectl;
let past: Kubectl;

beforeAll(async () => {
  cluster = await TestCluster.start();
  present = new Kubectl(cluster.kubeconfig);
  await present.run("create namespace gone");
  await present.run("create configmap settings --from-literal=color=blue -n gone");
  await present.run("create configmap settings --from-literal=color=blue");
  await present.run("create deployment web --image=web:1 --replicas=2");
  await present.run("wait --for=create pod -l app=web --timeout=20s");
  await sleep(2_000);
  const time = new Date().toISOString();
  const config = readFileSync(cluster.kubeconfig, "utf8");
  const kubeconfig = `${cluster.kubeconfig}.past`;
  writeFileSync(kubeconfig, config.replaceAll(cluster.url, `${cluster.url}/at/${time}`));
  past = new Kubectl(kubeconfig);
  await sleep(5);
  await present.run("delete namespace gone");
  await present.run("delete deployment web");
  await present.run('patch configmap settings -p {"data":{"color":"red"}}');
});

afterAll(async () => {
  await cluster?.stop();
});

test("get shows what was, and what is does not change it", async () => {
  expect(await present.run("get configmap settings -o jsonpath={.data.color}")).toBe("red");
  expect(await past.run("get configmap settings -o jsonpath={.data.color}")).toBe("blue");
  expect(await past.run("get deployment web -o name")).toBe("deployment.apps/web\n");
  expect((await past.get("pods -l app=web")).items).toHaveLength(2);
});

test("a namespace that has gone is there", async () => {
  expect(await present.refused("get namespace gone")).toContain('namespaces "gone" not found');
  expect(await past.run("get configmaps -n gone -o name")).toContain("configmap/settings\n");
  expect(await past.run("get configmaps -A -o name")).toContain("configmap/settings\n");
});

test("ages are counted from then", async () => {
  await sleep(3_000);
  const ageOf = async () => Number(/^web +0\/2 +2 +0 +(\d+)s$/m.exec(await past.run("get deployment web"))?.[1]);
  const first = await ageOf();
  await sleep(1_500);
  expect(await ageOf()).toBe(first);
});

test("describe, explain, api-resources and version work", async () => {
  expect(await past.run("describe configmap settings")).toMatch(/color:\n----\nblue/);
  expect(await past.run("explain configmap.data")).toContain("FIELD: data");
  expect(await past.run("api-resources")).toMatch(/^deployments +deploy /m);
  expect(await past.run("version")).toContain("Server Version: v1.36.");
});

test("a watch shows what was, and then nothing more", async () => {
  const watched = past.run("get configmaps settings --watch -o jsonpath={.data.color} --request-timeout=3s");
  await present.run('patch configmap settings -p {"data":{"color":"green"}}');
  expect(await watched).toBe("blue");
});

test.each([
  "create configmap new",
  "delete configmap settings",
  "label configmap settings a=b",
  "scale deployment web --replicas=3",
])("%s is refused", async (commandLine) => {
  expect(await past.refused(commandLine)).toContain("the past is read-only");
});

test("what ran in the past cannot be spoken to", async () => {
  const [pod] = (await past.get("pods -l app=web")).items;
  expect(await past.refused(`logs ${pod.metadata.name}`)).toContain(
    "nothing that ran in the past can be asked for its log",
  );
  expect(await past.refused(`exec ${pod.metadata.name} -- ls`)).toContain("the past");
});
