import type { CustomResourceDefinitionObject } from "../../api/custom/definition.ts";
import type { KubeObject } from "../../api/object.ts";
import type { Catalog, CatalogSource } from "../catalog/catalog.ts";
import {
  CATALOG_RESOURCES,
  claimOf,
  DEFINITIONS,
  type DefinitionClaim,
  headOf,
  SHARED_RESOURCES,
  sharedPart,
} from "../catalog/contents.ts";
import type { ConversionCaller } from "../catalog/conversion.ts";
import { Definitions } from "../catalog/definitions.ts";
import { KnownCatalog } from "../catalog/known-catalog.ts";
import type { CatalogContents, ClusterHomeCatalogRpc, DefinitionHead, Target } from "../protocol.ts";
import type { Store } from "../store/store.ts";
import type { Change, Stored } from "../store/stored.ts";
import type { NamedText, Page } from "../store/transaction.ts";

/** Definitions in memory at a time while all are read: each may be a megabyte. */
const READ_AT_ONCE = 8;

/**
 * The catalog where it is made: from the objects that the ClusterHome holds, read once in an instance's life and then kept up with what
 * is committed.
 */
export class ClusterCatalog implements CatalogSource {
  readonly #store: Store;
  readonly #definitions: Definitions;
  readonly #changed: (revision: number) => void;
  /** By name; undefined until it is first needed. */
  #heads: Map<string, DefinitionHead> | undefined;
  readonly #claims = new Map<string, DefinitionClaim>();
  readonly #objects = new Map<string, Map<string, KubeObject>>();
  /** Since when definitions' schemas have been what they are, as far as this instance knows: by name and generation. */
  readonly #since = new Map<string, { version: string; revision: number }>();
  #known: KnownCatalog | undefined;
  #text = "";

  /** `changed`: what others know of the catalog is stale. */
  constructor(options: { store: Store; convert?: ConversionCaller | undefined; changed(revision: number): void }) {
    const { store, convert, changed } = options;
    this.#store = store;
    this.#changed = changed;
    this.#definitions = new Definitions({ convert, fetch: async ({ definition }) => this.#textOf(definition) });
    store.onCommit((changes) => this.#committed(changes));
  }

  get catalog(): Catalog {
    return this.#current();
  }

  /** What the catalog says, as JSON. Whoever knows this knows all. */
  get text(): string {
    this.#current();
    return this.#text;
  }

  get revision(): number {
    return this.#current().revision;
  }

  /** It is always as it is. Read now, and not in the middle of a transaction, which would see what may be undone. */
  fresh(): undefined {
    this.#current();
  }

  learn({ group, resource }: Pick<Target, "group" | "version" | "resource">): Promise<void> | undefined {
    const definition = this.#current().definition(group, resource);
    if (!definition || definition.isLoaded) return undefined;
    return definition.load().then(() => undefined);
  }

  answer(known: number): Awaited<ReturnType<ClusterHomeCatalogRpc["catalog"]>> {
    const { revision } = this.#current();
    return known === revision ? { revision } : { revision, contents: this.#text };
  }

  definition(name: string, uid: string, generation: number): string | null {
    this.#current();
    const metadata = this.#heads?.get(name)?.definition.metadata;
    if (!metadata || (generation !== 0 && (metadata.uid !== uid || metadata.generation !== generation))) return null;
    return this.#store.read((tx) => tx.get(DEFINITIONS, name)?.json ?? null);
  }

  /** Of all definitions, served or not; within a transaction also of those that it has written. */
  claims(): Iterable<DefinitionClaim> {
    this.#current();
    const changes = this.#store.changes(this.#store.revision, { resources: [DEFINITIONS] }) ?? [];
    if (changes.length === 0) return this.#claims.values();
    const claims = new Map(this.#claims);
    for (const { type, stored } of changes) {
      if (type === "DELETED") claims.delete(stored.name);
      else claims.set(stored.name, claimOf(stored.object as CustomResourceDefinitionObject));
    }
    return claims.values();
  }

  #textOf({ metadata }: Readonly<CustomResourceDefinitionObject>): string | undefined {
    return this.definition(metadata.name, metadata.uid ?? "", metadata.generation ?? 0) ?? undefined;
  }

  #current(): KnownCatalog {
    this.#known ??= this.#make();
    return this.#known;
  }

  #make(): KnownCatalog {
    this.#heads ??= this.#readAll();
    const contents: CatalogContents = {
      definitions: [...this.#heads.values()].sort(byName),
      objects: Object.fromEntries(
        [...this.#objects].flatMap(([resource, objects]) =>
          objects.size === 0
            ? []
            : [[resource, [...objects].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object)]],
        ),
      ),
    };
    this.#text = JSON.stringify(contents);
    // Of an empty cluster it is 1: 0 is what nobody knows.
    return new KnownCatalog(Math.max(this.#store.revision, 1), contents, this.#definitions);
  }

  #readAll(): Map<string, DefinitionHead> {
    const heads = new Map<string, DefinitionHead>();
    for (let after: string | undefined = ""; after !== undefined; ) {
      const page: Page = { after, limit: READ_AT_ONCE };
      const texts: NamedText[] = this.#store.read((tx) => tx.texts(DEFINITIONS, page));
      for (const { name, json, revision } of texts) {
        const head = this.#headOf(JSON.parse(json) as CustomResourceDefinitionObject, revision);
        if (head) heads.set(name, head);
      }
      after = texts.length < READ_AT_ONCE ? undefined : texts.at(-1)?.name;
    }
    for (const resource of SHARED_RESOURCES) {
      const texts = this.#store.read((tx) => tx.texts(resource));
      this.#objects.set(
        resource,
        new Map(texts.map(({ name, json }) => [name, sharedPart(resource, JSON.parse(json) as KubeObject)])),
      );
    }
    return heads;
  }

  #headOf(definition: CustomResourceDefinitionObject, revision: number): DefinitionHead | undefined {
    const { name, uid, generation } = definition.metadata;
    const version = `${uid}/${generation}`;
    const known = this.#since.get(name);
    const since = known?.version === version ? known.revision : revision;
    this.#since.set(name, { version, revision: since });
    this.#claims.set(name, claimOf(definition));
    return headOf(definition, since);
  }

  #committed(changes: readonly Change[]): void {
    let isTouched = false;
    for (const { type, stored } of changes) {
      if (!CATALOG_RESOURCES.has(stored.resource)) continue;
      isTouched = true;
      // What has not been read yet will be.
      if (this.#heads) this.#take(this.#heads, stored, type === "DELETED");
    }
    if (!isTouched) return;
    const before = this.#known && this.#text;
    this.#known = undefined;
    if (before === undefined || this.text !== before) this.#changed(this.revision);
  }

  #take(heads: Map<string, DefinitionHead>, { resource, name, json, revision }: Stored, isGone: boolean): void {
    if (resource !== DEFINITIONS) {
      const objects = this.#objects.get(resource) ?? new Map<string, KubeObject>();
      this.#objects.set(resource, objects);
      if (isGone) objects.delete(name);
      else objects.set(name, sharedPart(resource, JSON.parse(json) as KubeObject));
      return;
    }
    const head = isGone ? undefined : this.#headOf(JSON.parse(json) as CustomResourceDefinitionObject, revision);
    if (isGone) {
      this.#since.delete(name);
      this.#claims.delete(name);
    }
    if (head) heads.set(name, head);
    else heads.delete(name);
  }
}

const byName = (a: DefinitionHead, b: DefinitionHead): number =>
  a.definition.metadata.name < b.definition.metadata.name ? -1 : 1;
