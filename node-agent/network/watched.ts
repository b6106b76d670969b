import type { MessageToAgent } from "../../api/node-link.ts";
import type { KubeObject } from "../../api/object.ts";

/** One `watch` message of the node link, as it came. */
export type WatchMessage = Extract<MessageToAgent, { type: "watch" }>;

/**
 * The objects of one watched resource, as the node link told of them. While a new full list arrives (after a reset)
 * the old one goes on being shown, so that nothing seems to vanish in between.
 */
export class Watched<T> {
  #shown = new Map<string, T>();
  /** Takes the place of what is shown once it is complete. */
  #arriving: Map<string, T> | undefined;
  #synced = false;

  /** All of the resource is known. */
  get synced(): boolean {
    return this.#synced;
  }

  /** Brings the objects up to date; true where what is shown has changed, and is complete. */
  apply(message: WatchMessage): boolean {
    if (message.reset) this.#arriving = new Map();
    const objects = this.#arriving ?? this.#shown;
    for (const { type, object } of message.events) {
      const { metadata } = object as unknown as KubeObject;
      const key = `${metadata.namespace ?? ""}/${metadata.name}`;
      if (type === "DELETED") objects.delete(key);
      else objects.set(key, object as T);
    }
    if (message.synced) {
      this.#shown = objects;
      this.#arriving = undefined;
      this.#synced = true;
    }
    return this.#synced && this.#arriving === undefined;
  }

  values(): IterableIterator<T> {
    return this.#shown.values();
  }

  get(name: string, namespace = ""): T | undefined {
    return this.#shown.get(`${namespace}/${name}`);
  }
}
