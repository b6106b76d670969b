import { isObject, type Json, printGo } from "../json-value.ts";
import type { ListShape, ScalarShape, Shape } from "../schema/shape.ts";
import { itemElement, NoPathElement, type PathElement, printElement } from "./path-element.ts";

/** Objects cannot be merged, or a configuration does not have its kind's shape; one fault a line, as upstream prints them. */
export class ShapeError extends Error {
  constructor(faults: readonly string[]) {
    super(faults.length === 1 ? faults[0] : ["errors:", ...faults.map((fault) => `  ${fault}`)].join("\n"));
  }
}

/** More faults are not told: the client needs the first few, and a hostile body has as many as it likes. */
const FAULTS_MAX = 100;

/**
 * Checks that a configuration has the shape: only declared fields, values of the right sort, list elements that have keys and are
 * there once (structured-merge-diff, typed/validate.go). @throws ShapeError
 */
export function checkShape(config: Json, shape: Shape): void {
  const faults: string[] = [];
  check(shape, config, "", faults);
  if (faults.length > 0) throw new ShapeError(faults);
}

function check(shape: Shape, value: Json, path: string, faults: string[]): void {
  if (value === null || shape.form === "any" || faults.length >= FAULTS_MAX) return;
  if (shape.form === "scalar") {
    const why = scalarFault(shape.type, value);
    if (why !== undefined) faults.push(faultAt(path, why));
  } else if (shape.form === "list") {
    if (Array.isArray(value)) checkList(shape, value, path, faults);
    else faults.push(faultAt(path, `expected list, got &{${printGo(value)}}`));
  } else if (isObject(value)) {
    for (const name of Object.keys(value)) {
      const of = shape.form === "map" ? shape.of : (shape.property(name) ?? shape.unknown);
      if (of === undefined) {
        faults.push(faultAt(`${path}.${name}`, "field not declared in schema"));
        return;
      }
      check(of, value[name], `${path}.${name}`, faults);
    }
  } else {
    faults.push(faultAt(path, `expected map, got &{${printGo(value)}}`));
  }
}

const faultAt = (path: string, why: string): string => (path === "" ? why : `${path}: ${why}`);

function checkList(shape: ListShape, list: readonly Json[], path: string, faults: string[]): void {
  const seen = new Set<PathElement>();
  for (let i = 0; i < list.length; i++) {
    let element = `i:${i}`;
    if (shape.listType !== "atomic") {
      try {
        element = itemElement(shape, list[i]);
      } catch (error) {
        if (!(error instanceof NoPathElement)) throw error;
        faults.push(faultAt(path, `element ${i}: ${error.message}`));
        return;
      }
      if (seen.has(element)) faults.push(faultAt(path, `duplicate entries for key ${printElement(element)}`));
      seen.add(element);
    }
    check(shape.of, list[i], path + printElement(element), faults);
  }
}

const scalarFault = (type: ScalarShape["type"], value: Json): string | undefined => {
  if (type === "any") {
    return typeof value === "object" ? `expected any scalar, got &{${printGo(value)}}` : undefined;
  }
  if (typeof value === type) return undefined;
  switch (type) {
    case "number":
      return `expected numeric (int or float), got ${goType(value)}`;
    case "string":
      return `expected string, got &value.valueUnstructured{Value:${goSyntax(value)}}`;
    case "boolean":
      return `expected boolean, got &{${printGo(value)}}`;
  }
};

/** As Go's %T names a decoded JSON value. */
function goType(value: Json): string {
  if (Array.isArray(value)) return "[]interface {}";
  switch (typeof value) {
    case "string":
      return "string";
    case "boolean":
      return "bool";
    case "number":
      return Number.isInteger(value) ? "int64" : "float64";
    default:
      return "map[string]interface {}";
  }
}

/** As Go's %#v prints one, keys in order. */
function goSyntax(value: Json): string {
  if (value === null) return "interface {}(nil)";
  if (Array.isArray(value)) return `[]interface {}{${value.map(goSyntax).join(", ")}}`;
  if (!isObject(value)) return JSON.stringify(value);
  const fields = Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${goSyntax(value[key])}`);
  return `map[string]interface {}{${fields.join(", ")}}`;
}
