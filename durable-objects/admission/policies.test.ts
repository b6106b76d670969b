import { describe, expect, test } from "vitest";
import { TestCluster } from "../../test/support/cluster.ts";

const GROUP = "admissionregistration.k8s.io/v1";
const RULES = [{ operations: ["CREATE", "UPDATE"], apiGroups: [""], apiVersions: ["v1"], resources: ["configmaps"] }];

const objectOf = (kind: string, name: string, spec: object) => ({ apiVersion: GROUP, kind, metadata: { name }, spec });

/** A cluster with one policy and one binding of it. */
async function clusterWith(sort: "Validating" | "Mutating", spec: object, binding: object = {}, parts: object[] = []) {
  const cluster = new TestCluster({ controllers: [] });
  for (const object of parts) {
    const { code, body } = await cluster.ask("default", "create", "configmaps", { object });
    expect(code, JSON.stringify(body)).toBe(201);
  }
  const add = async (resource: string, object: object) => {
    const { code, body } = await cluster.ask("", "create", `${GROUP}/${resource}`, { object });
    expect(code, JSON.stringify(body)).toBe(201);
  };
  const lower = sort.toLowerCase();
  const kind = `${sort}AdmissionPolicy`;
  const matching = { matchConstraints: { resourceRules: RULES }, ...spec };
  await add(`${lower}admissionpolicies`, objectOf(kind, "policy.test", matching));
  const actions = sort === "Validating" && { validationActions: ["Deny"] };
  await add(
    `${lower}admissionpolicybindings`,
    objectOf(`${kind}Binding`, "binding.test", { policyName: "policy.test", ...actions, ...binding }),
  );
  const create = (name: string, data: object = {}, more: object = {}, namespace = "default") =>
    cluster.ask(namespace, "create", "configmaps", {
      object: { apiVersion: "v1", kind: "ConfigMap", metadata: { name, ...more }, data },
    });
  return { cluster, create };
}

const denied = (why: string) =>
  `configmaps "a" is forbidden: ValidatingAdmissionPolicy 'policy.test' with binding 'binding.test' denied request: ${why}`;

describe("a ValidatingAdmissionPolicy", () => {
  test("refuses what its expressions do not hold for", async () => {
    const { create } = await clusterWith("Validating", {
      validations: [{ expression: "object.data.all(k, k != 'bad')" }],
    });
    const { code, body } = await create("a", { bad: "x" });
    expect(code).toBe(422);
    expect(body).toMatchObject({
      reason: "Invalid",
      message: denied("failed expression: object.data.all(k, k != 'bad')"),
      details: { name: "a", kind: "configmaps" },
    });
    expect(body.details.causes).toEqual([{ message: expect.stringContaining("denied request") }]);
    expect((await create("a", { good: "x" })).code).toBe(201);
  });

  test("says why in its own words, with its own reason", async () => {
    const validation = {
      expression: "!has(object.data.bad)",
      messageExpression: "'no ' + variables.what + ' in ' + namespaceObject.metadata.name",
      message: "fixed",
      reason: "Forbidden",
    };
    const variables = [{ name: "what", expression: "string(size(object.data)) + ' bad'" }];
    const { create } = await clusterWith("Validating", { variables, validations: [validation] });
    const { code, body } = await create("a", { bad: "x" });
    expect([code, body.reason, body.message]).toEqual([403, "Forbidden", denied("no 1 bad in default")]);
  });

  test("warns or writes down where its binding says so, and lets pass", async () => {
    const { create } = await clusterWith(
      "Validating",
      { validations: [{ expression: "false", message: "never" }] },
      { validationActions: ["Warn", "Audit"] },
    );
    const { code, warnings } = await create("a");
    expect([code, warnings]).toEqual([
      201,
      ["Validation failed for ValidatingAdmissionPolicy 'policy.test' with binding 'binding.test': never"],
    ]);
  });

  test("whose expression fails refuses, or is passed over", async () => {
    const validations = [{ expression: "object.data.absent == 'x'" }];
    const strict = await clusterWith("Validating", { validations });
    const { code, body } = await strict.create("a");
    expect(code).toBe(422);
    expect(body.message).toContain("expression 'object.data.absent == 'x'' resulted in error: no such key");
    const lax = await clusterWith("Validating", { validations, failurePolicy: "Ignore" });
    expect((await lax.create("a")).code).toBe(201);
  });

  test("is evaluated only where its conditions hold, and where its binding is", async () => {
    const { create, cluster } = await clusterWith(
      "Validating",
      {
        matchConditions: [{ name: "not-mine", expression: "request.userInfo.username != 'me'" }],
        validations: [{ expression: "false" }],
      },
      { matchResources: { namespaceSelector: { matchLabels: { strict: "yes" } } } },
    );
    expect((await create("a")).code).toBe(201);
    const object = { apiVersion: "v1", kind: "Namespace", metadata: { name: "strict", labels: { strict: "yes" } } };
    await cluster.ask("", "create", "namespaces", { object });
    expect((await create("a", {}, {}, "strict")).code).toBe(422);
    const map = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "mine" } };
    const user = { name: "me", groups: ["system:masters"] };
    expect((await cluster.ask("strict", "create", "configmaps", { object: map, user })).code).toBe(201);
  });

  test("asks what the user may do", async () => {
    const { cluster, create } = await clusterWith("Validating", {
      validations: [
        {
          expression: "authorizer.group('apps').resource('deployments').namespace('default').check('create').allowed()",
        },
      ],
    });
    expect((await create("a")).code).toBe(201);
    const object = { apiVersion: "v1", kind: "Event", metadata: { name: "e" } };
    expect((await cluster.ask("default", "create", "events", { object })).code).not.toBe(403);
  });

  describe("with parameters", () => {
    const limit = {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "limit", labels: { is: "limit" } },
      data: { max: "1" },
    };
    const spec = {
      paramKind: { apiVersion: "v1", kind: "ConfigMap" },
      validations: [{ expression: "params == null || size(object.data) <= int(params.data.max)" }],
    };

    test.each([
      ["by name", { name: "limit", namespace: "default" }],
      ["by name in the request's namespace", { name: "limit" }],
      ["by label", { selector: { matchLabels: { is: "limit" } } }],
    ])("found %s", async (_, ref) => {
      const paramRef = { ...ref, parameterNotFoundAction: "Deny" };
      const { create } = await clusterWith("Validating", spec, { paramRef }, [limit]);
      expect((await create("a", { one: "1" })).code).toBe(201);
      expect((await create("b", { one: "1", two: "2" })).code).toBe(422);
    });

    test("read from another namespace", async () => {
      const paramRef = { name: "limit", namespace: "default", parameterNotFoundAction: "Deny" };
      const { create, cluster } = await clusterWith("Validating", spec, { paramRef }, [limit]);
      await cluster.ask("", "create", "namespaces", {
        object: { apiVersion: "v1", kind: "Namespace", metadata: { name: "other" } },
      });
      expect((await create("b", { one: "1", two: "2" }, {}, "other")).code).toBe(422);
      expect((await create("a", { one: "1" }, {}, "other")).code).toBe(201);
    });

    test("that are not there", async () => {
      const deny = { paramRef: { name: "absent", namespace: "default", parameterNotFoundAction: "Deny" } };
      const strict = await clusterWith("Validating", spec, deny);
      expect((await strict.create("a")).body.message).toBe(
        denied("failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction"),
      );
      const allow = { paramRef: { name: "absent", namespace: "default", parameterNotFoundAction: "Allow" } };
      expect((await (await clusterWith("Validating", spec, allow)).create("a")).code).toBe(201);
      const unknown = { ...spec, paramKind: { apiVersion: "nowhere.test/v1", kind: "Thing" } };
      const { body } = await (await clusterWith("Validating", unknown, deny)).create("a");
      expect(body.message).toContain(
        "failed to configure binding: paramKind kind `nowhere.test/v1, Kind=Thing` not known",
      );
    });
  });

  test("never ends what it was asked to end by itself: a hostile expression runs out of budget", async () => {
    const nested =
      "object.data.map(a, object.data.map(b, object.data.map(c, object.data.map(d, a + b + c + d)))).size() > 0";
    const { create } = await clusterWith("Validating", { validations: [{ expression: nested }] });
    const data = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`key-${i}`, "x"]));
    const { code, body } = await create("a", data);
    expect(code).toBe(422);
    expect(body.message).toMatch(/cost/);
  });
});

describe("a MutatingAdmissionPolicy", () => {
  const mutation = { reinvocationPolicy: "Never" };

  test("changes by ApplyConfiguration", async () => {
    const expression = `Object{metadata: Object.metadata{labels: {"made-by": "policy"}}, data: {"added": "x"}}`;
    const { create } = await clusterWith("Mutating", {
      ...mutation,
      mutations: [{ patchType: "ApplyConfiguration", applyConfiguration: { expression } }],
    });
    const { code, body } = await create("a", { own: "y" }, { labels: { l: "v" } });
    expect([code, body.data, body.metadata.labels]).toEqual([
      201,
      { own: "y", added: "x" },
      { l: "v", "made-by": "policy" },
    ]);
  });

  test("changes by JSONPatch, and not where a test of it fails", async () => {
    const expression = `[
      JSONPatch{op: "test", path: "/data/own", value: "y"},
      JSONPatch{op: "add", path: "/metadata/annotations/" + jsonpatch.escapeKey("a.test/b"), value: string(size(object.data))}
    ]`;
    const { create } = await clusterWith("Mutating", {
      ...mutation,
      mutations: [{ patchType: "JSONPatch", jsonPatch: { expression } }],
    });
    const annotations = { kept: "x" };
    expect((await create("a", { own: "y" }, { annotations })).body.metadata.annotations).toEqual({
      kept: "x",
      "a.test/b": "1",
    });
    expect((await create("b", { own: "z" }, { annotations })).body.metadata.annotations).toEqual(annotations);
  });

  test.each([
    [`Object{spec: Object.wrong{}}`, "type mismatch: unexpected type name"],
    [`Object{nowhere: 1}`, "field not declared in schema"],
    [`Object{metadata: Object.metadata{finalizers: ["x"]}, data: {"a": object.data.absent}}`, "no such key"],
  ])("that cannot be carried out refuses: %s", async (expression, why) => {
    const { create } = await clusterWith("Mutating", {
      ...mutation,
      mutations: [{ patchType: "ApplyConfiguration", applyConfiguration: { expression } }],
    });
    const { code, body } = await create("a", {});
    expect([code, body.reason]).toEqual([403, "Invalid"]);
    expect(body.message).toContain("policy 'policy.test' with binding 'binding.test' denied request: ");
    expect(body.message).toContain(why);
  });

  test("does not replace what can only be replaced as a whole", async () => {
    const expression = `Object{spec: Object.spec{selector: Object.spec.selector{matchLabels: {"a": "b"}}}}`;
    const rules = [{ operations: ["CREATE"], apiGroups: ["apps"], apiVersions: ["v1"], resources: ["deployments"] }];
    const { cluster } = await clusterWith("Mutating", {
      ...mutation,
      matchConstraints: { resourceRules: rules },
      mutations: [{ patchType: "ApplyConfiguration", applyConfiguration: { expression } }],
    });
    const labels = { app: "x" };
    const template = { metadata: { labels }, spec: { containers: [{ name: "c", image: "i" }] } };
    const object = {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "a" },
      spec: { selector: { matchLabels: labels }, template },
    };
    const { body } = await cluster.ask("default", "create", "apps/v1/deployments", { object });
    expect(body.message).toContain(
      "invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: .spec.selector",
    );
  });
});

test("a mutation is made again when a later policy changed what it looks at, if it wants to be", async () => {
  const add = (name: string, value: string) => `[JSONPatch{op: "add", path: "/data/${name}", value: ${value}}]`;
  const patch = (expression: string) => [{ patchType: "JSONPatch", jsonPatch: { expression } }];
  for (const [reinvocationPolicy, seen] of [
    ["IfNeeded", "3"],
    ["Never", "1"],
  ]) {
    const { cluster, create } = await clusterWith("Mutating", {
      reinvocationPolicy,
      mutations: patch(add("seen", "string(size(object.data))")),
    });
    const later = {
      matchConstraints: { resourceRules: RULES },
      reinvocationPolicy: "Never",
      matchConditions: [{ name: "once", expression: "!has(object.data.late)" }],
      mutations: patch(add("late", "'x'")),
    };
    const policy = objectOf("MutatingAdmissionPolicy", "z-later", later);
    const binding = objectOf("MutatingAdmissionPolicyBinding", "z-later", { policyName: "z-later" });
    await cluster.ask("", "create", `${GROUP}/mutatingadmissionpolicies`, { object: policy });
    await cluster.ask("", "create", `${GROUP}/mutatingadmissionpolicybindings`, { object: binding });
    expect((await create("a", { own: "x" })).body.data).toEqual({ own: "x", seen, late: "x" });
  }
});
