/** A PKCS#10 certificate request in PEM (RFC 7468, RFC 2986), as far as its shape goes: whether its signature fits is not looked at. */

const BLOCK = /-----BEGIN ([^\n-]+)-----[ \t]*\r?\n([A-Za-z0-9+/=\s]*?)-----END ([^\n-]+)-----/;
const SEQUENCE = 0x30;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
/** [0], in which the attributes are. */
const ATTRIBUTES = 0xa0;
/** Lengths of more bytes are none of a request that fits into an object. */
const LENGTH_BYTES_MAX = 4;

const NO_REQUEST = "PEM block type must be CERTIFICATE REQUEST";
const TRUNCATED = "asn1: syntax error: data truncated";
const TRAILING = "asn1: syntax error: trailing data";
const OTHER = "asn1: structure error: tags don't match";

/** What is wrong with `spec.request`, base64 of the PEM text; undefined: nothing. */
export function certificateRequestComplaint(base64: string): string | undefined {
  const der = readPem(base64);
  if (!der) return NO_REQUEST;
  const whole = read(der);
  if (typeof whole === "string") return whole;
  if (whole.rest.length > 0) return TRAILING;
  const request = childrenOf(whole, [SEQUENCE, SEQUENCE, BIT_STRING]);
  if (typeof request === "string") return request;
  // Version, subject, public key, attributes.
  const info = childrenOf(request[0]!, [INTEGER, SEQUENCE, SEQUENCE, ATTRIBUTES]);
  return typeof info === "string" ? info : undefined;
}

function readPem(base64: string): Uint8Array | undefined {
  try {
    const block = BLOCK.exec(atob(base64));
    if (block?.[1] !== "CERTIFICATE REQUEST" || block[3] !== block[1]) return undefined;
    return Uint8Array.from(atob(block[2]!.replace(/\s/g, "")), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}

interface Element {
  readonly tag: number;
  readonly content: Uint8Array;
  readonly rest: Uint8Array;
}

/** The first element of what DER encodes, or what is wrong with it. */
function read(bytes: Uint8Array): Element | string {
  const [tag, first] = bytes;
  if (tag === undefined || first === undefined) return TRUNCATED;
  let length = first;
  let at = 2;
  if (first >= 0x80) {
    const count = first - 0x80;
    if (count === 0) return "asn1: syntax error: indefinite length found (not DER)";
    if (count > LENGTH_BYTES_MAX) return "asn1: structure error: length too large";
    at += count;
    if (bytes.length < at) return "asn1: syntax error: truncated tag or length";
    length = bytes.subarray(2, at).reduce((sum, byte) => sum * 0x100 + byte, 0);
  }
  if (bytes.length < at + length) return TRUNCATED;
  return { tag, content: bytes.subarray(at, at + length), rest: bytes.subarray(at + length) };
}

/** The elements in a sequence, which have these tags. */
function childrenOf({ tag, content }: Element, tags: readonly number[]): Element[] | string {
  if (tag !== SEQUENCE) return OTHER;
  const children: Element[] = [];
  let rest = content;
  for (const wanted of tags) {
    // Requests without attributes come from those who leave the field out.
    if (wanted === ATTRIBUTES && rest.length === 0) return children;
    const child = read(rest);
    if (typeof child === "string") return child;
    if (child.tag !== wanted) return OTHER;
    children.push(child);
    rest = child.rest;
  }
  return rest.length > 0 ? TRAILING : children;
}
