import { describe, expect, test } from "vitest";
import { TestCluster } from "../../test/support/cluster.ts";

const GROUP = "admissionregistration.k8s.io/v1";
const RULES = [{ operations: ["CREATE", "UPDATE"], apiGroups: [""], apiVersions: ["v1"], resources: ["configmaps"] }];

const objectOf = (kind: string, name: string, spec: object) => ({ apiVersion: GROUP, kind, metadata: { name }, spec });

describe("a policy that is nonsense is not taken", () => {
  const refusal = async (resource: string, kind: string, spec: object) => {
    const cluster = new TestCluster({ controllers: [] });
    const { code, body } = await cluster.ask("", "create", `${GROUP}/${resource}`, {
      object: objectOf(kind, "p", spec),
    });
    expect(code).toBe(422);
    return body.message as string;
  };

  test("of expressions that do not compile, or make something else", async () => {
    const message = await refusal("validatingadmissionpolicies", "ValidatingAdmissionPolicy", {
      matchConstraints: { resourceRules: RULES },
      variables: [{ name: "1x", expression: "1 +" }],
      matchConditions: [{ name: "c", expression: "params.x" }],
      validations: [
        { expression: "object.x +" },
        { expression: "'text'" },
        { expression: "undeclared == 1" },
        { expression: "true", messageExpression: "1", reason: "Gone" },
      ],
    });
    for (const part of [
      'spec.variables[0].name: Invalid value: "1x": must be a valid CEL identifier',
      'spec.variables[0].expression: Invalid value: "1 +": compilation failed: ERROR: <input>:1:4: Syntax error',
      "spec.matchConditions[0].expression",
      'spec.validations[0].expression: Invalid value: "object.x +": compilation failed: ERROR: <input>:1:11: Syntax error',
      "spec.validations[1].expression: Invalid value: \"'text'\": must evaluate to bool but got string",
      "undeclared reference to 'undeclared'",
      'spec.validations[3].messageExpression: Invalid value: "1": must evaluate to string but got int',
      'spec.validations[3].reason: Unsupported value: "Gone": supported values: "Forbidden", "Invalid", "RequestEntityTooLarge"',
    ]) {
      expect(message).toContain(part);
    }
  });

  test("of mutations without what they are for", async () => {
    const message = await refusal("mutatingadmissionpolicies", "MutatingAdmissionPolicy", {
      matchConstraints: { resourceRules: [{ ...RULES[0], operations: ["DELETE"] }] },
      mutations: [
        { patchType: "JSONPatch" },
        { patchType: "Other" },
        { patchType: "ApplyConfiguration", applyConfiguration: { expression: "1" } },
      ],
    });
    for (const part of [
      'spec.matchConstraints.resourceRules.operations: Unsupported value: "DELETE"',
      "spec.mutations[0].jsonPatch: Required value: must be specified when patchType is JSONPatch",
      'spec.mutations[1].patchType: Unsupported value: "Other"',
      'spec.mutations[2].applyConfiguration.expression: Invalid value: "1": must evaluate to Object but got int',
      "spec.reinvocationPolicy: Required value",
    ]) {
      expect(message).toContain(part);
    }
  });

  test("of bindings", async () => {
    const message = await refusal("validatingadmissionpolicybindings", "ValidatingAdmissionPolicyBinding", {
      paramRef: { name: "a/b", selector: {} },
      validationActions: ["Deny", "Warn", "Warn", "Other"],
    });
    for (const part of [
      "spec.policyName: Required value",
      "spec.paramRef.name: Invalid value: \"a/b\": may not contain '/'",
      "spec.paramRef.name: Forbidden: name and selector are mutually exclusive",
      "spec.paramRef.parameterNotFoundAction: Required value",
      "must not contain both Deny and Warn",
      'spec.validationActions[2]: Duplicate value: "Warn"',
      'spec.validationActions[3]: Unsupported value: "Other"',
    ]) {
      expect(message).toContain(part);
    }
  });
});

test("a policy's status is looked at, too", async () => {
  const cluster = new TestCluster({ controllers: [] });
  const resource = `${GROUP}/validatingadmissionpolicies`;
  const spec = { matchConstraints: { resourceRules: RULES }, validations: [{ expression: "true" }] };
  await cluster.ask("", "create", resource, { object: objectOf("ValidatingAdmissionPolicy", "p", spec) });
  const patch = (status: object) =>
    cluster.ask("", "patch", `${resource}/p/status`, { patchType: "merge", body: JSON.stringify({ status }) });
  const condition = {
    type: "Ready",
    status: "True",
    reason: "Done",
    lastTransitionTime: "2026-11-22T12:00:00Z",
    message: "",
  };
  expect((await patch({ conditions: [condition] })).body.status.conditions).toEqual([condition]);
  const { code, body } = await patch({
    conditions: [condition, { ...condition, status: "Maybe", reason: "not ok" }],
    typeChecking: { expressionWarnings: [{ fieldRef: "", warning: "" }] },
  });
  expect(code).toBe(422);
  for (const part of [
    "status.typeChecking.expressionWarnings[0].warning: Required value",
    "status.typeChecking.expressionWarnings[0].fieldRef: Required value",
    'status.conditions[1].status: Unsupported value: "Maybe": supported values: "False", "True", "Unknown"',
    'status.conditions[1].reason: Invalid value: "not ok": a condition reason must start with alphabetic character',
  ]) {
    expect(body.message).toContain(part);
  }
});
