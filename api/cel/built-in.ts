import { definitionNamed, type ScalarCode, type Type } from "../schema/facts.ts";
import { ANYTHING, type Declared, declaredAs } from "./declared.ts";
import { escapeIdentifier, unescapeIdentifier } from "./identifier.ts";
import { fromJson } from "./json-values.ts";
import * as T from "./types.ts";

/** How the published schema describes values that are no structs: quantities are texts, times have a format. */
const SCALARS: Readonly<Record<ScalarCode, T.CelType>> = {
  s: T.STRING,
  i: T.INT,
  l: T.INT,
  d: T.DOUBLE,
  b: T.BOOL,
  y: T.BYTES,
  q: T.STRING,
  t: T.TIMESTAMP,
  m: T.TIMESTAMP,
  x: T.DYN,
  r: T.DYN,
  f: T.DYN,
  j: T.DYN,
  n: T.DYN,
  u: T.DYN,
  v: T.DYN,
  w: T.DYN,
};

/**
 * A built-in type as a declaration to check expressions against: what a policy's status says of its expressions. Its values are read as
 * plain JSON, as policies see objects. Struct types are called by their place: `Pod`, `Pod.spec`, `Pod.spec.containers.@idx`.
 */
export function declaredOfBuiltIn(type: Type, name: string): Declared {
  switch (type.form) {
    case "scalar":
      return declaredAs(SCALARS[type.code]);
    case "list": {
      const elements = declaredOfBuiltIn(type.of, `${name}.@idx`);
      return { type: T.listOf(elements.type), read: fromJson, elements };
    }
    case "map": {
      const elements = declaredOfBuiltIn(type.of, `${name}.@elem`);
      return { type: T.mapOf(T.STRING, elements.type), read: fromJson, keys: declaredAs(T.STRING), elements };
    }
    case "struct": {
      const { definition } = type;
      if (definition.scalar) return declaredAs(SCALARS[definition.scalar]);
      return {
        type: T.structNamed(name),
        read: fromJson,
        field: (field) => {
          const key = unescapeIdentifier(field);
          const property = key === undefined ? undefined : definition.properties.get(key);
          return property && escapeIdentifier(property.name) === field
            ? declaredOfBuiltIn(property.type, `${name}.${field}`)
            : undefined;
        },
      };
    }
  }
}

/** As `declaredOfBuiltIn`, of the definition of a name (`core.v1.Pod`); anything, where there is none. */
export function declaredOfDefinition(definition: string, name: string): Declared {
  const found = definitionNamed(definition);
  return found ? declaredOfBuiltIn({ form: "struct", definition: found }, name) : ANYTHING;
}
