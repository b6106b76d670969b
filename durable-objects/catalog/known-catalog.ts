import type { CustomKind } from "../../api/custom/custom-kind.ts";
import type { KindInfo } from "../../api/kind.ts";
import type { KubeObject } from "../../api/object.ts";
import type { CatalogContents } from "../protocol.ts";
import type { Served } from "../verbs/served.ts";
import type { Catalog } from "./catalog.ts";
import type { Definition, Definitions } from "./definitions.ts";

const NONE: readonly never[] = [];

/** The catalog as it was at one revision. */
export class KnownCatalog implements Catalog {
  readonly revision: number;
  readonly #definitions: ReadonlyMap<string, Definition>;
  readonly #objects: CatalogContents["objects"];
  #kinds: readonly KindInfo[] | undefined;

  constructor(revision: number, { definitions: heads, objects }: CatalogContents, definitions: Definitions) {
    this.revision = revision;
    this.#definitions = definitions.adopt(heads);
    this.#objects = objects;
    for (const list of Object.values(objects)) deepFreeze(list);
  }

  /** Resources that were served otherwise by an earlier catalog, or are not any more. */
  changedSince(before: KnownCatalog): string[] {
    return [...before.#definitions].flatMap(([name, definition]) =>
      this.#definitions.get(name) === definition ? [] : [name],
    );
  }

  /** The definition of a custom resource, whatever its versions. */
  definition(group: string, resource: string): Definition | undefined {
    return this.#definitions.get(`${resource}.${group}`);
  }

  custom(group: string, version: string, resource: string): CustomKind | undefined {
    const kind = this.definition(group, resource)?.kind(version);
    return kind?.served ? kind : undefined;
  }

  served(group: string, version: string, resource: string): Served | undefined {
    return this.definition(group, resource)?.served(version);
  }

  kinds(): readonly KindInfo[] {
    this.#kinds ??= [...this.#definitions.values()].flatMap(({ names }) => names.map(({ info }) => info));
    return this.#kinds;
  }

  objects(resource: string): readonly Readonly<KubeObject>[] {
    return this.#objects[resource] ?? NONE;
  }
}

function deepFreeze(value: unknown): void {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return;
  Object.freeze(value);
  for (const inner of Object.values(value)) deepFreeze(inner);
}
