import { describe, expect, test } from "vitest";
import { changesBetween } from "./changes.ts";

const web = (image: string) => ({ name: "web", image });
const log = { name: "log", image: "log:1" };
const of = (...containers: object[]) => ({ spec: { containers } });

describe("changes between versions", () => {
  test.each([
    ["a value", { spec: { replicas: 1 } }, { spec: { replicas: 3 } }, [{ path: "spec.replicas", from: 1, to: 3 }]],
    ["an added field", { spec: {} }, { spec: { paused: true } }, [{ path: "spec.paused", to: true }]],
    ["a removed field", { spec: { paused: true } }, { spec: {} }, [{ path: "spec.paused", from: true }]],
    ["a field added with all that is in it", {}, { data: { a: "1" } }, [{ path: "data", to: { a: "1" } }]],
    [
      "an item of a list, by its name",
      of(log, web("web:1")),
      of(log, web("web:2")),
      [{ path: "spec.containers[web].image", from: "web:1", to: "web:2" }],
    ],
    ["an item that came first", of(web("web:1")), of(log, web("web:1")), [{ path: "spec.containers[log]", to: log }]],
    [
      "the order of items",
      of(log, web("web:1")),
      of(web("web:1"), log),
      [{ path: "spec.containers", from: [log, web("web:1")], to: [web("web:1"), log] }],
    ],
    [
      "objects that nothing tells apart, by their place",
      { ports: [{ port: 80 }] },
      { ports: [{ port: 80 }, { port: 81 }] },
      [{ path: "ports[1]", to: { port: 81 } }],
    ],
    [
      "objects of which two have the same name, by their place",
      of(log, log),
      of(log, web("web:1")),
      [
        { path: "spec.containers[1].name", from: "log", to: "web" },
        { path: "spec.containers[1].image", from: "log:1", to: "web:1" },
      ],
    ],
    [
      "a list of values as a whole",
      { args: ["a"] },
      { args: ["a", "b"] },
      [{ path: "args", from: ["a"], to: ["a", "b"] }],
    ],
    [
      "keys that are no plain names",
      { metadata: { labels: { "example.com/tier": "a" } } },
      { metadata: { labels: { "example.com/tier": "b" } } },
      [{ path: "metadata.labels[example.com/tier]", from: "a", to: "b" }],
    ],
    ["another type", { a: { b: 1 } }, { a: [1] }, [{ path: "a", from: { b: 1 }, to: [1] }]],
    ["null", { a: 1 }, { a: null }, [{ path: "a", from: 1, to: null }]],
    ["a field of an odd name", JSON.parse('{"__proto__":1}'), {}, [{ path: "__proto__", from: 1 }]],
  ])("tell %s", (_, older, newer, changes) => {
    expect(changesBetween(older, newer)).toEqual(changes);
  });

  test("leave out what every write changes, and what repeats another change", () => {
    const written = (n: number, annotations: object) => ({
      metadata: { resourceVersion: String(n), generation: n, managedFields: [{ time: n }], ...annotations },
    });
    const applied = (n: number) => ({
      annotations: { "kubectl.kubernetes.io/last-applied-configuration": String(n) },
    });
    expect(changesBetween(written(1, applied(1)), written(2, applied(2)))).toEqual([]);
    expect(changesBetween(written(1, {}), written(2, applied(2)))).toEqual([]);
    expect(changesBetween(written(1, {}), written(2, { annotations: { a: "b" } }))).toEqual([
      { path: "metadata.annotations", to: { a: "b" } },
    ]);
  });

  test("are none where only the order of fields differs", () => {
    expect(changesBetween({ a: 1, b: { c: 2, d: 3 } }, { b: { d: 3, c: 2 }, a: 1 })).toEqual([]);
  });
});
