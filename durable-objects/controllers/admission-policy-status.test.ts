import { expect, test } from "vitest";
import { TestCluster } from "../../test/support/cluster.ts";

const POLICIES = "admissionregistration.k8s.io/v1/validatingadmissionpolicies";

async function statusOf(rule: object, ...expressions: string[]): Promise<any> {
  const cluster = new TestCluster();
  const definition = {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "things.types.test" },
    spec: {
      group: "types.test",
      names: { plural: "things", kind: "Thing" },
      scope: "Namespaced",
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          schema: {
            openAPIV3Schema: {
              type: "object",
              properties: { spec: { type: "object", properties: { size: { type: "integer" } } } },
            },
          },
        },
      ],
    },
  };
  await cluster.ask("", "create", "apiextensions.k8s.io/v1/customresourcedefinitions", { object: definition });
  const spec = {
    matchConstraints: { resourceRules: [{ operations: ["CREATE"], ...rule }] },
    validations: expressions.map((expression) => ({ expression })),
  };
  const object = {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "ValidatingAdmissionPolicy",
    metadata: { name: "p" },
    spec,
  };
  const { code, body } = await cluster.ask("", "create", POLICIES, { object });
  expect(code, JSON.stringify(body)).toBe(201);
  await cluster.settle(5_000);
  return (await cluster.ask("", "get", `${POLICIES}/p`)).body.status;
}

const DEPLOYMENTS = { apiGroups: ["apps"], apiVersions: ["v1"], resources: ["deployments"] };
const THINGS = { apiGroups: ["types.test"], apiVersions: ["v1"], resources: ["things"] };

test("expressions that fit their kinds are nothing to be warned of", async () => {
  expect(await statusOf(DEPLOYMENTS, "object.spec.replicas < 5")).toEqual({ observedGeneration: 1, typeChecking: {} });
});

test("a field that a kind does not have is told, with the kind", async () => {
  const { typeChecking, observedGeneration } = await statusOf(DEPLOYMENTS, "true", "object.spec.replicants > 1");
  expect(observedGeneration).toBe(1);
  expect(typeChecking.expressionWarnings).toEqual([
    {
      fieldRef: "spec.validations[1].expression",
      warning: expect.stringContaining("apps/v1, Kind=Deployment: ERROR: <input>:1:12: undefined field 'replicants'"),
    },
  ]);
});

test("a custom resource's fields are known by its definition", async () => {
  const { typeChecking } = await statusOf(THINGS, "object.spec.size > 1", "object.spec.size == 'x'");
  expect(typeChecking.expressionWarnings).toEqual([
    {
      fieldRef: "spec.validations[1].expression",
      warning: expect.stringContaining(
        "types.test/v1, Kind=Thing: ERROR: <input>:1:18: found no matching overload for '_==_'",
      ),
    },
  ]);
});

test("rules that may mean any kind say nothing", async () => {
  const any = { apiGroups: ["*"], apiVersions: ["*"], resources: ["*"] };
  expect(await statusOf(any, "object.spec.replicants > 1")).toEqual({ observedGeneration: 1, typeChecking: {} });
});
