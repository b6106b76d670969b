import type { Store } from "../store/store.ts";

/** Resources that are remembered: anybody may name one that is not there. */
const RESOURCES_MAX = 1000;

/** How many objects of each resource a home holds: counted once in an instance's life, then kept up with what is committed. */
export class ObjectCounts {
  readonly #store: Store;
  readonly #counts = new Map<string, number>();

  constructor(store: Store) {
    this.#store = store;
    store.onCommit((changes) => {
      for (const { type, stored } of changes) {
        const count = this.#counts.get(stored.resource);
        if (count === undefined || type === "MODIFIED") continue;
        this.#counts.set(stored.resource, count + (type === "ADDED" ? 1 : -1));
      }
    });
  }

  of(resource: string): number {
    const known = this.#counts.get(resource);
    if (known !== undefined) return known;
    const count = this.#store.read((tx) => tx.count(resource));
    if (this.#counts.size < RESOURCES_MAX) this.#counts.set(resource, count);
    return count;
  }
}
