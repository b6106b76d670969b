import { isObject } from "../json-value.ts";
import type { CustomResourceDefinitionObject, JsonSchema } from "./definition.ts";
import { heededFormat } from "./formats.ts";

/** A schema with thousands of odd formats is told about so often. */
const WARNINGS_MAX = 100;

/** `unrecognized format "x"`, for each schema that names one that nobody heeds; of an update only what is new. */
export function formatWarnings(
  next: CustomResourceDefinitionObject,
  previous?: CustomResourceDefinitionObject,
): string[] {
  const known = new Set(previous ? unrecognized(previous) : []);
  return unrecognized(next)
    .filter((format) => !known.has(format))
    .slice(0, WARNINGS_MAX)
    .map((format) => `unrecognized format ${JSON.stringify(format)}`);
}

/** Told once where all versions have the same schema, as upstream's internal type has it once. */
function unrecognized({ spec }: CustomResourceDefinitionObject): string[] {
  const schemas = (spec.versions ?? []).map(({ schema }) => schema?.openAPIV3Schema).filter(isObject);
  const isShared = new Set(schemas.map((schema) => JSON.stringify(schema))).size === 1;
  const formats: string[] = [];
  for (const schema of isShared ? schemas.slice(0, 1) : schemas) collect(schema, formats);
  return formats;
}

function collect(schema: JsonSchema, formats: string[]): void {
  const { items, additionalProperties, properties = {}, allOf = [], anyOf = [], oneOf = [], not } = schema;
  const { "x-kubernetes-int-or-string": _, ...plain } = schema;
  if (schema.format && heededFormat(plain) === "") formats.push(schema.format);
  const children = [items, ...allOf, ...anyOf, ...oneOf, not, ...Object.values(properties), additionalProperties];
  for (const child of children) if (isObject(child)) collect(child as JsonSchema, formats);
}
