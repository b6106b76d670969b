import type { FieldError } from "../../api/field-error.ts";
import type { KubeObject, ObjectMeta } from "../../api/object.ts";
import { validateObjectMeta } from "../../api/object-meta.ts";
import { convert } from "../../api/schema/convert.ts";
import { decodeText } from "../../api/schema/decode.ts";
import { applyDefaults } from "../../api/schema/defaults.ts";
import { badRequest, invalid } from "../../api/status.ts";
import type { RequestOptions } from "../protocol.ts";
import type { Served } from "./served.ts";

/** Resources whose creator may say the status: a node registers with it. */
const STATUS_ON_CREATE = new Set(["nodes"]);

/** The request's object: parsed, checked against the schema, with all defaults, in the version that is stored. */
export function decodeBody(
  served: Served,
  body: string,
  { fieldValidation }: RequestOptions,
): { object: KubeObject; warnings: string[] } {
  const { object, warnings } = decodeText(served.info, body, fieldValidation);
  return { object: complete(served, object), warnings };
}

/** Sets the defaults of a decoded object and converts it to the version that is stored; the given one is used up. */
export function complete({ info, storage, rules }: Served, object: KubeObject): KubeObject {
  object.metadata ??= { name: "" };
  applyDefaults(info, object);
  const stored = convert(object, storage);
  rules.setDefaults?.(stored);
  return stored;
}

/** What clients may not say of an object that is yet to be (rest.BeforeCreate). */
export function resetForCreate({ rules, hasStatus, resource }: Served, object: KubeObject): void {
  if (hasStatus && !STATUS_ON_CREATE.has(resource)) delete object["status"];
  const { metadata } = object;
  delete metadata.deletionTimestamp;
  delete metadata.deletionGracePeriodSeconds;
  delete metadata.resourceVersion;
  if (rules.hasGeneration) metadata.generation = 1;
  else delete metadata.generation;
  rules.prepareForCreate?.(object);
}

/** Sets the namespace where the object leaves it out. @throws ApiError BadRequest where it names another. */
export function matchNamespace(meta: ObjectMeta, namespace: string): void {
  if (namespace === "") delete meta.namespace;
  else if (!meta.namespace) meta.namespace = namespace;
  else if (meta.namespace !== namespace) {
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  }
}

export const validateMeta = ({ info, rules }: Served, meta: ObjectMeta): FieldError[] =>
  validateObjectMeta(meta, {
    namespaced: info.namespaced,
    ...(rules.nameRule && { nameRule: rules.nameRule }),
  });

export function refuseInvalid({ info: { group, kind } }: Served, name: string, errors: FieldError[]): void {
  if (errors.length > 0) throw invalid({ group, kind }, name, errors);
}
