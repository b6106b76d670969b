/** Bytes as WebCrypto takes them. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** A key of WebCrypto, under whichever platform's types. */
export type Key = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

export const EMPTY: Bytes = new Uint8Array(0);

export function concat(...parts: readonly Uint8Array[]): Bytes {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export const ascii = (text: string): Bytes => new TextEncoder().encode(text) as Bytes;

export const uint16 = (value: number): Bytes => Uint8Array.of(value >> 8, value & 0xff);

const uint24 = (value: number): Bytes => Uint8Array.of(value >> 16, (value >> 8) & 0xff, value & 0xff);

/** A TLS vector: its length in so many bytes, then itself. */
export function vector(lengthBytes: 1 | 2 | 3, ...parts: readonly Uint8Array[]): Bytes {
  const body = concat(...parts);
  const { length } = body;
  const head = lengthBytes === 1 ? Uint8Array.of(length) : lengthBytes === 2 ? uint16(length) : uint24(length);
  return concat(head, body);
}

/** In the time that the length takes, wherever they differ. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!;
  return difference === 0;
}

/** Reads TLS structures (RFC 8446 section 3). What is too short throws. */
export class ByteReader {
  readonly #bytes: Bytes;
  #at = 0;

  constructor(bytes: Bytes) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  take(length: number): Bytes {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new Error("tls: a message ends too early");
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }

  number(bytes: 1 | 2 | 3): number {
    return this.take(bytes).reduce((value, byte) => value * 256 + byte, 0);
  }

  vector(lengthBytes: 1 | 2 | 3): Bytes {
    return this.take(this.number(lengthBytes));
  }
}
