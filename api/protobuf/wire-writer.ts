import { FIXED64, LENGTH, VARINT } from "./wire-reader.ts";

const utf8 = new TextEncoder();
const FIRST_BYTES = 64;
/** Below this, numbers are shifted as they are. */
const SMALL_MAX = 2 ** 31 - 1;
const VARINT_BYTES_MAX = 10;

/** Writes one message. Fields come out in the order in which they are put in. */
export class WireWriter {
  #bytes = new Uint8Array(FIRST_BYTES);
  #length = 0;

  /** What has been written. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** A field of one of the integer types or a boolean. */
  integer(number: number, value: number | boolean): this {
    this.#varint((number << 3) | VARINT);
    return this.#varint(Number(value));
  }

  double(number: number, value: number): this {
    this.#varint((number << 3) | FIXED64);
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setFloat64(0, value, true);
    return this.#append(bytes);
  }

  text(number: number, value: string): this {
    return this.bytes(number, utf8.encode(value));
  }

  /** Bytes, or the bytes of a finished message. */
  bytes(number: number, value: Uint8Array): this {
    this.#varint((number << 3) | LENGTH);
    this.#varint(value.length);
    return this.#append(value);
  }

  message(number: number, write: (inner: WireWriter) => void): this {
    const inner = new WireWriter();
    write(inner);
    return this.bytes(number, inner.finish());
  }

  #varint(value: number): this {
    if (value < 0 || value > SMALL_MAX) return this.#longVarint(value);
    this.#reserve(VARINT_BYTES_MAX);
    let rest = value;
    for (; rest > 0x7f; rest >>>= 7) this.#bytes[this.#length++] = (rest & 0x7f) | 0x80;
    this.#bytes[this.#length++] = rest;
    return this;
  }

  #longVarint(value: number): this {
    const bytes: number[] = [];
    let rest = BigInt.asUintN(64, BigInt(value));
    for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
    bytes.push(Number(rest));
    return this.#append(bytes);
  }

  #append(bytes: ArrayLike<number>): this {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
    return this;
  }

  /** Makes room for so many more bytes. */
  #reserve(count: number): void {
    const length = this.#length + count;
    if (length <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(length, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}
