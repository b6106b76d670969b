/**
 * Where in an object validation is. A link to the parent and nothing else: the text (`spec.containers[0].name`) is made
 * only when an error needs it, so that a valid object costs no strings.
 */
export class FieldPath {
  readonly #parent: FieldPath | undefined;
  readonly #segment: string | number;
  readonly #bracketed: boolean;

  private constructor(parent: FieldPath | undefined, segment: string | number, bracketed: boolean) {
    this.#parent = parent;
    this.#segment = segment;
    this.#bracketed = bracketed;
  }

  static of(name: string): FieldPath {
    return new FieldPath(undefined, name, false);
  }

  child(name: string): FieldPath {
    return new FieldPath(this, name, false);
  }

  /** An item of a list. */
  index(index: number): FieldPath {
    return new FieldPath(this, index, true);
  }

  /** An entry of a map: `data[key]`. */
  key(key: string): FieldPath {
    return new FieldPath(this, key, true);
  }

  toString(): string {
    const parent = this.#parent === undefined ? "" : String(this.#parent);
    if (this.#bracketed) return `${parent}[${this.#segment}]`;
    return parent ? `${parent}.${this.#segment}` : String(this.#segment);
  }
}

/** The paths that most errors begin with. */
export const METADATA = FieldPath.of("metadata");
export const SPEC = FieldPath.of("spec");
export const STATUS = FieldPath.of("status");
