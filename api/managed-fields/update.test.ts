import { describe, expect, test } from "vitest";
import { customManagedKind, managedKind } from "../../test/support/managed-kind.ts";
import { cloneJson } from "../json-value.ts";
import type { KubeObject } from "../object.ts";
import { ANY, type Shape } from "../schema/shape.ts";
import { printPaths, readFieldSet } from "./field-set.ts";
import { NoPathElement } from "./path-element.ts";
import { managedFieldsOfUpdate } from "./update.ts";

const by = (manager: string, time = "2025-01-01T00:00:00Z", subresource = "") => ({ manager, subresource, time });

type Entries = Record<string, any>[] | undefined;
/** An entry as `manager operation paths`. */
const owners = (entries: Entries): Record<string, string[]> =>
  Object.fromEntries((entries ?? []).map((entry) => [entry["manager"], printPaths(readFieldSet(entry["fieldsV1"]))]));

const configMaps = managedKind("v1", "ConfigMap", { hasStatus: false });
const configMap = (data: Record<string, string>, metadata: object = {}): KubeObject => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "a", namespace: "d", uid: "u", resourceVersion: "1", ...metadata },
  data,
});

function written(object: KubeObject, previous: KubeObject | undefined, ...who: Parameters<typeof by>): KubeObject {
  const managedFields = managedFieldsOfUpdate(configMaps, previous, object, by(...who));
  const copy = cloneJson(object);
  if (managedFields) copy.metadata.managedFields = managedFields;
  else delete copy.metadata.managedFields;
  return copy;
}

const changed = (object: KubeObject, data: Record<string, string>): KubeObject => ({ ...cloneJson(object), data });

test("whoever creates an object owns what it says, and nobody owns what tells which object it is", () => {
  const { metadata } = written(configMap({ k: "v" }, { labels: { app: "x" } }), undefined, "kubectl-create");
  expect(JSON.stringify(metadata.managedFields)).toBe(
    JSON.stringify([
      {
        manager: "kubectl-create",
        operation: "Update",
        apiVersion: "v1",
        time: "2025-01-01T00:00:00Z",
        fieldsType: "FieldsV1",
        fieldsV1: {
          "f:data": { ".": {}, "f:k": {} },
          "f:metadata": { "f:labels": { ".": {}, "f:app": {} } },
        },
      },
    ]),
  );
});

test("a pod's creator owns elements of lists by their keys, and structs that Go always writes by their fields alone", () => {
  const pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p", generateName: "p-", labels: { app: "x" } },
    spec: {
      containers: [{ name: "web", image: "web:1", resources: {}, ports: [{ containerPort: 80, protocol: "TCP" }] }],
      securityContext: {},
      tolerations: [{ key: "a", operator: "Exists" }],
    },
    status: { phase: "Pending" },
  };
  const [entry] = managedFieldsOfUpdate(managedKind("v1", "Pod"), undefined, pod, by("k")) as Record<string, any>[];
  expect(entry!["fieldsV1"]).toEqual({
    "f:metadata": { "f:generateName": {}, "f:labels": { ".": {}, "f:app": {} } },
    "f:spec": {
      "f:containers": {
        'k:{"name":"web"}': {
          ".": {},
          "f:image": {},
          "f:name": {},
          "f:ports": {
            ".": {},
            'k:{"containerPort":80,"protocol":"TCP"}': { ".": {}, "f:containerPort": {}, "f:protocol": {} },
          },
          "f:resources": {},
        },
      },
      "f:securityContext": {},
      "f:tolerations": {},
    },
  });
});

test("who changes a field takes it, who removes one takes it from everybody, the others keep theirs", () => {
  const first = written(configMap({ a: "1", b: "1", c: "1" }), undefined, "one");
  const second = written(changed(first, { a: "1", b: "2", d: "2" }), first, "two", "2025-01-02T00:00:00Z");
  expect(owners(second.metadata.managedFields as Entries)).toEqual({
    one: [".data", ".data.a"],
    two: [".data.b", ".data.d"],
  });
  expect((second.metadata.managedFields as Entries)!.map(({ time }) => time)).toEqual([
    "2025-01-01T00:00:00Z",
    "2025-01-02T00:00:00Z",
  ]);
});

test("an entry without fields goes", () => {
  const first = written(configMap({ a: "1" }), undefined, "one");
  const second = written(changed(first, { a: "2" }), first, "two");
  expect(owners(second.metadata.managedFields as Entries)).toEqual({ one: [".data"], two: [".data.a"] });
  const third = { ...cloneJson(second) };
  delete third["data"];
  expect(written(third, second, "three").metadata.managedFields).toBeUndefined();
});

test("where nothing changes the very same entries stay, times and all", () => {
  const first = written(configMap({ a: "1" }), undefined, "one");
  const same = managedFieldsOfUpdate(configMaps, first, cloneJson(first), by("two", "2026-01-01T00:00:00Z"));
  expect(same).toBe(first.metadata.managedFields);
});

test("a manager without a name is unknown, one that writes a subresource has an entry of its own", () => {
  const pods = managedKind("v1", "Pod", { subresource: "status" });
  const pod: KubeObject = { apiVersion: "v1", kind: "Pod", metadata: { name: "p" }, spec: { nodeName: "n" } };
  const owned = managedFieldsOfUpdate(managedKind("v1", "Pod"), undefined, pod, by(""));
  pod.metadata.managedFields = owned!;
  const next = { ...cloneJson(pod), spec: { nodeName: "other" }, status: { phase: "Running" } };
  const entries = managedFieldsOfUpdate(pods, pod, next, by("unknown", "2025-01-01T00:00:00Z", "status")) as Entries;
  expect(entries!.map(({ manager, subresource, fieldsV1 }) => [manager, subresource, fieldsV1])).toEqual([
    ["unknown", undefined, { "f:spec": { "f:nodeName": {} } }],
    ["unknown", "status", { "f:status": { "f:phase": {} } }],
  ]);
});

describe("managedFields that a client sends", () => {
  const first = written(configMap({ a: "1" }), undefined, "one");
  const sending = (managedFields: unknown) =>
    written(
      { ...changed(first, { a: "1", b: "2" }), metadata: { ...first.metadata, managedFields } as any },
      first,
      "two",
    );

  test.each([[[]], [[{}]]])("%j forgets all owners: nothing is noted until somebody applies", (reset) => {
    expect(sending(reset).metadata.managedFields).toBeUndefined();
  });

  test.each([
    ["nothing", undefined],
    ["null", null],
    ["an operation that is none", [{ operation: "Delete", apiVersion: "v1", fieldsType: "FieldsV1" }]],
    ["no version", [{ operation: "Update", fieldsType: "FieldsV1", fieldsV1: {} }]],
    ["no type of fields", [{ operation: "Update", apiVersion: "v1", fieldsV1: {} }]],
    ["another type of fields", [{ operation: "Update", apiVersion: "v1", fieldsType: "FieldsV2", fieldsV1: {} }]],
    ["fields that are none", [{ operation: "Update", apiVersion: "v1", fieldsType: "FieldsV1", fieldsV1: { x: {} } }]],
    ["an entry that is none", ["x"]],
  ])("with %s is as if it had not been sent", (_, sent) => {
    expect(owners(sending(sent).metadata.managedFields as Entries)).toEqual({
      one: [".data", ".data.a"],
      two: [".data.b"],
    });
  });

  test("takes the place of what was there, in the server's order", () => {
    const fieldsV1 = { "f:data": { "f:b": {}, "f:a": {} }, "f:binaryData": {} };
    const sent = [{ manager: "x", operation: "Apply", apiVersion: "v1", fieldsType: "FieldsV1", fieldsV1 }];
    const { managedFields } = sending(sent).metadata;
    expect(owners(managedFields as Entries)).toEqual({ x: [".binaryData", ".data.a"], two: [".data.b"] });
    expect(JSON.stringify((managedFields as Entries)![0]!["fieldsV1"])).toBe('{"f:binaryData":{},"f:data":{"f:a":{}}}');
  });

  test("is not heeded where a subresource is written", () => {
    const scales = managedKind("v1", "ConfigMap", { subresource: "status" });
    const next = { ...changed(first, { a: "1", b: "2" }), metadata: { ...first.metadata, managedFields: [] } };
    const entries = managedFieldsOfUpdate(scales, first, next, by("two", "2025-01-01T00:00:00Z", "status"));
    expect(owners(entries as Entries)).toEqual({ one: [".data", ".data.a"], two: [".data.b"] });
  });
});

test("of more than ten updaters the oldest are put together, a version each", () => {
  let object = written(configMap({ k: "0" }), undefined, "m0", "2025-01-01T00:00:00Z");
  for (let i = 1; i <= 12; i++) {
    const next = changed(object, { ...object["data"], [`k${i}`]: "1" });
    object = written(next, object, `m${i}`, `2025-01-01T00:00:${String(i).padStart(2, "0")}Z`);
  }
  const entries = object.metadata.managedFields as Entries;
  expect(entries!.length).toBe(10);
  expect(entries!.map(({ manager }) => manager)).toEqual([
    "ancient-changes",
    ...[4, 5, 6, 7, 8, 9, 10, 11, 12].map((i) => `m${i}`),
  ]);
  expect(owners(entries)["ancient-changes"]).toEqual([".data", ".data.k", ".data.k1", ".data.k2", ".data.k3"]);
});

describe("a custom kind", () => {
  const list = (listType: "atomic" | "set" | "map"): Shape => ({
    form: "list",
    listType,
    of: ANY,
    keys: listType === "map" ? ["name"] : [],
    keyDefaults: {},
  });
  const things = (items: Shape) =>
    customManagedKind({
      form: "struct",
      atomic: false,
      unknown: undefined,
      property: (name) =>
        name === "items" ? items : name === "spec" ? ANY : name === "metadata" ? { ...ANY, form: "any" } : undefined,
    });
  const thing = (fields: object): KubeObject => ({
    apiVersion: "example.com/v1",
    kind: "Thing",
    metadata: { name: "t", uid: "u" },
    ...fields,
  });

  test("without a schema has granular maps and atomic lists", () => {
    const object = thing({ spec: { a: { b: 1 }, list: [{ name: "x" }], nothing: null } });
    const entries = managedFieldsOfUpdate(things(ANY), undefined, object, by("m")) as Entries;
    expect(owners(entries)["m"]).toEqual([".spec", ".spec.a", ".spec.list", ".spec.nothing", ".spec.a.b"]);
  });

  test("whose list was granular and is atomic now: who owned parts of it owns the whole", () => {
    const object = thing({ items: [{ name: "x", v: 1 }], spec: { a: 1 } });
    object.metadata.managedFields = managedFieldsOfUpdate(things(list("map")), undefined, object, by("m"))!;
    const next = { ...cloneJson(object), spec: { a: 2 } };
    const entries = managedFieldsOfUpdate(things(list("atomic")), object, next, by("n")) as Entries;
    expect(owners(entries)).toEqual({ m: [".items", ".spec"], n: [".spec.a"] });
  });

  test("of elements that are there twice only that is known", () => {
    const entries = managedFieldsOfUpdate(
      things(list("map")),
      undefined,
      thing({
        items: [
          { name: "x", v: 1 },
          { name: "x", v: 2 },
          { name: "y", v: 1 },
        ],
      }),
      by("m"),
    ) as Entries;
    expect(owners(entries)["m"]).toEqual([
      ".items",
      '.items[name="x"]',
      '.items[name="y"]',
      '.items[name="y"].name',
      '.items[name="y"].v',
    ]);
  });

  test("whose elements have no keys cannot be tracked", () => {
    const object = thing({ items: [{ v: 1 }] });
    expect(() => managedFieldsOfUpdate(things(list("map")), undefined, object, by("m"))).toThrow(NoPathElement);
    expect(() => managedFieldsOfUpdate(things(list("set")), undefined, object, by("m"))).toThrow(NoPathElement);
  });
});

test("entries of another version are kept in it: what changes is looked at in both", () => {
  const hpa = (spec: object, apiVersion = "autoscaling/v2"): KubeObject => ({
    apiVersion,
    kind: "HorizontalPodAutoscaler",
    metadata: { name: "h", uid: "u" },
    spec: { maxReplicas: 3, scaleTargetRef: { kind: "Deployment", name: "d" }, ...spec },
  });
  const [v1, v2] = [
    managedKind("autoscaling/v1", "HorizontalPodAutoscaler"),
    managedKind("autoscaling/v2", "HorizontalPodAutoscaler"),
  ];
  const created = hpa({ targetCPUUtilizationPercentage: 50 }, "autoscaling/v1");
  const metrics = (averageUtilization: number) => [
    { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization } } },
  ];
  const live = hpa({ metrics: metrics(50) });
  live.metadata.managedFields = managedFieldsOfUpdate(v1, undefined, created, by("old"))!;
  const entries = managedFieldsOfUpdate(v2, live, hpa({ metrics: metrics(60) }), by("new")) as Entries;
  expect(owners(entries)).toEqual({
    old: [".spec.maxReplicas", ".spec.scaleTargetRef"],
    new: [".spec.metrics"],
  });
  expect(entries!.find(({ manager }) => manager === "old")).toMatchObject({ apiVersion: "autoscaling/v1" });
});

test("thousands of entries that a client sends are compared with a large change, each for what it holds", () => {
  const data = (value: string) => Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`k${i}`, value]));
  const entries = Array.from({ length: 10_000 }, (_, i) => ({
    manager: `m${i}`,
    operation: "Apply",
    apiVersion: "v1",
    fieldsType: "FieldsV1",
    fieldsV1: { "f:data": { [`f:k${i}`]: {} } },
  }));
  const next = configMap(data("2"), { managedFields: entries });
  const owned = managedFieldsOfUpdate(configMaps, configMap(data("1")), next, by("one")) as Entries;
  expect(owned!.map(({ manager }) => manager)).toEqual(["one"]);
});
