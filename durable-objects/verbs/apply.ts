import { type FieldError, fieldForbidden, fieldRequired } from "../../api/field-error.ts";
import { cloneJson, isObject, type JsonObject } from "../../api/json-value.ts";
import { applyConfiguration } from "../../api/managed-fields/apply.ts";
import type { KubeObject } from "../../api/object.ts";
import { DecodeError, type Gvk } from "../../api/schema/decode.ts";
import { describeJson } from "../../api/schema/decode-state.ts";
import { parseText } from "../../api/schema/parse-json.ts";
import { JsonSyntaxError } from "../../api/schema/scan-json.ts";
import { badRequest, conflict, invalid, notFound, unknownError } from "../../api/status.ts";
import { authorize } from "../admission/authorize.ts";
import type { HomeAnswer, PatchType, RequestOptions } from "../protocol.ts";
import { textAnswer } from "./answer.ts";
import { createObject } from "./create.ts";
import { fieldWriterOf, inRequestVersion, managedKindOf } from "./managed-fields.ts";
import { matchNamespace } from "./prepare.ts";
import type { Call, Writing } from "./scope.ts";
import { MAIN, matchName, type UpdateStrategy, updateObject } from "./update.ts";
import { commit } from "./write.ts";

/**
 * Server-side apply: PATCH with a configuration (endpoints/handlers/patch.go, applyPatcher). What is not there yet is created.
 */
export async function apply(call: Call, strategy: UpdateStrategy = MAIN): Promise<HomeAnswer> {
  const { served, request, options, scope, warnings } = call;
  const { name } = request.target;
  const config = readConfiguration(request.body ?? "", options, warnings);
  let code = 200;
  const json = await commit(call, (writing) => {
    const isThere = writing.tx.get(served.resource, name) !== undefined;
    if (!isThere && strategy !== MAIN) throw notFound(served.groupResource, name);
    code = isThere ? 200 : 201;
    if (isThere) {
      const change = (current: Readonly<KubeObject>) => applied(call, writing, strategy.subresource, current, config);
      return updateObject(writing, served, name, change, { ...strategy, fieldsAreManaged: true });
    }
    authorize(scope, { ...request, verb: "create" });
    const object = applied(call, writing, "", undefined, config);
    const { uid } = object.metadata;
    delete object.metadata.resourceVersion;
    if (uid) {
      const why = `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`;
      throw conflict(served.groupResource, name, why);
    }
    return createObject(writing, served, object, { fieldsAreManaged: true });
  });
  return textAnswer(code, served.present(json), warnings);
}

/** What the configuration makes of an object, decoded and defaulted, of the working version. */
function applied(
  { served, options, request }: Call,
  writing: Writing,
  subresource: string,
  current: Readonly<KubeObject> | undefined,
  config: JsonObject,
): KubeObject {
  const kind = managedKindOf(writing, served, subresource);
  const live = current && inRequestVersion(served, current);
  const writer = fieldWriterOf(writing, subresource);
  const object = applyConfiguration(kind, live, config, writer, options.force ?? false);
  const decoded = decodeApplied(served.info, (value) => served.decodeValue(value), object, config);
  decoded.metadata.name ||= request.target.name;
  matchName(decoded, request.target.name);
  matchNamespace(decoded.metadata, writing.scope.namespace);
  return served.complete(decoded);
}

/** Decodes what an apply has made; what cannot be decoded is refused in upstream's words. */
export function decodeApplied(
  { group, version, kind }: Gvk,
  decode: (value: unknown) => KubeObject,
  object: JsonObject,
  config: JsonObject,
): KubeObject {
  const { managedFields, ...metadata } = object["metadata"] as KubeObject["metadata"];
  let decoded: KubeObject;
  try {
    // Its parts are the live object's and the configuration's.
    decoded = decode(cloneJson({ ...object, metadata }));
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    const type = `${group}/${version}, Kind=${kind}`;
    const { namespace = "", name = "" } = (config["metadata"] ?? {}) as Record<string, unknown>;
    throw unknownError(
      `failed to convert new object (${namespace}/${name}; ${type}) to proper version: unable to convert unstructured object to ${type}: ${error.message}`,
    );
  }
  if (managedFields) decoded.metadata.managedFields = managedFields;
  return decoded;
}

/** The configuration in a request's body. Fields that are given twice are an error or warnings, as asked. */
export function readConfiguration(text: string, { fieldValidation }: RequestOptions, warnings: string[]): JsonObject {
  const isStrict = fieldValidation !== "Ignore";
  let parsed: ReturnType<typeof parseText>;
  try {
    parsed = parseText(text, isStrict);
  } catch (error) {
    throw error instanceof JsonSyntaxError ? badRequest(`error decoding YAML: ${error.message}`) : error;
  }
  const { value, duplicates } = parsed;
  if (value !== null && !isObject(value)) {
    throw badRequest(
      `error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${describeJson(value)} into Go value of type map[string]interface {}`,
    );
  }
  if (duplicates.length > 0) {
    const why = duplicates.map((path) => `key ${JSON.stringify(path)} already set in map`).join("\n");
    if (fieldValidation === "Strict") throw badRequest(`error strict decoding YAML: ${why}`);
    warnings.push(why);
  }
  return value ?? {};
}

/** What PatchOptions have to be for a patch of this format (metav1 validation.ValidatePatchOptions). @throws ApiError 422 */
export function checkPatchOptions({ fieldManager = "", force }: RequestOptions, patchType: PatchType): void {
  const errors: FieldError[] = [];
  if (patchType === "apply") {
    if (fieldManager === "") errors.push(fieldRequired("fieldManager", "is required for apply patch"));
  } else if (force !== undefined) {
    errors.push(fieldForbidden("force", "may not be specified for non-apply patch"));
  }
  if (errors.length > 0) throw invalid({ group: "meta.k8s.io", kind: "PatchOptions" }, "", errors);
}
