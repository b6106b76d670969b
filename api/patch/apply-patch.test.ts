import { expect, test } from "vitest";
import { findKind } from "../kinds.ts";
import type { KubeObject } from "../object.ts";
import type { FieldValidation } from "../schema/decode.ts";
import { ApiError, unknownError } from "../status.ts";
import { applyPatch, type PatchType } from "./apply-patch.ts";
import { JSON_PATCH_OPERATIONS_MAX } from "./json.ts";

const configMap = findKind("", "v1", "configmaps")!;
const deployment = findKind("apps", "v1", "deployments")!;

const current = (): KubeObject => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "a", labels: { x: "1" } },
  data: { k: "v" },
});

const patch = (type: PatchType, patch: unknown, fieldValidation?: FieldValidation) =>
  applyPatch(type, configMap, current(), typeof patch === "string" ? patch : JSON.stringify(patch), fieldValidation);

function refusal(type: PatchType, value: unknown, fieldValidation?: FieldValidation) {
  try {
    patch(type, value, fieldValidation);
  } catch (error) {
    if (error instanceof ApiError) return { code: error.code, reason: error.reason, message: error.message };
    throw error;
  }
  throw new Error("was accepted");
}

test.each<[PatchType, unknown]>([
  [
    "json",
    [
      { op: "add", path: "/metadata/labels/y", value: "2" },
      { op: "remove", path: "/data/k" },
    ],
  ],
  ["merge", { metadata: { labels: { y: "2" } }, data: { k: null } }],
  ["strategic", { metadata: { labels: { y: "2" } }, data: { k: null } }],
])("a %s patch makes a decoded object and leaves the old one alone", (type, value) => {
  const before = current();
  const { object, warnings } = applyPatch(type, configMap, before, JSON.stringify(value));
  expect(object).toEqual({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a", labels: { x: "1", y: "2" } } });
  expect(warnings).toEqual([]);
  expect(before).toEqual(current());
});

test("a failure in the middle of a JSON patch leaves nothing behind, and says no more than upstream", () => {
  const before = current();
  const text = JSON.stringify([
    { op: "remove", path: "/data/k" },
    { op: "test", path: "/data/q", value: 1 },
  ]);
  expect(() => applyPatch("json", configMap, before, text)).toThrow(
    new ApiError("Invalid", "the server rejected our request due to an error in our request", {}),
  );
  expect(before).toEqual(current());
});

test.each<[PatchType, string, string]>([
  ["json", "{}", "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp"],
  ["json", "[1]", "error decoding patch: json: cannot unmarshal number into Go value of type handlers.jsonPatchOp"],
  [
    "json",
    '[{"op":1}]',
    "error decoding patch: json: cannot unmarshal number into Go struct field jsonPatchOp.op of type string",
  ],
  ["merge", "[]", "error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}"],
  ["merge", "{", "error decoding patch: unexpected end of JSON input"],
  ["strategic", '"x"', "json: cannot unmarshal string into Go value of type map[string]interface {}"],
  ["strategic", "{x", "invalid character 'x' looking for beginning of object key string"],
])("a %s patch %s is a 400", (type, text, message) => {
  expect(refusal(type, text)).toEqual({ code: 400, reason: "BadRequest", message });
});

test("a JSON patch of too many operations is a 413", () => {
  const operations = Array.from({ length: JSON_PATCH_OPERATIONS_MAX + 1 }, () => ({
    op: "test",
    path: "/kind",
    value: "ConfigMap",
  }));
  expect(refusal("json", operations)).toMatchObject({
    code: 413,
    message: "Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001",
  });
});

test("a result of a wrong type is a 422 that names the patch", () => {
  expect(refusal("merge", { data: { k: 5 } })).toMatchObject({
    code: 422,
    reason: "Invalid",
    message: expect.stringMatching(
      /^ "" is invalid: patch: Invalid value: ".*": json: cannot unmarshal number into Go struct field ConfigMap\.data of type string$/,
    ),
  });
  expect(refusal("strategic", { data: { k: 5 } }).message).toBe(
    ' "" is invalid: patch: Invalid value: "map[data:map[k:5]]": cannot convert int64 to string',
  );
  expect(refusal("strategic", { metadata: "x" }).message).toBe(
    ' "" is invalid: patch: Invalid value: "map[metadata:x]": cannot restore struct from: string',
  );
  expect(refusal("merge", { kind: "Pod" }).message).toContain(
    "converting (v1.Pod) to (core.ConfigMap): unknown conversion",
  );
});

test("unknown fields are warnings, refusals or nothing, as asked", () => {
  const unknown = { data: { k: "w" }, foo: 1 };
  expect(patch("strategic", unknown)).toMatchObject({
    object: { data: { k: "w" } },
    warnings: ['unknown field "foo"'],
  });
  expect(patch("merge", unknown, "Ignore").warnings).toEqual([]);
  expect(refusal("strategic", unknown, "Strict").message).toBe(
    ' "" is invalid: patch: Invalid value: "map[data:map[k:w] foo:1]": strict decoding error: unknown field "foo"',
  );
  expect(patch("json", [{ op: "test", path: "/kind", value: "ConfigMap", bar: 1 }]).warnings).toEqual([
    'json patch unknown field "[0].bar"',
  ]);
  expect(patch("merge", '{"data":{"k":"1","k":"2"}}').warnings).toEqual(['duplicate field "data.k"']);
});

test("a strategic patch that cannot be merged is a 500 in upstream's words", () => {
  const owners = { metadata: { ownerReferences: [{ name: "x" }] } };
  const before = {
    ...current(),
    metadata: { name: "a", ownerReferences: [{ apiVersion: "v1", kind: "Pod", name: "p", uid: "u" }] },
  };
  expect(() => applyPatch("strategic", configMap, before, JSON.stringify(owners))).toThrow(
    unknownError("map: map[name:x] does not contain declared merge key: uid"),
  );
});

test("what kubectl sends for set image, scale, label and rollout undo applies", () => {
  const before: KubeObject = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", labels: { app: "web" } },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: "web" } },
      strategy: { type: "RollingUpdate" },
      template: {
        metadata: { labels: { app: "web" } },
        spec: { containers: [{ name: "web", image: "web:1", resources: {} }] },
      },
    },
  };
  const apply = (type: PatchType, value: unknown) =>
    applyPatch(type, deployment, before, JSON.stringify(value), "Strict").object as any;
  const setImage = {
    spec: {
      template: {
        spec: { "$setElementOrder/containers": [{ name: "web" }], containers: [{ image: "web:2", name: "web" }] },
      },
    },
  };
  expect(apply("strategic", setImage).spec.template.spec.containers).toEqual([
    { name: "web", image: "web:2", resources: {} },
  ]);
  expect(apply("merge", { spec: { replicas: 5 } }).spec.replicas).toBe(5);
  expect(apply("merge", { metadata: { labels: { app: null, tier: "x" } } }).metadata.labels).toEqual({ tier: "x" });
  const template = {
    metadata: { labels: { app: "web" } },
    spec: { containers: [{ name: "web", image: "web:0", resources: {} }] },
  };
  const undo = [
    { op: "replace", path: "/spec/template", value: template },
    { op: "replace", path: "/metadata/annotations", value: { "deployment.kubernetes.io/revision": "1" } },
  ];
  before.metadata.annotations = { "deployment.kubernetes.io/revision": "2" };
  expect(apply("json", undo).spec.template).toEqual(template);
});
