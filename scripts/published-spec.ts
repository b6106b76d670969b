/** The published OpenAPI v2 document, as far as it is read here. */

export interface SpecProperty {
  type?: string;
  format?: string;
  $ref?: string;
  items?: SpecProperty;
  additionalProperties?: SpecProperty;
  [extension: `x-kubernetes-${string}`]: any;
}
export interface SpecDefinition extends SpecProperty {
  properties?: Record<string, SpecProperty>;
  required?: string[];
}
export interface Spec {
  definitions: Record<string, SpecDefinition>;
  paths: Record<string, Record<string, any>>;
}
