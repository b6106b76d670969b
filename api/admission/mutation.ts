import { RUNTIME_COST_BUDGET } from "../cel/cel.ts";
import { CostBudget } from "../cel/meter.ts";
import { CelList, type CelValue, Optional, StructValue } from "../cel/values.ts";
import { cloneJson, isObject, type Json, type JsonObject } from "../json-value.ts";
import { checkShape } from "../managed-fields/check-shape.ts";
import { mergeApplied } from "../managed-fields/merge-applied.ts";
import type { KubeObject } from "../object.ts";
import { applyJsonPatch, JSON_PATCH_OPERATIONS_MAX, type JsonPatchOperation } from "../patch/json.ts";
import type { Shape } from "../schema/shape.ts";
import { BadMutation, checkStructNames, jsonOf } from "./cel-json.ts";
import { type Activation, type CompiledVariable, evaluate, withVariables } from "./evaluation.ts";
import type { CompiledExpression } from "./expressions.ts";
import type { Mutation } from "./policies.ts";

/**
 * What one mutation of a MutatingAdmissionPolicy makes of the object that it is shown, in the same version; undefined: nothing.
 * @throws Error in upstream's words, and OutOfBudget
 */
export function mutate(
  mutation: Mutation,
  compiled: CompiledExpression,
  object: Readonly<KubeObject>,
  shape: Shape,
  activation: Activation,
  variables: readonly CompiledVariable[],
): JsonObject | undefined {
  const isPatch = mutation.patchType === "JSONPatch";
  const { expression: source = "" } = (isPatch ? mutation.jsonPatch : mutation.applyConfiguration) ?? {};
  if (compiled.error !== undefined) throw new BadMutation(compiled.error);
  const budget = new CostBudget(RUNTIME_COST_BUDGET);
  const { value, error } = evaluate(source, compiled, withVariables(activation, variables, budget), budget);
  if (error !== undefined) throw new BadMutation(error);
  return isPatch ? patched(object, operationsOf(value!)) : applied(object, value!, shape);
}

function operationsOf(value: CelValue): JsonPatchOperation[] {
  if (!(value instanceof CelList)) {
    throw new BadMutation("type mismatch: JSONPatchType.expression should evaluate to array");
  }
  if (value.length > JSON_PATCH_OPERATIONS_MAX) {
    throw new BadMutation(`JSON Patch: more than ${JSON_PATCH_OPERATIONS_MAX} operations`);
  }
  return Array.from(value, operationOf);
}

function operationOf(value: CelValue): JsonPatchOperation {
  if (!(value instanceof StructValue) || value.name !== "JSONPatch") {
    throw new BadMutation("type mismatch: JSONPatchType.expression should evaluate to array of JSONPatch");
  }
  const { fields } = value;
  const text = (name: string) => (fields.get(name) as string | undefined) ?? "";
  const given = fields.get("value");
  const from = text("from");
  const operation = { op: text("op"), path: text("path"), ...(from && { from }) };
  if (given === undefined || given instanceof Optional) return operation;
  if (given instanceof StructValue) checkNames(given, given.name);
  return { ...operation, value: jsonOf(given) };
}

function checkNames(value: CelValue, root: string): void {
  try {
    checkStructNames(value, root);
  } catch (error) {
    throw error instanceof BadMutation ? new BadMutation(`type mismatch: ${error.message}`) : error;
  }
}

/** A test that fails takes the whole patch back, and is no failure. */
const FAILED_TEST = /^testing value /;

function patched(object: Readonly<KubeObject>, operations: JsonPatchOperation[]): JsonObject | undefined {
  try {
    return applyJsonPatch(cloneJson(object), operations) as JsonObject;
  } catch (error) {
    const { message } = error as Error;
    if (FAILED_TEST.test(message)) return undefined;
    throw new BadMutation(`JSON Patch: ${message}`);
  }
}

function applied(object: Readonly<KubeObject>, value: CelValue, shape: Shape): JsonObject {
  checkNames(value, "Object");
  const config = jsonOf(value);
  if (!isObject(config)) throw new BadMutation("invalid return type");
  const { kind, apiVersion } = object;
  const whole = { ...config, kind, apiVersion };
  const failed = (what: string, work: () => void) => {
    try {
      work();
    } catch (error) {
      throw new BadMutation(`error applying patch: ${what}: ${(error as Error).message}`);
    }
  };
  failed("failed to convert patch object to typed object", () => checkShape(whole, shape));
  const atomics: string[] = [];
  findAtomics(whole, shape, "", atomics);
  if (atomics.length > 0) {
    const why = `may not mutate atomic arrays, maps or structs: ${atomics.join(", ")}`;
    throw new BadMutation(`error applying patch: invalid ApplyConfiguration: ${why}`);
  }
  let merged: JsonObject = {};
  failed("failed to merge patch", () => {
    merged = mergeApplied(object as unknown as JsonObject, whole, shape);
  });
  return cloneJson(merged);
}

/** What would be replaced as a whole: whoever names one field of it may not mean to drop the others. */
function findAtomics(value: Json, shape: Shape, path: string, found: string[]): void {
  if (Array.isArray(value)) {
    if (shape.form !== "list") return;
    if (shape.listType === "atomic") found.push(path);
    value.forEach((each, i) => {
      findAtomics(each, shape.of, `${path}[${i}]`, found);
    });
  } else if (isObject(value)) {
    if (shape.form !== "struct" && shape.form !== "map") return;
    if (shape.atomic) found.push(path);
    // As upstream, which looks for declared fields and finds none in a map.
    if (shape.form === "map") return;
    for (const [name, each] of Object.entries(value)) {
      const of = shape.property(name);
      if (of) findAtomics(each, of, `${path}.${name}`, found);
    }
  }
}
