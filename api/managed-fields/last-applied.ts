import { areLonger } from "../byte-length.ts";
import { isObject, type Json, type JsonObject } from "../json-value.ts";
import { parseText } from "../schema/parse-json.ts";
import { JsonSyntaxError } from "../schema/scan-json.ts";
import { fieldSetOf } from "./applied-fields.ts";
import { checkShape, ShapeError } from "./check-shape.ts";
import { compareObjects } from "./compare.ts";
import { difference, type FieldSet } from "./field-set.ts";
import type { ManagedKind } from "./managed-kind.ts";
import type { Taken } from "./ownership.ts";
import { NoPathElement } from "./path-element.ts";

/**
 * kubectl's client-side apply keeps what it applied in an annotation. When kubectl comes to apply on the server, what it applied
 * before is its own (managedfields/internal/lastapplied*.go).
 */
const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";
const ANNOTATIONS_BYTES_MAX = 256 * 1024;
/** Its applies stand in for those that it made before the server could. */
export const KUBECTL = "kubectl";

const annotationsOf = (object: JsonObject): JsonObject => {
  const metadata = object["metadata"];
  const annotations = isObject(metadata) ? metadata["annotations"] : undefined;
  return isObject(annotations) ? annotations : {};
};

/** The annotation; undefined where it is not there or says nothing. */
export function lastAppliedOf(object: JsonObject): string | undefined {
  const value = Object.hasOwn(annotationsOf(object), LAST_APPLIED) ? annotationsOf(object)[LAST_APPLIED] : undefined;
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** The object with the annotation of this configuration; without one where all annotations would be too large together. */
export function withLastApplied(object: JsonObject, config: JsonObject): JsonObject {
  const annotations: JsonObject = { ...annotationsOf(object), [LAST_APPLIED]: `${printSorted(withoutIt(config))}\n` };
  const texts = [...Object.keys(annotations), ...Object.values(annotations)] as string[];
  if (areLonger(texts, ANNOTATIONS_BYTES_MAX)) delete annotations[LAST_APPLIED];
  return { ...object, metadata: { ...(object["metadata"] as JsonObject), annotations } };
}

function withoutIt(config: JsonObject): JsonObject {
  const metadata = config["metadata"];
  if (!isObject(metadata) || !isObject(metadata["annotations"])) return config;
  const { [LAST_APPLIED]: _, ...annotations } = metadata["annotations"];
  return { ...config, metadata: { ...metadata, annotations } };
}

/** As Go prints a map: keys in order. */
function printSorted(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(printSorted).join(",")}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const fields = Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${printSorted(value[key])}`);
  return `{${fields.join(",")}}`;
}

/** The conflicts that are left when kubectl may take what it had applied before and nobody has changed since. */
export function mayTakeFrom(
  kind: ManagedKind,
  manager: string,
  live: JsonObject,
  taken: ReadonlyMap<string, Taken>,
): ReadonlyMap<string, Taken> {
  const own = manager === KUBECTL ? fieldsLastApplied(kind, live) : undefined;
  if (!own) return taken;
  const left = new Map<string, Taken>();
  for (const [identity, { entry, fields }] of taken) {
    const others = difference(fields, own);
    if (others) left.set(identity, { entry, fields: others });
  }
  return left;
}

/** The fields of the annotation that the live object still has as they were applied. */
function fieldsLastApplied(kind: ManagedKind, live: JsonObject): FieldSet | undefined {
  const text = lastAppliedOf(live);
  const shape = kind.shapeIn(kind.apiVersion);
  if (text === undefined || !shape) return undefined;
  try {
    const config: Json = parseText(text, false).value;
    if (!isObject(config) || config["apiVersion"] !== kind.apiVersion) return undefined;
    checkShape(config, shape);
    const { changed, removed } = compareObjects(config, live, shape);
    return difference(difference(fieldSetOf(config, shape), changed), removed);
  } catch (error) {
    if (error instanceof JsonSyntaxError || error instanceof ShapeError || error instanceof NoPathElement)
      return undefined;
    throw error;
  }
}
