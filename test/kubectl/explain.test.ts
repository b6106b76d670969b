import { afterAll, beforeAll, expect, test } from "vitest";
import { TestCluster } from "../support/control-plane.ts";
import { Kubectl } from "../support/kubectl.ts";

// What kubectl makes of the OpenAPI documents, and of the formats that objects come in.

let cluster: TestCluster;
let kubectl: Kubectl;

beforeAll(async () => {
  cluster = await TestCluster.start();
  kubectl = new Kubectl(cluster.kubeconfig);
});

afterAll(async () => {
  await cluster?.stop();
});

const MAP = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "web" }, data: { color: "blue" } };

test("explain says what a kind and its fields are for", async () => {
  const text = await kubectl.run("explain deployment.spec.replicas");
  expect(text).toMatch(/GROUP: +apps\nKIND: +Deployment\nVERSION: +v1/);
  expect(text).toMatch(/FIELD: replicas <integer>\s+DESCRIPTION:\s+Number of desired pods/);
});

test("explain tells the values that a field can have", async () => {
  expect(await kubectl.run("explain pod.spec.restartPolicy")).toMatch(/ENUM:\n +Always\n +Never\n +OnFailure\n/);
});

test.each(["pods", "customresourcedefinitions", "horizontalpodautoscalers"])("explain %s --recursive", async (kind) => {
  const text = await kubectl.run(`explain ${kind} --recursive`);
  expect(text).toMatch(/DESCRIPTION:\n {4}\S/);
  expect(text).toContain("metadata\t<ObjectMeta>");
  expect(text).not.toContain("<empty>");
});

const WIDGETS = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "widgets.explain.example.com" },
  spec: {
    group: "explain.example.com",
    scope: "Namespaced",
    names: { plural: "widgets", kind: "Widget" },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: "object",
            properties: {
              spec: {
                type: "object",
                properties: { size: { type: "integer", description: "How large it is.", maximum: 9 } },
              },
            },
          },
        },
      },
    ],
  },
};

test("a custom kind is explained like others, as soon as it is there", async () => {
  await kubectl.run("create -f -", WIDGETS);
  await kubectl.run("wait --for=condition=Established crd/widgets.explain.example.com --timeout=30s");
  expect(await kubectl.run("explain widgets.spec.size")).toMatch(
    /FIELD: size <integer>\s+DESCRIPTION:\s+How large it is/,
  );
  expect(await kubectl.run("explain widgets --output=plaintext-openapiv2 --recursive")).toContain("size\t<integer>");
  const wrong = { apiVersion: "explain.example.com/v1", kind: "Widget", metadata: { name: "a" }, spec: { seize: 1 } };
  expect(await kubectl.refused("apply --validate=true -f -", wrong)).toContain('unknown field "spec.seize"');
});

test("apply with validation refuses what no schema has", async () => {
  const wrong = { ...MAP, metadata: { name: "wrong", labells: {} } };
  expect(await kubectl.refused("apply --validate=true -f -", wrong)).toContain('unknown field "metadata.labells"');
  const warned = await kubectl.try(["apply", "--validate=warn", "-f", "-"], JSON.stringify(wrong));
  expect(warned.stderr).toContain('Warning: unknown field "metadata.labells"');
});

test("a server-side dry run shows what would be, and leaves nothing", async () => {
  const shown = await kubectl.run("create --dry-run=server -o yaml -f -", MAP);
  expect(shown).toMatch(/data:\n {2}color: blue\n/);
  expect(shown).toMatch(/uid: [0-9a-f-]{36}/);
  expect(await kubectl.refused("get configmap web")).toContain('configmaps "web" not found');
});

test("get in every form", async () => {
  await kubectl.run("create -f -", MAP);
  expect(await kubectl.run("get configmap web -o wide")).toMatch(/^NAME +DATA +AGE\nweb +1 +\S+\n$/);
  expect(await kubectl.run("get configmap web -o yaml")).toContain("kind: ConfigMap\n");
  expect(await kubectl.get("configmap web")).toMatchObject(MAP);
  const raw = await kubectl.run("get --raw /api/v1/namespaces/default/configmaps/web");
  expect(JSON.parse(raw)).toMatchObject(MAP);
  const { stderr } = await kubectl.try(["get", "endpoints"]);
  expect(stderr).toContain("Warning: v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice");
});
