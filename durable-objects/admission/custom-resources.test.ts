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
import { conversionCaller } from "../webhooks/conversion-call.ts";
import type { WebhookTransport } from "../webhooks/webhook-transport.ts";

const GROUP = "admission.test";
const DEFINITIONS = "apiextensions.k8s.io/v1/customresourcedefinitions";
const ADMISSION = "admissionregistration.k8s.io/v1";
const OPEN = { type: "object", "x-kubernetes-preserve-unknown-fields": true };

const rulesFor = (operations: string[], versions = ["v1"]) => ({
  rules: [{ operations, apiGroups: [GROUP], apiVersions: versions, resources: ["things"] }],
});

const definition = (data: object, { storage = "v1", conversion }: { storage?: string; conversion?: object } = {}) => ({
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: `things.${GROUP}` },
  spec: {
    group: GROUP,
    names: { plural: "things", kind: "Thing" },
    scope: "Namespaced",
    versions: ["v1", "v2"].map((name) => ({
      name,
      served: true,
      storage: name === storage,
      schema: { openAPIV3Schema: { type: "object", properties: { data } } },
    })),
    ...(conversion && { conversion }),
  },
});

async function clusterWith(transport: WebhookTransport, object: object): Promise<TestCluster> {
  const cluster = new TestCluster({ controllers: [], transport, convert: conversionCaller(transport, () => "uid") });
  const { code, body } = await cluster.ask("", "create", DEFINITIONS, { object });
  expect(code, JSON.stringify(body)).toBe(201);
  await cluster.settle();
  return cluster;
}

async function register(cluster: TestCluster, kind: "Mutating" | "Validating", webhooks: object[]): Promise<void> {
  const resource = `${ADMISSION}/${kind.toLowerCase()}webhookconfigurations`;
  const object = webhookConfiguration(kind, "hooks", webhooks);
  expect((await cluster.ask("", "create", resource, { object })).code).toBe(201);
}

const thing = (name: string, data: object, version = "v1") => ({
  apiVersion: `${GROUP}/${version}`,
  kind: "Thing",
  metadata: { name },
  data,
});

const THINGS = `${GROUP}/v1/things`;

describe("webhooks of custom resources", () => {
  test("deny their creation, update and deletion", async () => {
    const refusing: Say = ({ object, oldObject, operation }) =>
      (operation === "DELETE" ? oldObject : object).data.bad ? { allowed: false, status: { message: "bad" } } : ALLOWED;
    const cluster = await clusterWith(new FakeWebhooks({ "/hook": refusing }), definition(OPEN));
    await cluster.ask("default", "create", THINGS, { object: thing("doomed", { bad: "x" }) });
    await register(cluster, "Validating", [webhookAt("hook", rulesFor(["CREATE", "UPDATE", "DELETE"]))]);
    expect((await cluster.ask("default", "create", THINGS, { object: thing("a", { bad: "x" }) })).body.message).toBe(
      'admission webhook "hook.hooks.test" denied the request: bad',
    );
    expect((await cluster.ask("default", "create", THINGS, { object: thing("a", { good: "x" }) })).code).toBe(201);
    const patch = { patchType: "merge" as const, body: '{"data":{"bad":"x"}}' };
    expect((await cluster.ask("default", "patch", `${THINGS}/a`, patch)).code).toBe(400);
    expect((await cluster.ask("default", "delete", `${THINGS}/doomed`)).code).toBe(400);
    expect((await cluster.ask("default", "delete", `${THINGS}/a`)).code).toBe(200);
  });

  test("change them, and what the schema does not know is dropped", async () => {
    const webhooks = new FakeWebhooks({
      "/one": () => patchedBy({ op: "add", path: "/data/known", value: "x" }),
      "/two": () => patchedBy({ op: "add", path: "/data/unknown", value: "x" }),
    });
    const data = { type: "object", properties: { start: { type: "string" }, known: { type: "string" } } };
    const cluster = await clusterWith(webhooks, definition(data));
    await register(cluster, "Mutating", [
      webhookAt("one", rulesFor(["CREATE"])),
      webhookAt("two", rulesFor(["CREATE"])),
    ]);
    const { code, body } = await cluster.ask("default", "create", THINGS, { object: thing("a", { start: "x" }) });
    expect([code, body.data]).toEqual([201, { start: "x", known: "x" }]);
  });

  test("see them in the version that they ask for, also once another is stored", async () => {
    const webhooks = new FakeWebhooks({ "/hook": () => patchedBy({ op: "add", path: "/data/seen", value: "x" }) });
    const cluster = await clusterWith(webhooks, definition(OPEN));
    await register(cluster, "Mutating", [webhookAt("hook", rulesFor(["CREATE", "UPDATE"]))]);
    await cluster.ask("default", "create", THINGS, { object: thing("a", { start: "x" }) });
    const versions = (definition(OPEN, { storage: "v2" }) as any).spec.versions;
    const change = { patchType: "merge" as const, body: JSON.stringify({ spec: { versions } }) };
    expect((await cluster.ask("", "patch", `${DEFINITIONS}/things.${GROUP}`, change)).code).toBe(200);
    await cluster.settle();
    const patch = { patchType: "merge" as const, body: '{"data":{"more":"x"}}' };
    const { code, body } = await cluster.ask("default", "patch", `${GROUP}/v2/things/a`, patch);
    expect([code, body.apiVersion, body.data]).toEqual([200, `${GROUP}/v2`, { start: "x", seen: "x", more: "x" }]);
    const heard = webhooks.heard.at(-1)!.request;
    expect(heard).toMatchObject({ kind: { version: "v1" }, requestKind: { version: "v2" } });
    expect([heard.object.apiVersion, heard.oldObject.apiVersion]).toEqual([`${GROUP}/v1`, `${GROUP}/v1`]);
  });

  test("and policies hold for them as well", async () => {
    const cluster = await clusterWith(new FakeWebhooks({}), definition(OPEN));
    const spec = {
      matchConstraints: { resourceRules: rulesFor(["CREATE"]).rules },
      reinvocationPolicy: "Never",
      mutations: [
        { patchType: "ApplyConfiguration", applyConfiguration: { expression: 'Object{data: Object.data{made: "x"}}' } },
      ],
    };
    const add = async (resource: string, object: object) =>
      expect((await cluster.ask("", "create", `${ADMISSION}/${resource}`, { object })).code).toBe(201);
    await add("mutatingadmissionpolicies", {
      apiVersion: ADMISSION,
      kind: "MutatingAdmissionPolicy",
      metadata: { name: "p" },
      spec,
    });
    await add("mutatingadmissionpolicybindings", {
      apiVersion: ADMISSION,
      kind: "MutatingAdmissionPolicyBinding",
      metadata: { name: "b" },
      spec: { policyName: "p" },
    });
    const { code, body } = await cluster.ask("default", "create", THINGS, { object: thing("a", { start: "x" }) });
    expect([code, body.data ?? body.message]).toEqual([201, { start: "x", made: "x" }]);
  });
});

describe("conversion webhooks", () => {
  /** Moves `host` and `port` of v1 into `hostPort` of v2, and back. */
  const convert = (object: any, apiVersion: string): object => {
    const { host, port, hostPort } = object.data;
    const [from, to] = (hostPort ?? "").split(":");
    const data = apiVersion.endsWith("v2") ? { hostPort: `${host}:${port}` } : { host: from, port: to };
    return { ...object, apiVersion, data };
  };

  const transportOf = (change: (response: any) => object = (response) => response): WebhookTransport => ({
    async post({ body }) {
      const { request, ...review } = JSON.parse(body);
      const convertedObjects = request.objects.map((object: any) => convert(object, request.desiredAPIVersion));
      const response = change({ uid: request.uid, result: { status: "Success" }, convertedObjects });
      return { code: 200, contentType: "application/json", body: JSON.stringify({ ...review, response }) };
    },
  });

  const asked = {
    definition: {
      metadata: { name: "things" },
      spec: {
        conversion: {
          strategy: "Webhook",
          webhook: { clientConfig: { url: "https://convert.test/" }, conversionReviewVersions: ["v1"] },
        },
      },
    } as any,
    desiredAPIVersion: `${GROUP}/v2`,
    objects: [thing("a", { host: "h", port: "1" })] as any[],
  };

  test("convert objects", async () => {
    const caller = conversionCaller(transportOf(), () => "uid");
    expect(await caller(asked)).toEqual([thing("a", { hostPort: "h:1" }, "v2")]);
  });

  test.each([
    [(response: any) => ({ ...response, uid: "other" }), 'failed: expected response.uid="uid", got "other"'],
    [(response: any) => ({ ...response, result: { status: "Failure", message: "cannot" } }), "failed: cannot"],
    [(response: any) => ({ ...response, convertedObjects: [] }), "returned 0 objects, expected 1"],
    [
      (response: any) => ({ ...response, convertedObjects: [thing("a", {}, "v1")] }),
      `returned invalid converted object at index 0: invalid groupVersion (expected ${GROUP}/v2, received ${GROUP}/v1)`,
    ],
    [
      (response: any) => ({ ...response, convertedObjects: [thing("b", {}, "v2")] }),
      "returned invalid converted object at index 0: must have the same name: a != b",
    ],
    [() => ({ uid: "uid" }), "failed: response.result.status was '', not 'Success'"],
  ])("that answer wrongly are refused", async (change, why) => {
    const caller = conversionCaller(transportOf(change), () => "uid");
    await expect(caller(asked)).rejects.toThrow(`conversion webhook for ${GROUP}/v1, Kind=Thing ${why}`);
  });

  test("may change labels and annotations, and nothing else of the metadata", async () => {
    const labelled = (response: any) => {
      const [object] = response.convertedObjects;
      const metadata = { ...object.metadata, labels: { l: "x" }, finalizers: ["f"] };
      return { ...response, convertedObjects: [{ ...object, metadata }] };
    };
    const [object] = await conversionCaller(transportOf(labelled), () => "uid")(asked);
    expect(object!.metadata).toEqual({ name: "a", labels: { l: "x" } });
  });
});

test("webhooks that want another version, of a kind that a webhook converts, get it", async () => {
  const heard: any[] = [];
  const transport: WebhookTransport = {
    async post({ url, body }) {
      const { request, ...review } = JSON.parse(body);
      const say = (response: object) => ({
        code: 200,
        contentType: "application/json",
        body: JSON.stringify({ ...review, response: { uid: request.uid, ...response } }),
      });
      if (url.startsWith("https://convert.test/")) {
        const convertedObjects = request.objects.map((object: any) => ({
          ...object,
          apiVersion: request.desiredAPIVersion,
          data: { ...object.data, via: request.desiredAPIVersion },
        }));
        return say({ result: { status: "Success" }, convertedObjects });
      }
      heard.push(request);
      return say(patchedBy({ op: "add", path: "/data/hook", value: request.object.data.via }));
    },
  };
  const webhook = { clientConfig: { url: "https://convert.test/" }, conversionReviewVersions: ["v1"] };
  const cluster = await clusterWith(transport, definition(OPEN, { conversion: { strategy: "Webhook", webhook } }));
  await register(cluster, "Mutating", [
    webhookAt("one", rulesFor(["CREATE", "UPDATE"], ["v1"])),
    webhookAt("two", rulesFor(["CREATE", "UPDATE"], ["v1"])),
  ]);
  const path = `${GROUP}/v2/things`;
  const { code, body } = await cluster.ask("default", "create", path, { object: thing("a", { own: "x" }, "v2") });
  expect([code, body.data ?? body.message]).toEqual([201, { own: "x", via: `${GROUP}/v2`, hook: `${GROUP}/v1` }]);
  const patch = { patchType: "merge" as const, body: '{"data":{"more":"x"}}' };
  expect((await cluster.ask("default", "patch", `${path}/a`, patch)).code).toBe(200);
  for (const request of heard) expect(request.object.apiVersion).toBe(`${GROUP}/v1`);
  expect(heard.at(-1)!.oldObject.apiVersion).toBe(`${GROUP}/v1`);
});
