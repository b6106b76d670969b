import { expect, test } from "vitest";
import { issuesOf, run } from "../../test/support/evaluate-cel.ts";
import type { JsonSchema } from "../custom/definition.ts";
import type { Declared } from "./declared.ts";
import { declaredOfStructural } from "./structural.ts";
import { formatType } from "./types.ts";

const text: JsonSchema = { type: "string" };
const number: JsonSchema = { type: "integer" };
const object = (properties: Record<string, JsonSchema>, more: JsonSchema = {}): JsonSchema => ({
  type: "object",
  properties,
  ...more,
});
const list = (items: JsonSchema, more: JsonSchema = {}): JsonSchema => ({ type: "array", items, ...more });

const declare = (schema: JsonSchema, isResourceRoot = false): Declared =>
  declaredOfStructural(schema, { name: "self", isResourceRoot })!;

/** What a rule says of a value. */
function judge(schema: JsonSchema, rule: string, self: unknown, oldSelf?: unknown): unknown {
  const declared = declare(schema);
  const { value, error } = run(
    rule,
    { self, ...(oldSelf === undefined ? {} : { oldSelf }) },
    { self: declared, oldSelf: declared },
  );
  return error === undefined ? value : `! ${error}`;
}

test("the rules of Kubernetes' documentation judge as it says", () => {
  const counts = object({ minReplicas: number, replicas: number, maxReplicas: number });
  const rule = "self.minReplicas <= self.replicas && self.replicas <= self.maxReplicas";
  expect(judge(counts, rule, { minReplicas: 1, replicas: 2, maxReplicas: 3 })).toBe(true);
  expect(judge(counts, rule, { minReplicas: 3, replicas: 2, maxReplicas: 3 })).toBe(false);

  const map = { type: "object", additionalProperties: text } satisfies JsonSchema;
  const widgets = object({ widgets: map, details: { type: "object", additionalProperties: object({ key: text }) } });
  expect(judge(widgets, "self.widgets.exists(w, self.widgets[w] == 'x' && w < 'foo')", { widgets: { a: "x" } })).toBe(
    true,
  );
  expect(
    judge(object({ stateCounts: map }), "'Available' in self.stateCounts", { stateCounts: { Available: "1" } }),
  ).toBe(true);
  const exclusive = "(size(self.list1) == 0) != (size(self.list2) == 0)";
  expect(judge(object({ list1: list(text), list2: list(text) }), exclusive, { list1: [], list2: ["a"] })).toBe(true);

  const envars = object({ envars: list(object({ name: text, value: text })) });
  const unset = "self.envars.filter(e, e.name == 'MY_ENV').all(e, e.value.matches('^[a-zA-Z]*$'))";
  expect(
    judge(envars, unset, {
      envars: [
        { name: "MY_ENV", value: "ok" },
        { name: "X", value: "1" },
      ],
    }),
  ).toBe(true);
  expect(judge(envars, unset, { envars: [{ name: "MY_ENV", value: "1" }] })).toBe(false);
  expect(
    judge(
      object({ expired: { type: "boolean" }, foo: number }),
      "has(self.expired) && self.foo > 0 ? self.expired : true",
      { foo: 1 },
    ),
  ).toBe(true);
  expect(judge(object({ health: text }), "self.health.startsWith('ok')", { health: "ok!" })).toBe(true);
  const port = object({ port: { "x-kubernetes-int-or-string": true } });
  const both = "type(self.port) == string ? self.port == '100%' : self.port == 1000";
  expect(judge(port, both, { port: "100%" })).toBe(true);
  expect(judge(port, both, { port: 1000 })).toBe(true);
  expect(judge(object({ foo: text }), "self.foo == oldSelf.foo", { foo: "a" }, { foo: "b" })).toBe(false);
  const times = object({ from: { type: "string", format: "date-time" }, to: { type: "string", format: "date-time" } });
  expect(
    judge(times, "self.to > self.from + duration('1h')", { from: "2024-01-01T00:00:00Z", to: "2024-01-01T02:00:00Z" }),
  ).toBe(true);
});

test("properties have escaped names", () => {
  const schema = object({ namespace: text, "a-b.c/d": text, x__y: text, "1st": text, ä: text });
  const self = { namespace: "n", "a-b.c/d": "k", x__y: "u", "1st": "f" };
  expect(judge(schema, "self.__namespace__ + self.a__dash__b__dot__c__slash__d + self.x__underscores__y", self)).toBe(
    "nku",
  );
  expect(issuesOf("self.x__y", { self: declare(schema) })).toContain("undefined field 'x__y'");
});

test("the root of a resource always has a name and a kind, and nothing else of the metadata", () => {
  const self = { apiVersion: "v1", kind: "Foo", metadata: { name: "n", labels: {} } };
  const declared = declare(object({}), true);
  expect(run("self.metadata.name + self.kind", { self }, { self: declared }).value).toBe("nFoo");
  expect(issuesOf("self.metadata.labels", { self: declared })).toContain("undefined field 'labels'");
  expect(issuesOf("self.kind", { self: declare(object({})) })).toContain("undefined field 'kind'");
});

test("what a schema does not describe cannot be spoken of, and yet counts for equality", () => {
  const schema = object({
    free: object({}, { "x-kubernetes-preserve-unknown-fields": true }),
    any: { "x-kubernetes-preserve-unknown-fields": true },
  });
  const declared = declare(schema);
  expect(issuesOf("self.free.a", { self: declared })).toContain("undefined field 'a'");
  expect(issuesOf("self.any", { self: declared })).toContain("undefined field 'any'");
  expect(judge(schema, "self == oldSelf", { free: { a: [1] } }, { free: { a: [1] } })).toBe(true);
  expect(judge(schema, "self == oldSelf", { free: { a: [1] } }, { free: { a: [2] } })).toBe(false);
  expect(judge(schema, "self == oldSelf", { any: 1 }, { any: "1" })).toBe(false);
});

test("a null is absent from an object, and a value elsewhere", () => {
  const schema = object({ a: { ...text, nullable: true }, all: list({ ...text, nullable: true }) });
  expect(judge(schema, "has(self.a)", { a: null })).toBe(false);
  expect(judge(schema, "self.a == 'x'", { a: null })).toBe("! no such key: a");
  expect(judge(schema, "dyn(self.all[0]) == null", { all: [null] })).toBe(true);
  expect(judge(object({ all: list(text) }), "self.all[0] == ''", { all: [null] })).toBe(
    "! invalid data, got null for schema with nullable=false",
  );
});

test("sets and lists of type map compare without order, and add up by element and key", () => {
  const set = object({ set: list(text, { "x-kubernetes-list-type": "set" }) });
  expect(judge(set, "self.set == ['b', 'a']", { set: ["a", "b"] })).toBe(true);
  expect(judge(set, "self.set + ['b', 'c']", { set: ["a", "b"] })).toEqual(["a", "b", "c"]);
  const ports = object({
    ports: list(object({ port: number, name: text }), {
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["port"],
    }),
  });
  const self = { ports: [{ port: 1, name: "a" }, { port: 2 }] };
  expect(judge(ports, "self.ports == oldSelf.ports", self, { ports: [{ port: 2 }, { port: 1, name: "a" }] })).toBe(
    true,
  );
  expect(judge(ports, "self.ports == oldSelf.ports", self, { ports: [{ port: 2 }, { port: 1, name: "b" }] })).toBe(
    false,
  );
  const merged = "(self.ports + oldSelf.ports).map(p, p.?name.orValue('-'))";
  expect(judge(ports, merged, self, { ports: [{ port: 3 }, { port: 1, name: "new" }] })).toEqual(["new", "-", "-"]);
  const atomic = object({ all: list(text) });
  expect(judge(atomic, "self.all == ['b', 'a']", { all: ["a", "b"] })).toBe(false);
});

test("formats are types of their own", () => {
  const schema = object({
    at: { type: "string", format: "date-time" },
    day: { type: "string", format: "date" },
    span: { type: "string", format: "duration" },
    data: { type: "string", format: "byte" },
    ratio: { type: "number" },
  });
  const types = ["at", "day", "span", "data", "ratio"].map((name) => formatType(declare(schema).field!(name)!.type));
  expect(types).toEqual(["timestamp", "timestamp", "duration", "bytes", "double"]);
  const self = { at: "2024-01-01T10:00:00Z", day: "2024-02-29", span: "2 days", data: "aGk=", ratio: 1 };
  expect(judge(schema, "self.at.getHours() + self.day.getDate()", self)).toBe(39n);
  expect(judge(schema, "self.span == duration('48h') && string(self.data) == 'hi' && self.ratio == 1.0", self)).toBe(
    true,
  );
  expect(judge(schema, "self.at.getHours()", { at: "yesterday" })).toBe(
    "! Invalid date-time formatted string yesterday",
  );
});

test("sizes that the schema does not bound are bounded by the request", () => {
  const declared = declare(
    object({
      names: list(text),
      short: { ...text, maxLength: 5 },
      map: { type: "object", additionalProperties: number },
    }),
  );
  expect(declared.field!("names")!.maxElements).toBe(1048575);
  expect(declared.field!("short")!.maxElements).toBe(20);
  expect(declared.field!("map")!.maxElements).toBe(449389);
  expect(declare(object({ a: text, b: number }, { required: ["a", "b"] })).minSerializedSize).toBe(15);
});
