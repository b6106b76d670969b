import type { Stored } from "./stored.ts";

/** Versions that were lately read or written, the oldest dropped first. Spares the parsing, foremost the controllers'. */
export class Cache {
  readonly #byKey = new Map<string, Stored>();
  readonly #charsMax: number;
  #chars = 0;

  constructor(charsMax: number) {
    this.#charsMax = charsMax;
  }

  get(resource: string, name: string): Stored | undefined {
    return this.#byKey.get(keyOf(resource, name));
  }

  set(stored: Stored): void {
    this.delete(stored.resource, stored.name);
    this.#byKey.set(keyOf(stored.resource, stored.name), stored);
    this.#chars += stored.json.length;
    for (const oldest of this.#byKey.values()) {
      if (this.#chars <= this.#charsMax) break;
      this.delete(oldest.resource, oldest.name);
    }
  }

  delete(resource: string, name: string): void {
    const key = keyOf(resource, name);
    const stored = this.#byKey.get(key);
    if (!stored) return;
    this.#byKey.delete(key);
    this.#chars -= stored.json.length;
  }

  clear(): void {
    this.#byKey.clear();
    this.#chars = 0;
  }
}

const keyOf = (resource: string, name: string): string => `${resource}/${name}`;
