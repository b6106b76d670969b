import { FIXED64, LENGTH, VARINT } from "./wire-reader.ts";

const utf8 = new TextEncoder();
const FIRST_BYTES = 256;
/** Below this, numbers are shifted as they are. */
const SMALL_MAX = 2 ** 31 - 1;
const VARINT_BYTES_MAX = 10;
/** The longest text whose characters are written one by one: beyond it, the platform's encoder is faster. */
const SHORT_TEXT_MAX = 48;

const varintBytes = (value: number): number =>
  value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : value < 0x1000_0000 ? 4 : 5;

/** Writes one message. Fields come out in the order in which they are put in. */
export class WireWriter {
  #bytes = new Uint8Array(FIRST_BYTES);
  #length = 0;

  /** What has been written. The writer keeps the memory: it is not to be used afterwards. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  /** A field of one of the integer types or a boolean. */
  integer(number: number, value: number | boolean): this {
    this.#varint((number << 3) | VARINT);
    return this.#varint(Number(value));
  }

  double(number: number, value: number): this {
    this.#varint((number << 3) | FIXED64);
    this.#reserve(8);
    new DataView(this.#bytes.buffer).setFloat64(this.#length, value, true);
    this.#length += 8;
    return this;
  }

  text(number: number, value: string): this {
    if (value.length > SHORT_TEXT_MAX) return this.bytes(number, utf8.encode(value));
    const start = this.#length;
    this.#varint((number << 3) | LENGTH);
    this.#reserve(value.length + 1);
    this.#bytes[this.#length++] = value.length;
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i);
      if (code > 0x7f) {
        this.#length = start;
        return this.bytes(number, utf8.encode(value));
      }
      this.#bytes[this.#length++] = code;
    }
    return this;
  }

  /** Bytes, or the bytes of a finished message. */
  bytes(number: number, value: Uint8Array): this {
    return this.length(number, value.length).append(value);
  }

  /** Begins a field of so many bytes, which the caller appends. */
  length(number: number, bytes: number): this {
    this.#varint((number << 3) | LENGTH);
    return this.#varint(bytes);
  }

  message(number: number, write: (inner: WireWriter) => void): this {
    const start = this.open(number);
    write(this);
    return this.close(start);
  }

  /** Begins a message within: its fields follow, then `close` with what this answers. */
  open(number: number): number {
    this.#varint((number << 3) | LENGTH);
    this.#reserve(1);
    // Most messages are short: one byte is kept for their length.
    return this.#length++;
  }

  close(start: number): this {
    const body = start + 1;
    const length = this.#length - body;
    const more = varintBytes(length) - 1;
    if (more > 0) {
      this.#reserve(more);
      this.#bytes.copyWithin(body + more, body, this.#length);
    }
    this.#length = start;
    this.#varint(length);
    this.#length += length;
    return this;
  }

  /** Bytes as they are: whole fields that were written before, or what stands before the first. */
  append(bytes: ArrayLike<number>): this {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
    return this;
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
    return this.append(bytes);
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
