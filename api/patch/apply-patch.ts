import { assert } from "../assert.ts";
import { fieldInvalid } from "../field-error.ts";
import { cloneJson, isObject, type JsonObject, printGo } from "../json-value.ts";
import type { KubeObject } from "../object.ts";
import type { Decoded, FieldValidation, Gvk, RawDecoded } from "../schema/decode.ts";
import { checkType, DecodeError, decodeValue, strictMessage } from "../schema/decode.ts";
import { describeJson } from "../schema/decode-state.ts";
import { definitionOf } from "../schema/facts.ts";
import { type ParsedJson, parseText } from "../schema/parse-json.ts";
import { JsonSyntaxError } from "../schema/scan-json.ts";
import { ApiError, badRequest, invalid, unknownError } from "../status.ts";
import { applyJsonPatch, JSON_PATCH_OPERATIONS_MAX, type JsonPatchOperation, UnappliablePatch } from "./json.ts";
import { RefusedPatch } from "./list-order.ts";
import { applyMergePatch } from "./merge.ts";
import { applyStrategicPatch, MalformedPatch, UnmergeablePatch } from "./strategic.ts";

/** The body formats of PATCH, by Content-Type. */
export type PatchType = "json" | "merge" | "strategic";

/**
 * Applies the text of a patch to an object, which is left as it is. `info` is the version that the patch speaks of, and
 * `current` is in it. The result is decoded and pruned, not defaulted. Throws ApiErrors as kube-apiserver words them:
 * 400 for what is no patch, 413 for too many operations, 422 for a patch that does not apply or makes no object of the kind.
 * `decode` decodes what JSON and merge patches make of a custom kind's objects; it throws DecodeErrors, or ApiErrors of its own.
 */
export function applyPatch(
  type: PatchType,
  info: Gvk,
  current: KubeObject,
  patchText: string,
  fieldValidation: FieldValidation = "Warn",
  decode?: (patched: unknown) => RawDecoded,
): Decoded {
  const strict = fieldValidation !== "Ignore";
  const { value: patch, duplicates } = parsePatch(type, patchText, strict);
  const strictErrors = duplicates.map((path) => `duplicate field "${path}"`);
  let decoded: RawDecoded;
  /** What a refusal shows as the bad value. */
  let shown: string;
  if (type === "strategic") {
    shown = `${printGo(patch)}`;
    const merged = strategic(info, cloneJson(current), patch as JsonObject | null);
    decoded = decodePatched(info, merged, shown, true);
  } else {
    const patched =
      type === "json"
        ? jsonPatch(current, patch as JsonPatchOperation[] | null, strict ? strictErrors : [])
        : applyMergePatch(cloneJson(current), patch);
    shown = JSON.stringify(patched);
    decoded = decodePatched(info, patched, shown, false, decode);
  }
  strictErrors.push(...decoded.strictErrors);
  if (fieldValidation === "Strict" && strictErrors.length > 0) throw invalidPatch(shown, strictMessage(strictErrors));
  return { object: decoded.object, warnings: fieldValidation === "Warn" ? strictErrors : [] };
}

const GO_TARGETS: Record<PatchType, string> = {
  json: "[]handlers.jsonPatchOp",
  merge: "map[string]interface {}",
  strategic: "map[string]interface {}",
};

function parsePatch(type: PatchType, text: string, strict: boolean): ParsedJson {
  // Strategic merge patches are not introduced, in upstream's sentences.
  const refuse = (why: string) => badRequest(type === "strategic" ? why : `error decoding patch: ${why}`);
  let parsed: ParsedJson;
  try {
    parsed = parseText(text, strict);
  } catch (error) {
    throw error instanceof JsonSyntaxError ? refuse(error.message) : error;
  }
  const { value } = parsed;
  const fits = value === null || (type === "json" ? Array.isArray(value) : isObject(value));
  if (value === null && type === "merge") throw badRequest("Invalid JSON Patch");
  if (!fits) throw refuse(`json: cannot unmarshal ${describeJson(value)} into Go value of type ${GO_TARGETS[type]}`);
  return parsed;
}

const OPERATION_FIELDS = new Set(["op", "path", "from", "value"]);

function jsonPatch(current: KubeObject, patch: JsonPatchOperation[] | null, strictErrors: string[]): unknown {
  const operations = patch ?? [];
  strictErrors.forEach((text, i) => {
    strictErrors[i] = `json patch ${text}`;
  });
  operations.forEach((operation, index) => {
    if (operation === null) return;
    if (!isObject(operation)) {
      throw badRequest(
        `error decoding patch: json: cannot unmarshal ${describeJson(operation)} into Go value of type handlers.jsonPatchOp`,
      );
    }
    for (const [field, value] of Object.entries(operation)) {
      if (!OPERATION_FIELDS.has(field)) strictErrors.push(`json patch unknown field "[${index}].${field}"`);
      else if (field !== "value" && value !== null && typeof value !== "string") {
        throw badRequest(
          `error decoding patch: json: cannot unmarshal ${describeJson(value)} into Go struct field jsonPatchOp.${field} of type string`,
        );
      }
    }
  });
  if (operations.length > JSON_PATCH_OPERATIONS_MAX) {
    throw new ApiError(
      "RequestEntityTooLarge",
      `Request entity too large: The allowed maximum operations in a JSON patch is ${JSON_PATCH_OPERATIONS_MAX}, got ${operations.length}`,
    );
  }
  try {
    return applyJsonPatch(
      cloneJson(current),
      operations.map((operation) => operation ?? {}),
    );
  } catch (error) {
    throw error instanceof UnappliablePatch ? unprocessable() : error;
  }
}

/** Upstream says no more to a client whose patch does not apply. */
const unprocessable = (): ApiError =>
  new ApiError("Invalid", "the server rejected our request due to an error in our request", {});

function strategic(info: Gvk, current: KubeObject, patch: JsonObject | null): unknown {
  const definition = definitionOf(info.group, info.version, info.kind);
  assert(definition, `no schema of ${info.kind}`);
  try {
    return applyStrategicPatch(current as unknown as JsonObject, patch ?? {}, definition);
  } catch (error) {
    if (error instanceof MalformedPatch) throw badRequest(error.message);
    if (error instanceof UnmergeablePatch) throw unprocessable();
    // Upstream sends these as they are, with code 500.
    throw error instanceof RefusedPatch ? unknownError(error.message) : error;
  }
}

function decodePatched(
  info: Gvk,
  patched: unknown,
  shown: string,
  converter: boolean,
  decode?: (patched: unknown) => RawDecoded,
): RawDecoded {
  try {
    if (decode) return decode(patched);
    if (!converter) {
      const why = checkType(info, patched);
      if (why !== undefined) throw new DecodeError(why);
    }
    return decodeValue(info, patched, { converter });
  } catch (error) {
    throw error instanceof DecodeError ? invalidPatch(shown, error.message) : error;
  }
}

const invalidPatch = (shown: string, why: string): ApiError =>
  invalid({ group: "", kind: "" }, "", [fieldInvalid("patch", shown, why)]);
