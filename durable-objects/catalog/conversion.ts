import type { CustomResourceDefinitionObject } from "../../api/custom/definition.ts";
import type { KubeObject } from "../../api/object.ts";

/** Objects of one kind that are wanted in another version: what a ConversionReview asks. */
export interface Conversion {
  /** With the webhook that is to be called. */
  readonly definition: Readonly<CustomResourceDefinitionObject>;
  readonly desiredAPIVersion: string;
  readonly objects: readonly KubeObject[];
}

/** Calls a definition's conversion webhook. Answers as many objects, in their order. @throws ApiError */
export type ConversionCaller = (conversion: Conversion) => Promise<KubeObject[]>;

/** Objects in one call: a list is converted in parts. */
export const CONVERSION_OBJECTS_MAX = 500;
