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
import { clusterWith, VALIDATING } from "../../test/support/webhook-cluster.ts";

describe("a mutating webhook", () => {
  test("changes what is stored, and the next one sees that", async () => {
    const { create, webhooks } = await clusterWith(
      {
        "/one": () => patchedBy({ op: "add", path: "/data/one", value: "1" }),
        "/two": ({ object }) => (object.data.one ? patchedBy({ op: "add", path: "/data/two", value: "2" }) : ALLOWED),
      },
      { mutating: [webhookAt("one"), webhookAt("two")] },
    );
    const { code, body } = await create("a", { zero: "0" });
    expect([code, body.data]).toEqual([201, { zero: "0", one: "1", two: "2" }]);
    expect(webhooks.paths).toEqual(["/one", "/two"]);
  });

  test("hears all of the request, and nothing of what is not decided yet", async () => {
    const { create, webhooks } = await clusterWith({ "/hook": () => ALLOWED }, { mutating: [webhookAt("hook")] });
    await create("", {}, { generateName: "made-" });
    const { request, call } = webhooks.heard[0]!;
    expect(request).toMatchObject({
      kind: { group: "", version: "v1", kind: "ConfigMap" },
      resource: { group: "", version: "v1", resource: "configmaps" },
      requestKind: { group: "", version: "v1", kind: "ConfigMap" },
      namespace: "default",
      operation: "CREATE",
      userInfo: { username: "admin", groups: ["system:masters", "system:authenticated"] },
      object: { metadata: { generateName: "made-", namespace: "default" } },
      oldObject: null,
      dryRun: false,
      options: { kind: "CreateOptions", apiVersion: "meta.k8s.io/v1" },
    });
    expect(request.object.metadata.name).toBeUndefined();
    expect(request.object.metadata.uid).toBeUndefined();
    expect(request.uid).toMatch(/^[0-9a-f-]{36}$/);
    expect(call).toMatchObject({ url: "https://hooks.test/hook?timeout=10s", timeoutMilliseconds: 10_000 });
  });

  test("adds a container, which gets its defaults", async () => {
    const init = { name: "added", image: "busybox" };
    const { cluster } = await clusterWith(
      { "/hook": () => patchedBy({ op: "add", path: "/spec/initContainers", value: [init] }) },
      {
        mutating: [
          webhookAt("hook", {
            rules: [{ operations: ["CREATE"], apiGroups: [""], apiVersions: ["v1"], resources: ["pods"] }],
          }),
        ],
      },
    );
    const spec = { containers: [{ name: "c", image: "busybox" }] };
    const account = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default" } };
    await cluster.ask("default", "create", "serviceaccounts", { object: account });
    const object = { apiVersion: "v1", kind: "Pod", metadata: { name: "p" }, spec };
    const { body } = await cluster.ask("default", "create", "pods", { object });
    expect(body.spec.initContainers[0]).toMatchObject({ name: "added", terminationMessagePolicy: "File" });
  });

  test("is asked again when a later one changed something, if it wants to", async () => {
    const say = {
      "/first": ({ object }: any) =>
        patchedBy({ op: "add", path: "/data/seen", value: Object.keys(object.data).length.toString() }),
      "/second": ({ object }: any) =>
        object.data.late ? ALLOWED : patchedBy({ op: "add", path: "/data/late", value: "x" }),
    };
    const again = { reinvocationPolicy: "IfNeeded" };
    const asked = await clusterWith(say, { mutating: [webhookAt("first", again), webhookAt("second")] });
    expect((await asked.create("a", { own: "x" })).body.data.seen).toBe("3");
    expect(asked.webhooks.paths).toEqual(["/first", "/second", "/first"]);
    const never = await clusterWith(say, { mutating: [webhookAt("first"), webhookAt("second")] });
    await never.create("a", { own: "x" });
    expect(never.webhooks.paths).toEqual(["/first", "/second"]);
  });

  test.each([
    [{ op: "replace", path: "/spec/absent/x", value: 1 }, 500, "Internal error occurred"],
    [{ op: "add", path: "/data", value: "text" }, 500, "Internal error occurred"],
    [{ op: "add", path: "/metadata/labels", value: { "not ok!": "x" } }, 422, "Invalid value"],
  ])("that makes nonsense with %j is refused", async (operation, expected, why) => {
    const { create } = await clusterWith({ "/hook": () => patchedBy(operation) }, { mutating: [webhookAt("hook")] });
    const { code, body } = await create("a");
    expect(code).toBe(expected);
    expect(body.message).toContain(why);
  });
});

describe("a validating webhook", () => {
  const refusing: Say = ({ object }) =>
    object?.data?.bad ? { allowed: false, status: { code: 403, message: "no bad data" } } : ALLOWED;

  test("refuses creations and updates in its own words", async () => {
    const { cluster, create } = await clusterWith({ "/hook": refusing }, { validating: [webhookAt("hook")] });
    const { code, body } = await create("a", { bad: "x" });
    expect(code).toBe(403);
    expect(body.message).toBe('admission webhook "hook.hooks.test" denied the request: no bad data');
    expect((await create("a", { good: "x" })).code).toBe(201);
    const patch = { patchType: "merge" as const, body: '{"data":{"bad":"x"}}' };
    expect((await cluster.ask("default", "patch", "configmaps/a", patch)).code).toBe(403);
    expect((await cluster.ask("default", "get", "configmaps/a")).body.data).toEqual({ good: "x" });
  });

  test.each([
    [undefined, 400, "denied the request without explanation"],
    [{ reason: "because" }, 400, "denied the request: because"],
    [{ code: 200, message: "m" }, 400, "denied the request: m"],
    [{ code: 418, reason: "Teapot", message: "m" }, 418, "denied the request: m"],
  ])("that says %j is answered as upstream does", async (status, code, text) => {
    const { create } = await clusterWith(
      { "/hook": () => ({ allowed: false, ...(status && { status }) }) },
      { validating: [webhookAt("hook")] },
    );
    const answer = await create("a");
    expect([answer.code, answer.body.code, answer.body.status]).toEqual([code, code, "Failure"]);
    expect(answer.body.message).toContain(text);
  });

  test("sees the object whole, also of a deletion", async () => {
    const all = [{ operations: ["*"], apiGroups: [""], apiVersions: ["v1"], resources: ["configmaps"] }];
    const { cluster, create, webhooks } = await clusterWith(
      {
        "/hook": ({ operation }) =>
          operation === "DELETE" ? { allowed: false, status: { message: "stays" } } : ALLOWED,
      },
      { validating: [webhookAt("hook", { rules: all })] },
    );
    const { body } = await create("", {}, { generateName: "made-" });
    expect(webhooks.heard[0]!.request.object.metadata).toMatchObject({
      name: body.metadata.name,
      uid: body.metadata.uid,
    });
    const deletion = await cluster.ask("default", "delete", `configmaps/${body.metadata.name}`);
    expect([deletion.code, deletion.body.message]).toEqual([
      400,
      'admission webhook "hook.hooks.test" denied the request: stays',
    ]);
    const heard = webhooks.heard.at(-1)!.request;
    expect(heard).toMatchObject({ operation: "DELETE", object: null, options: { kind: "DeleteOptions" } });
    expect(heard.oldObject.metadata.uid).toBe(body.metadata.uid);
    const collection = await cluster.ask("default", "deletecollection", "configmaps");
    expect(collection.code).toBe(400);
  });

  test("lets a collection be deleted, asked once for each object", async () => {
    const rules = [{ operations: ["DELETE"], apiGroups: [""], apiVersions: ["v1"], resources: ["configmaps"] }];
    const { cluster, create, webhooks } = await clusterWith(
      { "/hook": () => ALLOWED },
      { validating: [webhookAt("hook", { rules })] },
    );
    for (const name of ["a", "b", "c"]) await create(name);
    const { code, body } = await cluster.ask("default", "deletecollection", "configmaps");
    expect([code, body.items.map((item: any) => item.metadata.name)]).toEqual([200, ["a", "b", "c"]]);
    expect(webhooks.heard.map(({ request }) => request.name)).toEqual(["a", "b", "c"]);
  });

  test("warns, also where it refuses", async () => {
    const { create } = await clusterWith(
      { "/hook": ({ object }) => ({ allowed: !object.data?.bad, warnings: ["careful", "careful"] }) },
      { validating: [webhookAt("hook")] },
    );
    expect((await create("a")).warnings).toEqual(["careful"]);
    expect((await create("b", { bad: "x" })).warnings).toEqual(["careful"]);
  });
});

describe("a webhook that cannot be called", () => {
  const say = { "/hook": () => new Error('Post "https://hooks.test/hook?timeout=1s": context deadline exceeded') };

  test.each(["mutating", "validating"] as const)("refuses the request (%s)", async (kind) => {
    const { create } = await clusterWith(say, { [kind]: [webhookAt("hook", { timeoutSeconds: 1 })] });
    const { code, body } = await create("a");
    expect([code, body.reason]).toEqual([500, "InternalError"]);
    expect(body.message).toBe(
      'Internal error occurred: failed calling webhook "hook.hooks.test": failed to call webhook: Post "https://hooks.test/hook?timeout=1s": context deadline exceeded',
    );
  });

  test.each(["mutating", "validating"] as const)("is passed over where its policy is Ignore (%s)", async (kind) => {
    const { create } = await clusterWith(say, { [kind]: [webhookAt("hook", { failurePolicy: "Ignore" })] });
    expect((await create("a")).code).toBe(201);
  });

  test.each([
    [{ response: null }, "received invalid webhook response: webhook response was absent"],
    [{ response: { uid: "other", allowed: true } }, 'expected response.uid="'],
    [
      { kind: "Pod" },
      "expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got admission.k8s.io/v1, Kind=Pod",
    ],
    [{ response: { uid: "$uid", allowed: "yes" } }, "json: cannot unmarshal"],
  ])("as one that answers %j", async (answer, why) => {
    const webhooks = new FakeWebhooks({});
    webhooks.post = async ({ body }) => {
      const { request, kind, apiVersion } = JSON.parse(body);
      const whole = { kind, apiVersion, response: { uid: request.uid, allowed: true }, ...answer };
      const text = JSON.stringify(whole).replace("$uid", request.uid);
      return { code: 200, contentType: "application/json", body: text };
    };
    const cluster = new TestCluster({ controllers: [], transport: webhooks });
    await cluster.ask("", "create", VALIDATING, {
      object: webhookConfiguration("Validating", "h", [webhookAt("hook")]),
    });
    const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" } };
    const { code, body } = await cluster.ask("default", "create", "configmaps", { object });
    expect(code).toBe(500);
    expect(body.message).toContain(why);
  });
});
