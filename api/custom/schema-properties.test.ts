import fc from "fast-check";
import { expect, test } from "vitest";
import { cloneJson, isObject } from "../json-value.ts";
import { setDefaults } from "./default.ts";
import type { JsonSchema } from "./definition.ts";
import { prune, pruneNulls } from "./prune.ts";
import { structuralOf } from "./structural.ts";
import { validateValue } from "./validate-value.ts";

const NAMES = ["a", "b", "c", "__proto__"];

/** Structural schemas with defaults that may not even be valid, and preserving parts. */
const { schema: schemas } = fc.letrec<{ schema: JsonSchema }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 4 },
    fc.record(
      {
        type: fc.constant("string"),
        nullable: fc.boolean(),
        default: fc.constantFrom("d", "e"),
        enum: fc.constantFrom(["d"], ["d", "e"]),
      },
      { requiredKeys: ["type"] },
    ),
    fc.record(
      {
        type: fc.constant("integer"),
        default: fc.integer({ min: 0, max: 9 }),
        minimum: fc.constant(2),
        maximum: fc.constant(7),
      },
      { requiredKeys: ["type"] },
    ),
    fc.record(
      {
        type: fc.constant("object"),
        properties: fc.dictionary(fc.constantFrom(...NAMES), tie("schema"), { maxKeys: 3 }),
        required: fc.subarray(NAMES),
        default: fc.constantFrom({}, { a: null }, { a: "x", z: {} }),
        nullable: fc.boolean(),
        "x-kubernetes-preserve-unknown-fields": fc.boolean(),
        "x-kubernetes-embedded-resource": fc.boolean(),
      },
      { requiredKeys: ["type"] },
    ),
    fc.record(
      { type: fc.constant("object"), additionalProperties: fc.oneof(tie("schema"), fc.boolean()) },
      { requiredKeys: ["type"] },
    ),
    fc.record({ type: fc.constant("array"), items: tie("schema") }, { requiredKeys: ["type", "items"] }),
  ) as fc.Arbitrary<JsonSchema>,
}));

const values = fc
  .letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom(null, "d", "x", 5, 1.5, true),
      fc.dictionary(fc.constantFrom(...NAMES, "z", "metadata", "kind"), tie("value"), { maxKeys: 4 }),
      fc.array(tie("value"), { maxLength: 3 }),
    ),
  }))
  .value.map((value) => JSON.parse(JSON.stringify(value)) as unknown);

const after = (value: unknown, ...steps: ((value: unknown) => unknown)[]): unknown => {
  const copy = cloneJson(value);
  for (const step of steps) step(copy);
  return copy;
};

test("setting defaults twice is setting them once", () => {
  fc.assert(
    fc.property(schemas, values, (schema, value) => {
      const node = structuralOf(schema);
      const once = after(value, (v) => setDefaults(v, node));
      expect(after(once, (v) => setDefaults(v, node))).toEqual(once);
    }),
  );
});

test("pruning twice is pruning once, and what is left is told to be known", () => {
  fc.assert(
    fc.property(schemas, values, fc.boolean(), (schema, value, isRoot) => {
      const node = structuralOf(schema);
      const once = after(value, (v) => prune(v, node, { isRoot }));
      const again = cloneJson(once);
      expect(prune(again, node, { isRoot })).toEqual([]);
      expect(again).toEqual(once);
    }),
  );
});

test("what was defaulted and pruned is not changed by doing so again", () => {
  fc.assert(
    fc.property(schemas, values, (schema, value) => {
      const node = structuralOf(schema);
      const steps = [
        (v: unknown) => prune(v, node, { isRoot: false }),
        (v: unknown) => pruneNulls(v, node),
        (v: unknown) => setDefaults(v, node),
      ];
      const fixed = after(value, ...steps, ...steps);
      expect(after(fixed, ...steps)).toEqual(fixed);
    }),
  );
});

test("nothing is ever put onto the prototype of objects", () => {
  fc.assert(
    fc.property(schemas, values, (schema, value) => {
      const node = structuralOf(schema);
      after(
        value,
        (v) => prune(v, node, { isRoot: true }),
        (v) => pruneNulls(v, node),
        (v) => setDefaults(v, node),
      );
      expect(Object.keys(Object.prototype)).toEqual([]);
      expect(Object.getPrototypeOf({})).toBe(Object.prototype);
    }),
  );
});

/** Types, enums, ranges and required fields, judged the short way. */
function isValid(value: unknown, schema: JsonSchema): boolean {
  if (value === null) return schema.nullable === true && schema.enum === undefined;
  if (schema.enum && !schema.enum.includes(value)) return false;
  switch (schema.type) {
    case "string":
      return typeof value === "string";
    case "integer":
      return (
        Number.isInteger(value) &&
        (value as number) >= (schema.minimum ?? -1e9) &&
        (value as number) <= (schema.maximum ?? 1e9)
      );
    case "array":
      return Array.isArray(value) && value.every((item) => isValid(item, schema.items as JsonSchema));
    default: {
      if (!isObject(value)) return false;
      const { properties = {}, additionalProperties, required = [] } = schema;
      const isField = (key: string) => Object.hasOwn(properties, key);
      return (
        required.every((name) => Object.hasOwn(value, name)) &&
        Object.keys(value).every((key) => {
          if (isField(key)) return isValid(value[key], properties[key]!);
          return isObject(additionalProperties)
            ? isValid(value[key], additionalProperties as JsonSchema)
            : additionalProperties !== false;
        })
      );
    }
  }
}

test("validation agrees with a model of its own", () => {
  fc.assert(
    fc.property(schemas, values, (schema, value) => {
      expect(validateValue(value, schema).length === 0).toBe(isValid(value, schema));
    }),
    { numRuns: 500 },
  );
});
