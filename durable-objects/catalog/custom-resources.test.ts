import { describe, expect, test } from "vitest";
import { TestCluster } from "../../test/support/cluster.ts";
import { watchEvents } from "../../test/support/home.ts";

const CRDS = "apiextensions.k8s.io/v1/customresourcedefinitions";
const CRONTABS = "stable.example.com/v1/crontabs";

const schema = {
  openAPIV3Schema: {
    type: "object",
    properties: {
      spec: {
        type: "object",
        required: ["cronSpec"],
        properties: {
          cronSpec: { type: "string" },
          replicas: { type: "integer", minimum: 1, default: 1 },
        },
      },
      status: { type: "object", properties: { replicas: { type: "integer" }, labelSelector: { type: "string" } } },
    },
  },
};

const version = (name: string, more: object = {}) => ({ name, served: true, storage: true, schema, ...more });

const definition = (more: { spec?: any; names?: object; metadata?: object } = {}) => ({
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "crontabs.stable.example.com", ...more.metadata },
  spec: {
    group: "stable.example.com",
    scope: "Namespaced",
    names: { plural: "crontabs", singular: "crontab", kind: "CronTab", shortNames: ["ct"], ...more.names },
    versions: [
      version("v1", {
        subresources: {
          status: {},
          scale: {
            specReplicasPath: ".spec.replicas",
            statusReplicasPath: ".status.replicas",
            labelSelectorPath: ".status.labelSelector",
          },
        },
        selectableFields: [{ jsonPath: ".spec.cronSpec" }],
      }),
    ],
    ...more.spec,
  },
});

const cronTab = (name: string, spec: object = {}, more: object = {}) => ({
  apiVersion: "stable.example.com/v1",
  kind: "CronTab",
  metadata: { name, ...more },
  spec: { cronSpec: "* * * * */5", ...spec },
});

async function clusterWith(object: object = definition()): Promise<TestCluster> {
  const cluster = new TestCluster();
  const { code, body } = await cluster.ask("", "create", CRDS, { object });
  expect([code, body.message]).toEqual([201, undefined]);
  return cluster;
}

const conditionsOf = (body: any) =>
  body.status.conditions.map(({ type, status, reason }: any) => `${type}=${status} ${reason}`);

describe("a definition", () => {
  test("is established in the transaction of its creation", async () => {
    const cluster = await clusterWith();
    const { body } = await cluster.ask("", "get", `${CRDS}/crontabs.stable.example.com`);
    expect(conditionsOf(body)).toEqual(["NamesAccepted=True NoConflicts", "Established=True InitialNamesAccepted"]);
    expect(body.status.acceptedNames).toEqual({
      plural: "crontabs",
      singular: "crontab",
      shortNames: ["ct"],
      kind: "CronTab",
      listKind: "CronTabList",
    });
    expect(body.status.storedVersions).toEqual(["v1"]);
  });

  test("whose names another one has is not served, until that one has gone", async () => {
    const cluster = await clusterWith();
    const second = definition({
      metadata: { name: "tabs.stable.example.com" },
      names: { plural: "tabs", singular: "tab", kind: "CronTab", shortNames: ["ct"] },
    });
    const { body } = await cluster.ask("", "create", CRDS, { object: second });
    expect(conditionsOf(body)).toEqual(["NamesAccepted=False ListKindConflict", "Established=False NotAccepted"]);
    expect(body.status.conditions[0].message).toBe('"CronTabList" is already in use');
    expect((await cluster.ask("default", "list", "stable.example.com/v1/tabs")).code).toBe(404);

    await cluster.ask("", "delete", `${CRDS}/crontabs.stable.example.com`);
    for (let i = 0; i < 5; i++) await cluster.settle(100);
    expect((await cluster.ask("", "get", `${CRDS}/crontabs.stable.example.com`)).code).toBe(404);
    const freed = await cluster.ask("", "get", `${CRDS}/tabs.stable.example.com`);
    expect(conditionsOf(freed.body)).toEqual([
      "NamesAccepted=True NoConflicts",
      "Established=True InitialNamesAccepted",
    ]);
    expect((await cluster.ask("default", "list", "stable.example.com/v1/tabs")).code).toBe(200);
  });

  test("of a protected group has to be approved", async () => {
    const object = definition({ metadata: { name: "crontabs.x.k8s.io" }, spec: { group: "x.k8s.io" } });
    const { code, body } = await new TestCluster().ask("", "create", CRDS, { object });
    expect([code, body.reason]).toEqual([422, "Invalid"]);
    const annotations = { "api-approved.kubernetes.io": "unapproved, for a test" };
    const approved = { ...object, metadata: { ...object.metadata, annotations } };
    const created = await new TestCluster().ask("", "create", CRDS, { object: approved });
    expect(conditionsOf(created.body)).toContain("KubernetesAPIApprovalPolicyConformant=False UnapprovedAnnotation");
  });

  test("keeps which versions objects were ever stored in", async () => {
    const cluster = await clusterWith();
    const { body } = await cluster.ask("", "get", `${CRDS}/crontabs.stable.example.com`);
    const open = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };
    body.spec.versions = [{ ...body.spec.versions[0], storage: false }, version("v2", { schema: open })];
    const updated = await cluster.ask("", "update", `${CRDS}/crontabs.stable.example.com`, { object: body });
    expect(updated.body.message).toBeUndefined();
    expect(updated.body.status.storedVersions).toEqual(["v1", "v2"]);
  });

  test("that is deleted takes all its instances with it, and waits for those with finalizers", async () => {
    const cluster = await clusterWith();
    await cluster.ask("", "create", "namespaces", {
      object: { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } },
    });
    await cluster.ask("default", "create", CRONTABS, { object: cronTab("a") });
    await cluster.ask("shop", "create", CRONTABS, { object: cronTab("b", {}, { finalizers: ["example.com/wait"] }) });
    const deleted = await cluster.ask("", "delete", `${CRDS}/crontabs.stable.example.com`);
    expect(deleted.body.metadata.finalizers).toEqual(["customresourcecleanup.apiextensions.k8s.io"]);
    for (let i = 0; i < 5; i++) await cluster.settle(100);
    const going = await cluster.ask("", "get", `${CRDS}/crontabs.stable.example.com`);
    expect(conditionsOf(going.body)).toContain("Terminating=True InstanceDeletionInProgress");
    const refused = await cluster.ask("shop", "create", CRONTABS, { object: cronTab("c") });
    expect([refused.code, refused.body.message]).toEqual([
      403,
      'crontabs.stable.example.com "c" is forbidden: create not allowed while custom resource definition is terminating',
    ]);
    expect((await cluster.ask("default", "list", CRONTABS)).body.items).toEqual([]);

    await cluster.ask("shop", "patch", `${CRONTABS}/b`, {
      patchType: "merge",
      body: JSON.stringify({ metadata: { finalizers: null } }),
    });
    for (let i = 0; i < 20; i++) await cluster.settle(1_000);
    expect((await cluster.ask("", "get", `${CRDS}/crontabs.stable.example.com`)).code).toBe(404);
    expect((await cluster.ask("shop", "list", CRONTABS)).code).toBe(404);
  });
});

describe("a custom resource", () => {
  test("is decoded, pruned, given defaults and validated by its schema", async () => {
    const cluster = await clusterWith();
    const { code, body, warnings } = await cluster.ask("default", "create", CRONTABS, {
      object: cronTab("a", { unknown: 1 }),
    });
    expect(code).toBe(201);
    expect(body.spec).toEqual({ cronSpec: "* * * * */5", replicas: 1 });
    expect(body.metadata).toMatchObject({ name: "a", namespace: "default", generation: 1 });
    expect(warnings).toEqual(['unknown field "spec.unknown"']);
    const invalid = await cluster.ask("default", "create", CRONTABS, { object: cronTab("b", { replicas: 0 }) });
    expect([invalid.code, invalid.body.message]).toEqual([
      422,
      'CronTab.stable.example.com "b" is invalid: spec.replicas: Invalid value: 0: spec.replicas in body should be greater than or equal to 1',
    ]);
  });

  test("is patched, but not strategically", async () => {
    const cluster = await clusterWith();
    await cluster.ask("default", "create", CRONTABS, { object: cronTab("a") });
    const merged = await cluster.ask("default", "patch", `${CRONTABS}/a`, {
      patchType: "merge",
      body: '{"spec":{"replicas":3}}',
    });
    expect([merged.code, merged.body.spec.replicas, merged.body.metadata.generation]).toEqual([200, 3, 2]);
    const strategic = await cluster.ask("default", "patch", `${CRONTABS}/a`, { patchType: "strategic", body: "{}" });
    expect([strategic.code, strategic.body.message]).toEqual([
      415,
      "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml",
    ]);
  });

  test("has a status and a scale of its own", async () => {
    const cluster = await clusterWith();
    await cluster.ask("default", "create", CRONTABS, { object: { ...cronTab("a"), status: { replicas: 9 } } });
    const got = await cluster.ask("default", "get", `${CRONTABS}/a`);
    expect(got.body.status).toBeUndefined();
    const object = { ...got.body, spec: { cronSpec: "no" }, status: { replicas: 2, labelSelector: "app=x" } };
    const status = await cluster.ask("default", "update", `${CRONTABS}/a/status`, { object });
    expect([status.code, status.body.spec.cronSpec, status.body.status.replicas]).toEqual([200, "* * * * */5", 2]);
    expect(status.body.metadata.generation).toBe(1);
    const scale = await cluster.ask("default", "get", `${CRONTABS}/a/scale`);
    expect([scale.body.spec, scale.body.status]).toEqual([{ replicas: 1 }, { replicas: 2, selector: "app=x" }]);
    const scaled = await cluster.ask("default", "patch", `${CRONTABS}/a/scale`, {
      patchType: "merge",
      body: '{"spec":{"replicas":5}}',
    });
    expect(scaled.body.spec.replicas).toBe(5);
    expect((await cluster.ask("default", "get", `${CRONTABS}/a`)).body.spec.replicas).toBe(5);
  });

  test("is selected by labels and by the fields that its definition names", async () => {
    const cluster = await clusterWith();
    await cluster.ask("default", "create", CRONTABS, { object: cronTab("a", { cronSpec: "x" }) });
    await cluster.ask("default", "create", CRONTABS, { object: cronTab("b", {}, { labels: { app: "b" } }) });
    const names = async (options: object) =>
      (await cluster.ask("default", "list", CRONTABS, { options })).body.items.map((item: any) => item.metadata.name);
    expect(await names({})).toEqual(["a", "b"]);
    expect((await cluster.ask("default", "list", CRONTABS)).body.kind).toBe("CronTabList");
    expect(await names({ labelSelector: "app=b" })).toEqual(["b"]);
    expect(await names({ fieldSelector: "spec.cronSpec=x" })).toEqual(["a"]);
    const refused = await cluster.ask("default", "list", CRONTABS, { options: { fieldSelector: "spec.replicas=1" } });
    expect([refused.code, refused.body.message]).toEqual([400, "field label not supported: spec.replicas"]);
  });

  test("that leaves a watch's selector is deleted to its watcher, one that enters is added", async () => {
    const cluster = await clusterWith();
    await cluster.ask("default", "create", CRONTABS, { object: cronTab("a", {}, { labels: { app: "a" } }) });
    const target = { group: "stable.example.com", version: "v1", resource: "crontabs", namespace: "default" };
    const opened = cluster.namespace("default").home.watchFrom({
      user: { name: "admin", groups: ["system:masters"] },
      target: { ...target, name: "", subresource: "" },
      options: { labelSelector: "app=a" },
    });
    await cluster.settle();
    const events = watchEvents(await opened);
    expect((await events.take(1)).map(({ type }) => type)).toEqual(["ADDED"]);
    const label = (app: string) => ({
      patchType: "merge" as const,
      body: JSON.stringify({ metadata: { labels: { app } } }),
    });
    for (const app of ["b", "a"]) {
      const { code, body } = await cluster.ask("default", "patch", `${CRONTABS}/a`, label(app));
      expect([code, body.message]).toEqual([200, undefined]);
    }
    expect((await events.take(2)).map(({ type }) => type)).toEqual(["DELETED", "ADDED"]);
    // A definition that changes ends the watches of what it defines.
    const patch = {
      patchType: "json" as const,
      body: '[{"op":"add","path":"/spec/names/categories","value":["all"]}]',
    };
    await cluster.ask("", "patch", `${CRDS}/crontabs.stable.example.com`, patch);
    await cluster.ask("default", "get", `${CRONTABS}/a`);
    await cluster.settle();
    expect(await events.rest()).toEqual([]);
  });

  test("of the cluster's scope lives in the ClusterHome, and nowhere else", async () => {
    const cluster = await clusterWith(definition({ spec: { scope: "Cluster" } }));
    expect((await cluster.ask("", "create", CRONTABS, { object: cronTab("a") })).code).toBe(201);
    expect((await cluster.ask("", "list", CRONTABS)).body.items).toHaveLength(1);
    const unknown = await cluster.ask("", "get", `${CRONTABS}/a/log`);
    expect([unknown.code, unknown.body.message]).toEqual([404, 'crontabs.stable.example.com "a" not found']);
    const elsewhere = await cluster.ask("default", "list", CRONTABS);
    expect([elsewhere.code, elsewhere.body.message]).toEqual([404, "the server could not find the requested resource"]);
    await cluster.ask("", "delete", `${CRDS}/crontabs.stable.example.com`);
    for (let i = 0; i < 5; i++) await cluster.settle(100);
    expect((await cluster.ask("", "get", `${CRDS}/crontabs.stable.example.com`)).code).toBe(404);
  });

  test("of no definition is not there, in upstream's words", async () => {
    const { code, body } = await new TestCluster().ask("default", "list", CRONTABS);
    expect([code, body.reason, body.message]).toEqual([
      404,
      "NotFound",
      "the server could not find the requested resource",
    ]);
  });

  test("keeps a namespace that is being deleted until it has gone", async () => {
    const cluster = await clusterWith();
    await cluster.ask("", "create", "namespaces", {
      object: { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } },
    });
    await cluster.ask("shop", "create", CRONTABS, { object: cronTab("b", {}, { finalizers: ["example.com/wait"] }) });
    await cluster.ask("", "delete", "namespaces/shop");
    for (let i = 0; i < 5; i++) await cluster.settle(200);
    const { body } = await cluster.ask("", "get", "namespaces/shop");
    const remaining = body.status.conditions.find(({ type }: any) => type === "NamespaceContentRemaining");
    expect(remaining.message).toContain("crontabs.stable.example.com has 1 resource instances");
    await cluster.ask("shop", "patch", `${CRONTABS}/b`, {
      patchType: "merge",
      body: JSON.stringify({ metadata: { finalizers: null } }),
    });
    for (let i = 0; i < 10; i++) await cluster.settle(200);
    expect((await cluster.ask("", "get", "namespaces/shop")).code).toBe(404);
  });

  test("is collected when its owner goes, and collects what it owns", async () => {
    const cluster = await clusterWith();
    const owner = await cluster.ask("default", "create", CRONTABS, { object: cronTab("owner") });
    const ownerReferences = [
      { apiVersion: "stable.example.com/v1", kind: "CronTab", name: "owner", uid: owner.body.metadata.uid },
    ];
    await cluster.ask("default", "create", CRONTABS, { object: cronTab("owned", {}, { ownerReferences }) });
    await cluster.ask("default", "create", "configmaps", {
      object: { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "owned", ownerReferences } },
    });
    await cluster.settle(100);
    await cluster.ask("default", "delete", `${CRONTABS}/owner`);
    for (let i = 0; i < 5; i++) await cluster.settle(100);
    expect((await cluster.ask("default", "list", CRONTABS)).body.items).toEqual([]);
    expect((await cluster.ask("default", "get", "configmaps/owned")).code).toBe(404);
  });
});

describe("a process that is killed", () => {
  const shop = { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } };

  test("while a namespace goes is made up for: its custom resources go too", async () => {
    const cluster = await clusterWith();
    await cluster.ask("", "create", "namespaces", { object: shop });
    await cluster.ask("shop", "create", CRONTABS, { object: cronTab("a") });
    await cluster.settle(5_000);
    void cluster.clusterHome.handle({
      verb: "delete",
      user: { name: "admin", groups: ["system:masters"] },
      target: { group: "", version: "v1", resource: "namespaces", namespace: "", name: "shop", subresource: "" },
      options: {},
    });
    await cluster.settle();
    cluster.kill();
    for (let i = 0; i < 10; i++) await cluster.settle(2_000);
    expect((await cluster.ask("", "get", "namespaces/shop")).code).toBe(404);
    expect(cluster.namespace("shop").home.store.resources()).not.toContain("crontabs.stable.example.com");
  });

  test("while a definition goes is made up for", async () => {
    const cluster = await clusterWith();
    await cluster.ask("", "create", "namespaces", { object: shop });
    for (const namespace of ["default", "shop"])
      await cluster.ask(namespace, "create", CRONTABS, { object: cronTab("a") });
    await cluster.ask("", "delete", `${CRDS}/crontabs.stable.example.com`);
    cluster.kill();
    for (let i = 0; i < 10; i++) await cluster.settle(2_000);
    expect((await cluster.ask("", "get", `${CRDS}/crontabs.stable.example.com`)).code).toBe(404);
    for (const namespace of ["default", "shop"])
      expect(cluster.namespace(namespace).home.store.resources()).not.toContain("crontabs.stable.example.com");
  });

  test("between an owner's end and its dependents' is made up for", async () => {
    const cluster = await clusterWith();
    const owner = await cluster.ask("default", "create", CRONTABS, { object: cronTab("owner") });
    const { uid } = owner.body.metadata;
    const ownerReferences = [{ apiVersion: "stable.example.com/v1", kind: "CronTab", name: "owner", uid }];
    await cluster.ask("default", "create", CRONTABS, { object: cronTab("owned", {}, { ownerReferences }) });
    await cluster.settle(5_000);
    const { home } = cluster.namespace("default");
    await Promise.all([home.lease.whenOpen(), cluster.settle()]);
    // In a transaction that no pass of the controllers follows.
    home.store.write((tx) => void tx.remove("crontabs.stable.example.com", "owner", () => owner.text));
    cluster.kill();
    for (let i = 0; i < 10; i++) await cluster.settle(2_000);
    expect((await cluster.ask("default", "list", CRONTABS)).body.items).toEqual([]);
  });
});

describe("a definition that changes", () => {
  test("loses no object: what was stored is served in every version, by the schema as it is now", async () => {
    const cluster = await clusterWith();
    await cluster.ask("default", "create", CRONTABS, { object: cronTab("a", { replicas: 2 }) });
    const { body } = await cluster.ask("", "get", `${CRDS}/crontabs.stable.example.com`);
    const properties = { cronSpec: { type: "string" }, image: { type: "string", default: "busybox" } };
    const next = { openAPIV3Schema: { type: "object", properties: { spec: { type: "object", properties } } } };
    body.spec.versions = [{ ...body.spec.versions[0], storage: false }, version("v2", { schema: next })];
    expect((await cluster.ask("", "update", `${CRDS}/crontabs.stable.example.com`, { object: body })).code).toBe(200);

    const v2 = "stable.example.com/v2/crontabs";
    const spec = { cronSpec: "* * * * */5", image: "busybox" };
    const listed = (await cluster.ask("default", "list", v2)).body;
    expect(listed.items.map((item: any) => [item.apiVersion, item.spec])).toEqual([["stable.example.com/v2", spec]]);
    const old = (await cluster.ask("default", "get", `${CRONTABS}/a`)).body;
    expect([old.apiVersion, old.spec.replicas]).toEqual(["stable.example.com/v1", 2]);
    const stored = () =>
      JSON.parse(
        cluster.namespace("default").home.store.read((tx) => tx.texts("crontabs.stable.example.com"))[0]!.json,
      );
    expect(stored().apiVersion).toBe("stable.example.com/v1");
    // Who writes it, changed or not, stores it as it is stored from now on.
    expect((await cluster.ask("default", "update", `${CRONTABS}/a`, { object: old })).code).toBe(200);
    expect(stored().apiVersion).toBe("stable.example.com/v2");
  });

  test("is known everywhere once its change is answered, also to homes that slept through it", async () => {
    const cluster = await clusterWith();
    await cluster.ask("default", "create", CRONTABS, { object: cronTab("a") });
    const patch = {
      patchType: "json" as const,
      body: '[{"op":"add","path":"/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/image","value":{"type":"string"}}]',
    };
    expect((await cluster.ask("", "patch", `${CRDS}/crontabs.stable.example.com`, patch)).code).toBe(200);
    const { body } = await cluster.ask("default", "create", CRONTABS, { object: cronTab("b", { image: "x" }) });
    expect(body.spec.image).toBe("x");
  });
});
