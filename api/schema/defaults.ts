import { assert } from "../assert.ts";
import type { KubeObject } from "../object.ts";
import type { Gvk } from "./decode.ts";
import type { Definition, Type } from "./facts.ts";
import { definitionOf } from "./facts.ts";

type Fill = (value: Record<string, any>) => void;

/** Made once per definition; null where nothing below it has a default. */
const fills = new Map<Definition, Fill | null>();

/**
 * Sets the defaults that the schema names, wherever their parent exists; changes the object in place. Defaults that
 * depend on other fields are the kind's own (`KindRules.setDefaults`), which run after these.
 */
export function applyDefaults(info: Gvk, object: KubeObject): void {
  const definition = definitionOf(info.group, info.version, info.kind);
  assert(definition, `no schema of ${info.kind}`);
  fillOf(definition)?.(object);
}

function fillOf(definition: Definition): Fill | null {
  const known = fills.get(definition);
  if (known !== undefined) return known;
  // A definition that contains itself finds this one, which asks again when it runs.
  fills.set(definition, (value) => fills.get(definition)?.(value));
  const steps: Fill[] = [];
  for (const property of definition.properties.values()) {
    const { name } = property;
    if (property.default !== undefined) {
      const text = property.default;
      const zero = !property.pointer && (text === '""' || text === "0" || text === "false");
      if (!zero) {
        steps.push((value) => {
          if (value[name] === undefined) value[name] = JSON.parse(text);
        });
      }
    }
    const inner = fillOfType(property.type);
    if (inner) {
      steps.push((value) => {
        if (value[name] !== undefined) inner(value[name]);
      });
    }
  }
  const fill: Fill | null =
    steps.length === 0
      ? null
      : (value) => {
          for (const step of steps) step(value);
        };
  fills.set(definition, fill);
  return fill;
}

function fillOfType(type: Type): ((value: any) => void) | null {
  switch (type.form) {
    case "scalar":
      return null;
    case "struct":
      return fillOf(type.definition);
    case "list": {
      const inner = fillOfType(type.of);
      return (
        inner &&
        ((value: unknown[]) => {
          for (const item of value) inner(item);
        })
      );
    }
    case "map": {
      const inner = fillOfType(type.of);
      return (
        inner &&
        ((value: object) => {
          for (const item of Object.values(value)) inner(item);
        })
      );
    }
  }
}
