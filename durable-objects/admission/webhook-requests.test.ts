import { describe, expect, test } from "vitest";
import { TestCluster } from "../../test/support/cluster.ts";
import {
  ALLOWED,
  FakeWebhooks,
  patchedBy,
  type Say,
  webhookAt,
  webhookConfiguration,
} from "../../test/support/fake-webhooks.ts";
import { ADMIN } from "../../test/support/home.ts";
import { clusterWith, MUTATING, VALIDATING } from "../../test/support/webhook-cluster.ts";

describe("which requests a webhook hears of", () => {
  test("a dry run, unless it does more than answer", async () => {
    const { cluster, webhooks } = await clusterWith({ "/hook": () => ALLOWED }, { validating: [webhookAt("hook")] });
    const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" } };
    expect((await cluster.ask("default", "create", "configmaps", { object, options: { dryRun: true } })).code).toBe(
      201,
    );
    expect(webhooks.heard[0]!.request).toMatchObject({ dryRun: true, options: { dryRun: ["All"] } });
  });

  test("by the namespace's labels", async () => {
    const selector = { matchExpressions: [{ key: "skip", operator: "DoesNotExist" }] };
    const { cluster, webhooks } = await clusterWith(
      { "/hook": () => ALLOWED },
      { validating: [webhookAt("hook", { namespaceSelector: selector })] },
    );
    const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: "skipped", labels: { skip: "yes" } } };
    await cluster.ask("", "create", "namespaces", { object: namespace });
    const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" } };
    expect((await cluster.ask("skipped", "create", "configmaps", { object })).code).toBe(201);
    expect(webhooks.paths).toEqual([]);
    await cluster.ask("", "patch", "namespaces/skipped", {
      patchType: "merge",
      body: '{"metadata":{"labels":{"skip":null}}}',
    });
    const other = { ...object, metadata: { name: "b" } };
    expect((await cluster.ask("skipped", "create", "configmaps", { object: other })).code).toBe(201);
    expect(webhooks.paths).toEqual(["/hook"]);
  });

  test("by the object's labels, and by its match conditions", async () => {
    const { create, webhooks } = await clusterWith(
      { "/hook": () => ALLOWED },
      {
        validating: [
          webhookAt("hook", {
            objectSelector: { matchLabels: { seen: "yes" } },
            matchConditions: [{ name: "not-skip-me", expression: "object.metadata.name != 'skip-me'" }],
          }),
        ],
      },
    );
    await create("a");
    await create("skip-me", {}, { labels: { seen: "yes" } });
    await create("b", {}, { labels: { seen: "yes" } });
    expect(webhooks.heard.map(({ request }) => request.name)).toEqual(["b"]);
  });

  test("a match condition that fails refuses", async () => {
    const { create } = await clusterWith(
      { "/hook": () => ALLOWED },
      {
        validating: [webhookAt("hook", { matchConditions: [{ name: "c", expression: "object.data.absent == 'x'" }] })],
      },
    );
    const { code, body } = await create("a");
    expect(code).toBe(403);
    expect(body.message).toContain("expression 'object.data.absent == 'x'' resulted in error: no such key");
  });

  test("not its own configuration, which can always be removed", async () => {
    const rules = [{ operations: ["*"], apiGroups: ["*"], apiVersions: ["*"], resources: ["*/*"] }];
    const { cluster, webhooks } = await clusterWith(
      { "/hook": () => ({ allowed: false }) },
      { validating: [webhookAt("hook", { rules })], mutating: [webhookAt("hook", { rules })] },
    );
    expect((await cluster.ask("", "delete", `${VALIDATING}/hooks`)).code).toBe(200);
    expect((await cluster.ask("", "delete", `${MUTATING}/hooks`)).code).toBe(200);
    const groups = webhooks.heard.map(({ request }) => request.resource.group);
    expect(groups).not.toContain("admissionregistration.k8s.io");
  });

  test("in another version of the resource, in which it is asked then", async () => {
    const rules = [
      {
        operations: ["CREATE"],
        apiGroups: ["autoscaling"],
        apiVersions: ["v1"],
        resources: ["horizontalpodautoscalers"],
      },
    ];
    const say = { "/hook": () => patchedBy({ op: "replace", path: "/spec/maxReplicas", value: 7 }) };
    const spec = { scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "d" }, maxReplicas: 3 };
    const object = { apiVersion: "autoscaling/v2", kind: "HorizontalPodAutoscaler", metadata: { name: "h" }, spec };
    const path = "autoscaling/v2/horizontalpodautoscalers";
    const equivalent = await clusterWith(say, { mutating: [webhookAt("hook", { rules })] });
    const { body } = await equivalent.cluster.ask("default", "create", path, { object });
    expect([body.apiVersion, body.spec.maxReplicas]).toEqual(["autoscaling/v2", 7]);
    expect(equivalent.webhooks.heard[0]!.request).toMatchObject({
      kind: { version: "v1" },
      requestKind: { version: "v2" },
      object: { apiVersion: "autoscaling/v1" },
    });
    const exact = await clusterWith(say, { mutating: [webhookAt("hook", { rules, matchPolicy: "Exact" })] });
    expect((await exact.cluster.ask("default", "create", path, { object })).body.spec.maxReplicas).toBe(3);
  });

  test("of what a configuration says now", async () => {
    const { cluster, create, webhooks } = await clusterWith(
      { "/hook": () => ALLOWED },
      { validating: [webhookAt("hook")] },
    );
    await create("a");
    const patch = {
      patchType: "json" as const,
      body: '[{"op":"replace","path":"/webhooks/0/rules/0/operations","value":["DELETE"]}]',
    };
    expect((await cluster.ask("", "patch", `${VALIDATING}/hooks`, patch)).code).toBe(200);
    await create("b");
    await cluster.ask("", "delete", `${VALIDATING}/hooks`);
    await create("c");
    expect(webhooks.heard.map(({ request }) => request.name)).toEqual(["a"]);
  });
});

describe("subresources", () => {
  const rulesOf = (operation: string, group: string, version: string, resource: string) => ({
    rules: [{ operations: [operation], apiGroups: [group], apiVersions: [version], resources: [resource] }],
  });
  const labels = { app: "x" };
  const template = { metadata: { labels }, spec: { containers: [{ name: "c", image: "i" }] } };
  const deployment = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "d" },
    spec: { selector: { matchLabels: labels }, template },
  };

  test("a Scale is seen, and changed, as a Scale", async () => {
    const { cluster, webhooks } = await clusterWith(
      { "/hook": () => patchedBy({ op: "replace", path: "/spec/replicas", value: 2 }) },
      { mutating: [webhookAt("hook", rulesOf("UPDATE", "*", "*", "*/scale"))] },
    );
    await cluster.ask("default", "create", "apps/v1/deployments", { object: deployment });
    const patch = { patchType: "merge" as const, body: '{"spec":{"replicas":5}}' };
    const { body } = await cluster.ask("default", "patch", "apps/v1/deployments/d/scale", patch);
    expect(body).toMatchObject({ kind: "Scale", spec: { replicas: 2 } });
    expect(webhooks.heard[0]!.request).toMatchObject({
      kind: { group: "autoscaling", version: "v1", kind: "Scale" },
      resource: { group: "apps", version: "v1", resource: "deployments" },
      subResource: "scale",
      object: { kind: "Scale", spec: { replicas: 5 } },
      oldObject: { kind: "Scale", spec: { replicas: 1 } },
    });
  });

  test("a status is asked about as such, and the object itself is not", async () => {
    const { cluster, webhooks } = await clusterWith(
      { "/hook": () => ALLOWED },
      { validating: [webhookAt("hook", rulesOf("UPDATE", "apps", "v1", "deployments/status"))] },
    );
    await cluster.ask("default", "create", "apps/v1/deployments", { object: deployment });
    await cluster.ask("default", "patch", "apps/v1/deployments/d", {
      patchType: "merge",
      body: '{"spec":{"replicas":3}}',
    });
    await cluster.ask("default", "patch", "apps/v1/deployments/d/status", {
      patchType: "merge",
      body: '{"status":{"replicas":3}}',
    });
    expect(webhooks.heard.map(({ request }) => request.subResource)).toEqual(["status"]);
  });

  async function withPod(say: Record<string, Say>, resource: string, operation: string) {
    const made = await clusterWith(say, { validating: [webhookAt("hook", rulesOf(operation, "", "v1", resource))] });
    const { cluster } = made;
    const account = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default" } };
    await cluster.ask("default", "create", "serviceaccounts", { object: account });
    const object = { apiVersion: "v1", kind: "Pod", metadata: { name: "p" }, spec: template.spec };
    expect((await cluster.ask("default", "create", "pods", { object })).code).toBe(201);
    return made;
  }

  test("who may not attach is told why", async () => {
    const { cluster, webhooks } = await withPod(
      { "/hook": () => ({ allowed: false, status: { message: "attaching to pods is not allowed" } }) },
      "pods/attach",
      "CONNECT",
    );
    const { code, body } = await cluster.ask("default", "create", "pods/p/attach", {
      body: '{"stdin":true,"container":"c"}',
    });
    expect([code, body.message]).toEqual([
      400,
      'admission webhook "hook.hooks.test" denied the request: attaching to pods is not allowed',
    ]);
    expect(webhooks.heard[0]!.request).toMatchObject({
      kind: { kind: "PodAttachOptions" },
      subResource: "attach",
      operation: "CONNECT",
      name: "p",
      object: { kind: "PodAttachOptions", apiVersion: "v1", stdin: true, container: "c" },
      options: null,
    });
    expect((await cluster.ask("default", "create", "pods/p/exec")).body.metadata.name).toBe("p");
  });

  test("a binding and an eviction are asked about, and the deletion that an eviction is, is not", async () => {
    const binding = await withPod({ "/hook": () => ({ allowed: false }) }, "pods/binding", "CREATE");
    const object = { apiVersion: "v1", kind: "Binding", metadata: { name: "p" }, target: { kind: "Node", name: "n" } };
    expect((await binding.cluster.ask("default", "create", "pods/p/binding", { object })).code).toBe(400);
    const { spec, metadata } = (await binding.cluster.ask("default", "get", "pods/p")).body;
    expect(spec.nodeName).toBeUndefined();
    const bound = binding.cluster.namespace("default").bind([{ name: "p", uid: metadata.uid, node: "n" }]);
    await binding.cluster.settle();
    expect(await bound).toEqual([expect.stringContaining('admission webhook "hook.hooks.test" denied the request')]);
    expect(binding.webhooks.heard.at(-1)!.request).toMatchObject({
      subResource: "binding",
      userInfo: { username: "system:kube-scheduler" },
      object: { kind: "Binding", target: { kind: "Node", name: "n" } },
    });

    const eviction = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name: "p" } };
    const refused = await withPod({ "/hook": () => ({ allowed: false }) }, "pods/eviction", "CREATE");
    expect((await refused.cluster.ask("default", "create", "pods/p/eviction", { object: eviction })).code).toBe(400);
    const deletion = await withPod({ "/hook": () => ({ allowed: false }) }, "pods", "DELETE");
    expect((await deletion.cluster.ask("default", "create", "pods/p/eviction", { object: eviction })).code).toBe(201);
  });
});

test("pods that a controller makes go through webhooks, too", async () => {
  const rules = [{ operations: ["CREATE"], apiGroups: [""], apiVersions: ["v1"], resources: ["pods"] }];
  const sidecar = { op: "add", path: "/spec/containers/-", value: { name: "sidecar", image: "s" } };
  const webhooks = new FakeWebhooks({ "/hook": () => patchedBy(sidecar) });
  const cluster = new TestCluster({ transport: webhooks });
  await cluster.ask("", "create", MUTATING, {
    object: webhookConfiguration("Mutating", "h", [webhookAt("hook", { rules })]),
  });
  const labels = { app: "x" };
  const template = { metadata: { labels }, spec: { containers: [{ name: "c", image: "i" }] } };
  const object = {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: { name: "set" },
    spec: { replicas: 2, selector: { matchLabels: labels }, template },
  };
  expect((await cluster.ask("default", "create", "apps/v1/replicasets", { object })).code).toBe(201);
  await cluster.settle(10_000);
  const { body } = await cluster.ask("default", "list", "pods");
  expect(body.items.map((pod: any) => pod.spec.containers.map(({ name }: any) => name))).toEqual([
    ["c", "sidecar"],
    ["c", "sidecar"],
  ]);
  expect(webhooks.heard.length).toBeLessThanOrEqual(6);
});

test("what webhooks did is told to the audit log", async () => {
  const { cluster } = await clusterWith(
    {
      "/one": () => ({
        ...patchedBy({ op: "add", path: "/data/one", value: "1" }),
        auditAnnotations: { why: "because" },
      }),
      "/gone": () => new Error("gone"),
    },
    {
      mutating: [webhookAt("one")],
      validating: [webhookAt("gone", { failurePolicy: "Ignore" })],
    },
  );
  const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" }, data: { own: "x" } };
  const target = { group: "", version: "v1", resource: "configmaps", namespace: "default", name: "", subresource: "" };
  const request = { verb: "create" as const, user: ADMIN, target, options: {}, body: JSON.stringify(object) };
  const asked = cluster.namespace("default").home.handle(request);
  await cluster.settle();
  const { annotations } = await asked;
  expect(annotations).toEqual({
    "one.hooks.test/why": "because",
    "mutation.webhook.admission.k8s.io/round_0_index_0":
      '{"configuration":"hooks","webhook":"one.hooks.test","mutated":true}',
    "patch.webhook.admission.k8s.io/round_0_index_0":
      '{"configuration":"hooks","webhook":"one.hooks.test","patch":[{"op":"add","path":"/data/one","value":"1"}],"patchType":"JSONPatch"}',
    "failed-open.validating.webhook.admission.k8s.io/round_0_index_0": "gone.hooks.test",
  });
});
