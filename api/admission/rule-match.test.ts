import { describe, expect, test } from "vitest";
import type { Attributes } from "./attributes.ts";
import { invocationOf, matchesNamespace, matchesObject, matchesRule, matchResources } from "./rule-match.ts";

const PODS = { group: "", version: "v1", resource: "pods" };
const V1 = { group: "autoscaling", version: "v1", resource: "horizontalpodautoscalers" };
const V2 = { ...V1, version: "v2" };
const KIND = { group: "autoscaling", version: "v1", kind: "HorizontalPodAutoscaler" };

const attributes = (more: Partial<Attributes> = {}): Attributes => ({
  operation: "CREATE",
  kind: { group: "", version: "v1", kind: "Pod" },
  resource: PODS,
  subresource: "",
  name: "p",
  namespace: "default",
  user: { name: "u", groups: [] },
  dryRun: false,
  options: undefined,
  object: { apiVersion: "v1", kind: "Pod", metadata: { name: "p", labels: { app: "web" } } },
  oldObject: undefined,
  equivalents: [],
  ...more,
});

const rule = (more: object = {}) => ({
  operations: ["CREATE"],
  apiGroups: [""],
  apiVersions: ["v1"],
  resources: ["pods"],
  ...more,
});

describe("a rule holds", () => {
  test.each([
    [{}, {}, true],
    [{ operations: ["*"] }, { operation: "CONNECT" as const }, true],
    [{ operations: ["UPDATE"] }, {}, false],
    [{ apiGroups: ["*"] }, {}, true],
    [{ apiGroups: ["apps"] }, {}, false],
    [{ apiVersions: ["v2"] }, {}, false],
    [{ resources: ["*"] }, {}, true],
    [{ resources: ["*"] }, { subresource: "status" }, false],
    [{ resources: ["pods/*"] }, { subresource: "status" }, true],
    [{ resources: ["pods/*"] }, {}, true],
    [{ resources: ["*/status"] }, { subresource: "status" }, true],
    [{ resources: ["*/*"] }, { subresource: "exec" }, true],
    [{ resources: ["pods/status"] }, { subresource: "scale" }, false],
    [{ scope: "Namespaced" }, {}, true],
    [{ scope: "Cluster" }, {}, false],
    [{ scope: "Cluster" }, { namespace: "" }, true],
    [{ scope: "*" }, { namespace: "" }, true],
    [{ scope: "nonsense" }, {}, false],
    [{ operations: undefined }, {}, false],
  ])("%j of %j: %s", (ruleMore, attributesMore, expected) => {
    const given = attributes(attributesMore);
    expect(matchesRule(rule(ruleMore), given, given.resource)).toBe(expected);
  });

  test("of a Namespace, which is cluster-wide though it is in itself", () => {
    const namespaces = { group: "", version: "v1", resource: "namespaces" };
    const given = attributes({ resource: namespaces, namespace: "ns" });
    expect(matchesRule(rule({ resources: ["namespaces"], scope: "Cluster" }), given, namespaces)).toBe(true);
    expect(matchesRule(rule({ resources: ["namespaces"], scope: "Namespaced" }), given, namespaces)).toBe(false);
  });
});

describe("equivalent resources", () => {
  const asked = attributes({ resource: V2, equivalents: [{ resource: V1, kind: KIND }] });
  const rules = [{ ...rule(), apiGroups: ["autoscaling"], resources: ["horizontalpodautoscalers"] }];

  test("are found with Equivalent, and not with Exact", () => {
    expect(invocationOf(rules, "Equivalent", asked)).toEqual({ resource: V1, kind: KIND });
    expect(invocationOf(rules, "Exact", asked)).toBeUndefined();
    expect(invocationOf(rules, undefined, asked)).toBeUndefined();
  });

  test("come after the request's own version", () => {
    const both = [{ ...rules[0]!, apiVersions: ["v1", "v2"] }];
    expect(invocationOf(both, "Equivalent", asked)?.resource).toEqual(V2);
  });
});

describe("selectors", () => {
  const never = () => {
    throw new Error("nobody needs the namespace");
  };

  test("an empty one of namespaces, and what is in none, need no namespace", () => {
    expect(matchesNamespace({}, attributes(), never)).toBe(true);
    expect(matchesNamespace(undefined, attributes(), never)).toBe(true);
    expect(matchesNamespace({ matchLabels: { a: "b" } }, attributes({ namespace: "" }), never)).toBe(true);
  });

  test("look at the namespace's labels, of a Namespace that is written at its own", () => {
    const selector = { matchLabels: { a: "b" } };
    expect(matchesNamespace(selector, attributes(), () => ({ a: "b" }))).toBe(true);
    expect(matchesNamespace(selector, attributes(), () => undefined)).toBe(false);
    const resource = { group: "", version: "v1", resource: "namespaces" };
    const object = { apiVersion: "v1", kind: "Namespace", metadata: { name: "n", labels: { a: "b" } } };
    expect(matchesNamespace(selector, attributes({ resource, namespace: "n", object }), never)).toBe(true);
  });

  test("look at either state of the object", () => {
    const selector = { matchLabels: { app: "web" } };
    const { object } = attributes();
    expect(matchesObject(selector, attributes())).toBe(true);
    expect(matchesObject(selector, attributes({ object: undefined, oldObject: object }))).toBe(true);
    expect(matchesObject(selector, attributes({ object: undefined }))).toBe(false);
    expect(matchesObject({ matchLabels: { app: "db" } }, attributes())).toBe(false);
    expect(matchesObject({}, attributes({ object: undefined }))).toBe(true);
  });

  test("names and exclusions decide about policies", () => {
    const named = { resourceRules: [{ ...rule(), resourceNames: ["q"] }] };
    expect(matchResources(named, attributes(), never)).toBeUndefined();
    expect(matchResources(named, attributes({ name: "q" }), never)).toBeDefined();
    expect(matchResources({}, attributes(), never)?.resource).toEqual(PODS);
    const excluded = { resourceRules: [rule()], excludeResourceRules: [{ ...rule(), resourceNames: ["p"] }] };
    expect(matchResources(excluded, attributes(), never)).toBeUndefined();
    expect(matchResources(excluded, attributes({ name: "q" }), never)).toBeDefined();
  });
});
