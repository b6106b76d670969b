import { describe, expect, test } from "vitest";
import { printPaths, readFieldSet } from "../../api/managed-fields/field-set.ts";
import { type Answer, testHome } from "../../test/support/home.ts";
import type { RequestOptions } from "../protocol.ts";

const container = { name: "web", image: "web:1" };
const deployment = (spec: object = {}, metadata: object = {}) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "web", ...metadata },
  spec,
});
const template = (...containers: object[]) => ({ metadata: { labels: { app: "web" } }, spec: { containers } });
const whole = (more: object = {}) => ({
  selector: { matchLabels: { app: "web" } },
  template: template(container),
  ...more,
});
const configMap = (data: object, metadata: object = {}) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "a", ...metadata },
  data,
});

const WEB = "apps/v1/deployments/web";

function testWorld() {
  const world = testHome();
  const apply = (path: string, object: unknown, options: RequestOptions = {}): Promise<Answer> =>
    world.ask("patch", path, { patchType: "apply", object, options: { fieldManager: "applier", ...options } });
  return { ...world, apply };
}

/** `manager operation[ subresource]` → the paths that it owns. */
const owners = ({ body }: Answer): Record<string, string[]> =>
  Object.fromEntries(
    (body.metadata.managedFields ?? []).map(({ manager, operation, subresource, fieldsV1 }: any) => [
      [manager, operation, subresource].filter(Boolean).join(" "),
      printPaths(readFieldSet(fieldsV1)),
    ]),
  );

describe("an apply", () => {
  test("creates what is not there: 201, defaults and all, and its manager owns what it said", async () => {
    const { ask, apply } = testWorld();
    const created = await apply(WEB, deployment(whole({ replicas: 2 })));
    expect(created.code).toBe(201);
    expect(created.body.spec).toMatchObject({
      replicas: 2,
      revisionHistoryLimit: 10,
      strategy: { type: "RollingUpdate" },
    });
    expect(owners(created)).toEqual({
      "applier Apply": [
        ".spec.replicas",
        ".spec.selector",
        ".spec.template.metadata.labels.app",
        '.spec.template.spec.containers[name="web"]',
        '.spec.template.spec.containers[name="web"].image',
        '.spec.template.spec.containers[name="web"].name',
      ],
    });
    expect((await ask("get", WEB)).body).toEqual(created.body);
  });

  test("that is repeated writes nothing: not even the time moves", async () => {
    const { apply, platform, home } = testWorld();
    const created = await apply(WEB, deployment(whole()));
    platform.time += 60_000;
    const { revision } = home.store;
    const again = await apply(WEB, deployment(whole()));
    expect(again.code).toBe(200);
    expect(again.body).toEqual(created.body);
    expect(home.store.revision).toBe(revision);
  });

  test("that says a value in another spelling changes nothing either", async () => {
    const { apply, platform, home } = testWorld();
    const limits = (cpu: string) =>
      deployment({ ...whole(), template: template({ ...container, resources: { limits: { cpu } } }) });
    const created = await apply(WEB, limits("1"));
    platform.time += 60_000;
    const { revision } = home.store;
    expect((await apply(WEB, limits("1000m"))).body).toEqual(created.body);
    expect(home.store.revision).toBe(revision);
  });

  test("takes away what its manager applied before and leaves out now, unless others own it as well", async () => {
    const { ask, apply } = testWorld();
    await apply("configmaps/a", configMap({ mine: "1", shared: "1" }));
    await apply("configmaps/a", configMap({ shared: "1" }), { fieldManager: "other" });
    await ask("patch", "configmaps/a", { patchType: "merge", object: { data: { theirs: "1" } } });
    const answer = await apply("configmaps/a", configMap({}));
    expect(answer.body.data).toEqual({ shared: "1", theirs: "1" });
    const gone = await apply("configmaps/a", configMap({}), { fieldManager: "other" });
    expect(gone.body.data).toEqual({ theirs: "1" });
  });

  test("merges lists by their keys, and sets by their values", async () => {
    const { apply } = testWorld();
    await apply(WEB, deployment(whole(), { finalizers: ["x/a"] }));
    const side = { name: "side", image: "side:1" };
    const both = await apply(WEB, deployment({ template: { spec: { containers: [side] } } }, { finalizers: ["x/b"] }), {
      fieldManager: "sidecar",
    });
    expect(both.body.spec.template.spec.containers.map(({ name }: any) => name)).toEqual(["web", "side"]);
    expect(both.body.metadata.finalizers).toEqual(["x/a", "x/b"]);
    const { spec: _, ...nothing } = deployment();
    const without = await apply(WEB, nothing, { fieldManager: "sidecar" });
    expect(without.body.spec.template.spec.containers.map(({ name }: any) => name)).toEqual(["web"]);
    expect(without.body.metadata.finalizers).toEqual(["x/a"]);
    expect(owners(without)).not.toHaveProperty("sidecar Apply");
  });

  test("of others' values is a conflict that names each of them, and changes nothing", async () => {
    const { ask, apply } = testWorld();
    await ask("create", "apps/v1/deployments", {
      object: deployment(whole({ replicas: 1 })),
      options: { fieldManager: "kubectl-client-side-apply" },
    });
    const before = (await ask("get", WEB)).body;
    const one = await apply(WEB, deployment({ replicas: 3 }));
    expect(one.code).toBe(409);
    expect(one.body).toEqual({
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message: 'Apply failed with 1 conflict: conflict with "kubectl-client-side-apply" using apps/v1: .spec.replicas',
      reason: "Conflict",
      details: {
        causes: [
          {
            reason: "FieldManagerConflict",
            message: 'conflict with "kubectl-client-side-apply" using apps/v1',
            field: ".spec.replicas",
          },
        ],
      },
      code: 409,
    });
    const two = await apply(WEB, deployment({ replicas: 3, template: template({ name: "web", image: "web:2" }) }));
    expect(two.body.message).toBe(
      'Apply failed with 2 conflicts: conflicts with "kubectl-client-side-apply" using apps/v1:\n- .spec.replicas\n- .spec.template.spec.containers[name="web"].image',
    );
    expect((await ask("get", WEB)).body).toEqual(before);
  });

  test("of the same value shares it, forced it takes it away from the others", async () => {
    const { ask, apply } = testWorld();
    await apply("configmaps/a", configMap({ k: "1" }), { fieldManager: "first" });
    expect(owners(await apply("configmaps/a", configMap({ k: "1" })))).toEqual({
      "applier Apply": [".data.k"],
      "first Apply": [".data.k"],
    });
    const refused = await apply("configmaps/a", configMap({ k: "2" }));
    expect(refused.body.message).toBe('Apply failed with 1 conflict: conflict with "first": .data.k');
    const forced = await apply("configmaps/a", configMap({ k: "2" }), { force: true });
    expect(forced.body.data).toEqual({ k: "2" });
    expect(owners(forced)).toEqual({ "applier Apply": [".data.k"] });
    expect(owners(await ask("get", "configmaps/a"))).toEqual(owners(forced));
  });

  test("to an object whose owners are not known leaves it to before-first-apply", async () => {
    const { ask, apply } = testWorld();
    await ask("create", "configmaps", { object: configMap({ k: "1" }) });
    await ask("patch", "configmaps/a", { patchType: "merge", object: { metadata: { managedFields: [{}] } } });
    expect((await ask("get", "configmaps/a")).body.metadata.managedFields).toBeUndefined();
    expect((await apply("configmaps/a", configMap({ k: "2" }))).body.message).toBe(
      'Apply failed with 1 conflict: conflict with "before-first-apply" using v1: .data.k',
    );
    expect(owners(await apply("configmaps/a", configMap({ k: "1" })))).toEqual({
      "applier Apply": [".data.k"],
      "before-first-apply Update": [".data", ".data.k"],
    });
  });

  test("by kubectl goes on where its client-side applies left off, and keeps their annotation", async () => {
    const { ask, apply } = testWorld();
    const LAST = "kubectl.kubernetes.io/last-applied-configuration";
    const before = configMap({ mine: "1", changed: "1" });
    await ask("create", "configmaps", {
      object: configMap({ mine: "1", changed: "1" }, { annotations: { [LAST]: JSON.stringify(before) } }),
      options: { fieldManager: "kubectl-client-side-apply" },
    });
    await ask("patch", "configmaps/a", {
      patchType: "merge",
      object: { data: { changed: "2" } },
      options: { fieldManager: "kubectl-edit" },
    });
    const next = configMap({ mine: "2" });
    expect((await apply("configmaps/a", next)).code).toBe(409);
    const taken = await apply("configmaps/a", next, { fieldManager: "kubectl" });
    expect(taken.code).toBe(200);
    expect(taken.body.data).toEqual({ mine: "2", changed: "2" });
    expect(taken.body.metadata.annotations[LAST]).toBe(
      '{"apiVersion":"v1","data":{"mine":"2"},"kind":"ConfigMap","metadata":{"name":"a"}}\n',
    );
    const refused = await apply("configmaps/a", configMap({ mine: "2", changed: "3" }), { fieldManager: "kubectl" });
    expect(refused.body.message).toBe(
      'Apply failed with 1 conflict: conflict with "kubectl-edit" using v1: .data.changed',
    );
  });

  test("without effect on the store when it is a dry run", async () => {
    const { ask, apply } = testWorld();
    const dry = await apply("configmaps/a", configMap({ k: "1" }), { dryRun: true });
    expect(dry).toMatchObject({ code: 201, body: { data: { k: "1" } } });
    expect(owners(dry)).toEqual({ "applier Apply": [".data.k"] });
    expect((await ask("get", "configmaps/a")).code).toBe(404);
  });

  test("heeds a resourceVersion as a precondition", async () => {
    const { apply } = testWorld();
    const { body } = await apply("configmaps/a", configMap({ k: "1" }));
    const { resourceVersion } = body.metadata;
    expect((await apply("configmaps/a", configMap({ k: "2" }, { resourceVersion }))).code).toBe(200);
    expect((await apply("configmaps/a", configMap({ k: "3" }, { resourceVersion }))).body.message).toMatch(
      /^Operation cannot be fulfilled on configmaps "a": the object has been modified/,
    );
  });

  test("creates whatever the resourceVersion, of which there is none to be compared with", async () => {
    const { apply } = testWorld();
    const metadata = { name: "b", resourceVersion: "7" };
    expect((await apply("configmaps/b", { ...configMap({}), metadata })).code).toBe(201);
  });

  test("is refused for another namespace than the path's", async () => {
    const { apply } = testWorld();
    const { body } = await apply("configmaps/b", { ...configMap({}), metadata: { name: "b", namespace: "other" } });
    expect(body.message).toBe("the namespace of the provided object does not match the namespace sent on the request");
  });

  test("removes a field that is null, and defaults come back", async () => {
    const { apply } = testWorld();
    await apply(WEB, deployment(whole({ replicas: 3 })));
    expect((await apply(WEB, deployment(whole({ replicas: null })))).body.spec.replicas).toBe(1);
  });

  test("to status owns it as status, and touches nothing else", async () => {
    const { ask, apply } = testWorld();
    await apply(WEB, deployment(whole({ replicas: 1 })));
    const status = { ...deployment({ replicas: 5 }), status: { replicas: 1, observedGeneration: 1 } };
    const answer = await apply(`${WEB}/status`, status, { fieldManager: "watcher" });
    expect(answer.body.spec.replicas).toBe(1);
    expect(answer.body.status).toEqual({ replicas: 1, observedGeneration: 1 });
    expect(owners(answer)["watcher Apply status"]).toEqual([".status.observedGeneration", ".status.replicas"]);
    const main = await apply(WEB, { ...deployment(whole({ replicas: 1 })), status: { replicas: 7 } });
    expect(main.body.status.replicas).toBe(1);
    expect(owners(main)["applier Apply"]).not.toContain(".status.replicas");
    expect(
      (
        await ask("patch", "apps/v1/deployments/none/status", {
          patchType: "apply",
          object: { ...deployment(), metadata: { name: "none" } },
          options: { fieldManager: "x" },
        })
      ).code,
    ).toBe(404);
  });
});

describe("what scale changes", () => {
  test("belongs to who scaled: the applier gets a conflict, and leaves it by not naming it", async () => {
    const { ask, apply } = testWorld();
    await apply(WEB, deployment(whole({ replicas: 1 })));
    const scaled = await ask("patch", `${WEB}/scale`, {
      patchType: "merge",
      object: { spec: { replicas: 4 } },
      options: { fieldManager: "hpa" },
    });
    expect(scaled.code).toBe(200);
    const after = await ask("get", WEB);
    expect(after.body.spec.replicas).toBe(4);
    expect(owners(after)["hpa Update scale"]).toEqual([".spec.replicas"]);
    expect(owners(after)["applier Apply"]).not.toContain(".spec.replicas");
    expect((await apply(WEB, deployment(whole({ replicas: 1 })))).body.message).toBe(
      'Apply failed with 1 conflict: conflict with "hpa" with subresource "scale" using apps/v1: .spec.replicas',
    );
    expect((await apply(WEB, deployment(whole()))).body.spec.replicas).toBe(4);
  });

  test("may be applied as well, with conflicts of its own", async () => {
    const { ask, apply } = testWorld();
    await apply(WEB, deployment(whole({ replicas: 1 })));
    const scale = (replicas: unknown) => ({
      apiVersion: "autoscaling/v1",
      kind: "Scale",
      metadata: { name: "web" },
      spec: { replicas },
    });
    const refused = await apply(`${WEB}/scale`, scale(3), { fieldManager: "scaler" });
    expect(refused.body.message).toBe('Apply failed with 1 conflict: conflict with "applier": .spec.replicas');
    const forced = await apply(`${WEB}/scale`, scale(3), { fieldManager: "scaler", force: true });
    expect(forced).toMatchObject({ code: 200, body: { kind: "Scale", spec: { replicas: 3 } } });
    expect(owners(await ask("get", WEB))["scaler Apply scale"]).toEqual([".spec.replicas"]);
    expect((await apply(`${WEB}/scale`, scale("x"), { fieldManager: "scaler" })).body).toMatchObject({
      code: 500,
      message:
        "failed to create typed patch object (/web; autoscaling/v1, Kind=Scale): .spec.replicas: expected numeric (int or float), got string",
    });
  });
});

describe("an apply is refused", () => {
  test.each<[string, unknown, RequestOptions, number, string]>([
    [
      "without a manager",
      configMap({}),
      { fieldManager: "" },
      422,
      'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
    ],
    ["of another kind", { ...configMap({}), kind: "Secret" }, {}, 400, "invalid object type: /v1, Kind=Secret"],
    ["of another version", { ...configMap({}), apiVersion: "v2" }, {}, 400, "invalid object type: /v2, Kind=ConfigMap"],
    ["without a type", { metadata: {} }, {}, 400, "invalid object type: /, Kind="],
    ["that is null", null, {}, 400, "invalid object type: /, Kind="],
    [
      "that is no object",
      [1],
      {},
      400,
      "error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go value of type map[string]interface {}",
    ],
    ["that names managed fields", configMap({}, { managedFields: [] }), {}, 400, "metadata.managedFields must be nil"],
    [
      "of another object",
      configMap({}, { name: "b" }),
      {},
      400,
      "the name of the object (b) does not match the name on the URL (a)",
    ],
    [
      "of a uid that is not there",
      configMap({}, { uid: "u" }),
      {},
      409,
      'Operation cannot be fulfilled on configmaps "a": uid mismatch: the provided object specified uid u, and no existing object was found',
    ],
    [
      "with a field that the schema does not know",
      { ...configMap({}), spec: {} },
      {},
      500,
      "failed to create typed patch object (/a; /v1, Kind=ConfigMap): .spec: field not declared in schema",
    ],
    [
      "with a value of another type",
      configMap({ a: 1, b: { c: 1 } }),
      {},
      500,
      'failed to create typed patch object (/a; /v1, Kind=ConfigMap): errors:\n  .data.a: expected string, got &value.valueUnstructured{Value:1}\n  .data.b: expected string, got &value.valueUnstructured{Value:map[string]interface {}{"c":1}}',
    ],
    [
      "that is invalid",
      configMap({ "a b": "1" }),
      {},
      422,
      `ConfigMap "a" is invalid: data[a b]: Invalid value: "a b": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')`,
    ],
  ])("%s", async (_, object, options, code, message) => {
    const { ask, apply } = testWorld();
    expect((await apply("configmaps/a", object, options)).body).toMatchObject({ code, message });
    expect((await ask("get", "configmaps/a")).code).toBe(404);
  });

  test("when list elements have no key, or are there twice", async () => {
    const { apply } = testWorld();
    const of = (...containers: object[]) => apply(WEB, deployment({ template: { spec: { containers } } }));
    const where =
      "failed to create typed patch object (/web; apps/v1, Kind=Deployment): .spec.template.spec.containers:";
    expect((await of({ image: "x" })).body.message).toBe(
      `${where} element 0: associative list with keys has an element that omits all key fields ["name"] (and doesn't have default values for any key fields)`,
    );
    expect((await of(container, container)).body.message).toBe(`${where} duplicate entries for key [name="web"]`);
  });

  test("when its values cannot be what they should", async () => {
    const { apply } = testWorld();
    const limits = { limits: { cpu: "much" } };
    const { body } = await apply(WEB, deployment(whole({ template: template({ ...container, resources: limits }) })));
    expect(body.code).toBe(500);
    expect(body.message).toMatch(
      /^failed to convert new object \(\/web; apps\/v1, Kind=Deployment\) to proper version: unable to convert unstructured object to apps\/v1, Kind=Deployment: quantities must match/,
    );
  });

  test("and force is for applies alone", async () => {
    const { ask, apply } = testWorld();
    await apply("configmaps/a", configMap({}));
    const { body } = await ask("patch", "configmaps/a", { patchType: "merge", object: {}, options: { force: true } });
    expect(body.message).toBe(
      'PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch',
    );
  });
});

describe("writes that are no applies", () => {
  test("are noted under the program that sends them, or the manager that they name", async () => {
    const { ask } = testWorld();
    await ask("create", "configmaps", {
      object: configMap({ a: "1" }),
      options: { userAgent: "kubectl/v1.36.0 (linux)" },
    });
    await ask("patch", "configmaps/a", {
      patchType: "json",
      object: [{ op: "add", path: "/data/b", value: "1" }],
      options: { userAgent: "curl/8", fieldManager: "me" },
    });
    const answer = await ask("patch", "configmaps/a", {
      patchType: "strategic",
      object: { data: { c: "1" } },
      options: { userAgent: "" },
    });
    expect(owners(answer)).toEqual({
      "kubectl Update": [".data", ".data.a"],
      "me Update": [".data.b"],
      "unknown Update": [".data.c"],
    });
  });

  test("of a version that is not the stored one are noted in it", async () => {
    const { ask } = testWorld();
    const hpa = {
      apiVersion: "autoscaling/v1",
      kind: "HorizontalPodAutoscaler",
      metadata: { name: "h" },
      spec: {
        maxReplicas: 3,
        scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "d" },
        targetCPUUtilizationPercentage: 5,
      },
    };
    const answer = await ask("create", "autoscaling/v1/horizontalpodautoscalers", { object: hpa });
    expect(answer.body.metadata.managedFields).toMatchObject([{ apiVersion: "autoscaling/v1" }]);
    expect(Object.values(owners(answer))[0]).toContain(".spec.targetCPUUtilizationPercentage");
  });

  test("that change an owner and nothing else are stored", async () => {
    const { apply, home } = testWorld();
    await apply("configmaps/a", configMap({ a: "1", b: "1" }), { fieldManager: "first" });
    await apply("configmaps/a", configMap({ a: "1" }), { fieldManager: "second" });
    const { revision } = home.store;
    const shared = await apply("configmaps/a", configMap({ a: "1", b: "1" }), { fieldManager: "second" });
    expect(home.store.revision).toBeGreaterThan(revision);
    expect(owners(shared)["second Apply"]).toEqual([".data.a", ".data.b"]);
  });
});
