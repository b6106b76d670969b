/**
 * As much of ASN.1's distinguished encoding (X.690) as a certificate needs. Each function answers one encoded value.
 */

const tagged = (tag: number, content: Uint8Array): Uint8Array => {
  const length = content.length;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  if (length > 0xffff) throw new RangeError("a value of more than 65535 bytes");
  return Buffer.concat([Uint8Array.of(tag, ...size), content]);
};

export const boolean = (value: boolean): Uint8Array => tagged(0x01, Uint8Array.of(value ? 0xff : 0));

/** A whole number that is not negative, as big-endian bytes. */
export function integer(bytes: Uint8Array): Uint8Array {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start += 1;
  const digits = bytes.subarray(start);
  return tagged(0x02, digits[0]! & 0x80 ? Buffer.concat([Uint8Array.of(0), digits]) : digits);
}

/** @param unusedBits how many bits of the last byte do not count */
export const bitString = (bytes: Uint8Array, unusedBits = 0): Uint8Array =>
  tagged(0x03, Buffer.concat([Uint8Array.of(unusedBits), bytes]));

export const octetString = (bytes: Uint8Array): Uint8Array => tagged(0x04, bytes);

/** @param dotted `2.5.4.3` */
export function objectIdentifier(dotted: string): Uint8Array {
  const [first, second, ...rest] = dotted.split(".").map(Number);
  const bytes = [first! * 40 + second!];
  for (const arc of rest) {
    const groups = [arc & 0x7f];
    for (let left = arc >> 7; left > 0; left >>= 7) groups.unshift((left & 0x7f) | 0x80);
    bytes.push(...groups);
  }
  return tagged(0x06, Uint8Array.from(bytes));
}

export const utf8String = (text: string): Uint8Array => tagged(0x0c, Buffer.from(text));

/** UTCTime until 2049, GeneralizedTime after, as RFC 5280 (4.1.2.5) wants it. */
export function time(date: Date): Uint8Array {
  const digits = `${date.toISOString().replace(/[-:T]/g, "").slice(0, 14)}Z`;
  return date.getUTCFullYear() < 2050 ? tagged(0x17, Buffer.from(digits.slice(2))) : tagged(0x18, Buffer.from(digits));
}

export const sequence = (...items: Uint8Array[]): Uint8Array => tagged(0x30, Buffer.concat(items));

export const set = (...items: Uint8Array[]): Uint8Array => tagged(0x31, Buffer.concat(items));

/** `[number] EXPLICIT` */
export const explicit = (number: number, content: Uint8Array): Uint8Array => tagged(0xa0 | number, content);

/** `[number] IMPLICIT` of a primitive value's content. */
export const implicit = (number: number, content: Uint8Array): Uint8Array => tagged(0x80 | number, content);
