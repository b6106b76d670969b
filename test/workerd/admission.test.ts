import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { makeAuthority, makeServerCertificate } from "../../cli/control-plane/certificates.ts";
import { TestCluster } from "../support/control-plane.ts";

const MUTATING = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";
const VALIDATING = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
const MAPS = "/api/v1/namespaces/default/configmaps";
const SLOW_MILLISECONDS = 5_000;

const authority = makeAuthority("webhooks", new Date());
const pair = makeServerCertificate(authority, ["127.0.0.1", "localhost"], new Date());
const caBundle = Buffer.from(authority.certificate).toString("base64");
const heard: { path: string; request: any }[] = [];

/** What the webhooks say, by their paths. */
const SAY: Record<string, (request: any) => object> = {
  "/allow": () => ({ allowed: true }),
  "/slow": () => ({ allowed: true }),
  "/deny": () => ({ allowed: false, status: { message: "the cluster does not want this" } }),
  "/deny-bad": ({ object }) =>
    object?.data?.bad ? { allowed: false, status: { code: 403, message: "bad data" } } : { allowed: true },
  "/first": ({ object }) => (object.data?.start ? patch("/data/first", "x") : { allowed: true }),
  "/second": ({ object }) => (object.data?.first ? patch("/data/second", "x") : { allowed: true }),
  "/init": () => patch("/spec/initContainers", [{ name: "added", image: "busybox", resources: {} }]),
};

/** Moves `host` and `port` of v1 into `hostPort` of v2, and back. */
function converted({ uid, desiredAPIVersion, objects }: any): object {
  const convertedObjects = objects.map(({ spec: { host, port, hostPort = "" }, ...object }: any) => {
    const [first, second] = hostPort.split(":");
    const spec = desiredAPIVersion.endsWith("v2") ? { hostPort: `${host}:${port}` } : { host: first, port: second };
    return { ...object, apiVersion: desiredAPIVersion, spec };
  });
  return { uid, result: { status: "Success" }, convertedObjects };
}

const patch = (path: string, value: unknown): object => ({
  allowed: true,
  patchType: "JSONPatch",
  patch: btoa(JSON.stringify([{ op: "add", path, value }])),
});

let cluster: TestCluster;
let server: Server;
let port = 0;

beforeAll(async () => {
  server = createServer({ cert: pair.certificate, key: pair.key }, (incoming, answer) => {
    let body = "";
    incoming.on("data", (data) => (body += data));
    incoming.on("end", () => {
      const { pathname } = new URL(incoming.url ?? "", "https://webhook");
      if (pathname === "/redirect") return void answer.writeHead(307, { location: "/allow" }).end();
      const { request, ...review } = JSON.parse(body);
      if (pathname === "/convert") return void answer.end(JSON.stringify({ ...review, response: converted(request) }));
      heard.push({ path: pathname, request });
      const response = { uid: request.uid, ...SAY[pathname]!(request) };
      const send = () =>
        answer.setHeader("content-type", "application/json").end(JSON.stringify({ ...review, response }));
      if (pathname === "/slow") setTimeout(send, SLOW_MILLISECONDS);
      else send();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  port = (server.address() as AddressInfo).port;
  cluster = await TestCluster.start();
});

afterAll(async () => {
  await cluster?.stop();
  server?.closeAllConnections();
  server?.close();
});

beforeEach(async () => {
  heard.length = 0;
  for (const path of [MUTATING, VALIDATING]) await cluster.call("DELETE", path);
});

const webhookAt = (path: string, more: object = {}) => ({
  name: `${path}.webhooks.test`,
  clientConfig: { url: `https://127.0.0.1:${port}/${path}`, caBundle },
  rules: [{ operations: ["CREATE", "UPDATE"], apiGroups: [""], apiVersions: ["v1"], resources: ["configmaps"] }],
  objectSelector: { matchLabels: { webhooks: "yes" } },
  sideEffects: "None",
  admissionReviewVersions: ["v1", "v1beta1"],
  ...more,
});

async function register(path: string, name: string, webhooks: object[]): Promise<void> {
  const kind = path === MUTATING ? "MutatingWebhookConfiguration" : "ValidatingWebhookConfiguration";
  const metadata = { name, labels: { test: "yes" } };
  const object = { apiVersion: "admissionregistration.k8s.io/v1", kind, metadata, webhooks };
  const { code, body } = await cluster.call("POST", path, object);
  expect(code, JSON.stringify(body)).toBe(201);
}

let serial = 0;
const mapOf = (data: object) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: `map-${serial++}`, labels: { webhooks: "yes" } },
  data,
});
const create = async (data: object = {}): Promise<{ code: number; body: any }> =>
  await cluster.call("POST", MAPS, mapOf(data));

describe("webhooks over TLS with an authority of their own", () => {
  test("deny creations, updates and patches", async () => {
    await register(VALIDATING, "deny", [webhookAt("deny-bad")]);
    const { code, body } = await create({ bad: "x" });
    expect([code, body.message]).toEqual([
      403,
      'admission webhook "deny-bad.webhooks.test" denied the request: bad data',
    ]);
    const good = await create({ good: "x" });
    expect(good.code).toBe(201);
    const update = { ...good.body, data: { bad: "x" } };
    expect((await cluster.call("PUT", `${MAPS}/${good.body.metadata.name}`, update)).code).toBe(403);
  });

  test("mutate in their order, each seeing what the one before made", async () => {
    await register(MUTATING, "mutate", [webhookAt("first"), webhookAt("second")]);
    expect((await create({ start: "x" })).body.data).toEqual({ start: "x", first: "x", second: "x" });
  });

  test("honour their time limits and failure policies", async () => {
    const fails = webhookAt("slow", { timeoutSeconds: 1 });
    await register(VALIDATING, "slow", [fails]);
    const { code, body } = await create();
    expect(code).toBe(500);
    expect(body.message).toContain(`/slow?timeout=1s": context deadline exceeded`);
    await cluster.call("DELETE", `${VALIDATING}/slow`);
    await register(VALIDATING, "slow", [{ ...fails, failurePolicy: "Ignore" }]);
    expect((await create()).code).toBe(201);
    await cluster.call("DELETE", `${VALIDATING}/slow`);
    await register(VALIDATING, "slow", [{ ...fails, timeoutSeconds: 10 }]);
    expect((await create()).code).toBe(201);
  });

  test("are not called where nobody who is trusted vouches for them, nor after a redirect", async () => {
    const other = Buffer.from(makeAuthority("webhooks", new Date()).certificate).toString("base64");
    const url = `https://127.0.0.1:${port}/allow`;
    for (const clientConfig of [{ url }, { url, caBundle: other }]) {
      await register(VALIDATING, "untrusted", [webhookAt("allow", { clientConfig })]);
      const { code, body } = await create();
      expect([code, body.reason]).toEqual([500, "InternalError"]);
      expect(body.message).toContain('failed calling webhook "allow.webhooks.test": failed to call webhook: Post');
      await cluster.call("DELETE", `${VALIDATING}/untrusted`);
    }
    await register(VALIDATING, "redirecting", [webhookAt("redirect")]);
    expect((await create()).body.message).toContain("the server responded with the status code 307");
    expect(heard).toEqual([]);
  });

  test("by a Service that is not there fail closed", async () => {
    const clientConfig = { service: { namespace: "default", name: "nobody", path: "/x" }, caBundle };
    await register(VALIDATING, "service", [webhookAt("allow", { clientConfig })]);
    const { code, body } = await create();
    expect(code).toBe(500);
    expect(body.message).toContain('Post "https://nobody.default.svc:443/x?timeout=10s": service "nobody" not found');
  });

  test("listed and deleted by label, and then no more asked", async () => {
    for (let i = 0; i < 10; i++) await register(VALIDATING, `listed-${i}`, [webhookAt("deny")]);
    const { body } = await cluster.call("GET", `${VALIDATING}?labelSelector=test%3Dyes`);
    expect(body.items).toHaveLength(10);
    expect((await create()).code).toBe(400);
    await cluster.call("DELETE", `${VALIDATING}?labelSelector=test%3Dyes`);
    expect((await create()).code).toBe(201);
  });

  test("changed by an update and a patch, hold as they are changed", async () => {
    await register(VALIDATING, "changing", [webhookAt("deny")]);
    expect((await create()).code).toBe(400);
    const { body } = await cluster.call("GET", `${VALIDATING}/changing`);
    body.webhooks[0].rules[0].operations = ["UPDATE"];
    expect((await cluster.call("PUT", `${VALIDATING}/changing`, body)).code).toBe(200);
    expect((await create()).code).toBe(201);
  });

  test("do not stop webhook configurations from being changed or removed", async () => {
    const rules = [
      { operations: ["*"], apiGroups: ["admissionregistration.k8s.io"], apiVersions: ["*"], resources: ["*"] },
    ];
    await register(VALIDATING, "jealous", [webhookAt("deny", { rules, objectSelector: {} })]);
    await register(MUTATING, "other", [webhookAt("first")]);
    expect((await cluster.call("DELETE", `${MUTATING}/other`)).code).toBe(200);
    expect((await cluster.call("DELETE", `${VALIDATING}/jealous`)).code).toBe(200);
    expect(heard).toEqual([]);
  });

  test("add to pods what gets its defaults", async () => {
    const rules = [{ operations: ["CREATE"], apiGroups: [""], apiVersions: ["v1"], resources: ["pods"] }];
    await register(MUTATING, "pods", [webhookAt("init", { rules })]);
    const object = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "with-init", labels: { webhooks: "yes" } },
      spec: { containers: [{ name: "c", image: "busybox" }] },
    };
    const { code, body } = await cluster.call("POST", "/api/v1/namespaces/default/pods", object);
    expect(code, JSON.stringify(body)).toBe(201);
    expect(body.spec.initContainers[0]).toMatchObject({ name: "added", terminationMessagePolicy: "File" });
  });

  test("deny custom resource definitions", async () => {
    const rules = [
      {
        operations: ["CREATE"],
        apiGroups: ["apiextensions.k8s.io"],
        apiVersions: ["*"],
        resources: ["customresourcedefinitions"],
      },
    ];
    await register(VALIDATING, "definitions", [webhookAt("deny", { rules })]);
    const object = {
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: "things.webhooks.test", labels: { webhooks: "yes" } },
      spec: {
        group: "webhooks.test",
        names: { plural: "things", kind: "Thing" },
        scope: "Namespaced",
        versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object" } } }],
      },
    };
    const { code, body } = await cluster.call(
      "POST",
      "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
      object,
    );
    expect([code, body.message]).toEqual([
      400,
      'admission webhook "deny.webhooks.test" denied the request: the cluster does not want this',
    ]);
  });

  test("deny attaching to a pod, and let others of its subresources be", async () => {
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "attached" },
      spec: { containers: [{ name: "c", image: "busybox" }] },
    };
    expect((await cluster.call("POST", "/api/v1/namespaces/default/pods", pod)).code).toBe(201);
    const rules = [{ operations: ["CONNECT"], apiGroups: [""], apiVersions: ["v1"], resources: ["pods/attach"] }];
    await register(VALIDATING, "attach", [webhookAt("deny", { rules, objectSelector: {} })]);
    const { body } = await cluster.call(
      "POST",
      "/api/v1/namespaces/default/pods/attached/attach?stdin=true&container=c",
    );
    expect(body.message).toBe(
      'admission webhook "deny.webhooks.test" denied the request: the cluster does not want this',
    );
    expect(heard[0]!.request.object).toEqual({
      kind: "PodAttachOptions",
      apiVersion: "v1",
      stdin: true,
      container: "c",
    });
    const exec = await cluster.call("POST", "/api/v1/namespaces/default/pods/attached/exec?stdin=true&command=sh");
    expect(exec.body.message).not.toContain("denied the request");
  });
});

describe("a conversion webhook", () => {
  const DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
  const pathOf = (version: string) => `/apis/convert.test/${version}/namespaces/default/places`;
  const place = (version: string, name: string, spec: object) => ({
    apiVersion: `convert.test/${version}`,
    kind: "Place",
    metadata: { name },
    spec,
  });
  const versionsOf = (storage: string) =>
    ["v1", "v2"].map((name) => ({
      name,
      served: true,
      storage: name === storage,
      schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
    }));

  test("makes of a list of objects of several versions one of one version", async () => {
    const clientConfig = { url: `https://127.0.0.1:${port}/convert`, caBundle };
    const conversion = { strategy: "Webhook", webhook: { clientConfig, conversionReviewVersions: ["v1"] } };
    const definition = {
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: "places.convert.test" },
      spec: {
        group: "convert.test",
        names: { plural: "places", kind: "Place" },
        scope: "Namespaced",
        versions: versionsOf("v1"),
        conversion,
      },
    };
    const made = await cluster.call("POST", DEFINITIONS, definition);
    expect(made.code, JSON.stringify(made.body)).toBe(201);
    const first = await cluster.call("POST", pathOf("v1"), place("v1", "one", { host: "h", port: "1" }));
    expect(first.code, JSON.stringify(first.body)).toBe(201);
    expect((await cluster.call("GET", `${pathOf("v2")}/one`)).body).toMatchObject({
      apiVersion: "convert.test/v2",
      spec: { hostPort: "h:1" },
    });
    const { body } = await cluster.call("GET", `${DEFINITIONS}/places.convert.test`);
    body.spec.versions = versionsOf("v2");
    expect((await cluster.call("PUT", `${DEFINITIONS}/places.convert.test`, body)).code).toBe(200);
    expect((await cluster.call("POST", pathOf("v2"), place("v2", "two", { hostPort: "h:2" }))).code).toBe(201);
    const list = async (version: string) =>
      (await cluster.call("GET", pathOf(version))).body.items.map((item: any) => [item.apiVersion, item.spec]);
    expect(await list("v2")).toEqual([
      ["convert.test/v2", { hostPort: "h:1" }],
      ["convert.test/v2", { hostPort: "h:2" }],
    ]);
    expect(await list("v1")).toEqual([
      ["convert.test/v1", { host: "h", port: "1" }],
      ["convert.test/v1", { host: "h", port: "2" }],
    ]);
  });
});
