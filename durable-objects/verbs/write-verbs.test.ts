import { describe, expect, test } from "vitest";
import { testHome } from "../../test/support/home.ts";

const configMap = (name: string, more: object = {}) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name },
  ...more,
});
const deployment = (name: string, spec: object = {}) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name },
  spec: {
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: "c", image: "busybox" }] },
    },
    ...spec,
  },
});
const pod = (name: string, metadata: object = {}, spec: object = {}) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, ...metadata },
  spec: { containers: [{ name: "c", image: "busybox" }], ...spec },
});
const DEPLOYMENTS = "apps/v1/deployments";

describe("update", () => {
  test("replaces, and counts changes of the spec", async () => {
    const { ask } = testHome();
    const created = (await ask("create", DEPLOYMENTS, { object: deployment("web") })).body;
    expect([created.metadata.generation, created.spec.replicas, created.status]).toEqual([1, 1, {}]);
    const labelled = { ...created, metadata: { ...created.metadata, labels: { a: "b" } } };
    const second = (await ask("update", `${DEPLOYMENTS}/web`, { object: labelled })).body;
    expect(second.metadata).toMatchObject({ generation: 1, labels: { a: "b" }, uid: created.metadata.uid });
    const third = (await ask("update", `${DEPLOYMENTS}/web`, { object: deployment("web", { replicas: 3 }) })).body;
    expect([third.metadata.generation, third.metadata.labels]).toEqual([2, undefined]);
  });

  test("with a stale resourceVersion conflicts; without one it does not", async () => {
    const { ask } = testHome();
    const first = (await ask("create", "configmaps", { object: configMap("a") })).body;
    await ask("update", "configmaps/a", { object: { ...first, data: { k: "1" } } });
    const stale = await ask("update", "configmaps/a", { object: { ...first, data: { k: "2" } } });
    expect(stale.body).toMatchObject({
      code: 409,
      reason: "Conflict",
      message:
        'Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to the latest version and try again',
      details: { name: "a", kind: "configmaps" },
    });
    expect((await ask("update", "configmaps/a", { object: configMap("a", { data: { k: "3" } }) })).code).toBe(200);
  });

  test("that changes nothing writes nothing", async () => {
    const { ask, home } = testHome();
    const first = (await ask("create", "configmaps", { object: configMap("a", { data: { k: "1" } }) })).body;
    const { revision } = home.store;
    const same = await ask("update", "configmaps/a", { object: configMap("a", { data: { k: "1" } }) });
    expect(same.body).toEqual(first);
    expect(home.store.revision).toBe(revision);
  });

  test.each([
    ["another name", configMap("b"), 400, "the name of the object (b) does not match the name on the URL (a)"],
    [
      "another uid",
      configMap("a", { metadata: { name: "a", uid: "other" } }),
      409,
      'Operation cannot be fulfilled on configmaps "a": Precondition failed: UID in precondition: other, UID in object meta: 00000000-0000-4000-8000-000000000001',
    ],
    [
      "another namespace",
      configMap("a", { metadata: { name: "a", namespace: "x" } }),
      400,
      "the namespace of the provided object does not match the namespace sent on the request",
    ],
  ])("refuses %s", async (_, object, code, message) => {
    const { ask } = testHome();
    await ask("create", "configmaps", { object: configMap("a") });
    expect((await ask("update", "configmaps/a", { object })).body).toMatchObject({ code, message });
  });

  test("has to name the object, and its own metadata; a uid is a precondition of it, of a patch it is a field", async () => {
    const { ask } = testHome();
    await ask("create", "configmaps", { object: configMap("a") });
    const refusal = async (verb: "update" | "patch", object: object) => {
      const { body } = await ask(verb, "configmaps/a", { object, ...(verb === "patch" && { patchType: "merge" }) });
      return [body.code, body.message];
    };
    expect(await refusal("update", { ...configMap("a"), metadata: {} })).toEqual([
      400,
      "the name of the object (a based on URL) was undeterminable: name must be provided",
    ]);
    expect((await refusal("update", { ...configMap("a"), metadata: { name: "a", uid: "x" } }))[0]).toBe(409);
    expect(await refusal("patch", { metadata: { uid: "x" } })).toEqual([
      422,
      'ConfigMap "a" is invalid: metadata.uid: Invalid value: "x": field is immutable',
    ]);
    expect(await refusal("patch", { metadata: { namespace: "x" } })).toEqual([
      400,
      "the namespace of the provided object does not match the namespace sent on the request",
    ]);
  });

  test("of what is not there is not found", async () => {
    const { ask } = testHome();
    expect((await ask("update", "configmaps/a", { object: configMap("a") })).body.message).toBe(
      'configmaps "a" not found',
    );
  });

  test("of what is not there creates it, for the kinds of which upstream allows that", async () => {
    const { ask } = testHome();
    const endpoints = { apiVersion: "v1", kind: "Endpoints", metadata: { name: "e", resourceVersion: "7" } };
    const created = await ask("update", "endpoints/e", { object: endpoints });
    expect([created.code, created.body.metadata.name]).toEqual([201, "e"]);
    const again = { ...endpoints, metadata: { name: "e", labels: { a: "b" } } };
    expect((await ask("update", "endpoints/e", { object: again })).code).toBe(200);
    const meant = { ...endpoints, metadata: { name: "f", uid: "u" } };
    expect((await ask("update", "endpoints/f", { object: meant })).body).toMatchObject({
      code: 409,
      message: expect.stringContaining("Precondition failed: UID in precondition: u, UID in object meta: "),
    });
    expect((await ask("get", "endpoints/f")).code).toBe(404);
  });

  test("of some kinds has to name the resourceVersion", async () => {
    const { ask } = testHome();
    const budget = { apiVersion: "policy/v1", kind: "PodDisruptionBudget", metadata: { name: "b" }, spec: {} };
    const path = "policy/v1/poddisruptionbudgets";
    expect((await ask("update", `${path}/b`, { object: budget })).code).toBe(404);
    const created = (await ask("create", path, { object: budget })).body;
    const blind = { ...budget, spec: { minAvailable: 1 } };
    expect((await ask("update", `${path}/b`, { object: blind })).body).toMatchObject({
      code: 422,
      message:
        'poddisruptionbudgets.policy "b" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update',
    });
    const versioned = { ...created, spec: { minAvailable: 1 } };
    expect((await ask("update", `${path}/b`, { object: versioned })).code).toBe(200);
  });

  test("does not touch status, and of status nothing else", async () => {
    const { ask } = testHome();
    await ask("create", DEPLOYMENTS, { object: deployment("web") });
    const path = `${DEPLOYMENTS}/web`;
    const both = deployment("web", { replicas: 7 });
    const viaStatus = (await ask("update", `${path}/status`, { object: { ...both, status: { replicas: 2 } } })).body;
    expect([viaStatus.spec.replicas, viaStatus.status.replicas, viaStatus.metadata.generation]).toEqual([1, 2, 1]);
    const viaMain = (await ask("update", path, { object: { ...both, status: { replicas: 9 } } })).body;
    expect([viaMain.spec.replicas, viaMain.status.replicas, viaMain.metadata.generation]).toEqual([7, 2, 2]);
  });
});

describe("patch", () => {
  test("applies to the state of its moment, so two never conflict", async () => {
    const { ask, home, settle } = testHome();
    await ask("create", "configmaps", { object: configMap("a", { data: { n: "0" } }) });
    const send = (data: object) => ask("patch", "configmaps/a", { patchType: "merge", object: { data } });
    const answers = await Promise.all([send({ x: "1" }), send({ y: "2" })]);
    await settle();
    expect(answers.map(({ code }) => code)).toEqual([200, 200]);
    expect(home.store.read((tx) => tx.get("configmaps", "a"))?.object["data"]).toEqual({ n: "0", x: "1", y: "2" });
  });

  test.each([
    [
      "strategic" as const,
      { spec: { template: { spec: { containers: [{ name: "d", image: "other" }] } } } },
      ["d", "c"],
    ],
    ["merge" as const, { spec: { template: { spec: { containers: [{ name: "d", image: "other" }] } } } }, ["d"]],
    [
      "json" as const,
      [{ op: "add", path: "/spec/template/spec/containers/-", value: { name: "d", image: "other" } }],
      ["c", "d"],
    ],
  ])("of type %s merges lists in its own way", async (patchType, object, names) => {
    const { ask } = testHome();
    await ask("create", DEPLOYMENTS, { object: deployment("web") });
    const { body } = await ask("patch", `${DEPLOYMENTS}/web`, { patchType, object });
    expect(body.spec.template.spec.containers.map(({ name }: any) => name)).toEqual(names);
    expect(body.metadata.generation).toBe(2);
  });

  test("that names a stale resourceVersion conflicts; what validation refuses is stored by nobody", async () => {
    const { ask } = testHome();
    await ask("create", DEPLOYMENTS, { object: deployment("web") });
    const stale = { metadata: { resourceVersion: "1" } };
    expect((await ask("patch", `${DEPLOYMENTS}/web`, { patchType: "merge", object: stale })).code).toBe(409);
    const wrong = await ask("patch", `${DEPLOYMENTS}/web`, { patchType: "merge", object: { spec: { replicas: -1 } } });
    expect(wrong.body).toMatchObject({
      code: 422,
      message: 'Deployment.apps "web" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
    });
    expect((await ask("get", `${DEPLOYMENTS}/web`)).body.spec.replicas).toBe(1);
  });
});

describe("delete", () => {
  test("answers what was deleted: a Status, or for some kinds the object", async () => {
    const { ask } = testHome();
    const { uid } = (await ask("create", "configmaps", { object: configMap("a") })).body.metadata;
    expect((await ask("delete", "configmaps/a")).body).toEqual({
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Success",
      details: { name: "a", kind: "configmaps", uid },
    });
    await ask("create", "serviceaccounts", {
      object: { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "s" } },
    });
    expect((await ask("delete", "serviceaccounts/s")).body.kind).toBe("ServiceAccount");
    expect((await ask("delete", "serviceaccounts/s")).code).toBe(404);
  });

  test("waits for finalizers; the last one that is taken away completes it", async () => {
    const { ask } = testHome();
    await ask("create", "configmaps", {
      object: configMap("a", { metadata: { name: "a", finalizers: ["x.io/hold"] } }),
    });
    const marked = (await ask("delete", "configmaps/a")).body;
    expect(marked.metadata).toMatchObject({ deletionTimestamp: "2026-11-22T12:00:00Z", deletionGracePeriodSeconds: 0 });
    expect((await ask("delete", "configmaps/a")).code).toBe(200);
    expect((await ask("create", "configmaps", { object: configMap("a") })).body.message).toBe(
      'object is being deleted: configmaps "a" already exists',
    );
    const more = { metadata: { finalizers: ["x.io/hold", "x.io/more"] } };
    expect((await ask("patch", "configmaps/a", { patchType: "merge", object: more })).body.message).toContain(
      'no new finalizers can be added if the object is being deleted, found new finalizers []string{"x.io/more"}',
    );
    const none = { metadata: { finalizers: null } };
    expect((await ask("patch", "configmaps/a", { patchType: "merge", object: none })).code).toBe(200);
    expect((await ask("get", "configmaps/a")).code).toBe(404);
  });

  test("of a running pod is graceful; a shorter grace shortens it, a longer one does not; none ends it", async () => {
    const { ask } = testHome();
    await ask("create", "pods", { object: pod("p", {}, { nodeName: "n1" }) });
    const first = (await ask("delete", "pods/p")).body.metadata;
    expect([first.deletionGracePeriodSeconds, first.deletionTimestamp, first.generation]).toEqual([
      30,
      "2026-11-22T12:00:30Z",
      2,
    ]);
    const longer = (await ask("delete", "pods/p", { object: { gracePeriodSeconds: 60 } })).body.metadata;
    expect(longer.deletionGracePeriodSeconds).toBe(30);
    const shorter = (await ask("delete", "pods/p", { object: { gracePeriodSeconds: 5 } })).body.metadata;
    expect([shorter.deletionGracePeriodSeconds, shorter.deletionTimestamp]).toEqual([5, "2026-11-22T12:00:05Z"]);
    expect((await ask("delete", "pods/p", { object: { gracePeriodSeconds: 0 } })).code).toBe(200);
    expect((await ask("get", "pods/p")).code).toBe(404);
  });

  test("whose shortened grace is over already leaves one second to who runs the pod; less than none is one", async () => {
    const { ask, settle } = testHome();
    await ask("create", "pods", { object: pod("p", {}, { nodeName: "n1" }) });
    await ask("delete", "pods/p");
    await settle(10_000);
    const shorter = (await ask("delete", "pods/p", { object: { gracePeriodSeconds: 5 } })).body.metadata;
    expect(shorter.deletionGracePeriodSeconds).toBe(1);
    expect(Date.parse(shorter.deletionTimestamp)).toBeGreaterThanOrEqual(Date.parse("2026-11-22T12:00:10Z"));
    await ask("create", "pods", { object: pod("q", {}, { nodeName: "n1" }) });
    const negative = (await ask("delete", "pods/q", { object: { gracePeriodSeconds: -7 } })).body.metadata;
    expect(negative.deletionGracePeriodSeconds).toBe(1);
  });

  test("of a pod that runs nowhere is immediate", async () => {
    const { ask } = testHome();
    await ask("create", "pods", { object: pod("p") });
    expect((await ask("delete", "pods/p")).body.kind).toBe("Pod");
    expect((await ask("get", "pods/p")).code).toBe(404);
  });

  test("says by a finalizer what becomes of the dependents", async () => {
    const { ask } = testHome();
    await ask("create", DEPLOYMENTS, { object: deployment("web") });
    const foreground = (await ask("delete", `${DEPLOYMENTS}/web`, { object: { propagationPolicy: "Foreground" } }))
      .body;
    expect(foreground.metadata).toMatchObject({ finalizers: ["foregroundDeletion"], generation: 2 });
    await ask("create", DEPLOYMENTS, { object: deployment("two") });
    const orphan = (await ask("delete", `${DEPLOYMENTS}/two`, { options: { propagationPolicy: "Orphan" } })).body;
    expect(orphan.metadata.finalizers).toEqual(["orphan"]);
    const wrong = await ask("delete", `${DEPLOYMENTS}/two`, { object: { propagationPolicy: "Sometimes" } });
    expect(wrong.body).toMatchObject({
      code: 422,
      message: expect.stringContaining('supported values: "Foreground", "Background", "Orphan"'),
    });
  });

  test("of a Job leaves its pods where nothing else is said, and warns of that", async () => {
    const { ask } = testHome();
    const template = { spec: { restartPolicy: "Never", containers: [{ name: "c", image: "busybox" }] } };
    const job = (name: string) => ({ apiVersion: "batch/v1", kind: "Job", metadata: { name }, spec: { template } });
    for (const name of ["a", "b", "c"]) await ask("create", "batch/v1/jobs", { object: job(name) });
    const silent = await ask("delete", "batch/v1/jobs/a");
    expect(silent.body.metadata.finalizers).toEqual(["orphan"]);
    expect(silent.warnings?.[0]).toMatch(/^child pods are preserved by default when jobs are deleted;/);
    const said = await ask("delete", "batch/v1/jobs/b", { object: { propagationPolicy: "Background" } });
    expect(said.body.status).toBe("Success");
    expect(said.warnings ?? []).toEqual([]);
    expect((await ask("deletecollection", "batch/v1/jobs")).warnings).toHaveLength(1);
    expect((await ask("get", "batch/v1/jobs/c")).body.metadata.finalizers).toEqual(["orphan"]);
  });

  test("keeps to its preconditions", async () => {
    const { ask } = testHome();
    await ask("create", "configmaps", { object: configMap("a") });
    const byUid = await ask("delete", "configmaps/a", { object: { preconditions: { uid: "other" } } });
    expect(byUid.body).toMatchObject({
      code: 409,
      message: expect.stringContaining(
        'Operation cannot be fulfilled on ConfigMap "a": the UID in the precondition (other) does not match the UID in record',
      ),
    });
    const byVersion = await ask("delete", "configmaps/a", { object: { preconditions: { resourceVersion: "1" } } });
    expect(byVersion.code).toBe(409);
    expect((await ask("delete", "configmaps/a", { object: { dryRun: ["All"] } })).code).toBe(200);
    expect((await ask("get", "configmaps/a")).code).toBe(200);
  });

  test.each([["nonsense"], ["[]"], ['{"gracePeriodSeconds":"soon"}'], ['{"preconditions":{"uid":7}}']])(
    "refuses options that are none: %s",
    async (body) => {
      const { ask } = testHome();
      await ask("create", "configmaps", { object: configMap("a") });
      expect((await ask("delete", "configmaps/a", { body })).code).toBe(400);
      expect((await ask("get", "configmaps/a")).code).toBe(200);
    },
  );

  test("of a collection deletes what the selector selects", async () => {
    const { ask } = testHome();
    for (let i = 0; i < 250; i++) {
      await ask("create", "configmaps", {
        object: configMap(`c${i}`, { metadata: { name: `c${i}`, labels: { odd: String(i % 2) } } }),
      });
    }
    const { code, body } = await ask("deletecollection", "configmaps", { options: { labelSelector: "odd=1" } });
    expect([code, body.kind, body.items.length]).toEqual([200, "ConfigMapList", 125]);
    expect((await ask("list", "configmaps")).body.items).toHaveLength(125);
  });
});

test("a new object's finalizers have a domain, or are Kubernetes' own", async () => {
  const { ask } = testHome();
  const withFinalizers = (...finalizers: string[]) => ({ ...configMap("a"), metadata: { name: "a", finalizers } });
  expect((await ask("create", "configmaps", { object: withFinalizers("orphan", "mine") })).body.message).toBe(
    'ConfigMap "a" is invalid: metadata.finalizers[1]: Invalid value: "mine": name is neither a standard finalizer name nor is it fully qualified',
  );
  expect((await ask("create", "configmaps", { object: withFinalizers("orphan", "a.b/mine") })).code).toBe(201);
});

test("of what is refused nobody is warned", async () => {
  const { ask } = testHome();
  const old = { nodeSelector: { "beta.kubernetes.io/arch": "amd64" } };
  const refused = await ask("create", "pods", { object: pod("a", {}, { ...old, restartPolicy: "X" }) });
  expect([refused.code, refused.warnings ?? []]).toEqual([422, []]);
  expect((await ask("create", "pods", { object: pod("a", {}, old) })).warnings).toHaveLength(1);
});

describe("subresources", () => {
  test("scale shows and sets the replicas of any kind that has them", async () => {
    const { ask } = testHome();
    await ask("create", DEPLOYMENTS, { object: deployment("web", { replicas: 2 }) });
    const path = `${DEPLOYMENTS}/web/scale`;
    const scale = (await ask("get", path)).body;
    expect(scale).toMatchObject({
      kind: "Scale",
      apiVersion: "autoscaling/v1",
      metadata: { name: "web", namespace: "default" },
      spec: { replicas: 2 },
      status: { replicas: 0, selector: "app=web" },
    });
    const patched = await ask("patch", path, { patchType: "merge", object: { spec: { replicas: 5 } } });
    expect(patched.body.spec).toEqual({ replicas: 5 });
    expect((await ask("update", path, { object: scale })).code).toBe(409);
    const { resourceVersion: _, ...metadata } = scale.metadata;
    expect((await ask("update", path, { object: { ...scale, metadata, spec: { replicas: 0 } } })).body.spec).toEqual(
      {},
    );
    expect((await ask("get", `${DEPLOYMENTS}/web`)).body).toMatchObject({
      spec: { replicas: 0 },
      metadata: { generation: 3 },
    });
    const wrong = await ask("patch", path, { patchType: "merge", object: { spec: { replicas: -1 } } });
    expect(wrong.body.message).toBe(
      'Scale.autoscaling "web" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
    );
    expect((await ask("get", "configmaps/a/scale")).code).toBe(404);
  });

  test("binding places a pod, eviction deletes it", async () => {
    const { ask } = testHome();
    await ask("create", "pods", { object: pod("p") });
    const binding = {
      apiVersion: "v1",
      kind: "Binding",
      metadata: { name: "p" },
      target: { kind: "Node", name: "n1" },
    };
    expect((await ask("create", "pods/p/binding", { object: binding })).body).toMatchObject({
      status: "Success",
      code: 201,
    });
    expect((await ask("create", "pods/p/binding", { object: binding })).code).toBe(409);
    const eviction = {
      apiVersion: "policy/v1",
      kind: "Eviction",
      metadata: { name: "p" },
      deleteOptions: { gracePeriodSeconds: 7 },
    };
    expect((await ask("create", "pods/p/eviction", { object: eviction })).code).toBe(201);
    expect((await ask("get", "pods/p")).body.metadata.deletionGracePeriodSeconds).toBe(7);
  });

  test("that nothing serves are not there, verbs that nothing carries out are not allowed", async () => {
    const { ask } = testHome();
    expect((await ask("get", "configmaps/a/status")).code).toBe(404);
    expect((await ask("update", "pods/p/binding", { object: {} })).code).toBe(405);
  });
});

test("one resource in two versions is one object", async () => {
  const { ask } = testHome();
  const event = {
    apiVersion: "events.k8s.io/v1",
    kind: "Event",
    metadata: { name: "e" },
    regarding: { kind: "Pod", name: "p", namespace: "default" },
    note: "hello",
    reason: "Said",
    type: "Normal",
    action: "Say",
    reportingController: "x.io/c",
    reportingInstance: "i",
    eventTime: "2026-11-22T12:00:00.000000Z",
  };
  expect((await ask("create", "events.k8s.io/v1/events", { object: event })).body.note).toBe("hello");
  expect((await ask("get", "events/e")).body).toMatchObject({
    apiVersion: "v1",
    message: "hello",
    involvedObject: { name: "p" },
  });
  const list = (await ask("list", "events.k8s.io/v1/events")).body;
  expect([list.kind, list.items[0].apiVersion, list.items[0].note]).toEqual(["EventList", "events.k8s.io/v1", "hello"]);
});

test("an owner that is named twice counts once, and its client is warned", async () => {
  const { ask } = testHome();
  const owner = { apiVersion: "v1", kind: "ConfigMap", name: "owner", uid: "u1" };
  const other = { ...owner, name: "other", uid: "u2" };
  const object = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "owned", ownerReferences: [owner, other, owner] },
  };
  const warning = (when: string) =>
    `.metadata.ownerReferences contains duplicate entries${when}; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: u1`;
  const created = await ask("create", "configmaps", { object });
  expect([created.body.metadata.ownerReferences, created.warnings]).toEqual([[owner, other], [warning("")]]);
  const updated = await ask("update", "configmaps/owned", { object });
  expect([updated.body.metadata.ownerReferences, updated.warnings]).toEqual([[owner, other], [warning("")]]);
  const body = JSON.stringify([{ op: "add", path: "/metadata/ownerReferences/-", value: owner }]);
  const patched = await ask("patch", "configmaps/owned", { patchType: "json", body });
  expect(patched.warnings).toEqual([warning(" after mutating admission happens")]);
  // The same uid under another name is no duplicate: that it is wrong is said elsewhere.
  const renamed = { ...object, metadata: { name: "two", ownerReferences: [owner, { ...owner, name: "else" }] } };
  expect((await ask("create", "configmaps", { object: renamed })).body.metadata.ownerReferences).toHaveLength(2);
});
