import { ANYTHING, type Declared, declaredAs } from "../cel/declared.ts";
import { fromJson } from "../cel/json-values.ts";
import * as T from "../cel/types.ts";

const OBJECT_NAME = "Object";
/** The object that a mutation's ApplyConfiguration makes. */
export const OBJECT = T.structNamed(OBJECT_NAME);
/** One operation of a mutation's JSONPatch. */
export const PATCH = T.structNamed("JSONPatch");

const TEXT = declaredAs(T.STRING);
const PATCH_FIELDS = new Map<string, Declared>([
  ["op", TEXT],
  ["path", TEXT],
  ["from", TEXT],
  ["value", ANYTHING],
]);

/**
 * The structs that mutations may construct, by name: `JSONPatch`, and any part of an object, which is called by its path (`Object.spec`).
 * That those stand in their places, and have fields that are there, is seen when they are merged (k8s.io/apiserver/pkg/cel/mutation).
 */
export function mutationType(name: string): Declared | undefined {
  if (name === "JSONPatch") return { type: PATCH, read: fromJson, field: (field) => PATCH_FIELDS.get(field) };
  if (name !== OBJECT_NAME && !name.startsWith(`${OBJECT_NAME}.`)) return undefined;
  return { type: T.structNamed(name), read: fromJson, field: () => ANYTHING };
}
