import { expect, test } from "vitest";
import { describeFieldError } from "../field-error.ts";
import type { KubeObject } from "../object.ts";
import { ApiError } from "../status.ts";
import { compileCustomKind } from "./compile-custom-kind.ts";
import type { CustomKind, Verdict } from "./custom-kind.ts";
import type { CustomResourceDefinitionObject, DefinitionVersion, JsonSchema } from "./definition.ts";

const SPEC: JsonSchema = {
  type: "object",
  required: ["color"],
  properties: {
    color: { type: "string", enum: ["red", "green"] },
    replicas: { type: "integer", default: 1, maximum: 10 },
    note: { type: "string", nullable: true },
    tags: { type: "array", items: { type: "string" }, "x-kubernetes-list-type": "set" },
  },
};
const SCHEMA: JsonSchema = {
  type: "object",
  properties: {
    spec: SPEC,
    status: {
      type: "object",
      properties: { replicas: { type: "integer", maximum: 10 }, selector: { type: "string" } },
    },
  },
};
const V1: DefinitionVersion = {
  name: "v1",
  served: true,
  storage: true,
  schema: { openAPIV3Schema: SCHEMA },
  subresources: {
    status: {},
    scale: {
      specReplicasPath: ".spec.replicas",
      statusReplicasPath: ".status.replicas",
      labelSelectorPath: ".status.selector",
    },
  },
  selectableFields: [{ jsonPath: ".spec.color" }],
};

const definition = (...versions: DefinitionVersion[]): CustomResourceDefinitionObject => ({
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "widgets.example.com" },
  spec: {
    group: "example.com",
    scope: "Namespaced",
    names: { plural: "widgets", singular: "widget", kind: "Widget", listKind: "WidgetList", shortNames: ["wd"] },
    versions,
  },
});
const widgets = compileCustomKind(definition(V1)).get("v1") as CustomKind;

const widget = (spec: unknown, more: object = {}): KubeObject => ({
  apiVersion: "example.com/v1",
  kind: "Widget",
  metadata: { name: "w" },
  spec,
  ...more,
});
const text = (spec: unknown, more: object = {}): string => JSON.stringify(widget(spec, more));
const complaints = ({ errors }: Verdict): string[] => errors.map(describeFieldError);

function refusal(work: () => unknown): [code: number, message: string] {
  try {
    work();
  } catch (error) {
    if (error instanceof ApiError) return [error.code, error.message];
    throw error;
  }
  throw new Error("nothing was refused");
}

test("a version tells its names, verbs and subresources", () => {
  expect(widgets.info).toMatchObject({
    group: "example.com",
    version: "v1",
    kind: "Widget",
    resource: "widgets",
    namespaced: true,
    shortNames: ["wd"],
  });
  expect(widgets.info.subresources.map(({ name, kind }) => `${name} ${kind}`)).toEqual([
    "status Widget",
    "scale Scale",
  ]);
  expect(widgets.rules.scale).toEqual({
    specReplicas: "spec.replicas",
    statusReplicas: "status.replicas",
    selector: "status.selector",
  });
});

test("versions that are neither served nor stored are not there, and deprecated ones say what to use", () => {
  const old: DefinitionVersion = { ...V1, name: "v1beta1", storage: false, deprecated: true };
  const named: DefinitionVersion = { ...V1, name: "zeta", storage: false, deprecated: true };
  const gone: DefinitionVersion = { ...V1, name: "v1alpha1", storage: false, served: false };
  const kinds = compileCustomKind(definition(named, V1, old, gone));
  expect([...kinds.keys()]).toEqual(["zeta", "v1", "v1beta1"]);
  expect(kinds.get("v1beta1")?.deprecationWarning).toBe(
    "example.com/v1beta1 Widget is deprecated; use example.com/v1 Widget",
  );
  expect(kinds.get("zeta")?.deprecationWarning).toMatch(/; use example\.com\/v1 Widget$/);
  expect(kinds.get("v1")?.deprecationWarning).toBeUndefined();
});

test("a body is decoded, pruned and told about, as a built-in kind's is", () => {
  const body = text({ color: "red", note: null, zz: { a: 1 } }, { metadata: { name: "w", foo: 1 }, extra: 1 });
  const { object, warnings } = widgets.decodeText(body);
  expect(object).toEqual(widget({ color: "red", note: null }));
  expect(warnings).toEqual(['unknown field "metadata.foo"', 'unknown field "extra"', 'unknown field "spec.zz"']);
  expect(widgets.decodeText(body, "Ignore").warnings).toEqual([]);
  expect(refusal(() => widgets.decodeText(body, "Strict"))).toEqual([
    400,
    'Widget in version "v1" cannot be handled as a Widget: strict decoding error: unknown field "metadata.foo", unknown field "extra", unknown field "spec.zz"',
  ]);
});

test("a field given twice is told, and the last one counts", () => {
  const body = text({ color: "red" }).replace('"color":"red"', '"color":"red","color":"green"');
  const { object, warnings } = widgets.decodeText(body);
  expect(object["spec"]).toEqual({ color: "green" });
  expect(warnings).toEqual(['duplicate field "spec.color"']);
});

test("what is no such object is refused in upstream's words", () => {
  expect(refusal(() => widgets.decodeText(text({}, { apiVersion: "example.com/v2" })))).toEqual([
    400,
    "the API version in the data (example.com/v2) does not match the expected API version (example.com/v1)",
  ]);
  expect(refusal(() => widgets.decodeText("{}"))).toEqual([
    400,
    "the object provided is unrecognized (must be of type Widget): Object 'Kind' is missing in '{}' ({})",
  ]);
  expect(refusal(() => widgets.decodeText(text({}, { metadata: { labels: { a: 5 } } })))).toEqual([
    400,
    'Widget in version "v1" cannot be handled as a Widget: json: cannot unmarshal number into Go struct field ObjectMeta.labels of type string',
  ]);
  expect(complaints(widgets.validate(widget({}, { kind: "Other" })))).toEqual([
    'kind: Invalid value: "Other": must be Widget',
  ]);
});

test("what is read from the store is pruned, defaulted and never refused", () => {
  const stored = widget(
    { color: "blue", gone: 1, note: null },
    { metadata: { name: "w", labels: { a: 5 }, uid: "u" } },
  );
  expect(widgets.present(stored)).toEqual(
    widget({ color: "blue", note: null, replicas: 1 }, { metadata: { name: "w", uid: "u" } }),
  );
});

test("creation sets the generation, and leaves the status to its own resource", () => {
  const object = widget({ color: "red" }, { status: { replicas: 5 } });
  widgets.rules.prepareForCreate?.(object);
  expect(object["status"]).toBeUndefined();
  expect(object.metadata.generation).toBe(1);
});

test("the generation counts every change but those of metadata and of a status of its own", () => {
  const previous = widget({ color: "red" }, { metadata: { name: "w", generation: 4 }, status: { replicas: 1 } });
  const relabelled = widget(
    { color: "red" },
    { metadata: { name: "w", generation: 4, labels: { a: "b" } }, status: { replicas: 9 } },
  );
  widgets.rules.prepareForUpdate?.(relabelled, previous);
  expect(relabelled).toMatchObject({ metadata: { generation: 4 }, status: { replicas: 1 } });
  const changed = widget({ color: "green" }, { metadata: { name: "w", generation: 4 } });
  widgets.rules.prepareForUpdate?.(changed, previous);
  expect(changed).toMatchObject({ metadata: { generation: 5 }, status: { replicas: 1 } });
});

test("objects are judged by the schema, their lists and their scale", () => {
  expect(complaints(widgets.validate(widget({ color: "red", replicas: 3 })))).toEqual([]);
  expect(complaints(widgets.validate(widget({ replicas: 11, tags: ["a", "a"] })))).toEqual([
    "spec.replicas: Invalid value: 11: spec.replicas in body should be less than or equal to 10",
    "spec.color: Required value",
    'spec.tags[1]: Duplicate value: "a"',
  ]);
  expect(complaints(widgets.validate(widget({ color: "red", replicas: -1 })))).toEqual([
    ".spec.replicas: Invalid value: -1: should be a non-negative integer",
  ]);
  expect(complaints(widgets.validate(widget(5)))).toEqual([
    'spec: Invalid value: "integer": spec in body must be of type object: "integer"',
    ".spec.replicas: Invalid value: 0: .spec.replicas accessor error: 5 is of the type int64, expected map[string]interface{}",
  ]);
});

test("an update may leave what is invalid as it is", () => {
  const previous = widget({ color: "blue", replicas: 50, tags: ["a", "a"] });
  const next = widget({ color: "blue", replicas: 51, tags: ["b", "b"] });
  expect(complaints(widgets.validateUpdate(next, previous))).toEqual([
    "spec.replicas: Invalid value: 51: spec.replicas in body should be less than or equal to 10",
  ]);
});

test("an update of the status is judged by the schema of the status", () => {
  const previous = widget({ color: "blue" });
  const next = widget({ color: "blue" }, { status: { replicas: 11, selector: 5 } });
  expect(complaints(widgets.validateStatusUpdate(next, previous))).toEqual([
    "status.replicas: Invalid value: 11: replicas in body should be less than or equal to 10",
    'status.selector: Invalid value: "integer": selector in body must be of type string: "integer"',
    '.status.selector: Invalid value: "": .status.selector accessor error: 5 is of the type int64, expected string',
  ]);
});

test("finalizers that could be anybody's are warned of, where they are new", () => {
  const withFinalizers = (...finalizers: string[]) => widget({ color: "red" }, { metadata: { name: "w", finalizers } });
  expect(widgets.validate(withFinalizers("orphan", "x.io/y", "mine")).warnings).toEqual([
    'metadata.finalizers: "mine": prefer a domain-qualified finalizer name to avoid accidental conflicts with other finalizer writers',
  ]);
  expect(widgets.validateUpdate(withFinalizers("mine"), withFinalizers("mine")).warnings).toEqual([]);
});

test("selectable fields are seen by field selectors, empty where they are not there", () => {
  expect(widgets.rules.selectableFields?.(widget({ color: "red" }))).toEqual({ "spec.color": "red" });
  expect(widgets.rules.selectableFields?.(widget({}))).toEqual({ "spec.color": "" });
});

test("a version without a schema keeps everything", () => {
  const { schema: _, ...open } = V1;
  const kind = compileCustomKind(definition(open)).get("v1") as CustomKind;
  const { object, warnings } = kind.decodeText(text({ anything: [1, null] }));
  expect({ spec: object["spec"], warnings }).toEqual({ spec: { anything: [1, null] }, warnings: [] });
  expect(kind.validate(object).errors).toEqual([]);
});
