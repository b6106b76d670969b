import { assign, has, isObject, type Json, type JsonObject } from "../json-value.ts";
import type { ListShape, Shape } from "../schema/shape.ts";
import { ShapeError } from "./check-shape.ts";
import { fieldShape, formOf } from "./compare.ts";
import { itemElement, NoPathElement, type PathElement, printElement } from "./path-element.ts";

/**
 * The live object with what the configuration says: maps merge by field, lists by their elements' keys, all else is the
 * configuration's (structured-merge-diff, typed/merge.go). Neither is changed; the result shares their parts.
 * @throws ShapeError
 */
export function mergeApplied(live: JsonObject, config: JsonObject, shape: Shape): JsonObject {
  return mergeFields(shape, live, config, "");
}

function mergeFields(shape: Shape, live: JsonObject, config: JsonObject, path: string): JsonObject {
  const out: JsonObject = {};
  for (const name of Object.keys(live)) {
    const value = live[name];
    const of = fieldShape(shape, name);
    assign(out, name, has(config, name) ? mergeValue(of, value, config[name], `${path}.${name}`) : value);
  }
  for (const name of Object.keys(config)) if (!has(live, name)) assign(out, name, config[name]);
  return out;
}

function mergeValue(shape: Shape, live: Json, config: Json, path: string): Json {
  const form = formOf(shape, live);
  if (form === "leaf") return config;
  // What is there is not taken away by an empty one.
  if (config === null) return live;
  if (form === "list") {
    return Array.isArray(config) ? mergeLists(shape as ListShape, live as Json[], config, path) : config;
  }
  return isObject(config) ? mergeFields(shape, live as JsonObject, config, path) : config;
}

/**
 * The elements of both. Those of the configuration stand in its order; elements of the live list alone keep their places
 * between them.
 */
function mergeLists(shape: ListShape, live: readonly Json[], config: readonly Json[], path: string): Json[] {
  const liveElements = elementsOf(shape, live, path);
  const configElements = elementsOf(shape, config, path);
  const liveItems = new Map<PathElement, Json>();
  liveElements.forEach((element, i) => {
    // Of elements that are there twice none is merged with.
    liveItems.set(element, liveItems.has(element) ? null : live[i]);
  });
  const configItems = new Map<PathElement, Json>();
  configElements.forEach((element, i) => {
    if (configItems.has(element)) throw new ShapeError([`${path}: duplicate entries for key ${printElement(element)}`]);
    configItems.set(element, config[i]);
  });
  const merge = (element: PathElement): Json =>
    liveItems.has(element)
      ? mergeValue(shape.of, liveItems.get(element), configItems.get(element), path + printElement(element))
      : configItems.get(element);

  const shared = configElements.filter((element) => liveItems.has(element));
  let nextShared = 0;
  const merged = new Set<PathElement>();
  const out: Json[] = [];
  for (let l = 0, c = 0; l < liveElements.length || c < configElements.length; ) {
    const element = liveElements[l];
    const wanted = configElements[c];
    if (element !== undefined && wanted !== undefined) {
      if (element === wanted) {
        merged.add(element);
        out.push(merge(element));
        l++;
        c++;
        nextShared++;
        continue;
      }
      // Shared, but another one's turn.
      if (configItems.has(element) && nextShared < shared.length && shared[nextShared] !== element) {
        l++;
        continue;
      }
    }
    if (element !== undefined) {
      if (!configItems.has(element)) {
        out.push(live[l++]);
        continue;
      }
      if (merged.has(element)) l++;
    }
    if (wanted !== undefined) {
      merged.add(wanted);
      out.push(merge(wanted));
      c++;
      if (shared[nextShared] === wanted) nextShared++;
    }
  }
  return out;
}

function elementsOf(shape: ListShape, list: readonly Json[], path: string): PathElement[] {
  return list.map((item, i) => {
    try {
      return itemElement(shape, item);
    } catch (error) {
      throw error instanceof NoPathElement ? new ShapeError([`${path}: element ${i}: ${error.message}`]) : error;
    }
  });
}
