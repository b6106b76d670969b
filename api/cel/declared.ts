import { fromJson } from "./json-values.ts";
import type { CelType } from "./types.ts";
import * as T from "./types.ts";
import type { CelValue } from "./values.ts";

/**
 * What is known of a variable, a field or an element: its type, how its JSON becomes a value, and how large it can be
 * (k8s.io/apiserver/pkg/cel DeclType).
 */
export interface Declared {
  readonly type: CelType;
  /** @throws Failure where the JSON is not of the type. */
  read(json: unknown): CelValue;
  /**
   * The most elements, entries or characters; 0 of what has no size. Undefined where nothing is promised, at any depth.
   */
  readonly maxElements?: number;
  /** The least bytes of it in JSON. */
  readonly minSerializedSize?: number;
  /** Of a struct: its fields, by their escaped names. */
  field?(name: string): Declared | undefined;
  /** The elements of a list, or the values of a map. */
  readonly elements?: Declared;
  readonly keys?: Declared;
}

/** Anything; JSON is read as it is. Also for optionals and other values that are passed in ready-made. */
export const declaredAs = (type: CelType): Declared => ({ type, read: fromJson });

/** An object of which nothing is known before it is there. */
export const ANYTHING: Declared = declaredAs(T.DYN);

/** A variable that is `optional.none()` where its JSON is undefined (`oldSelf` of rules with optionalOldSelf). */
export const optionalDeclared = (declared: Declared, wrap: (value: CelValue | undefined) => CelValue): Declared => ({
  ...declared,
  type: T.optionalOf(declared.type),
  read: (json) => wrap(json === undefined ? undefined : declared.read(json)),
});

/** An object with the fields that are given, whose sizes are not promised: `request`, `namespaceObject`. */
export function declaredObject(name: string, fields: Readonly<Record<string, Declared>>): Declared {
  const byName = new Map(Object.entries(fields));
  return { type: T.structNamed(name), read: fromJson, field: (field) => byName.get(field) };
}

export const declaredList = (elements: Declared, maxElements?: number): Declared => ({
  type: T.listOf(elements.type),
  read: fromJson,
  elements,
  ...(maxElements === undefined ? {} : { maxElements }),
});

export const declaredMap = (elements: Declared, maxElements?: number): Declared => ({
  type: T.mapOf(T.STRING, elements.type),
  read: fromJson,
  keys: declaredAs(T.STRING),
  elements,
  ...(maxElements === undefined ? {} : { maxElements }),
});

/** Every struct type within a declaration, itself included, by name. */
export function structsWithin(declared: Declared, structs: Map<string, Declared>): void {
  if (declared.elements) structsWithin(declared.elements, structs);
  if (declared.type.kind === "struct" && declared.field && !structs.has(declared.type.name)) {
    structs.set(declared.type.name, declared);
  }
}
