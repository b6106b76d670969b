import { describe, expect, test } from "vitest";
import { describeFieldError } from "../field-error.ts";
import { FieldPath } from "../field-path.ts";
import { MutatingWebhookConfiguration } from "./mutating-webhook-configuration.ts";
import { ValidatingWebhookConfiguration } from "./validating-webhook-configuration.ts";
import { validateWebhookUrl } from "./webhook-client-config.ts";
import type { Webhook } from "./webhooks.ts";

const webhook = (more: object = {}): Webhook => ({
  name: "hook.example.com",
  clientConfig: { url: "https://example.com/hook" },
  rules: [{ operations: ["CREATE"], apiGroups: [""], apiVersions: ["v1"], resources: ["pods"] }],
  sideEffects: "None",
  admissionReviewVersions: ["v1"],
  ...more,
});

const errorsOf = (...webhooks: Webhook[]): string[] => {
  const object = {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "MutatingWebhookConfiguration",
    metadata: { name: "c" },
    webhooks,
  };
  MutatingWebhookConfiguration.rules.setDefaults?.(object);
  return (MutatingWebhookConfiguration.rules.validate?.(object) ?? []).map(describeFieldError);
};

const rules = (more: object) => ({ rules: [{ ...webhook().rules![0], ...more }] });

test("a webhook is filled in", () => {
  const object = {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "ValidatingWebhookConfiguration",
    metadata: { name: "c" },
    webhooks: [webhook({ clientConfig: { service: { namespace: "n", name: "s" } } })],
  };
  ValidatingWebhookConfiguration.rules.setDefaults?.(object);
  expect(object.webhooks[0]).toMatchObject({
    failurePolicy: "Fail",
    matchPolicy: "Equivalent",
    namespaceSelector: {},
    objectSelector: {},
    timeoutSeconds: 10,
    rules: [{ scope: "*" }],
    clientConfig: { service: { port: 443 } },
  });
  expect(object.webhooks[0]).not.toHaveProperty("reinvocationPolicy");
  expect(errorsOf(webhook())).toEqual([]);
});

describe("a webhook is refused for", () => {
  test.each([
    [
      { name: "short.name" },
      'webhooks[0].name: Invalid value: "short.name": should be a domain with at least three segments separated by dots',
    ],
    [{ name: "" }, "webhooks[0].name: Required value"],
    [{ sideEffects: undefined }, "webhooks[0].sideEffects: Required value: must specify one of None, NoneOnDryRun"],
    [
      { sideEffects: "Some" },
      'webhooks[0].sideEffects: Unsupported value: "Some": supported values: "None", "NoneOnDryRun"',
    ],
    [
      { timeoutSeconds: 31 },
      "webhooks[0].timeoutSeconds: Invalid value: 31: the timeout value must be between 1 and 30 seconds",
    ],
    [
      { admissionReviewVersions: [] },
      "webhooks[0].admissionReviewVersions: Required value: must specify one of v1, v1beta1",
    ],
    [
      { admissionReviewVersions: ["v2"] },
      'webhooks[0].admissionReviewVersions: Invalid value: ["v2"]: must include at least one of v1, v1beta1',
    ],
    [
      { admissionReviewVersions: ["v1", "v1"] },
      'webhooks[0].admissionReviewVersions[1]: Invalid value: "v1": duplicate version',
    ],
    [
      { reinvocationPolicy: "Always" },
      'webhooks[0].reinvocationPolicy: Unsupported value: "Always": supported values: "IfNeeded", "Never"',
    ],
    [{ clientConfig: {} }, "webhooks[0].clientConfig: Required value: exactly one of url or service is required"],
    [
      { clientConfig: { service: { namespace: "n", name: "s", path: "no" } } },
      `webhooks[0].clientConfig.service.path: Invalid value: "no": must start with a '/'`,
    ],
    [
      { clientConfig: { service: { namespace: "n", name: "s", path: "/a//b" } } },
      'webhooks[0].clientConfig.service.path: Invalid value: "/a//b": segment[1] may not be empty',
    ],
    [
      { clientConfig: { service: { namespace: "n", name: "s", port: 70000 } } },
      "webhooks[0].clientConfig.service.port: Invalid value: 70000: port is not valid: must be between 1 and 65535, inclusive",
    ],
    [rules({ operations: [] }), "webhooks[0].rules[0].operations: Required value"],
    [
      rules({ operations: ["*", "CREATE"] }),
      `webhooks[0].rules[0].operations: Invalid value: ["*","CREATE"]: if '*' is present, must not specify other operations`,
    ],
    [
      rules({ operations: ["GET"] }),
      'webhooks[0].rules[0].operations[0]: Unsupported value: "GET": supported values: "*", "CONNECT", "CREATE", "DELETE", "UPDATE"',
    ],
    [
      rules({ apiGroups: ["*", "a"] }),
      `webhooks[0].rules[0].apiGroups: Invalid value: ["*","a"]: if '*' is present, must not specify other API groups`,
    ],
    [rules({ apiVersions: [""] }), "webhooks[0].rules[0].apiVersions[0]: Required value"],
    [
      rules({ resources: ["pods/*", "pods/status"] }),
      `webhooks[0].rules[0].resources[1]: Invalid value: "pods/status": if 'pods/*' is present, must not specify pods/status`,
    ],
    [
      rules({ resources: ["*", "pods"] }),
      `webhooks[0].rules[0].resources: Invalid value: ["*","pods"]: if '*' is present, must not specify other resources without subresources`,
    ],
    [
      rules({ resources: ["*/*", "pods"] }),
      `webhooks[0].rules[0].resources: Invalid value: ["*/*","pods"]: if '*/*' is present, must not specify other resources`,
    ],
    [
      { matchConditions: [{ name: "n", expression: "object.x ==" }] },
      expect.stringContaining(
        'webhooks[0].matchConditions[0].expression: Invalid value: "object.x ==": compilation failed: ERROR: <input>:1:12',
      ),
    ],
    [
      { matchConditions: [{ name: "n", expression: "1" }] },
      'webhooks[0].matchConditions[0].expression: Invalid value: "1": must evaluate to bool but got int',
    ],
    [{ matchConditions: [{ expression: "true" }] }, "webhooks[0].matchConditions[0].name: Required value"],
    [
      { matchConditions: [{ name: "n", expression: "params.x" }] },
      expect.stringContaining("undeclared reference to 'params'"),
    ],
  ])("%j", (more, message) => {
    expect(errorsOf(webhook(more))).toEqual([message]);
  });

  test("a name that another one has", () => {
    expect(errorsOf(webhook(), webhook())).toEqual(['webhooks[1].name: Duplicate value: "hook.example.com"']);
  });

  test("too many conditions", () => {
    const matchConditions = Array.from({ length: 65 }, (_, i) => ({ name: `n${i}`, expression: "true" }));
    expect(errorsOf(webhook({ matchConditions }))).toEqual([
      "webhooks[0].matchConditions: Too many: 65: must have at most 64 items",
    ]);
  });
});

test.each([
  ["https://example.com", []],
  ["https://example.com:8443/a/b", []],
  [
    "http://example.com",
    ["url: Invalid value: \"http\": 'https' is the only allowed URL scheme; desired format: https://host[/path]"],
  ],
  [
    "example.com",
    [
      expect.stringContaining("Invalid value: \"\": 'https' is the only"),
      expect.stringContaining("host must be specified"),
    ],
  ],
  ["https://user:pass@example.com", ['url: Invalid value: "user:pass": user information is not permitted in the URL']],
  ["https://example.com#frag", ['url: Invalid value: "frag": fragments are not permitted in the URL']],
  ["https://example.com?a=b", ['url: Invalid value: "a=b": query parameters are not permitted in the URL']],
  ["https:///path", ['url: Invalid value: "": host must be specified; desired format: https://host[/path]']],
  [
    "https://example.com:port",
    [
      'url: Required value: url must be a valid URL: parse "https://example.com:port": invalid port ":port" after host; desired format: https://host[/path]',
    ],
  ],
  [
    "://x",
    [
      'url: Required value: url must be a valid URL: parse "://x": missing protocol scheme; desired format: https://host[/path]',
    ],
  ],
  ["https://exa mple.com", [expect.stringContaining("invalid character")]],
  ["https://example.com/%zz", [expect.stringContaining('invalid URL escape "%zz"')]],
])("a URL is looked at as Go does: %s", (url, expected) => {
  const errors: Parameters<typeof validateWebhookUrl>[2] = [];
  validateWebhookUrl(url, FieldPath.of("url"), errors);
  expect(errors.map(describeFieldError)).toEqual(expected);
});
