/** The bytes are not what protobuf allows. The messages are those of gogo's decoders, which kube-apiserver shows. */
export class ProtobufError extends Error {}

/** How a field's bytes are laid out. */
export const VARINT = 0;
export const FIXED64 = 1;
export const LENGTH = 2;
export const FIXED32 = 5;

const VARINT_BYTES_MAX = 10;
const MASK_7 = 0x7f;
const MORE = 0x80;
const TWO_TO_32 = 2 ** 32;
const LENGTH_MAX = 2 ** 31 - 1;

const utf8 = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true });

/** Reads one message: a window on bytes, never copied, never left. */
export class WireReader {
  readonly #bytes: Uint8Array;
  #position: number;
  readonly #end: number;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#position = start;
    this.#end = end;
  }

  get done(): boolean {
    return this.#position >= this.#end;
  }

  /** An unsigned number of at most 31 bits: a tag or a length. */
  #small(): number {
    const value = this.integer();
    if (value < 0 || value > LENGTH_MAX) throw new ProtobufError("proto: negative length found during unmarshaling");
    return value;
  }

  /** The next field's number and layout. */
  tag(): { number: number; wire: number } {
    const tag = this.integer() | 0;
    const number = tag >> 3;
    if (number <= 0) throw new ProtobufError(`proto: illegal tag ${number} (wire type ${tag})`);
    return { number, wire: tag & 7 };
  }

  /** A varint as a signed 64-bit integer. Beyond 53 bits it is as inexact as in JSON.parse. */
  integer(): number {
    let low = 0;
    let high = 0;
    for (let i = 0; i < VARINT_BYTES_MAX; i++) {
      if (this.#position >= this.#end) throw unexpectedEnd();
      const byte = this.#bytes[this.#position++]!;
      const bits = byte & MASK_7;
      const shift = 7 * i;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high |= bits >>> 4;
      } else high |= bits << (shift - 32);
      if (byte < MORE) return high * TWO_TO_32 + (low >>> 0);
    }
    throw new ProtobufError("proto: integer overflow");
  }

  double(): number {
    const start = this.#take(8);
    return new DataView(this.#bytes.buffer, this.#bytes.byteOffset + start, 8).getFloat64(0, true);
  }

  bytes(): Uint8Array {
    const length = this.#small();
    const start = this.#take(length);
    return this.#bytes.subarray(start, start + length);
  }

  text(): string {
    return utf8.decode(this.bytes());
  }

  /** A reader of the message that is the next field. */
  message(): WireReader {
    const length = this.#small();
    const start = this.#take(length);
    return new WireReader(this.#bytes, start, start + length);
  }

  /** Passes over a field that nobody knows. */
  skip(wire: number): void {
    switch (wire) {
      case VARINT:
        this.integer();
        return;
      case FIXED64:
        this.#take(8);
        return;
      case LENGTH:
        this.#take(this.#small());
        return;
      case FIXED32:
        this.#take(4);
        return;
      default:
        throw new ProtobufError(`proto: illegal wireType ${wire}`);
    }
  }

  /** Moves past `length` bytes and answers where they begin. */
  #take(length: number): number {
    const start = this.#position;
    if (start + length > this.#end) throw unexpectedEnd();
    this.#position = start + length;
    return start;
  }
}

const unexpectedEnd = (): ProtobufError => new ProtobufError("unexpected EOF");
