import { isObject, type Json, type JsonObject } from "../json-value.ts";
import { pathText } from "../schema/decode-state.ts";
import { nodeOfField, type Structural } from "./structural.ts";

const META_FIELDS: ReadonlySet<string> = new Set(["apiVersion", "kind", "metadata"]);

interface Pruning {
  readonly path: (string | number)[];
  readonly unknown: string[];
}

/**
 * Takes out what the schema does not name, in place; answers the paths of what went, in the order of their text
 * (k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning). `isRoot`: apiVersion, kind and metadata stay as they are.
 */
export function prune(value: Json, node: Structural, { isRoot }: { isRoot: boolean }): string[] {
  const pruning: Pruning = { path: [], unknown: [] };
  visit(value, isRoot && !node.embedded ? { ...node, embedded: true } : node, pruning);
  return pruning.unknown.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

function visit(value: Json, node: Structural | undefined, pruning: Pruning): void {
  if (typeof value !== "object" || value === null) return;
  const { path, unknown } = pruning;
  if (Array.isArray(value)) {
    // Below a schema that preserves, items do so, too, until properties are named again.
    const visitItem = node?.preserves ? visitPreserved : visit;
    value.forEach((item, i) => {
      path.push(i);
      visitItem(item, node?.items, pruning);
      path.pop();
    });
    return;
  }
  const object = value as JsonObject;
  if (node?.preserves) {
    visitPreserved(object, node, pruning);
    return;
  }
  for (const key of Object.keys(object)) {
    if (node?.embedded && META_FIELDS.has(key)) continue;
    const property = node?.properties?.get(key);
    if (property || node?.additional) {
      path.push(key);
      visit(object[key], property ?? node?.additional?.schema, pruning);
      path.pop();
    } else {
      unknown.push(pathText(path, key));
      delete object[key];
    }
  }
}

/** Nothing is unknown here, but what is named is pruned again by its own schema. */
function visitPreserved(value: Json, node: Structural | undefined, pruning: Pruning): void {
  if (!node || typeof value !== "object" || value === null) return;
  const { path } = pruning;
  if (Array.isArray(value)) {
    value.forEach((item, i) => {
      path.push(i);
      visitPreserved(item, node.items, pruning);
      path.pop();
    });
    return;
  }
  const object = value as JsonObject;
  for (const key of Object.keys(object)) {
    if (node.embedded && META_FIELDS.has(key)) continue;
    const property = node.properties?.get(key);
    if (!property && !node.additional) continue;
    path.push(key);
    visit(object[key], property ?? node.additional?.schema, pruning);
    path.pop();
  }
}

/** Takes out nulls of fields that may not be null and have no default, in place. Those that have one are left for it. */
export function pruneNulls(value: Json, node: Structural | undefined): void {
  if (!node || typeof value !== "object" || value === null) return;
  if (Array.isArray(value)) {
    for (const item of value) pruneNulls(item, node.items);
    return;
  }
  if (!isObject(value)) return;
  for (const key of Object.keys(value)) {
    const field = nodeOfField(node, key);
    if (value[key] === null && field && !field.nullable && field.default === undefined) delete value[key];
    else pruneNulls(value[key], field);
  }
}
