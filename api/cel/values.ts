import * as T from "./types.ts";
import { type CelType, DYN, OPTIONAL_NAME, opaqueNamed, structNamed } from "./types.ts";

/**
 * A value of the language. int is bigint and double is number; what JavaScript lacks is a class. Strings count in Unicode code points.
 */
export type CelValue = null | boolean | bigint | number | string | Uint8Array | Uint | CelList | CelMap | Instance;

/** An unsigned integer of 64 bits. */
export class Uint {
  readonly value: bigint;

  constructor(value: bigint) {
    this.value = value;
  }
}

/** A value of a type that has no literal: time, address, quantity, authorizer, … */
export abstract class Instance {
  /** Of the value at run time: without parameters. */
  abstract readonly type: CelType;
  /** Whether both are the same value; `other` is of any type. */
  abstract equals(other: CelValue): boolean;
  /** As part of an error text. */
  toText(): string {
    return T.runtimeName(this.type);
  }
}

/** A type as a value. */
export class TypeValue extends Instance {
  readonly type = T.TYPE;
  readonly name: string;

  constructor(name: string) {
    super();
    this.name = name;
  }

  equals(other: CelValue): boolean {
    return other instanceof TypeValue && other.name === this.name;
  }

  override toText(): string {
    return this.name;
  }
}

const OPTIONAL_TYPE = opaqueNamed(OPTIONAL_NAME, DYN);

/** Its equality is in equal.ts: it needs that of what it holds. */
export class Optional extends Instance {
  readonly type = OPTIONAL_TYPE;
  /** Undefined: none. */
  readonly value: CelValue | undefined;

  constructor(value: CelValue | undefined) {
    super();
    this.value = value;
  }

  equals(other: CelValue): boolean {
    return other === this;
  }

  override toText(): string {
    return this.value === undefined ? "optional.none()" : `optional(${textOf(this.value)})`;
  }
}

export const NONE = new Optional(undefined);

export abstract class CelList {
  abstract readonly length: number;
  /** `index` is within the list. */
  abstract at(index: number): CelValue;

  toArray(): readonly CelValue[] {
    const values: CelValue[] = [];
    for (let i = 0; i < this.length; i++) values.push(this.at(i));
    return values;
  }

  *[Symbol.iterator](): Generator<CelValue> {
    for (let i = 0; i < this.length; i++) yield this.at(i);
  }
}

/** A list that an expression made. */
export class ListValue extends CelList {
  readonly values: readonly CelValue[];

  constructor(values: readonly CelValue[]) {
    super();
    this.values = values;
  }

  get length(): number {
    return this.values.length;
  }

  at(index: number): CelValue {
    return this.values[index]!;
  }

  override toArray(): readonly CelValue[] {
    return this.values;
  }
}

/** Also an object with declared fields: CEL tells them apart by their static types only. */
export abstract class CelMap {
  abstract readonly size: number;
  abstract find(key: CelValue): CelValue | undefined;
  abstract keys(): Iterable<CelValue>;

  *entries(): Generator<[CelValue, CelValue]> {
    for (const key of this.keys()) yield [key, this.find(key)!];
  }
}

/** Numbers of the three types are the same key where they are equal. */
const keyOf = (key: CelValue): unknown => {
  if (key instanceof Uint) return key.value;
  return typeof key === "number" && Number.isInteger(key) ? BigInt(key) : key;
};

/** A map that an expression made. */
export class MapValue extends CelMap {
  readonly #entries = new Map<unknown, [CelValue, CelValue]>();

  get size(): number {
    return this.#entries.size;
  }

  find(key: CelValue): CelValue | undefined {
    return this.#entries.get(keyOf(key))?.[1];
  }

  set(key: CelValue, value: CelValue): void {
    this.#entries.set(keyOf(key), [key, value]);
  }

  *keys(): Generator<CelValue> {
    for (const [key] of this.#entries.values()) yield key;
  }
}

/** A struct that an expression made: `Object.spec{replicas: 1}`. */
export class StructValue extends Instance {
  readonly type: CelType;
  readonly name: string;
  readonly fields: ReadonlyMap<string, CelValue>;

  constructor(name: string, fields: ReadonlyMap<string, CelValue>) {
    super();
    this.type = structNamed(name);
    this.name = name;
    this.fields = fields;
  }

  equals(other: CelValue): boolean {
    return other === this;
  }
}

const MAP = T.mapOf(DYN, DYN);
const LIST = T.listOf(DYN);

/** The type at run time, without parameters. */
function typeOfValue(value: CelValue): CelType {
  switch (typeof value) {
    case "boolean":
      return T.BOOL;
    case "bigint":
      return T.INT;
    case "number":
      return T.DOUBLE;
    case "string":
      return T.STRING;
  }
  if (value === null) return T.NULL;
  if (value instanceof CelMap) return MAP;
  if (value instanceof CelList) return LIST;
  if (value instanceof Uint) return T.UINT;
  return value instanceof Uint8Array ? T.BYTES : value.type;
}

export const typeNameOf = (value: CelValue): string => T.runtimeName(typeOfValue(value));

/** A value in an error text, as Go's `%v` prints it. */
export function textOf(value: CelValue): string {
  if (typeof value === "number") return doubleText(value);
  if (value instanceof Uint) return String(value.value);
  if (value instanceof Instance) return value.toText();
  if (value instanceof CelList || value instanceof CelMap) return typeNameOf(value);
  return String(value);
}

/** A double as Go's `%g`: shortest digits, an exponent of at least two digits below 1e-4 and from 1e6 on. */
export function doubleText(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  if (Object.is(value, -0)) return "-0";
  const [digits, power = ""] = value.toExponential().split("e");
  const exponent = Number(power);
  if (exponent >= -4 && exponent < 6) return String(value);
  return `${digits}e${power[0]}${power.slice(1).padStart(2, "0")}`;
}

const SURROGATE = /[\ud800-\udfff]/;

/** In code points. */
export function textLength(text: string): number {
  if (!SURROGATE.test(text)) return text.length;
  let length = 0;
  for (const _ of text) length++;
  return length;
}

/** Indexed by code point: the text itself where that is the same. */
export const codePoints = (text: string): string | string[] => (SURROGATE.test(text) ? [...text] : text);

/** Strings by code point, which is their order in UTF-8. */
export function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  if (!SURROGATE.test(a) && !SURROGATE.test(b)) return a < b ? -1 : 1;
  const [left, right] = [[...a], [...b]];
  for (let i = 0; i < left.length && i < right.length; i++) {
    const difference = left[i]!.codePointAt(0)! - right[i]!.codePointAt(0)!;
    if (difference !== 0) return Math.sign(difference);
  }
  return Math.sign(left.length - right.length);
}
