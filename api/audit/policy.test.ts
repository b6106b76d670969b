import { describe, expect, test } from "vitest";
import { type AuditAttributes, auditRuleOf, type Policy, type PolicyRule } from "./policy.ts";
import { readPolicy } from "./read-policy.ts";

const target = (resource: string, more: object = {}) => ({
  group: "",
  resource,
  subresource: "",
  namespace: "default",
  name: "",
  ...more,
});
const request: AuditAttributes = {
  user: { name: "jane", groups: ["devs", "system:authenticated"] },
  verb: "get",
  path: "/api/v1/namespaces/default/pods",
  target: target("pods"),
};
const probe: AuditAttributes = { ...request, path: "/healthz/etcd", target: undefined };

const isMatch = (rule: Omit<PolicyRule, "level">, attributes: AuditAttributes): boolean =>
  auditRuleOf({ rules: [{ level: "Request", ...rule }] }, attributes).level === "Request";

describe("a rule", () => {
  test.each<[string, Omit<PolicyRule, "level">, AuditAttributes]>([
    ["of nothing matches everything", {}, request],
    ["of nothing matches paths, too", {}, probe],
    ["of a user", { users: ["jane"] }, request],
    ["of a group", { userGroups: ["ops", "devs"] }, request],
    ["of a verb", { verbs: ["list", "get"] }, request],
    ["of a namespace", { namespaces: ["default"] }, request],
    [
      "of no namespace matches what has none",
      { namespaces: [""] },
      { ...request, target: target("nodes", { namespace: "" }) },
    ],
    ["of a group's resources", { resources: [{ group: "" }] }, request],
    ["of any group", { resources: [{ group: "*", resources: ["pods"] }] }, request],
    ["of a resource", { resources: [{ resources: ["secrets", "pods"] }] }, request],
    [
      "of any resource matches subresources",
      { resources: [{ resources: ["*"] }] },
      { ...request, target: target("pods", { subresource: "log" }) },
    ],
    [
      "of a subresource",
      { resources: [{ resources: ["pods/log"] }] },
      { ...request, target: target("pods", { subresource: "log" }) },
    ],
    [
      "of any subresource of a resource",
      { resources: [{ resources: ["pods/*"] }] },
      { ...request, target: target("pods", { subresource: "log" }) },
    ],
    [
      "of a subresource of anything",
      { resources: [{ resources: ["*/log"] }] },
      { ...request, target: target("pods", { subresource: "log" }) },
    ],
    [
      "of a name",
      { resources: [{ resources: ["pods"], resourceNames: ["web"] }] },
      { ...request, target: target("pods", { name: "web" }) },
    ],
    ["of a path", { nonResourceURLs: ["/healthz/etcd"] }, probe],
    ["of paths below", { nonResourceURLs: ["/healthz*"] }, probe],
    ["of all paths", { nonResourceURLs: ["*"] }, probe],
  ])("%s", (_, rule, attributes) => {
    expect(isMatch(rule, attributes)).toBe(true);
  });

  test.each<[string, Omit<PolicyRule, "level">, AuditAttributes]>([
    ["of another user", { users: ["joe"] }, request],
    ["of a user, where nobody knows who asks", { users: ["jane"] }, { ...request, user: undefined }],
    ["of another group", { userGroups: ["ops"] }, request],
    ["of a group, where nobody knows who asks", { userGroups: ["devs"] }, { ...request, user: undefined }],
    ["of another verb", { verbs: ["watch"] }, request],
    ["of another namespace", { namespaces: ["kube-system"] }, request],
    ["of another group's resources", { resources: [{ group: "apps" }] }, request],
    [
      "of a resource, asked for a subresource",
      { resources: [{ resources: ["pods"] }] },
      { ...request, target: target("pods", { subresource: "log" }) },
    ],
    ["of another name", { resources: [{ resources: ["pods"], resourceNames: ["web"] }] }, request],
    ["of resources, asked for a path", { resources: [{ resources: ["*"] }] }, probe],
    ["of paths, asked for a resource", { nonResourceURLs: ["*"] }, request],
    ["of another path", { nonResourceURLs: ["/readyz*"] }, probe],
  ])("%s does not match", (_, rule, attributes) => {
    expect(isMatch(rule, attributes)).toBe(false);
  });
});

test("the first rule that matches decides; without one nothing is said", () => {
  const policy: Policy = {
    omitStages: ["RequestReceived"],
    omitManagedFields: true,
    rules: [
      { level: "None", verbs: ["watch"] },
      { level: "Metadata", resources: [{ resources: ["secrets"] }], omitStages: ["Panic"], omitManagedFields: false },
      { level: "RequestResponse", userGroups: ["devs"] },
    ],
  };
  expect(auditRuleOf(policy, { ...request, target: target("secrets") })).toEqual({
    level: "Metadata",
    omitStages: ["RequestReceived", "Panic"],
    omitManagedFields: false,
  });
  expect(auditRuleOf(policy, request)).toEqual({
    level: "RequestResponse",
    omitStages: ["RequestReceived"],
    omitManagedFields: true,
  });
  expect(auditRuleOf(policy, { ...request, verb: "watch" }).level).toBe("None");
  expect(auditRuleOf(policy, { ...request, user: undefined }).level).toBe("None");
});

describe("a policy", () => {
  const head = { apiVersion: "audit.k8s.io/v1", kind: "Policy" };

  test("that is one is read", () => {
    const policy = { ...head, rules: [{ level: "Metadata", resources: [{ group: "", resources: ["pods"] }] }] };
    expect(readPolicy(policy)).toEqual({ policy });
  });

  test.each<[unknown, string]>([
    [null, "it is no object"],
    [{ ...head, apiVersion: "audit.k8s.io/v1beta1", rules: [] }, "it has to be a Policy of audit.k8s.io/v1"],
    [head, "loaded illegal policy with 0 rules"],
    [{ ...head, rules: [{ level: "Metadata" }], more: 1 }, 'unknown field "more"'],
    [{ ...head, rules: [{ level: "Metadata", user: ["x"] }] }, 'unknown field "rules[0].user"'],
    [{ ...head, rules: ["Metadata"] }, "rules[0]: it has to be an object"],
    [{ ...head, rules: [{ level: "Metadata", users: "jane" }] }, "rules[0].users: it has to be a list of strings"],
    [{ ...head, rules: [{ level: "Metadata", resources: [3] }] }, "rules[0].resources[0]: it has to be an object"],
    [{ ...head, rules: [{}] }, "rules[0].level: Required value"],
    [
      { ...head, rules: [{ level: "All" }] },
      'rules[0].level: Unsupported value: "All": supported values: "None", "Metadata", "Request", "RequestResponse"',
    ],
    [
      { ...head, omitStages: ["Started"], rules: [{ level: "None" }] },
      'omitStages[0]: Invalid value: "Started": allowed stages are RequestReceived,ResponseStarted,ResponseComplete,Panic',
    ],
    [
      { ...head, rules: [{ level: "None", nonResourceURLs: ["healthz"] }] },
      `rules[0].nonResourceURLs[0]: Invalid value: "healthz": non-resource URL rules must begin with a '/' character`,
    ],
    [
      { ...head, rules: [{ level: "None", nonResourceURLs: ["/a*b"] }] },
      `rules[0].nonResourceURLs[0]: Invalid value: "/a*b": non-resource URL wildcards '*' must be the final character of the rule`,
    ],
    [
      { ...head, rules: [{ level: "None", nonResourceURLs: ["/a"], namespaces: ["b"] }] },
      'rules[0].nonResourceURLs: Invalid value: ["/a"]: rules cannot apply to both regular resources and non-resource URLs',
    ],
    [
      { ...head, rules: [{ level: "None", resources: [{ resourceNames: ["a"] }] }] },
      'rules[0].resources.resourceNames: Invalid value: ["a"]: using resourceNames requires at least one resource',
    ],
  ])("%j is none: %s", (value, problem) => {
    expect(readPolicy(value)).toEqual({ problems: [problem] });
  });
});
