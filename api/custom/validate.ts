import { type FieldError, fieldInvalid } from "../field-error.ts";
import { isObject, type Json, printGo } from "../json-value.ts";
import type { KindInfo } from "../kind.ts";
import { apiVersionOf } from "../kinds/define-kind.ts";
import type { KubeObject } from "../object.ts";
import { type RuleState, validateRules } from "./cel-validation.ts";
import { Correlation } from "./correlation.ts";
import type { Verdict } from "./custom-kind.ts";
import type { JsonSchema, ScaleSubresource } from "./definition.ts";
import { validateEmbedded } from "./embedded-metadata.ts";
import { finalizerWarnings } from "./finalizers.ts";
import { validateKeyedLists } from "./keyed-lists.ts";
import { isGoInteger } from "./numbers.ts";
import type { Structural } from "./structural.ts";
import { validateValue } from "./validate-value.ts";

/** What validation has to know of one version of a custom kind. */
export interface Validatable {
  readonly info: KindInfo;
  readonly root: Structural | undefined;
  readonly scale: ScaleSubresource | undefined;
}

/** k8s.io/apiextensions-apiserver/pkg/registry/customresource: Validate of its strategy. */
export function validateNew(kind: Validatable, object: KubeObject): Verdict {
  const ofType = checkTypeMeta(kind.info, object);
  if (ofType.length > 0) return { errors: ofType, warnings: [] };
  const { root } = kind;
  const errors: FieldError[] = root ? validateValue(object, root.schema) : [];
  checkScale(kind, object, ["spec", "status"], errors);
  validateEmbedded(object, root, errors);
  validateKeyedLists(object, root, errors);
  const verdict: Verdict = { errors, warnings: finalizerWarnings(object) };
  checkRules(root, object, undefined, verdict);
  return verdict;
}

/** ValidateUpdate of its strategy. */
export function validateChanged(kind: Validatable, next: KubeObject, previous: KubeObject): Verdict {
  const ofType = checkTypeMeta(kind.info, next);
  if (ofType.length > 0) return { errors: ofType, warnings: [] };
  const { root } = kind;
  const correlation = root && new Correlation(next, previous, root);
  const errors: FieldError[] = root ? validateValue(next, root.schema, { correlation }) : [];
  checkScale(kind, next, ["spec", "status"], errors);
  validateEmbedded(next, root, errors);
  ratchetKeyedLists(root, next, previous, errors);
  const verdict: Verdict = { errors, warnings: finalizerWarnings(next, previous) };
  checkRules(root, next, previous, verdict, correlation);
  return verdict;
}

/** ValidateUpdate of its status strategy: the schema of `status` alone, but all rules. */
export function validateStatus(kind: Validatable, next: KubeObject, previous: KubeObject): Verdict {
  const ofType = checkTypeMeta(kind.info, next);
  if (ofType.length > 0) return { errors: ofType, warnings: [] };
  const { root } = kind;
  const correlation = root && new Correlation(next, previous, root);
  const schema: JsonSchema | undefined = root?.properties?.get("status")?.schema;
  const errors: FieldError[] = [];
  if (schema && next["status"] !== undefined) {
    errors.push(...validateValue(next["status"], schema, { path: "status", correlation: correlation?.key("status") }));
  }
  checkScale(kind, next, ["status"], errors);
  ratchetKeyedLists(root, next, previous, errors);
  const verdict: Verdict = { errors, warnings: [] };
  checkRules(root, next, previous, verdict, correlation);
  return verdict;
}

function checkTypeMeta(info: KindInfo, { kind, apiVersion }: KubeObject): FieldError[] {
  const errors: FieldError[] = [];
  if (kind !== info.kind) errors.push(fieldInvalid("kind", kind, `must be ${info.kind}`));
  const expected = apiVersionOf(info);
  if (apiVersion !== expected) errors.push(fieldInvalid("apiVersion", apiVersion, `must be ${expected}`));
  return errors;
}

/** Lists that held something twice before may go on doing so. */
function ratchetKeyedLists(
  root: Structural | undefined,
  next: KubeObject,
  previous: KubeObject,
  errors: FieldError[],
): void {
  const found: FieldError[] = [];
  validateKeyedLists(next, root, found);
  if (found.length === 0) return;
  const before: FieldError[] = [];
  validateKeyedLists(previous, root, before);
  if (before.length === 0) errors.push(...found);
}

/** Rules are not evaluated on what has another form than the schema says. */
const BLOCKING: ReadonlySet<string> = new Set([
  "FieldValueNotSupported",
  "FieldValueRequired",
  "FieldValueTooLong",
  "FieldValueTooMany",
  "FieldValueTypeInvalid",
]);

function checkRules(
  root: Structural | undefined,
  next: KubeObject,
  previous: KubeObject | undefined,
  { errors, warnings }: Verdict,
  correlation?: Correlation,
): void {
  if (!root?.hasRules) return;
  if (errors.some(({ type }) => BLOCKING.has(type))) {
    const why =
      "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation";
    errors.push(fieldInvalid("<nil>", null, why));
    return;
  }
  const state: RuleState = { errors, warnings };
  validateRules(root, { value: next, old: previous, correlation, isResource: true }, state);
}

const INT32_MAX = 2 ** 31 - 1;

function checkScale(
  { scale }: Validatable,
  object: KubeObject,
  parts: readonly ("spec" | "status")[],
  errors: FieldError[],
): void {
  if (!scale) return;
  const paths = { spec: scale.specReplicasPath, status: scale.statusReplicasPath };
  for (const part of parts) {
    const path = paths[part];
    const found = findNested(object, path);
    if (found.error !== undefined) errors.push(fieldInvalid(path, 0, found.error));
    else if (found.value !== undefined && !(typeof found.value === "number" && isGoInteger(found.value))) {
      errors.push(fieldInvalid(path, 0, accessorError(path, found.value, "int64")));
    } else if (((found.value as number | undefined) ?? 0) < 0) {
      errors.push(fieldInvalid(path, found.value, "should be a non-negative integer"));
    } else if (((found.value as number | undefined) ?? 0) > INT32_MAX) {
      errors.push(fieldInvalid(path, found.value, `should be less than or equal to ${INT32_MAX}`));
    }
  }
  const path = scale.labelSelectorPath;
  if (!path || !parts.includes("status")) return;
  const found = findNested(object, path);
  const isText = found.value === undefined || typeof found.value === "string";
  if (found.error !== undefined) errors.push(fieldInvalid(path, "", found.error));
  else if (!isText) errors.push(fieldInvalid(path, "", accessorError(path, found.value, "string")));
}

/** As unstructured.NestedFieldNoCopy: what is no map on the way is an error. */
function findNested(object: KubeObject, path: string): { value?: Json; error?: string } {
  const names = path.replace(/^\./, "").split(".");
  let value: Json = object;
  for (const [i, name] of names.entries()) {
    if (value === null) return {};
    if (!isObject(value))
      return { error: accessorError(names.slice(0, i + 1).join("."), value, "map[string]interface{}") };
    if (!Object.hasOwn(value, name)) return {};
    value = value[name];
  }
  return { value };
}

const accessorError = (path: string, value: Json, expected: string): string =>
  `.${path.replace(/^\./, "")} accessor error: ${printGo(value)} is of the type ${goType(value)}, expected ${expected}`;

function goType(value: Json): string {
  if (Array.isArray(value)) return "[]interface {}";
  if (isObject(value)) return "map[string]interface {}";
  if (typeof value === "number") return isGoInteger(value) ? "int64" : "float64";
  return value === null ? "<nil>" : typeof value === "boolean" ? "bool" : "string";
}
