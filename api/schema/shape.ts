import { assert } from "../assert.ts";
import type { Json } from "../json-value.ts";
import type { Gvk } from "./decode.ts";
import { type Definition, definitionOf, type Property, type Type } from "./facts.ts";

/**
 * What may be owned and merged apart, and what only as a whole: the one view of a schema that managed fields, server-side apply
 * and their like have. Built-in kinds (`shapeOfBuiltIn`) and custom ones (`api/custom/`) are seen alike.
 *
 * A shape says nothing of validity: whoever walks a value by its shape meets values of other forms, and nulls.
 */
export type Shape = ScalarShape | AnyShape | ListShape | MapShape | StructShape;

/** One value: a string, a number, a boolean; also what has rules of its own (quantities, int-or-string, times). */
export interface ScalarShape {
  readonly form: "scalar";
  /** What it may be; "any" for an untyped scalar. */
  readonly type: "string" | "number" | "boolean" | "any";
}

/** No schema: maps are granular, lists atomic, at any depth (`__untyped_deduced_` upstream). */
export interface AnyShape {
  readonly form: "any";
  /** The whole is one value, whatever it is (`__untyped_atomic_` upstream; RawExtension). */
  readonly atomic: boolean;
}

/** x-kubernetes-list-type; a list without one is atomic. */
export interface ListShape {
  readonly form: "list";
  readonly of: Shape;
  readonly listType: "atomic" | "set" | "map";
  /** x-kubernetes-list-map-keys; empty but for lists of type `map`. */
  readonly keys: readonly string[];
  /** The defaults of keys that have one (`{ protocol: "TCP" }`): an element that leaves such a key out has the default as its key. */
  readonly keyDefaults: Readonly<Record<string, Json>>;
}

/** additionalProperties. Atomic only where x-kubernetes-map-type says so. */
export interface MapShape {
  readonly form: "map";
  readonly of: Shape;
  readonly atomic: boolean;
}

/** properties. Atomic only where x-kubernetes-map-type says so. */
export interface StructShape {
  readonly form: "struct";
  readonly atomic: boolean;
  /** The shape of a declared property. */
  property(name: string): Shape | undefined;
  /**
   * What a Go program writes of a declared property of which nothing is said; undefined where it leaves it out. Our objects may lack
   * it all the same. Only built-in kinds have such properties.
   */
  zero?(name: string): Json;
  /** The shape of what is not declared (x-kubernetes-preserve-unknown-fields, or additionalProperties beside properties); undefined: nothing else may be there. */
  readonly unknown: Shape | undefined;
}

/** A map without a schema. */
export const ANY: AnyShape = { form: "any", atomic: false };
/** A value that is owned as a whole, whatever it is. */
export const ATOMIC_ANY: AnyShape = { form: "any", atomic: true };

/** The shape of a built-in kind; made once. The kind must be known (`definitionOf`). */
export function shapeOfBuiltIn({ group, version, kind }: Gvk): StructShape {
  const definition = definitionOf(group, version, kind);
  assert(definition, `no schema of ${group}/${version} ${kind}`);
  return structShape(definition, definition.atomic);
}

/** Of every object, built-in or custom: metav1.ObjectMeta. */
export function shapeOfObjectMeta(): Shape {
  const pod = shapeOfBuiltIn({ group: "", version: "v1", kind: "Pod" });
  const metadata = pod.property("metadata");
  assert(metadata, "a pod has metadata");
  return metadata;
}

const STRING: ScalarShape = { form: "scalar", type: "string" };
const NUMBER: ScalarShape = { form: "scalar", type: "number" };
const BOOLEAN: ScalarShape = { form: "scalar", type: "boolean" };
const UNTYPED: ScalarShape = { form: "scalar", type: "any" };

/** By definition: as it is, and as atomic where the property that holds it says so. */
const granular = new WeakMap<Definition, StructShape>();
const atomic = new WeakMap<Definition, StructShape>();

function structShape(definition: Definition, isAtomic: boolean): StructShape {
  const known = isAtomic ? atomic : granular;
  let shape = known.get(definition);
  if (!shape) {
    shape = makeStructShape(definition, isAtomic);
    known.set(definition, shape);
  }
  return shape;
}

/** Properties get their shapes when they are first asked for: definitions refer to themselves, and most are never met. */
function makeStructShape(definition: Definition, isAtomic: boolean): StructShape {
  const shapes = new Map<string, Shape | undefined>();
  return {
    form: "struct",
    atomic: isAtomic,
    unknown: undefined,
    zero(name) {
      const property = definition.properties.get(name);
      return property && zeroOf(property);
    },
    property(name) {
      let shape = shapes.get(name);
      if (shape === undefined) {
        const property = definition.properties.get(name);
        // Names that are not properties are the clients': they are not kept.
        if (!property) return undefined;
        shape = shapeOfProperty(property);
        shapes.set(name, shape);
      }
      return shape;
    },
  };
}

/** A struct is written although there is nothing in it, unless it says otherwise; what is said of it is for its own properties. */
const EMPTY: Json = Object.freeze({});

function zeroOf({ type, pointer, neverOmitted, omitZero }: Property): Json {
  if (pointer || type.form === "list" || type.form === "map") return neverOmitted ? null : undefined;
  if (omitZero) return undefined;
  const code = type.form === "struct" ? type.definition.scalar : type.code;
  switch (code) {
    case undefined:
      return EMPTY;
    // These are structs to Go as well.
    case "q":
      return "0";
    case "x":
      return 0;
    case "t":
    case "m":
    case "r":
      return null;
    case "s":
      return neverOmitted ? "" : undefined;
    case "i":
    case "l":
    case "d":
      return neverOmitted ? 0 : undefined;
    case "b":
      return neverOmitted ? false : undefined;
    default:
      return neverOmitted ? null : undefined;
  }
}

function shapeOfProperty({ type, listType, mapKeys }: Property): Shape {
  switch (type.form) {
    case "list":
      return listShape(type.of, listType ?? "atomic", mapKeys);
    case "map":
      return { form: "map", of: shapeOfType(type.of), atomic: listType === "atomic" };
    case "struct":
      return type.definition.scalar === undefined && listType === "atomic"
        ? structShape(type.definition, true)
        : shapeOfType(type);
    case "scalar":
      return shapeOfType(type);
  }
}

function listShape(of: Type, listType: ListShape["listType"], keys: readonly string[]): ListShape {
  const keyDefaults: Record<string, Json> = {};
  if (of.form === "struct") {
    for (const key of keys) {
      const text = of.definition.properties.get(key)?.default;
      if (text !== undefined) keyDefaults[key] = JSON.parse(text);
    }
  }
  let element: Shape | undefined;
  return {
    form: "list",
    listType,
    keys,
    keyDefaults,
    get of() {
      element ??= shapeOfType(of);
      return element;
    },
  };
}

function shapeOfType(type: Type): Shape {
  switch (type.form) {
    case "list":
      return listShape(type.of, "atomic", []);
    case "map":
      return { form: "map", of: shapeOfType(type.of), atomic: false };
    case "struct": {
      const { definition } = type;
      if (definition.scalar !== undefined) return shapeOfCode(definition.scalar);
      return structShape(definition, definition.atomic);
    }
    case "scalar":
      return shapeOfCode(type.code);
  }
}

function shapeOfCode(code: string): Shape {
  switch (code) {
    case "s":
    case "y":
      return STRING;
    case "i":
    case "l":
    case "d":
      return NUMBER;
    case "b":
      return BOOLEAN;
    case "q":
    case "t":
    case "m":
    case "x":
      return UNTYPED;
    case "r":
      return ATOMIC_ANY;
    default:
      return ANY;
  }
}
