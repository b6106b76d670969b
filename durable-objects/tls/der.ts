import type { Bytes } from "./bytes.ts";

/** One element of DER (ITU-T X.690). */
export interface Der {
  readonly tag: number;
  /** What is in it. */
  readonly content: Bytes;
  /** With tag and length. */
  readonly whole: Bytes;
}

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
} as const;

const malformed = (): Error => new Error("x509: malformed certificate");
const LENGTH_BYTES_MAX = 4;

/** The element that begins at an offset. @throws where there is none. */
export function derAt(bytes: Bytes, offset: number): Der {
  const tag = bytes[offset];
  let length = bytes[offset + 1];
  // Tags of more than one byte are in no certificate.
  if (tag === undefined || length === undefined || (tag & 0x1f) === 0x1f) throw malformed();
  let start = offset + 2;
  if (length & 0x80) {
    const count = length & 0x7f;
    if (count === 0 || count > LENGTH_BYTES_MAX || start + count > bytes.length) throw malformed();
    length = bytes.subarray(start, start + count).reduce((value, byte) => value * 256 + byte, 0);
    start += count;
  }
  const end = start + length;
  if (end > bytes.length) throw malformed();
  return { tag, content: bytes.subarray(start, end), whole: bytes.subarray(offset, end) };
}

/** The elements in another one. */
export function children({ content }: Der): Der[] {
  const found: Der[] = [];
  for (let offset = 0; offset < content.length; ) {
    const each = derAt(content, offset);
    found.push(each);
    offset += each.whole.length;
  }
  return found;
}

/** @throws where it is something else, or not there. */
export function expectTag(der: Der | undefined, tag: number): Der {
  if (der?.tag !== tag) throw malformed();
  return der;
}

/** `1.2.840.…`. */
export function oidText(der: Der | undefined): string {
  const { content } = expectTag(der, TAG.oid);
  const parts: number[] = [];
  let value = 0;
  for (const byte of content) {
    value = value * 128 + (byte & 0x7f);
    if (!Number.isSafeInteger(value)) throw malformed();
    if (byte & 0x80) continue;
    parts.push(value);
    value = 0;
  }
  const first = parts.shift() ?? 0;
  const top = Math.min(Math.floor(first / 40), 2);
  return [top, first - top * 40, ...parts].join(".");
}

/** The bytes of a BIT STRING that is a whole number of them. */
export function bitStringBytes(der: Der | undefined): Bytes {
  const { content } = expectTag(der, TAG.bitString);
  if (content[0] !== 0) throw malformed();
  return content.subarray(1);
}

const UTC_TIME = /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;
const GENERALIZED_TIME = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;

/** Milliseconds since 1970. */
export function timeOf(der: Der | undefined): number {
  const text = new TextDecoder().decode(der?.content);
  const match = (der?.tag === TAG.utcTime ? UTC_TIME : GENERALIZED_TIME).exec(text);
  if (!match || (der?.tag !== TAG.utcTime && der?.tag !== TAG.generalizedTime)) throw malformed();
  const [year = 0, month = 0, day, hour, minute, second] = match.slice(1).map(Number);
  // RFC 5280 section 4.1.2.5.1.
  const full = der.tag === TAG.utcTime ? year + (year < 50 ? 2000 : 1900) : year;
  return Date.UTC(full, month - 1, day, hour, minute, second);
}
