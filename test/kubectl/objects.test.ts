import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TestCluster } from "../support/control-plane.ts";
import { Kubectl } from "../support/kubectl.ts";

// Objects of all kinds as a kubectl user makes, changes and looks at them.

let cluster: TestCluster;
let kubectl: Kubectl;

beforeAll(async () => {
  cluster = await TestCluster.start();
  kubectl = new Kubectl(cluster.kubeconfig);
});

afterAll(async () => {
  await cluster?.stop();
});

const configMap = (name: string, data: Record<string, string>, more: object = {}) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, ...more },
  data,
});

describe("what a cluster says of itself", () => {
  test("version", async () => {
    expect(await kubectl.run("version")).toMatch(/Server Version: v1\.36\.\d+\+coxswain/);
  });

  test("api-resources has every group, with short names", async () => {
    const listed = await kubectl.run("api-resources");
    for (const line of [
      /^configmaps +cm +v1 +true +ConfigMap$/m,
      /^deployments +deploy +apps\/v1 +true +Deployment$/m,
      /^nodes +no +v1 +false +Node$/m,
      /^networkpolicies +netpol +networking\.k8s\.io\/v1 +true +NetworkPolicy$/m,
      /^clusterroles +rbac\.authorization\.k8s\.io\/v1 +false +ClusterRole$/m,
    ])
      expect(listed).toMatch(line);
  });

  test("the namespaces and the Service that every cluster has", async () => {
    expect(await kubectl.run("get namespaces -o name")).toBe(
      "namespace/default\nnamespace/kube-node-lease\nnamespace/kube-public\nnamespace/kube-system\n",
    );
    expect(await kubectl.run("get service kubernetes")).toMatch(
      /NAME +TYPE +CLUSTER-IP +EXTERNAL-IP +PORT\(S\) +AGE\nkubernetes +ClusterIP +10\.96\.0\.1 +<none> +443\/TCP +/,
    );
  });

  test("explain knows fields and their types", async () => {
    expect(await kubectl.run("explain deployment.spec.strategy.rollingUpdate.maxSurge")).toMatch(
      /KIND: +Deployment[\s\S]*FIELD: maxSurge <IntOrString>/,
    );
  });
});

describe("create, read, change, delete", () => {
  test("create says created, and again that it exists", async () => {
    expect(await kubectl.run("create configmap made --from-literal=a=1")).toBe("configmap/made created\n");
    expect(await kubectl.refused("create configmap made --from-literal=a=1")).toBe(
      'error: failed to create configmap: configmaps "made" already exists',
    );
  });

  test("get of what is absent", async () => {
    expect(await kubectl.refused("get configmap absent")).toBe(
      'Error from server (NotFound): configmaps "absent" not found',
    );
    expect(await kubectl.refused("get boats")).toBe('error: the server doesn\'t have a resource type "boats"');
    expect((await kubectl.try(["get", "pods"])).stderr).toBe("No resources found in default namespace.\n");
  });

  test("apply creates, leaves alone, configures, and removes what the file no longer has", async () => {
    expect(await kubectl.run("apply -f -", configMap("applied", { a: "1", b: "2" }))).toBe(
      "configmap/applied created\n",
    );
    expect(await kubectl.run("apply -f -", configMap("applied", { a: "1", b: "2" }))).toBe(
      "configmap/applied unchanged\n",
    );
    expect((await kubectl.try(["diff", "-f", "-"], JSON.stringify(configMap("applied", { a: "2" })))).stdout).toContain(
      '+  a: "2"',
    );
    expect(await kubectl.run("apply -f -", configMap("applied", { a: "2" }))).toBe("configmap/applied configured\n");
    expect((await kubectl.get("configmap applied")).data).toEqual({ a: "2" });
  });

  test("apply refuses unknown fields before anything is stored", async () => {
    expect(await kubectl.refused("apply -f -", { ...configMap("strict", {}), colour: "blue" })).toContain(
      'strict decoding error: unknown field "colour"',
    );
    await kubectl.refused("get configmap strict");
  });

  test("a dry run on the server stores nothing", async () => {
    expect(await kubectl.run("create configmap dry --dry-run=server")).toBe("configmap/dry created (server dry run)\n");
    await kubectl.refused("get configmap dry");
  });

  test("the three kinds of patch", async () => {
    await kubectl.run("apply -f -", configMap("patched", { a: "1", b: "2" }));
    await kubectl.run('patch configmap patched --type=merge -p {"data":{"a":null,"c":"3"}}');
    await kubectl.run('patch configmap patched --type=json -p [{"op":"replace","path":"/data/b","value":"4"}]');
    await kubectl.run('patch configmap patched -p {"metadata":{"labels":{"x":"y"}}}');
    const { data, metadata } = await kubectl.get("configmap patched");
    expect(data).toEqual({ b: "4", c: "3" });
    expect(metadata.labels).toEqual({ x: "y" });
  });

  test("replace, label, annotate", async () => {
    await kubectl.run("create configmap labelled");
    await kubectl.run("replace -f -", configMap("labelled", { r: "1" }));
    await kubectl.run("label configmap labelled tier=web app=x");
    await kubectl.run("label configmap labelled tier-");
    expect(await kubectl.refused("label configmap labelled app=z")).toContain("--overwrite is false");
    await kubectl.run("annotate configmap labelled note=hello");
    const { metadata, data } = await kubectl.get("configmap labelled");
    expect(metadata).toMatchObject({ labels: { app: "x" }, annotations: { note: "hello" } });
    expect(data).toEqual({ r: "1" });
  });

  test("selectors by label and by field", async () => {
    await kubectl.run("apply -f -", configMap("sel-a", {}, { labels: { app: "sel", tier: "one" } }));
    await kubectl.run("apply -f -", configMap("sel-b", {}, { labels: { app: "sel", tier: "two" } }));
    expect(await kubectl.run("get configmaps -l app=sel -o name")).toBe("configmap/sel-a\nconfigmap/sel-b\n");
    expect(await kubectl.run("get configmaps -l app=sel,tier!=one -o name")).toBe("configmap/sel-b\n");
    expect(
      await kubectl.run("get configmaps -l tier,tier notin (two) -o name".replace("tier notin (two)", "tier!=two")),
    ).toBe("configmap/sel-a\n");
    expect(await kubectl.run("get configmaps -A --field-selector=metadata.name=sel-a -o name")).toBe(
      "configmap/sel-a\n",
    );
    expect(await kubectl.run("delete configmaps -l app=sel")).toBe(
      'configmap "sel-a" deleted\nconfigmap "sel-b" deleted\n',
    );
  });

  test("a list of many pages is whole", async () => {
    const many = Array.from({ length: 60 }, (_, index) => configMap(`page-${index}`, {}, { labels: { many: "yes" } }));
    await kubectl.run("apply -f -", { apiVersion: "v1", kind: "List", items: many });
    const listed = await kubectl.run("get configmaps -l many=yes -o name --chunk-size=7");
    expect(listed.trim().split("\n")).toHaveLength(60);
    expect(await kubectl.run("delete configmaps --all")).toContain("page-59");
  });

  test("Secrets take stringData and keep the names of their keys to themselves", async () => {
    await kubectl.run("apply -f -", {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "secret" },
      stringData: { password: "hunter2" },
    });
    expect(await kubectl.run("get secret secret")).toMatch(/NAME +TYPE +DATA +AGE\nsecret +Opaque +1 +/);
    expect((await kubectl.get("secret secret")).data).toEqual({ password: Buffer.from("hunter2").toString("base64") });
    expect(await kubectl.run("describe secret secret")).toContain("password:  7 bytes");
  });

  test("finalizers hold an object until the last is gone", async () => {
    await kubectl.run("apply -f -", configMap("held", {}, { finalizers: ["example.com/hold"] }));
    await kubectl.run("delete configmap held --wait=false");
    expect((await kubectl.get("configmap held")).metadata.deletionTimestamp).toBeTruthy();
    await kubectl.run('patch configmap held --type=merge -p {"metadata":{"finalizers":null}}');
    await kubectl.refused("get configmap held");
  });

  test("a watch tells of what happens, in order", async () => {
    const watching = kubectl.try(["get", "configmaps", "--watch-only", "-o", "name", "--request-timeout=4s"]);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    await kubectl.run("create configmap w1");
    await kubectl.run("create configmap w2");
    await kubectl.run("delete configmap w1");
    expect((await watching).stdout).toBe("configmap/w1\nconfigmap/w2\nconfigmap/w1\n");
  });

  test("every built-in kind can be listed in all namespaces", async () => {
    const resources = (await kubectl.run("api-resources --verbs=list -o name")).trim().split("\n");
    expect(resources.length).toBeGreaterThan(50);
    expect(await kubectl.run(`get ${resources.join(",")} -A -o name`)).toContain("service/kubernetes");
  });
});

describe("namespaces", () => {
  test("come with a ServiceAccount and go with all that is in them", async () => {
    await kubectl.run("create namespace blue");
    expect(await kubectl.run("get serviceaccount default -n blue -o name")).toBe("serviceaccount/default\n");
    await kubectl.run("create configmap inside -n blue");
    await kubectl.run("delete namespace blue --timeout=20s");
    expect(await kubectl.refused("get namespace blue")).toBe(
      'Error from server (NotFound): namespaces "blue" not found',
    );
    expect(await kubectl.refused("create configmap late -n blue")).toContain('namespaces "blue" not found');
    await kubectl.run("create namespace blue");
    expect((await kubectl.try(["get", "configmap", "inside", "-n", "blue"])).stderr).toContain("not found");
  });

  test("kube-system and its kin cannot be deleted", async () => {
    expect(await kubectl.refused("delete namespace default")).toContain(
      'namespaces "default" is forbidden: this namespace may not be deleted',
    );
  });
});

describe("Services", () => {
  test("get an address of their own, and a port on every node when they ask", async () => {
    await kubectl.run("create service clusterip inner --tcp=80:8080");
    await kubectl.run("create service nodeport outer --tcp=80:8080 --node-port=30123");
    const inner = (await kubectl.get("service inner")).spec;
    expect(inner).toMatchObject({
      type: "ClusterIP",
      clusterIP: expect.stringMatching(/^10\.96\./),
      clusterIPs: [inner.clusterIP],
    });
    expect(await kubectl.run("get service outer")).toMatch(/outer +NodePort +10\.96\.\S+ +<none> +80:30123\/TCP/);
    expect(await kubectl.refused("create service nodeport third --tcp=80:8080 --node-port=30123")).toContain(
      "spec.ports[0].nodePort: Invalid value: 30123: provided port is already allocated",
    );
    await kubectl.run("delete service outer");
    await kubectl.run("create service nodeport third --tcp=80:8080 --node-port=30123");
  });
});
