import { expect, test } from "vitest";
import { programOf } from "../../../test/support/evaluate-cel.ts";
import type { CelError } from "../cel-error.ts";
import { declaredAs } from "../declared.ts";
import { CostBudget } from "../meter.ts";
import { AUTHORIZER, RESOURCE_CHECK } from "../types.ts";
import { type AccessQuestion, authorizerValue, requestResourceValue } from "./authorizer.ts";

const variables = { authorizer: declaredAs(AUTHORIZER), "authorizer.requestResource": declaredAs(RESOURCE_CHECK) };

function ask(source: string) {
  const asked: AccessQuestion[] = [];
  const authorizer = authorizerValue((question) => {
    asked.push(question);
    return question.verb === "fail"
      ? { allowed: false, reason: "", error: "broken" }
      : { allowed: question.verb === "get", reason: `for ${question.resource || question.path}` };
  });
  const request = { group: "apps", resource: "deployments", subresource: "scale", namespace: "ns", name: "d" };
  const values = { authorizer, "authorizer.requestResource": requestResourceValue(authorizer, request) };
  const budget = new CostBudget(1_000_000);
  try {
    return { value: programOf(source, variables).evaluate(values, budget), asked, cost: 1_000_000 - budget.remaining };
  } catch (error) {
    return { error: (error as CelError).message, asked, cost: 1_000_000 - budget.remaining };
  }
}

test("a check asks what the steps before it said", () => {
  const source =
    "authorizer.group('apps').resource('deployments').subresource('status').namespace('n').name('x')" +
    ".fieldSelector('a=b').labelSelector('c=d').check('get')";
  expect(ask(`${source}.allowed()`)).toMatchObject({
    value: true,
    asked: [
      {
        verb: "get",
        path: "",
        group: "apps",
        resource: "deployments",
        subresource: "status",
        namespace: "n",
        name: "x",
        fieldSelector: "a=b",
        labelSelector: "c=d",
      },
    ],
  });
  expect(ask("authorizer.path('/healthz').check('get').reason()").value).toBe("for /healthz");
  expect(ask("authorizer.serviceAccount('ns', 'sa').group('').resource('pods').check('x').allowed()")).toMatchObject({
    value: false,
    asked: [{ serviceAccount: { namespace: "ns", name: "sa" }, group: "" }],
  });
});

test("the request's own resource is a variable with a dot in its name", () => {
  expect(ask("authorizer.requestResource.check('get').allowed()")).toMatchObject({
    value: true,
    asked: [{ group: "apps", resource: "deployments", subresource: "scale", namespace: "ns", name: "d" }],
  });
});

test("the same question is asked once, and each check costs so much that two are possible", () => {
  const check = "authorizer.requestResource.check('get').allowed()";
  const twice = ask(`${check} && ${check}`);
  expect(twice.asked).toHaveLength(1);
  expect(twice.cost).toBeGreaterThan(700_000);
  expect(ask(`${check} && ${check} && ${check}`).error).toBe("operation cancelled: actual cost limit exceeded");
});

test("errors are answers, and wrong questions are errors", () => {
  expect(ask("authorizer.requestResource.check('fail').errored()").value).toBe(true);
  expect(ask("authorizer.requestResource.check('fail').error()").value).toBe("broken");
  expect(ask("authorizer.group('').resource(' ').check('get').allowed()").error).toBe("resource must not be empty");
  expect(ask("authorizer.path('').check('get').allowed()").error).toBe("path must not be empty");
  expect(ask("authorizer.serviceAccount('A', 'b').path('/').check('get').allowed()").error).toBe(
    "Invalid service account namespace",
  );
});
