import type { JsonObject } from "../json-value.ts";
import type { Shape } from "../schema/shape.ts";
import type { FieldSet } from "./field-set.ts";

/** What managed fields need to know of a kind, in the version that a request speaks. */
export interface ManagedKind {
  readonly kind: string;
  /** `apps/v1`; objects that are passed in are in this version. */
  readonly apiVersion: string;
  /** Entries may be older than the schema; a built-in kind's is as old as the program, and only applies look whether it has changed. */
  readonly schemaMayChange: boolean;
  /** The shape in a version of the kind; undefined where that is not served. */
  shapeIn(apiVersion: string): Shape | undefined;
  /** An object of the kind in another served version, by its own `apiVersion`; the given one is left alone. */
  convert(object: JsonObject, apiVersion: string): JsonObject;
  /** Without the fields that the written resource or subresource resets: who sends them does not own them. */
  withoutReset(set: FieldSet | undefined): FieldSet | undefined;
}

/** An object of the kind of which nothing was said yet. */
export const emptyObject = ({ apiVersion, kind }: ManagedKind): JsonObject => ({ apiVersion, kind });

/** Who writes, through what, and when. */
export interface FieldWriter {
  /** `fieldManager`, or the beginning of the user agent. */
  readonly manager: string;
  /** `status`, `scale`; empty for the object itself. */
  readonly subresource: string;
  /** RFC 3339 with seconds. */
  readonly time: string;
}
