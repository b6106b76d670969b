import { beforeAll, describe, expect, test } from "vitest";
import { printPaths, readFieldSet } from "../../api/managed-fields/field-set.ts";
import { TestCluster } from "../../test/support/cluster.ts";
import type { Answer } from "../../test/support/home.ts";

// Applies to custom resources: their schema says what is granular, in each of their versions.

const spec = (more: object = {}) => ({
  type: "object",
  properties: {
    size: { type: "integer", default: 1 },
    ports: {
      type: "array",
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["port", "protocol"],
      items: {
        type: "object",
        required: ["port"],
        properties: {
          port: { type: "integer" },
          protocol: { type: "string", default: "TCP" },
          name: { type: "string" },
        },
      },
    },
    tags: { type: "array", "x-kubernetes-list-type": "set", items: { type: "string" } },
    rules: { type: "array", items: { type: "string" } },
    limits: { type: "object", "x-kubernetes-map-type": "atomic", additionalProperties: { type: "string" } },
    free: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
    ...more,
  },
});

const schema = (more?: object) => ({
  openAPIV3Schema: {
    type: "object",
    properties: { spec: spec(more), status: { type: "object", properties: { ready: { type: "integer" } } } },
  },
});

const definition = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "gadgets.example.com" },
  spec: {
    group: "example.com",
    scope: "Namespaced",
    names: { plural: "gadgets", singular: "gadget", kind: "Gadget" },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        schema: schema(),
        subresources: { status: {}, scale: { specReplicasPath: ".spec.size", statusReplicasPath: ".status.ready" } },
      },
      { name: "v2", served: true, storage: false, schema: schema({ extra: { type: "string" } }) },
    ],
  },
};

const gadget = (spec: object, { version = "v1", ...more }: { version?: string; status?: object } = {}) => ({
  apiVersion: `example.com/${version}`,
  kind: "Gadget",
  metadata: { name: "g" },
  spec,
  ...more,
});

const owners = ({ body }: Answer): Record<string, string[]> =>
  Object.fromEntries(
    (body.metadata.managedFields ?? []).map(({ manager, operation, subresource, fieldsV1 }: any) => [
      [manager, operation, subresource].filter(Boolean).join(" "),
      printPaths(readFieldSet(fieldsV1)),
    ]),
  );

let cluster: TestCluster;
const ask = (
  verb: "create" | "update" | "patch" | "get" | "delete",
  path: string,
  more: object = {},
): Promise<Answer> => cluster.ask("default", verb, `example.com/${path}`, more) as Promise<Answer>;
const apply = (object: object, { path = "v1/gadgets/g", manager = "applier", force = false } = {}) =>
  ask("patch", path, { patchType: "apply", object, options: { fieldManager: manager, force } });

beforeAll(async () => {
  cluster = new TestCluster();
  const { code, body } = await cluster.ask("", "create", "apiextensions.k8s.io/v1/customresourcedefinitions", {
    object: definition,
  });
  expect([code, body.message]).toEqual([201, undefined]);
});

describe("an apply of a custom resource", () => {
  test("creates it with its defaults, which are nobody's", async () => {
    const created = await apply(gadget({ tags: ["a"], ports: [{ port: 80 }], limits: { x: "1" }, rules: ["r"] }));
    expect([created.code, created.body.message]).toEqual([201, undefined]);
    expect(created.body.spec).toEqual({
      size: 1,
      tags: ["a"],
      ports: [{ port: 80, protocol: "TCP" }],
      limits: { x: "1" },
      rules: ["r"],
    });
    expect(owners(created)).toEqual({
      "applier Apply": [
        ".spec.limits",
        ".spec.rules",
        '.spec.ports[port=80,protocol="TCP"]',
        '.spec.ports[port=80,protocol="TCP"].port',
        '.spec.tags[="a"]',
      ],
    });
  });

  test("merges what is granular, and conflicts over what is atomic", async () => {
    const more = { tags: ["b"], ports: [{ port: 80, name: "web" }, { port: 81 }], free: { a: { b: 1 }, c: [1] } };
    const both = await apply(gadget(more), { manager: "other" });
    expect(both.body.spec).toMatchObject({
      tags: ["a", "b"],
      ports: [
        { port: 80, protocol: "TCP", name: "web" },
        { port: 81, protocol: "TCP" },
      ],
      free: { a: { b: 1 }, c: [1] },
    });
    const refused = await apply(gadget({ ...more, limits: { y: "2" }, rules: ["s"] }), { manager: "other" });
    expect(refused.body.message).toBe(
      'Apply failed with 2 conflicts: conflicts with "applier":\n- .spec.limits\n- .spec.rules',
    );
    const gone = await apply(gadget({ tags: ["b"] }), { manager: "other" });
    expect(gone.body.spec).toEqual({
      size: 1,
      tags: ["a", "b"],
      ports: [{ port: 80, protocol: "TCP" }],
      limits: { x: "1" },
      rules: ["r"],
    });
  });

  test("in another version is the same manager's, and takes away what it said in the first", async () => {
    const answer = await apply(gadget({ tags: ["a"], extra: "x" }, { version: "v2" }), { path: "v2/gadgets/g" });
    expect(answer.body.spec).toMatchObject({ tags: ["a", "b"], extra: "x" });
    expect(answer.body.spec).not.toHaveProperty("limits");
    expect(owners(answer)["applier Apply"]).toEqual([".spec.extra", '.spec.tags[="a"]']);
  });

  test("of its status and of its scale is noted apart", async () => {
    const status = await apply(gadget({ size: 9 }, { status: { ready: 1 } }), {
      path: "v1/gadgets/g/status",
      manager: "operator",
    });
    expect(status.body.spec.size).toBe(1);
    expect(owners(status)["operator Apply status"]).toEqual([".status.ready"]);
    await apply(gadget({ size: 1 }), { manager: "sizer" });
    const scaled = await ask("patch", "v1/gadgets/g/scale", {
      patchType: "merge",
      object: { spec: { replicas: 5 } },
      options: { fieldManager: "hpa" },
    });
    expect([scaled.code, scaled.body.spec]).toEqual([200, { replicas: 5 }]);
    const after = await ask("get", "v1/gadgets/g");
    expect(after.body.spec.size).toBe(5);
    expect(owners(after)["hpa Update scale"]).toEqual([".spec.size"]);
    expect(owners(after)).not.toHaveProperty("sizer Apply");
    expect((await apply(gadget({ size: 2 }))).body.message).toBe(
      'Apply failed with 1 conflict: conflict with "hpa" with subresource "scale" using example.com/v1: .spec.size',
    );
  });

  test("says what its schema does not know", async () => {
    expect((await apply(gadget({ no: 1 }))).body).toMatchObject({
      code: 500,
      message:
        "failed to create typed patch object (/g; example.com/v1, Kind=Gadget): .spec.no: field not declared in schema",
    });
    expect((await apply(gadget({ ports: [{ port: 80 }, { port: 80, protocol: "TCP" }] }))).body.message).toBe(
      'failed to create typed patch object (/g; example.com/v1, Kind=Gadget): .spec.ports: duplicate entries for key [port=80,protocol="TCP"]',
    );
  });
});
