import type { KubeObject } from "../api/object.ts";
import type { Reference, ReferencedObjects, ReferencedResource } from "./references.ts";

/** Asks the control plane; undefined where there is no such object. Rejects where it cannot be reached. */
export type FetchReference = (
  resource: ReferencedResource,
  namespace: string,
  name: string,
) => Promise<KubeObject | undefined>;

/** An object fetched this recently is taken as it is: the containers of one pod start together. */
const FRESH_MILLISECONDS = 2000;
/** Objects remembered; the least recently used are fetched again. */
const OBJECTS_MAX = 2000;

interface Entry {
  at: number;
  object: KubeObject | undefined;
  pending: Promise<KubeObject | undefined> | undefined;
}

/** ConfigMaps and Secrets that pods of this node refer to. In memory only: secret values are not written anywhere else. */
export class ReferenceCache {
  readonly #fetch: FetchReference;
  readonly #now: () => number;
  readonly #entries = new Map<string, Entry>();

  constructor(options: { fetch: FetchReference; now(): number }) {
    this.#fetch = options.fetch;
    this.#now = options.now;
  }

  /**
   * All of these, as the control plane has them now; what was fetched before stands in while it cannot be reached.
   * Rejects where something was never fetched and cannot be now.
   */
  async load(namespace: string, references: readonly Reference[]): Promise<ReferencedObjects> {
    const objects = new Map<string, KubeObject | undefined>();
    await Promise.all(
      references.map(async ({ resource, name }) => {
        objects.set(`${resource}/${name}`, await this.#load(resource, namespace, name));
      }),
    );
    return (resource, name) => objects.get(`${resource}/${name}`);
  }

  async #load(resource: ReferencedResource, namespace: string, name: string): Promise<KubeObject | undefined> {
    const key = `${resource}/${namespace}/${name}`;
    const known = this.#entries.get(key);
    if (known?.pending) return known.pending;
    if (known && this.#now() - known.at < FRESH_MILLISECONDS && known.object) return known.object;
    const entry: Entry = { at: known?.at ?? 0, object: known?.object, pending: undefined };
    entry.pending = this.#fetch(resource, namespace, name)
      .then((object) => {
        entry.at = this.#now();
        entry.object = object;
        return object;
      })
      .catch((error) => {
        if (entry.object) return entry.object;
        this.#entries.delete(key);
        throw error;
      })
      .finally(() => {
        entry.pending = undefined;
      });
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    if (this.#entries.size > OBJECTS_MAX) this.#entries.delete(this.#entries.keys().next().value!);
    return entry.pending;
  }
}
