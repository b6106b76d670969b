import fc from "fast-check";
import type { Gvk } from "../../api/schema/decode.ts";
import { type Definition, definitionOf, type ScalarCode, type Type } from "../../api/schema/facts.ts";

export type Arbitrary = fc.Arbitrary<Record<string, unknown>>;

/** Deeper structs are left empty, so that objects stay small. */
const DEPTH_MAX = 5;
const FIELDS_MAX = 4;

const SCALARS: Record<ScalarCode, fc.Arbitrary<unknown>> = {
  s: fc.constantFrom("", "a", "b", "x-1", "ä"),
  i: fc.constantFrom(0, 1, -1, 2147483647),
  l: fc.constantFrom(0, 1, 30, 9007199254740991),
  d: fc.constantFrom(0, 0.5),
  b: fc.boolean(),
  y: fc.constantFrom("", "YQ==", "YWJj"),
  q: fc.constantFrom("1", "100m", "1024Mi", "0.5", "1e3", 2),
  t: fc.constantFrom("2025-01-02T03:04:05Z", "2025-01-02T03:04:05+01:00"),
  m: fc.constantFrom("2025-01-02T03:04:05.000001Z"),
  x: fc.constantFrom(80, "http", 0, "25%"),
  r: fc.constantFrom({ a: 1 }, {}),
  f: fc.constantFrom({ "f:spec": {} }),
  j: fc.constantFrom(1, "a", [1], { a: null }),
  n: fc.constantFrom(1, "a", [1], { a: null }),
  u: fc.constantFrom({ type: "string" }, ["a"]),
  v: fc.constantFrom({ type: "string" }, true, false),
  w: fc.constantFrom({ type: "string" }, [{ type: "string" }, {}]),
};

/**
 * Objects of a kind with some of its fields, nulls and zeros among them; all of them are well-typed, and the elements of
 * lists have their merge keys.
 */
export function arbitraryObject({ group, version, kind }: Gvk): Arbitrary {
  return structOf(definitionOf(group, version, kind)!, 0).map((object) => ({
    ...object,
    apiVersion: group ? `${group}/${version}` : version,
    kind,
  }));
}

function structOf(definition: Definition, depth: number, mergeKey = ""): Arbitrary {
  const key = definition.properties.get(mergeKey);
  if (key) {
    const isText = key.type.form === "scalar" && key.type.code === "s";
    const value: fc.Arbitrary<unknown> = isText ? fc.constantFrom("a", "b", "c") : fc.constantFrom(1, 2, 3);
    return fc.tuple(structOf(definition, depth), value).map(([object, named]) => ({ ...object, [mergeKey]: named }));
  }
  if (depth > DEPTH_MAX) return fc.constant({});
  const properties = [...definition.properties.values()];
  if (properties.length === 0) return fc.constant({});
  return fc
    .subarray(properties, { maxLength: Math.min(FIELDS_MAX, properties.length) })
    .chain((chosen) =>
      fc.record(
        Object.fromEntries(
          chosen.map((property) => [
            property.name,
            fc.oneof(
              { weight: 9, arbitrary: valueFor(property.type, depth + 1, property.mergeKey) },
              { weight: 1, arbitrary: fc.constant(null) },
            ),
          ]),
        ),
      ),
    );
}

function valueFor(type: Type, depth: number, mergeKey = ""): fc.Arbitrary<unknown> {
  switch (type.form) {
    case "scalar":
      return SCALARS[type.code];
    case "struct":
      return structOf(type.definition, depth, mergeKey);
    case "list":
      return fc.uniqueArray(valueFor(type.of, depth, mergeKey), {
        maxLength: 2,
        selector: (item) => (mergeKey ? (item as Record<string, unknown>)[mergeKey] : item),
      });
    case "map":
      return fc.dictionary(fc.constantFrom("a", "b", "cpu"), valueFor(type.of, depth), { maxKeys: 2 });
  }
}
