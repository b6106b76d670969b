import { descriptions } from "#descriptions";

/**
 * What fields mean, in the words of the published spec. Only bundles have it (`cli/control-plane/descriptions.ts` explains), and only
 * OpenAPI documents need it: it is read when the first one is made.
 */

interface Described {
  texts: string[];
  /** By definition: its own text, and those of its properties in the order of the facts; -1: nothing is said. */
  definitions: Record<string, number[] | undefined>;
  parameters: Record<string, number | undefined>;
}

let described: Described | undefined;

function read(): Described {
  described ??= JSON.parse(descriptions()) as Described;
  return described;
}

/** The text of a definition, and those of its properties by their place. */
export function descriptionsOf(definition: string): readonly (string | undefined)[] {
  const { texts, definitions } = read();
  return Object.hasOwn(definitions, definition) ? definitions[definition]!.map((place) => texts[place]) : [];
}

/** Of a query parameter, as the operations of `of` (`patch`, `exec` …) have it. */
export function parameterDescription(name: string, of?: string): string | undefined {
  const { texts, parameters } = read();
  const place = (of && parameters[`${of}.${name}`]) || parameters[name];
  return place === undefined ? undefined : texts[place];
}
