import { ApiError } from "../../api/status.ts";
import type { CatalogContents, ClusterHomeCatalogRpc, Target } from "../protocol.ts";
import { type Catalog, type CatalogSource, EMPTY_CATALOG } from "./catalog.ts";
import type { ConversionCaller } from "./conversion.ts";
import { Definitions } from "./definitions.ts";
import { KnownCatalog } from "./known-catalog.ts";

/** The catalog may change again while it is being asked for. */
const ASKS_MAX = 5;

export interface CatalogFollowerOptions {
  cluster: ClusterHomeCatalogRpc;
  /** By what name the ClusterHome tells this follower of changes: a namespace, or `TIMELINE_FOLLOWER`. Undefined: it is not to be told, and asks each time. */
  follower(): string | undefined;
  convert?: ConversionCaller | undefined;
  /** Another catalog is known than before, as of a revision of the ClusterHome; these resources are served otherwise than before, or not any more. */
  learned?(changed: string[], revision: number): void;
}

/**
 * The catalog as everybody but the ClusterHome knows it. It is fetched when it is first needed, and again once the ClusterHome has
 * told that it has changed: until then nothing is asked.
 */
export class CatalogFollower implements CatalogSource {
  readonly #options: CatalogFollowerOptions;
  readonly #definitions: Definitions;
  #catalog: KnownCatalog | undefined;
  /** What is known is no older than the ClusterHome says it has to be. */
  #isFresh = false;
  /** What is older is stale. */
  #wanted = 0;
  #asking: Promise<void> | undefined;

  constructor(options: CatalogFollowerOptions) {
    this.#options = options;
    const { cluster, convert } = options;
    this.#definitions = new Definitions({
      convert,
      fetch: async ({ definition: { metadata } }) =>
        (await answered(cluster.definition(metadata.name, metadata.uid ?? "", metadata.generation ?? 0))) ?? undefined,
    });
  }

  /** As it was known last. */
  get catalog(): Catalog {
    return this.#catalog ?? EMPTY_CATALOG;
  }

  /** Nothing has ever been fetched. */
  get isUnknown(): boolean {
    return this.#catalog === undefined;
  }

  /** The ClusterHome's catalog is of this revision now. */
  changed(revision: number): void {
    this.#wanted = Math.max(this.#wanted, revision);
    this.#isFresh = false;
  }

  fresh(): Promise<void> | undefined {
    if (this.#isFresh) return undefined;
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  learn({ group, resource }: Pick<Target, "group" | "version" | "resource">): Promise<void> | undefined {
    if (!this.#isFresh) return this.#learn(group, resource);
    const definition = this.#catalog?.definition(group, resource);
    return !definition || definition.isLoaded ? undefined : this.#learn(group, resource);
  }

  async #learn(group: string, resource: string): Promise<void> {
    for (let i = 0; i < ASKS_MAX; i++) {
      await this.fresh();
      const definition = this.#catalog?.definition(group, resource);
      if (!definition || (await definition.load())) return;
      // It is another one by now, and the word of it has not come yet.
      this.#isFresh = false;
    }
    throw new ApiError("ServiceUnavailable", "the custom resource definition keeps changing", { retryAfterSeconds: 1 });
  }

  async #ask(): Promise<void> {
    const { cluster, follower, learned } = this.#options;
    for (let i = 0; i < ASKS_MAX; i++) {
      const name = follower();
      const { revision, contents } = await answered(cluster.catalog(this.#catalog?.revision ?? 0, name));
      if (contents !== undefined) {
        const before = this.#catalog;
        this.#catalog = new KnownCatalog(revision, JSON.parse(contents) as CatalogContents, this.#definitions);
        learned?.(before ? this.#catalog.changedSince(before) : [], revision);
      }
      if (revision >= this.#wanted) {
        this.#isFresh = name !== undefined;
        return;
      }
    }
    throw new ApiError("ServiceUnavailable", "what the cluster serves keeps changing", { retryAfterSeconds: 1 });
  }
}

/** @throws ApiError where the ClusterHome cannot be reached. */
async function answered<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof ApiError) throw error;
    console.warn(`the catalog could not be fetched: ${String(error)}`);
    throw new ApiError("ServiceUnavailable", "a part of the cluster does not answer", { retryAfterSeconds: 1 });
  }
}
