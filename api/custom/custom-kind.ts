import type { FieldError } from "../field-error.ts";
import type { KindInfo, KindRules } from "../kind.ts";
import type { KubeObject } from "../object.ts";
import type { Decoded, FieldValidation, RawDecoded } from "../schema/decode.ts";
import type { Shape } from "../schema/shape.ts";
import type { JsonSchema } from "./definition.ts";

/** What validation found. Warnings are faults that an update did not bring in (KEP-4008), and odd finalizers. */
export interface Verdict {
  errors: FieldError[];
  warnings: string[];
}

/**
 * One version of a custom resource definition, with all that serving it takes. Objects passed in are in this version.
 * Each part is made when it is first asked for, and once.
 */
export interface CustomKind {
  /** Names as accepted (`status.acceptedNames`), verbs and subresources. */
  readonly info: KindInfo;
  readonly listKind: string;
  readonly apiVersion: string;
  readonly served: boolean;
  /** Objects are stored in this version. */
  readonly storage: boolean;
  readonly hasStatus: boolean;
  /** The `Warning` that every request for a deprecated version carries. */
  readonly deprecationWarning: string | undefined;
  /** Fields that field selectors may name besides the metadata's: `spec.color`. */
  readonly selectablePaths: readonly string[];
  /** `openAPIV3Schema` as the definition has it. */
  readonly schema: JsonSchema | undefined;
  /**
   * Columns (all of them: Age only where upstream has it), prepareForCreate, prepareForUpdate (both set the generation),
   * selectableFields and scale. `validate…` are not in it: they need what KindRules cannot say; see below.
   */
  readonly rules: KindRules<KubeObject>;

  /** As `decodeText` of built-in kinds, with the same ApiErrors: parsed, metadata checked, unknown fields pruned. Not defaulted. */
  decodeText(text: string, fieldValidation?: FieldValidation): Decoded;
  /** As `decodeText` for a parsed value, which is used up. */
  decodeObject(
    value: unknown,
    fieldValidation?: FieldValidation,
    source?: { text?: string; duplicates?: readonly string[] },
  ): Decoded;
  /** The bare decoding, without a look at `kind` and `apiVersion` (both are set). Throws a DecodeError. The value is used up. */
  decodeValue(value: unknown, options?: { duplicates?: readonly string[] }): RawDecoded;
  /** Sets the schema's defaults, in place; also of nulls that may not be null. */
  setDefaults(object: KubeObject): void;
  /**
   * What a stored (and converted) object is to a reader of this version: pruned, what is malformed in its metadata dropped,
   * defaulted; in place. Answers the object.
   */
  present(object: KubeObject): KubeObject;

  /** At creation. The object's own metadata is the caller's (`validateObjectMeta`). */
  validate(object: KubeObject): Verdict;
  /** In place of `validate` at an update of the main resource. Values that did not change may be invalid. */
  validateUpdate(next: KubeObject, previous: KubeObject): Verdict;
  /** At an update of the status subresource. */
  validateStatusUpdate(next: KubeObject, previous: KubeObject): Verdict;

  /** For managed fields and apply. */
  readonly shape: Shape;
}
