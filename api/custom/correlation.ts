import { equalJson, has, isObject, type Json } from "../json-value.ts";
import { canonicalText } from "./go-json.ts";
import { nodeOfField, type Structural } from "./structural.ts";

/**
 * A value, and what stood in its place before the update, as far as the schema lets one tell (KEP-4008;
 * k8s.io/apiserver/pkg/cel/common CorrelatedObject): fields by name, items of lists of type map by their keys.
 */
export class Correlation {
  readonly value: Json;
  readonly old: Json;
  readonly #node: Structural;
  readonly #children = new Map<string | number, Correlation | undefined>();
  #isSame: boolean | undefined;
  #oldItems: KeyedItems | undefined;

  constructor(value: Json, old: Json, node: Structural) {
    this.value = value;
    this.old = old;
    this.#node = node;
  }

  /** Nothing here or below has changed; the order of lists of type map does not count. What the schema does not name has changed. */
  isSame(): boolean {
    this.#isSame ??= this.#compare();
    return this.#isSame;
  }

  #compare(): boolean {
    const { value, old } = this;
    if (Array.isArray(value) && Array.isArray(old)) {
      if (value.length !== old.length) return false;
      return this.#node.listType === "map"
        ? value.every((_, i) => this.index(i)?.isSame() ?? false)
        : equalJson(value, old);
    }
    if (isObject(value) && isObject(old)) {
      const keys = Object.keys(value);
      return keys.length === Object.keys(old).length && keys.every((key) => this.key(key)?.isSame() ?? false);
    }
    return equalJson(value ?? null, old ?? null);
  }

  /** Undefined where either is missing, or the schema says nothing of the field. */
  key(name: string): Correlation | undefined {
    return this.#child(name, () => {
      const { value, old } = this;
      if (!isObject(value) || !isObject(old) || !has(value, name) || !has(old, name)) return undefined;
      const node = nodeOfField(this.#node, name);
      return node && new Correlation(value[name], old[name], node);
    });
  }

  index(i: number): Correlation | undefined {
    return this.#child(i, () => {
      const { value, old } = this;
      if (!Array.isArray(value) || !Array.isArray(old) || !this.#node.items) return undefined;
      this.#oldItems ??= new KeyedItems(this.#node, old);
      const found = this.#oldItems.get(value[i]);
      return found === undefined ? undefined : new Correlation(value[i], found, this.#node.items);
    });
  }

  #child(place: string | number, make: () => Correlation | undefined): Correlation | undefined {
    if (!this.#children.has(place)) this.#children.set(place, make());
    return this.#children.get(place);
  }
}

/** The items of a list by their keys; nothing is found where the list is not of type map. */
export class KeyedItems {
  readonly #keys: readonly string[];
  readonly #items = new Map<string, Json>();

  constructor(node: Structural, items: readonly Json[]) {
    this.#keys = node.type === "array" && node.listType === "map" ? node.listKeys : [];
    for (const item of items) {
      const key = this.#keyOf(item);
      if (key !== undefined && !this.#items.has(key)) this.#items.set(key, item);
    }
  }

  /** The first item with the keys of `item`. */
  get(item: Json): Json | undefined {
    const key = this.#keyOf(item);
    return key === undefined ? undefined : this.#items.get(key);
  }

  /** All keys are there and scalar, or the item has none. */
  #keyOf(item: Json): string | undefined {
    if (!isObject(item) || this.#keys.length === 0) return undefined;
    let text = "";
    for (const name of this.#keys) {
      if (!has(item, name)) return undefined;
      const value = item[name];
      if (value === null || typeof value === "object") return undefined;
      text += `${canonicalText(value)},`;
    }
    return text;
  }
}
