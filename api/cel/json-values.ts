import { fail } from "./cel-error.ts";
import { escapeIdentifier, unescapeIdentifier } from "./identifier.ts";
import type { Meter } from "./meter.ts";
import { CelList, CelMap, type CelValue, Instance, ListValue, Uint } from "./values.ts";

/**
 * JSON without a schema as a value of the language: integers are int, other numbers double. What is a value already stays as it is.
 */
export function fromJson(json: unknown): CelValue {
  switch (typeof json) {
    case "string":
    case "boolean":
    case "bigint":
      return json;
    case "number":
      return Number.isSafeInteger(json) ? BigInt(json) : json;
  }
  if (json === null || json === undefined) return null;
  if (Array.isArray(json)) return new JsonList(json, fromJson);
  if (isCelObject(json)) return json;
  return new JsonMap(json as Record<string, unknown>, { read: fromJson });
}

const isCelObject = (value: unknown): value is CelList | CelMap | Instance | Uint | Uint8Array =>
  value instanceof CelMap ||
  value instanceof CelList ||
  value instanceof Instance ||
  value instanceof Uint ||
  value instanceof Uint8Array;

type Read = (json: unknown) => CelValue;

/** A list of JSON whose elements become values when they are looked at. */
export class JsonList extends CelList {
  readonly json: readonly unknown[];
  readonly read: Read;

  constructor(json: readonly unknown[], read: Read) {
    super();
    this.json = json;
    this.read = read;
  }

  get length(): number {
    return this.json.length;
  }

  at(index: number): CelValue {
    return this.read(this.json[index]);
  }
}

/** What tells elements apart: scalars by value and kind, anything else by nothing but itself. */
const scalarKey = (value: CelValue): unknown => (value instanceof Uint ? value.value : value);

/** x-kubernetes-list-type=set: `==` ignores the order, `+` is the union. */
export class ListSet extends CelList {
  readonly #list: CelList;
  #keys: Set<unknown> | undefined;

  constructor(list: CelList) {
    super();
    this.#list = list;
  }

  get length(): number {
    return this.#list.length;
  }

  at(index: number): CelValue {
    return this.#list.at(index);
  }

  hasAll(others: CelList, meter: Meter): boolean {
    meter.work(others.length + this.length);
    const keys = this.#keySet();
    for (const other of others) if (!keys.has(scalarKey(other))) return false;
    return true;
  }

  plus(others: CelList): ListSet {
    const keys = new Set(this.#keySet());
    const union = [...this];
    for (const other of others) {
      const key = scalarKey(other);
      if (!keys.has(key)) union.push(other);
      keys.add(key);
    }
    return new ListSet(new ListValue(union));
  }

  #keySet(): Set<unknown> {
    this.#keys ??= new Set([...this].map(scalarKey));
    return this.#keys;
  }
}

/** x-kubernetes-list-type=map: `==` ignores the order, `+` replaces elements of the same keys in their places and appends the others. */
export class ListMap extends CelList {
  readonly #list: CelList;
  /** As they are called in expressions. */
  readonly #keyNames: readonly string[];
  #byKey: Map<string, CelValue> | undefined;

  constructor(list: CelList, keyNames: readonly string[]) {
    super();
    this.#list = list;
    this.#keyNames = keyNames;
  }

  get length(): number {
    return this.#list.length;
  }

  at(index: number): CelValue {
    return this.#list.at(index);
  }

  equalsByKey(others: CelList, isEqual: (a: CelValue, b: CelValue) => boolean): boolean {
    this.#byKey ??= new Map([...this].map((element) => [this.#keyOf(element), element]));
    for (const other of others) {
      const element = this.#byKey.get(this.#keyOf(other));
      if (element === undefined || !isEqual(element, other)) return false;
    }
    return true;
  }

  plus(others: CelList): ListMap {
    const merged = new Map([...this].map((element) => [this.#keyOf(element), element]));
    for (const other of others) merged.set(this.#keyOf(other), other);
    return new ListMap(new ListValue([...merged.values()]), this.#keyNames);
  }

  #keyOf(element: CelValue): string {
    if (!(element instanceof CelMap)) {
      return fail("unexpected data format for element of array with x-kubernetes-list-type=map");
    }
    return JSON.stringify(
      this.#keyNames.map((name) => {
        const key = element.find(name);
        return typeof key === "bigint" ? `${key}n` : (scalarText(key) ?? null);
      }),
    );
  }
}

const scalarText = (key: CelValue | undefined): string | undefined =>
  key === undefined || key === null || typeof key === "object" ? undefined : `${typeof key} ${String(key)}`;

/** How the values of a JSON object are read: all alike, or each property as it is declared. */
export type JsonMapKind =
  | { readonly read: Read; readonly field?: undefined }
  | {
      /** By the property's JSON name; undefined where expressions cannot see it. */
      readonly field: (property: string) => { readonly read: Read } | undefined;
    };

/** A JSON object. One with declared properties has escaped names, and a null is absent from it. */
export class JsonMap extends CelMap {
  readonly json: Readonly<Record<string, unknown>>;
  readonly #kind: JsonMapKind;

  constructor(json: Readonly<Record<string, unknown>>, kind: JsonMapKind) {
    super();
    this.json = json;
    this.#kind = kind;
  }

  get size(): number {
    return Object.keys(this.json).length;
  }

  find(key: CelValue): CelValue | undefined {
    if (typeof key !== "string") return undefined;
    if (!this.#kind.field) return Object.hasOwn(this.json, key) ? this.#kind.read(this.json[key]) : undefined;
    const property = unescapeIdentifier(key);
    return property === undefined ? undefined : this.property(property);
  }

  /** By the property's JSON name, of an object with declared properties. */
  property(property: string): CelValue | undefined {
    if (!Object.hasOwn(this.json, property)) return undefined;
    const value = this.json[property];
    return value === null || value === undefined ? undefined : this.#kind.field?.(property)?.read(value);
  }

  *keys(): Generator<string> {
    const { field } = this.#kind;
    for (const key of Object.keys(this.json)) {
      if (!field) yield key;
      else if (this.property(key) !== undefined) yield escapeIdentifier(key) ?? key;
    }
  }

  /** The JSON names of properties that no expression can see. */
  undeclared(): string[] {
    const { field } = this.#kind;
    return field ? Object.keys(this.json).filter((key) => !field(key)) : [];
  }
}
