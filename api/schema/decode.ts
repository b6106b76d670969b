import { assert } from "../assert.ts";
import type { KindRef } from "../kind.ts";
import { apiVersionOf } from "../kinds/define-kind.ts";
import type { KubeObject } from "../object.ts";
import { badRequest } from "../status.ts";
import { BadValue, describeJson, newDecodeState } from "./decode-state.ts";
import { structDecoder } from "./decoder.ts";
import { definitionOf } from "./facts.ts";
import { parseJson, unrecognized } from "./parse-json.ts";

export type FieldValidation = "Strict" | "Warn" | "Ignore";
/** The group, version and kind that are asked for. */
export type Gvk = Pick<KindRef, "group" | "version" | "kind">;

export interface Decoded {
  object: KubeObject;
  /** The texts of `Warning` headers. */
  warnings: string[];
}

/** What strict decoding found, before anybody decided what to do about it. */
export interface RawDecoded {
  object: KubeObject;
  /** `unknown field "spec.foo"`, `duplicate field "spec.bar"`. */
  strictErrors: string[];
}

/** Decoding failed for another reason than strictness; the message is that of Go's decoder. */
export class DecodeError extends Error {}

/**
 * Turns a request's text into an object of the kind: 400 ApiErrors as kube-apiserver words them. Unknown and repeated fields
 * are pruned, and told as warnings (`Warn`), refused (`Strict`) or passed over (`Ignore`).
 */
export function decodeText(info: Gvk, text: string, fieldValidation: FieldValidation = "Warn"): Decoded {
  const { value, duplicates } = parseJson(text, { strict: fieldValidation !== "Ignore", kind: info.kind });
  return decodeObject(info, value, fieldValidation, { text, duplicates });
}

/**
 * As `decodeText` for a value that is parsed already. The value is used up: its parts become the object.
 * `source.text` is for the messages that show the beginning of the body.
 */
export function decodeObject(
  info: Gvk,
  value: unknown,
  fieldValidation: FieldValidation = "Warn",
  source: { text?: string; duplicates?: readonly string[] } = {},
): Decoded {
  const given = readType(info, value, (why) => unrecognized(info.kind, why, source.text ?? JSON.stringify(value)));
  const cannot = (why: string) =>
    badRequest(`${given.kind} in version ${JSON.stringify(given.version)} cannot be handled as a ${info.kind}: ${why}`);
  if (given.version === "") throw cannot(`Object 'apiVersion' is missing in '${source.text ?? JSON.stringify(value)}'`);
  const why = wrongKind(info, given);
  if (why !== undefined) throw cannot(why);
  if (given.group !== info.group || given.version !== info.version) {
    throw badRequest(
      `the API version in the data (${apiVersionOf(given)}) does not match the expected API version (${apiVersionOf(info)})`,
    );
  }
  let decoded: RawDecoded;
  try {
    decoded = decodeValue(info, value ?? {}, { duplicates: source.duplicates ?? [] });
  } catch (error) {
    throw error instanceof DecodeError ? cannot(error.message) : error;
  }
  if (fieldValidation === "Strict" && decoded.strictErrors.length > 0)
    throw cannot(strictMessage(decoded.strictErrors));
  return { object: decoded.object, warnings: fieldValidation === "Warn" ? decoded.strictErrors : [] };
}

/** Why a value cannot be decoded as the kind, judged by its `kind` and `apiVersion`; undefined where it can. */
export function checkType(info: Gvk, value: unknown): string | undefined {
  try {
    return wrongKind(
      info,
      readType(info, value, (why) => new DecodeError(why)),
    );
  } catch (error) {
    if (error instanceof DecodeError) return error.message;
    throw error;
  }
}

function wrongKind(info: Gvk, given: Gvk): string | undefined {
  if (!definitionOf(given.group, given.version, given.kind)) {
    return `no kind ${JSON.stringify(given.kind)} is registered for version ${JSON.stringify(apiVersionOf(given))} in scheme "pkg/api/legacyscheme/scheme.go:30"`;
  }
  if (given.kind === info.kind) return undefined;
  return `converting (${given.version}.${given.kind}) to (${internalPackage(info.group)}.${info.kind}): unknown conversion`;
}

/** `strict decoding error: unknown field "a", unknown field "b"`. */
export const strictMessage = (errors: readonly string[]): string => `strict decoding error: ${errors.join(", ")}`;

/**
 * The bare decoding, without a look at `kind` and `apiVersion` (both are set). Throws a DecodeError. The value is used up.
 * `converter`: wrong types are told as upstream's converter of patched objects tells them, not as its JSON decoder does.
 */
export function decodeValue(
  info: Gvk,
  value: unknown,
  { duplicates = [], converter = false }: { duplicates?: readonly string[]; converter?: boolean } = {},
): RawDecoded {
  const definition = definitionOf(info.group, info.version, info.kind);
  assert(definition, `no schema of ${apiVersionOf(info)} ${info.kind}`);
  const state = newDecodeState(converter);
  let object: KubeObject;
  try {
    object = structDecoder(definition)(value, state) as unknown as KubeObject;
  } catch (error) {
    throw error instanceof BadValue ? new DecodeError(error.message) : error;
  }
  if (state.wrongType !== undefined) throw new DecodeError(state.wrongType);
  object.kind = info.kind;
  object.apiVersion = apiVersionOf(info);
  const strictErrors: string[] = [];
  for (const path of duplicates) strictErrors.push(`duplicate field "${path}"`);
  for (const path of state.unknown) strictErrors.push(`unknown field "${path}"`);
  return { object, strictErrors };
}

const TYPE_META =
  'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';

/** The type that the value says it has; what it leaves out is taken from what is asked for. Throws what `refuse` makes. */
export function readType(info: Gvk, value: unknown, refuse: (why: string) => Error): Gvk {
  if (value === null || value === undefined) return info;
  const notJson = (why: string) => refuse(`couldn't get version/kind; json parse error: json: cannot unmarshal ${why}`);
  if (typeof value !== "object" || Array.isArray(value)) {
    throw notJson(`${describeJson(value)} into Go value of type ${TYPE_META}`);
  }
  const { apiVersion, kind } = value as { apiVersion?: unknown; kind?: unknown };
  for (const [name, given] of Object.entries({ apiVersion, kind })) {
    if (given !== undefined && given !== null && typeof given !== "string") {
      throw notJson(`${describeJson(given)} into Go struct field .${name} of type string`);
    }
  }
  const parts = ((apiVersion as string | null | undefined) ?? "").split("/");
  if (parts.length > 2) throw refuse(`unexpected GroupVersion string: ${apiVersion}`);
  const [group, version] = parts.length === 2 ? (parts as [string, string]) : ["", parts[0]!];
  const actual = { group, version, kind: (kind as string | null | undefined) || info.kind };
  if (version === "" && (group === "" || group === info.group)) {
    actual.group = info.group;
    actual.version = info.version;
  }
  return actual;
}

/** The Go package of a group's internal types, as conversion errors name it. */
const internalPackage = (group: string): string => (group === "" ? "core" : group.split(".")[0]!);
