import { spawn } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { TestCluster } from "../support/control-plane.ts";
import { eventually } from "../support/cox.ts";
import { Kubectl } from "../support/kubectl.ts";

// What kubectl does, by the machine's own (an older one) and by the one of the API's version. Its words are kubectl's,
// and may differ between the two: what is told here is what both have to say, and what is in the cluster afterwards.

let cluster: TestCluster;

beforeAll(async () => {
  cluster = await TestCluster.start({ simulated: 1 });
});

afterAll(async () => {
  await cluster?.stop();
});

const configMap = (name: string, data: Record<string, string>) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name },
  data,
});

const deployment = (name: string) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name },
  spec: {
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: "web", image: "web:1" }] } },
  },
});

/** Bounds every wait of kubectl's own. */
const TIMEOUT = "--timeout=60s";

describe.each([
  ["of the machine", () => "kubectl", "oldest"],
  ["of the API's version", () => join(inject("programs"), "kubectl"), "newest"],
])("kubectl %s", (_, program, namespace) => {
  let kubectl: Kubectl;
  /** In the namespace of this kubectl. */
  const run = (commandLine: string, stdin?: string | object) => kubectl.run(`-n ${namespace} ${commandLine}`, stdin);
  const refused = (commandLine: string, stdin?: string | object) =>
    kubectl.refused(`-n ${namespace} ${commandLine}`, stdin);
  const get = async (what: string) => JSON.parse(await run(`get ${what} -o json`));

  beforeAll(async () => {
    const editor = join(cluster.home.root, "editor");
    writeFileSync(editor, '#!/bin/sh\nexec sed -i "s/before/after/" "$1"\n');
    chmodSync(editor, 0o700);
    kubectl = new Kubectl(cluster.kubeconfig, { program: program(), environment: { KUBE_EDITOR: editor } });
    await kubectl.run(`create namespace ${namespace}`);
  });

  test("version and api-resources", async () => {
    const { serverVersion } = JSON.parse(await run("version -o json"));
    expect(`${serverVersion.major}.${serverVersion.minor}`).toBe("1.36");
    const verbs = await run("api-resources --verbs=list -o name");
    expect(verbs.split("\n")).toEqual(
      expect.arrayContaining(["pods", "deployments.apps", "customresourcedefinitions.apiextensions.k8s.io"]),
    );
    expect(await run("api-versions")).toContain("apps/v1\n");
  });

  test("apply, diff, apply --server-side, and what a file no longer has", async () => {
    expect(await run("apply -f -", configMap("one", { a: "1", b: "1" }))).toBe("configmap/one created\n");
    const args = ["-n", namespace, "diff", "-f", "-"];
    const diff = await kubectl.try(args, JSON.stringify(configMap("one", { a: "2" })));
    expect([diff.code, diff.stderr]).toEqual([1, ""]);
    expect(diff.stdout).toMatch(/-\s+a: "1"\n-\s+b: "1"\n\+\s+a: "2"/);
    expect(await run("apply -f -", configMap("one", { a: "2" }))).toBe("configmap/one configured\n");
    expect(await run("apply -f -", configMap("one", { a: "2" }))).toBe("configmap/one unchanged\n");
    expect(await run("apply --server-side -f -", configMap("one", { a: "3" }))).toBe(
      "configmap/one serverside-applied\n",
    );
    expect((await get("configmap one")).data).toEqual({ a: "3" });
    expect(await refused("apply --server-side --field-manager=other -f -", configMap("one", { a: "4" }))).toContain(
      'conflict with "kubectl": .data.a',
    );
    expect(
      (await kubectl.try(["-n", namespace, "diff", "-f", "-"], JSON.stringify(configMap("one", { a: "3" })))).code,
    ).toBe(0);
  });

  test("apply --prune removes what is no longer among the files", async () => {
    const list = (...names: string[]) => ({
      apiVersion: "v1",
      kind: "List",
      items: names.map((name) => ({ ...configMap(name, {}), metadata: { name, labels: { set: "pruned" } } })),
    });
    const command = "apply --prune -l set=pruned --prune-allowlist=core/v1/ConfigMap -f -";
    await run(command, list("p-1", "p-2"));
    expect(await run(command, list("p-1"))).toContain("configmap/p-2 pruned");
    expect(await run("get configmaps -l set=pruned -o name")).toBe("configmap/p-1\n");
  });

  test("apply and create refuse what the schema does not know", async () => {
    expect(await refused("apply -f -", { ...configMap("wrong", {}), colour: "blue" })).toMatch(
      /unknown field "colour"/,
    );
    const wrong = deployment("wrong");
    expect(await refused("create -f -", { ...wrong, spec: { ...wrong.spec, replicas: "many" } })).toMatch(
      /Deployment in version "v1" cannot be handled as a Deployment|invalid type/,
    );
    expect(await run("apply --validate=ignore -f -", { ...configMap("wrong", {}), colour: "blue" })).toContain(
      "created",
    );
  });

  test("patch in each of its forms, a subresource too", async () => {
    await run("create configmap patched --from-literal=a=1");
    await run('patch configmap patched -p {"data":{"b":"1"}}');
    await run('patch configmap patched --type=merge -p {"data":{"a":null}}');
    await run('patch configmap patched --type=json -p [{"op":"add","path":"/data/c","value":"1"}]');
    expect((await get("configmap patched")).data).toEqual({ b: "1", c: "1" });
    expect(await run('patch configmap patched -p {"data":{"b":"1"}}')).toBe("configmap/patched patched (no change)\n");
    await run("create deployment part --image=web:1 --replicas=0");
    await run('patch deployment part --subresource=scale --type=merge -p {"spec":{"replicas":1}}');
    expect((await get("deployment part")).spec.replicas).toBe(1);
    await run("delete deployment part");
  });

  test("explain, recursively too", async () => {
    expect(await run("explain pods.spec.containers.ports")).toMatch(/containerPort\s+<integer> -required-/);
    const all = await run("explain deployments --recursive");
    expect(all).toMatch(/topologySpreadConstraints\s+<\[\]TopologySpreadConstraint>/);
    expect(all).toMatch(/availableReplicas\s+<integer>/);
    expect(await refused("explain pods.spec.nothing")).toContain('field "nothing" does not exist');
  });

  test("label, annotate and edit", async () => {
    await run("create configmap edited --from-literal=a=before");
    expect(await run("label configmap edited tier=web")).toBe("configmap/edited labeled\n");
    expect(await refused("label configmap edited tier=db")).toContain("--overwrite is false");
    expect(await run("label configmap edited tier-")).toBe("configmap/edited unlabeled\n");
    expect(await run("annotate configmap edited note=hello")).toBe("configmap/edited annotated\n");
    expect(await run("edit configmap edited")).toBe("configmap/edited edited\n");
    const { data, metadata } = await get("configmap edited");
    expect([data, metadata.annotations, metadata.labels]).toEqual([{ a: "after" }, { note: "hello" }, undefined]);
    const again = await kubectl.try(["-n", namespace, "edit", "configmap", "edited"]);
    expect([again.code, again.stderr]).toEqual([0, "Edit cancelled, no changes made.\n"]);
  });

  test("replace, and by force", async () => {
    await run("create configmap replaced --from-literal=a=1");
    const { uid } = (await get("configmap replaced")).metadata;
    await run("replace -f -", configMap("replaced", { b: "1" }));
    expect(await get("configmap replaced")).toMatchObject({ data: { b: "1" }, metadata: { uid } });
    await run("replace --force -f -", configMap("replaced", { c: "1" }));
    const after = await get("configmap replaced");
    expect(after.data).toEqual({ c: "1" });
    expect(after.metadata.uid).not.toBe(uid);
  });

  test("create --dry-run=server shows what would be, and stores nothing", async () => {
    const dry = JSON.parse(await run("create deployment dry --image=web:1 --dry-run=server -o json"));
    expect(dry.spec.strategy.type).toBe("RollingUpdate");
    expect(dry.metadata.uid).toBeDefined();
    await refused("get deployment dry");
  });

  test("rollout, set, scale, autoscale and wait", async () => {
    await run("apply -f -", deployment("web"));
    await run(`rollout status deployment web ${TIMEOUT}`);
    await run("set image deployment web web=web:2");
    await run(`rollout status deployment web ${TIMEOUT}`);
    await run("set env deployment web COLOUR=blue");
    await run("set resources deployment web --limits=cpu=100m");
    await run(`rollout status deployment web ${TIMEOUT}`);
    const [container] = (await get("deployment web")).spec.template.spec.containers;
    expect(container).toMatchObject({
      image: "web:2",
      env: [{ name: "COLOUR", value: "blue" }],
      resources: { limits: { cpu: "100m" } },
    });
    expect(await run("rollout history deployment web")).toContain("REVISION");
    await run("rollout undo deployment web --to-revision=1");
    await run("rollout restart deployment web");
    await run(`rollout status deployment web ${TIMEOUT}`);
    expect((await get("deployment web")).spec.template.spec.containers[0].image).toBe("web:1");
    expect(await run("scale deployment web --replicas=3 --current-replicas=1")).toBe("deployment.apps/web scaled\n");
    expect(await run(`wait deployment web --for=condition=Available ${TIMEOUT}`)).toContain("condition met");
    expect(await run(`wait deployment web --for=jsonpath={.status.readyReplicas}=3 ${TIMEOUT}`)).toContain(
      "condition met",
    );
    expect(await refused("scale deployment web --replicas=5 --current-replicas=1")).toContain(
      "Expected replicas to be 1",
    );
    await run("autoscale deployment web --min=1 --max=4");
    expect((await get("hpa web")).spec).toMatchObject({ minReplicas: 1, maxReplicas: 4 });
    await run("delete hpa web");
    expect(await run("get deployments,replicasets,pods -o wide")).toMatch(/deployment\.apps\/web\s+3\/3/);
    expect(await run("describe deployment web")).toMatch(/Replicas:\s+3 desired/);
  });

  test("delete in the foreground, in the background, and with orphans", async () => {
    const owned = async () => (await run("get replicasets -l app=left -o name")).trim();
    await run("apply -f -", deployment("left"));
    await run(`wait deployment left --for=condition=Available ${TIMEOUT}`);
    await run("delete deployment left --cascade=orphan");
    const orphan = await owned();
    expect(orphan).toMatch(/^replicaset\.apps\/left-/);
    await run("apply -f -", deployment("left"));
    await run(`wait deployment left --for=condition=Available ${TIMEOUT}`);
    expect(await owned()).toBe(orphan);
    await run(`delete deployment left --cascade=foreground ${TIMEOUT}`);
    expect(await owned()).toBe("");
    await run(`delete deployment web --cascade=background ${TIMEOUT}`);
    await run(`wait pods -l app=web --for=delete ${TIMEOUT}`);
  });

  test("get in its forms, and in pages", async () => {
    expect(await run("get configmap one -o jsonpath={.data.a}")).toBe("3");
    expect(await run("get configmap one -o custom-columns=N:.metadata.name --no-headers")).toBe("one\n");
    expect(await run("get configmap one -o yaml")).toContain('data:\n  a: "3"\n');
    expect(await run("get configmaps --chunk-size=2 -o name")).toBe(await run("get configmaps -o name"));
    expect(await run("get configmaps --field-selector=metadata.name=one -o name")).toBe("configmap/one\n");
    expect(await run("get --raw /readyz")).toBe("ok");
  });

  test("get -w prints what is there, and then what happens", async () => {
    await run("create configmap watched");
    const watching = spawn(
      program(),
      [
        "-n",
        namespace,
        "get",
        "configmap",
        "watched",
        "-w",
        "--output-watch-events",
        "--kubeconfig",
        cluster.kubeconfig,
      ],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    let printed = "";
    watching.stdout.on("data", (chunk) => {
      printed += chunk;
    });
    await eventually("what is there", () => expect(printed).toMatch(/^ADDED\s+watched\s+0\s/m));
    await run('patch configmap watched -p {"data":{"a":"1"}}');
    await run("delete configmap watched");
    await eventually("what happened", () =>
      expect(printed).toMatch(/^MODIFIED\s+watched\s+1\s[\s\S]+^DELETED\s+watched/m),
    );
    watching.kill();
  });

  test("top tells that nobody measures", async () => {
    expect(await refused("top nodes")).toContain("Metrics API not available");
  });
});
