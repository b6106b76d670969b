import { isObject } from "../json-value.ts";
import type { KindInfo } from "../kind.ts";
import { apiVersionOf } from "../kinds/define-kind.ts";
import type { KubeObject } from "../object.ts";
import {
  type Decoded,
  DecodeError,
  type FieldValidation,
  type RawDecoded,
  readType,
  strictMessage,
} from "../schema/decode.ts";
import { BadValue, describeJson } from "../schema/decode-state.ts";
import { parseJson, unrecognized } from "../schema/parse-json.ts";
import { badRequest } from "../status.ts";
import { coerceEmbedded, decodeObjectMeta, MalformedMetadata, type MetaOptions } from "./embedded-metadata.ts";
import { prune, pruneNulls } from "./prune.ts";
import { type Structural, structuralOf } from "./structural.ts";

/** What decoding has to know of a custom kind. `root` is undefined where a version has no schema: then all is kept. */
export interface Decodable {
  readonly info: KindInfo;
  readonly root: Structural | undefined;
}

const NOTHING: Structural = structuralOf({ type: "object" });

/** As `decodeText` of built-in kinds (api/schema/decode.ts), with the same ApiErrors. */
export function decodeCustomText(kind: Decodable, text: string, fieldValidation: FieldValidation): Decoded {
  const { value, duplicates } = parseJson(text, { strict: fieldValidation !== "Ignore", kind: kind.info.kind });
  return decodeCustomObject(kind, value, fieldValidation, { text, duplicates });
}

export function decodeCustomObject(
  { info, root }: Decodable,
  value: unknown,
  fieldValidation: FieldValidation,
  source: { text?: string; duplicates?: readonly string[] } = {},
): Decoded {
  const textOf = () => source.text ?? JSON.stringify(value);
  const given = readType(info, value, (why) => unrecognized(info.kind, why, textOf()));
  const cannot = (why: string, version = given.version) =>
    badRequest(`${given.kind} in version ${JSON.stringify(version)} cannot be handled as a ${info.kind}: ${why}`);
  if (!isObject(value) || !value["kind"]) {
    throw unrecognized(info.kind, `Object 'Kind' is missing in '${textOf()}'`, textOf());
  }
  if (value["apiVersion"] === null) {
    throw cannot(".apiVersion accessor error: <nil> is of the type <nil>, expected string", "");
  }
  const apiVersion = (value["apiVersion"] as string | null | undefined) ?? "";
  const isOfKind = value["kind"] === info.kind && apiVersion.startsWith(`${info.group}/`);
  // Of a version that there is not, nothing is known.
  const schema = apiVersion === apiVersionOf(info) ? root : NOTHING;
  let decoded: RawDecoded;
  try {
    decoded = decodeFields(value, isOfKind ? schema : undefined, { duplicates: source.duplicates ?? [] });
  } catch (error) {
    throw error instanceof DecodeError ? cannot(error.message) : error;
  }
  const { object, strictErrors } = decoded;
  if (fieldValidation === "Strict" && strictErrors.length > 0) throw cannot(strictMessage(strictErrors));
  if (apiVersion !== apiVersionOf(info)) {
    throw badRequest(
      `the API version in the data (${apiVersion}) does not match the expected API version (${apiVersionOf(info)})`,
    );
  }
  return { object, warnings: fieldValidation === "Warn" ? strictErrors : [] };
}

/** The bare decoding: `kind` and `apiVersion` are set. Throws a DecodeError; the value is used up. */
export function decodeCustomValue(
  { info, root }: Decodable,
  value: unknown,
  { duplicates = [] }: { duplicates?: readonly string[] } = {},
): RawDecoded {
  if (!isObject(value)) {
    throw new DecodeError(
      `json: cannot unmarshal ${describeJson(value)} into Go value of type map[string]interface {}`,
    );
  }
  const decoded = decodeFields(value, root, { duplicates });
  decoded.object.kind = info.kind;
  decoded.object.apiVersion = apiVersionOf(info);
  return decoded;
}

/** What was stored, in another version mostly: nothing in it is an error any more. In place. */
export function decodeStored({ root }: Decodable, object: KubeObject): KubeObject {
  return coerce(object as unknown as Record<string, unknown>, root, { dropMalformed: true }).object;
}

function decodeFields(
  value: Record<string, unknown>,
  root: Structural | undefined,
  { duplicates }: { duplicates: readonly string[] },
): RawDecoded {
  const strictErrors = duplicates.map((path) => `duplicate field "${path}"`);
  try {
    const { object, unknown } = coerce(value, root, { dropMalformed: false });
    for (const path of unknown) strictErrors.push(`unknown field "${path}"`);
    object.metadata ??= { name: "" };
    return { object, strictErrors };
  } catch (error) {
    throw error instanceof MalformedMetadata || error instanceof BadValue ? new DecodeError(error.message) : error;
  }
}

/** Metadata first, then pruning, then nulls, then what is embedded: the order of upstream's unstructuredSchemaCoercer. */
function coerce(
  value: Record<string, unknown>,
  root: Structural | undefined,
  options: MetaOptions,
): { object: KubeObject; unknown: string[] } {
  const unknown: string[] = [];
  if (value["metadata"] !== undefined) {
    const decoded = decodeObjectMeta(value["metadata"], options);
    value["metadata"] = decoded.metadata;
    for (const name of decoded.unknown) unknown.push(`metadata.${name}`);
  }
  if (root) {
    for (const path of prune(value, root, { isRoot: true })) unknown.push(path);
    pruneNulls(value, root);
    for (const path of coerceEmbedded(value, root, options)) unknown.push(path);
  }
  return { object: value as unknown as KubeObject, unknown };
}
