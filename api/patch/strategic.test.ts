import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { arbitraryObject } from "../../test/support/arbitrary-object.ts";
import { cloneJson, type JsonObject } from "../json-value.ts";
import { findKind } from "../kinds.ts";
import { decodeValue } from "../schema/decode.ts";
import { definitionOf } from "../schema/facts.ts";
import { applyStrategicPatch, MalformedPatch } from "./strategic.ts";

const definition = (kind: string, group = "", version = "v1") => definitionOf(group, version, kind)!;
const patched = (kind: string, original: JsonObject, patch: JsonObject, group = "") =>
  applyStrategicPatch(cloneJson(original), cloneJson(patch), definition(kind, group));
const pod = (...containers: JsonObject[]) => ({ spec: { containers } });
const namesOf = (object: JsonObject) => (object as any).spec.containers.map(({ name }: { name: string }) => name);

describe("lists with a merge key", () => {
  test("merge element by element, and append what is new in front of nothing", () => {
    const result = patched(
      "Pod",
      pod({ name: "a", image: "1", env: [{ name: "X", value: "1" }] }, { name: "b", image: "1" }),
      pod({ name: "b", image: "2" }, { name: "c", image: "3" }, { name: "a", env: [{ name: "Y", value: "2" }] }),
    );
    expect(namesOf(result).sort()).toEqual(["a", "b", "c"]);
    expect((result as any).spec.containers.find(({ name }: any) => name === "a")).toEqual({
      name: "a",
      image: "1",
      env: [
        { name: "Y", value: "2" },
        { name: "X", value: "1" },
      ],
    });
  });

  test("elements leave with $patch: delete", () => {
    const result = patched("Pod", pod({ name: "a" }, { name: "b" }), pod({ name: "a", $patch: "delete" }));
    expect(namesOf(result)).toEqual(["b"]);
  });

  test("a list is replaced with $patch: replace among its elements", () => {
    const result = patched("Pod", pod({ name: "a" }, { name: "b" }), pod({ $patch: "replace" }, { name: "c" }));
    expect(namesOf(result)).toEqual(["c"]);
  });

  test("an element without the key is refused", () => {
    expect(() => patched("Pod", pod({ name: "a" }), pod({ image: "x" }))).toThrow(
      "map: map[image:x] does not contain declared merge key: name",
    );
    expect(() => patched("Pod", pod({ name: "a" }), pod({ $patch: "delete" }))).toThrow(
      "map: map[$patch:delete] does not contain declared merge key: name",
    );
  });

  test("an unknown directive is refused", () => {
    expect(() => patched("Pod", pod({ name: "a" }), pod({ name: "a", $patch: "explode" }))).toThrow(
      "unknown patch type: explode in map: map[$patch:explode name:a]",
    );
    expect(() => patched("Pod", pod({ name: "a" }), { spec: { $patch: "merge" } })).toThrow(
      "unknown patch type: merge in map: map[$patch:merge]",
    );
  });

  test("a merge key may be a number", () => {
    const service = {
      spec: {
        ports: [
          { port: 80, name: "a" },
          { port: 81, name: "b" },
        ],
      },
    };
    expect(patched("Service", service, { spec: { ports: [{ port: 81, name: "c" }] } })).toEqual({
      spec: {
        ports: [
          { port: 80, name: "a" },
          { port: 81, name: "c" },
        ],
      },
    });
  });
});

describe("$setElementOrder", () => {
  test("orders what it names and keeps the server's own elements in their places", () => {
    const result = patched("Pod", pod({ name: "server" }, { name: "a" }, { name: "b" }), {
      spec: {
        "$setElementOrder/containers": [{ name: "b" }, { name: "a" }, { name: "c" }],
        containers: [{ name: "c", image: "x" }],
      },
    });
    expect(namesOf(result)).toEqual(["server", "b", "a", "c"]);
  });

  test("reorders without any change of the elements", () => {
    const result = patched("Pod", pod({ name: "a", image: "1" }, { name: "b" }), {
      spec: { "$setElementOrder/containers": [{ name: "b" }, { name: "a" }] },
    });
    expect(result).toEqual(pod({ name: "b" }, { name: "a", image: "1" }));
  });

  test("goes with a list that is new, and with deletions", () => {
    expect(
      patched(
        "Pod",
        { spec: {} },
        { spec: { "$setElementOrder/containers": [{ name: "a" }], containers: [{ name: "a" }] } },
      ),
    ).toEqual(pod({ name: "a" }));
    const order = { "$setElementOrder/containers": [{ name: "b" }], containers: [{ name: "a", $patch: "delete" }] };
    expect(patched("Pod", pod({ name: "a" }, { name: "b" }), { spec: order })).toEqual(pod({ name: "b" }));
  });

  test("of a list of strings orders the strings", () => {
    const meta = (finalizers: string[]) => ({ metadata: { finalizers } });
    const patch = { metadata: { "$setElementOrder/finalizers": ["c", "a"], finalizers: ["c"] } };
    expect(patched("ConfigMap", meta(["a", "b"]), patch)).toEqual(meta(["c", "a", "b"]));
  });

  test("of nothing to order is refused, and so is one that names no field", () => {
    const empty = { spec: { containers: [], "$setElementOrder/containers": [] } };
    expect(() => patched("Pod", pod(), empty)).toThrow("no elements in any of the given slices");
    expect(() => patched("Pod", pod(), { spec: { $setElementOrder: [] } })).toThrow(
      new MalformedPatch("invalid patch format of setElementOrder list"),
    );
  });

  test("within an object that is new is a field like any other, which decoding refuses or drops", () => {
    const patch = { spec: { containers: [{ name: "a" }], "$setElementOrder/containers": [{ name: "a" }] } };
    expect(patched("Pod", {}, patch)).toEqual(patch);
  });

  test("that contradicts the patch is refused", () => {
    const spec = {
      "$setElementOrder/containers": [{ name: "b" }, { name: "a" }],
      containers: [{ name: "a" }, { name: "b" }],
    };
    expect(() => patched("Pod", pod({ name: "a" }), { spec })).toThrow(
      /^The order in patch list:\n\[map\[name:a\] map\[name:b\]\]/,
    );
    expect(() => patched("Pod", pod(), { spec: { "$setElementOrder/containers": "x" } })).toThrow(
      "expected a []interface {}, but received a string",
    );
    expect(() => patched("Pod", { spec: {} }, { spec: { "$setElementOrder/foo": [1] } })).toThrow(
      'unable to find api field in struct PodSpec for the json field "foo"',
    );
  });
});

describe("lists of scalars", () => {
  const meta = (...finalizers: string[]) => ({ metadata: { finalizers } });

  test("with the strategy merge are joined without duplicates", () => {
    expect(patched("ConfigMap", meta("a", "b"), meta("c", "a"))).toEqual(meta("c", "a", "b"));
  });

  test("lose what $deleteFromPrimitiveList names", () => {
    const patch = { metadata: { "$deleteFromPrimitiveList/finalizers": ["a", "x"] } };
    expect(patched("ConfigMap", meta("a", "b"), patch)).toEqual(meta("b"));
    expect(patched("ConfigMap", { metadata: {} }, patch)).toEqual({ metadata: {} });
  });

  test("go with a null in $deleteFromPrimitiveList, and stay where it is no list", () => {
    const deleting = (value: unknown) => ({ metadata: { "$deleteFromPrimitiveList/finalizers": value } });
    expect(patched("ConfigMap", meta("a"), deleting(null))).toEqual({ metadata: {} });
    expect(patched("ConfigMap", meta("a"), deleting("a"))).toEqual(meta("a"));
    expect(() => patched("ConfigMap", meta("a"), { metadata: { $deleteFromPrimitiveList: ["a"] } })).toThrow(
      new MalformedPatch("invalid patch format of primitive list"),
    );
  });

  test("may be long: elements are found by what they are, not one by one", () => {
    const many = Array.from({ length: 200_000 }, (_, i) => `f/${i}`);
    const wanted = many.toReversed().concat("f/new");
    const result = patched(
      "ConfigMap",
      { metadata: { finalizers: many } },
      { metadata: { finalizers: wanted } },
    ) as any;
    expect(result.metadata.finalizers).toEqual(wanted);
  });

  test("without a strategy are replaced", () => {
    const args = (...list: string[]) => pod({ name: "a", args: list });
    expect(patched("Pod", args("x", "y"), args("z"))).toEqual(args("z"));
  });

  test("of several types or of lists are refused", () => {
    expect(() => patched("ConfigMap", meta("a"), { metadata: { finalizers: [1] } })).toThrow(
      "list element types are not identical",
    );
    expect(() => patched("ConfigMap", meta(), { metadata: { finalizers: [["x"]] } })).toThrow(
      "lists of lists are not supported",
    );
  });
});

describe("objects", () => {
  test("merge by field, null deletes", () => {
    const original = { metadata: { labels: { a: "1", b: "2" }, annotations: { x: "y" } } };
    expect(patched("ConfigMap", original, { metadata: { labels: { a: null, c: "3" }, annotations: null } })).toEqual({
      metadata: { labels: { b: "2", c: "3" } },
    });
  });

  test("are replaced or emptied by $patch", () => {
    const original = { data: { a: "1", b: "2" } };
    expect(patched("ConfigMap", original, { data: { $patch: "replace", c: "3" } })).toEqual({ data: { c: "3" } });
    expect(patched("ConfigMap", original, { data: { $patch: "delete" } })).toEqual({ data: {} });
  });

  test("keep the keys of $retainKeys alone", () => {
    const original = { spec: { strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1 } } } };
    const patch = { spec: { strategy: { $retainKeys: ["type"], type: "Recreate" } } };
    expect(patched("Deployment", original, patch, "apps")).toEqual({ spec: { strategy: { type: "Recreate" } } });
    const wrong = { spec: { strategy: { $retainKeys: ["type"], rollingUpdate: {} } } };
    expect(() => patched("Deployment", original, wrong, "apps")).toThrow("invalid patch format of retainKeys");
    expect(() => patched("Deployment", original, { spec: { strategy: { $retainKeys: "type" } } }, "apps")).toThrow(
      "invalid patch format of retainKeys",
    );
  });

  test("that are new lose their nulls and directives", () => {
    const patch = pod({ name: "a", command: null, env: [{ name: "X", $patch: "delete" }, { name: "Y" }] });
    expect(patched("Pod", {}, patch)).toEqual(pod({ name: "a", env: [{ name: "Y" }] }));
  });

  test("without a schema merge as plain JSON", () => {
    const original = { data: { a: { b: 1 }, list: [1] } };
    expect(patched("ControllerRevision", original, { data: { a: { c: 2 }, list: [2] } }, "apps")).toEqual({
      data: { a: { b: 1, c: 2 }, list: [2] },
    });
  });
});

test.each([
  ["Pod", findKind("", "v1", "pods")!],
  ["Deployment", findKind("apps", "v1", "deployments")!],
  ["Service", findKind("", "v1", "services")!],
])("a patch of a %s applied twice is the patch applied once", (_, info) => {
  const arbitrary = arbitraryObject(info);
  fc.assert(
    fc.property(arbitrary, arbitrary, (a, b) => {
      const original = decodeValue(info, structuredClone(a)).object as unknown as JsonObject;
      const apply = (object: JsonObject) => {
        const merged = applyStrategicPatch(cloneJson(object), cloneJson(b), definition(info.kind, info.group));
        return decodeValue(info, merged).object as unknown as JsonObject;
      };
      const once = apply(original);
      expect(apply(once)).toEqual(once);
    }),
    { numRuns: 100 },
  );
});
