import { expect, test } from "vitest";
import { issuesOf, programOf } from "../../test/support/evaluate-cel.ts";
import { declaredOfDefinition } from "./built-in.ts";
import { compile } from "./cel.ts";
import { ANYTHING, declaredAs, declaredObject } from "./declared.ts";
import { fromJson } from "./json-values.ts";
import { CostBudget } from "./meter.ts";
import { formatType, STRING, structNamed } from "./types.ts";
import { StructValue } from "./values.ts";

const pod = declaredOfDefinition("core.v1.Pod", "Pod");

test("expressions are checked against the types of built-in kinds", () => {
  const types = {
    "object.spec.containers.all(c, c.image.startsWith('x'))": "bool",
    "object.metadata.labels['a']": "string",
    "object.metadata.creationTimestamp": "timestamp",
    "object.spec.containers[0].resources.limits.cpu": "string",
    "object.spec.containers[0].livenessProbe.httpGet.port": "dyn",
    "object.spec.containers": "list(Pod.spec.containers.@idx)",
  };
  for (const [source, type] of Object.entries(types)) {
    expect(formatType(programOf(source, { object: pod }).resultType), source).toBe(type);
  }
  expect(issuesOf("object.spec.replicas > 1", { object: pod })).toContain("undefined field 'replicas'");
});

test("types that contain themselves have no end", () => {
  const crd = declaredOfDefinition("^apis.apiextensions.v1.JSONSchemaProps", "Schema");
  expect(formatType(programOf("s.properties['a'].properties['b'].type", { s: crd }).resultType)).toBe("string");
});

test("structs are constructed field by field", () => {
  const environment = {
    variables: { x: ANYTHING },
    constructible: (name: string) =>
      name === "Object"
        ? { type: structNamed(name), read: fromJson, field: () => ANYTHING }
        : name === "JSONPatch"
          ? declaredObject(name, { op: declaredAs(STRING), value: ANYTHING })
          : undefined,
    jsonPatch: true,
  };
  const { program } = compile("Object{a: 1, ?b: x.?b, ?c: x.?c}", environment);
  const made = program!.evaluate({ x: { b: "B" } }, new CostBudget(1000));
  expect(made).toBeInstanceOf(StructValue);
  expect([...(made as StructValue).fields]).toEqual([
    ["a", 1n],
    ["b", "B"],
  ]);
  expect(compile("[JSONPatch{op: 'add', value: Object{a: 1}.a}]", environment).issues).toBeUndefined();
  expect(compile("JSONPatch{op: 1}", environment).issues).toContain(
    "expected type of field 'op' is 'string' but provided type is 'int'",
  );
  expect(compile("JSONPatch{what: 1}", environment).issues).toContain("undefined field 'what'");
  const escaped = compile("jsonpatch.escapeKey('a/b~c')", environment).program!;
  expect(escaped.evaluate({}, new CostBudget(1000))).toBe("a~1b~0c");
  expect(issuesOf("jsonpatch.escapeKey('a')")).toContain("undeclared reference to 'jsonpatch'");
});
