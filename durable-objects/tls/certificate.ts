import type { Bytes } from "./bytes.ts";
import { bitStringBytes, children, type Der, derAt, expectTag, oidText, TAG, timeOf } from "./der.ts";

/** What of an X.509 certificate (RFC 5280) decides whom it speaks for. */
export interface Certificate {
  readonly der: Bytes;
  /** The part that is signed. */
  readonly signed: Bytes;
  readonly signatureAlgorithm: string;
  readonly signature: Bytes;
  /** Names as DER: they are compared, never read. */
  readonly issuer: Bytes;
  readonly subject: Bytes;
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly publicKey: Bytes;
  readonly keyAlgorithm: string;
  /** Of an elliptic curve's key. */
  readonly curve: string | undefined;
  /** Absent: the certificate does not say. */
  readonly isAuthority: boolean | undefined;
  readonly pathLengthMax: number | undefined;
  /** Absent: any use. */
  readonly maySign: boolean | undefined;
  /** Object identifiers; absent: any. */
  readonly extendedUsages: readonly string[] | undefined;
  readonly dnsNames: readonly string[];
  /** 4 or 16 bytes each. */
  readonly ipAddresses: readonly Bytes[];
  /** Critical extensions that are not understood here: who has one is not trusted. */
  readonly unhandled: readonly string[];
}

const EXTENSION = {
  keyUsage: "2.5.29.15",
  subjectAltName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  nameConstraints: "2.5.29.30",
  extendedKeyUsage: "2.5.29.37",
} as const;

const CONTEXT = { version: 0xa0, extensions: 0xa3, dnsName: 0x82, ipAddress: 0x87 } as const;
const KEY_CERT_SIGN = 0x04;
const SAN_NAMES_MAX = 1000;

/** @throws Error where it is no certificate. */
export function parseCertificate(der: Bytes): Certificate {
  const whole = expectTag(derAt(der, 0), TAG.sequence);
  const [tbs, algorithm, signature] = children(whole);
  const fields = children(expectTag(tbs, TAG.sequence));
  if (fields[0]?.tag === CONTEXT.version) fields.shift();
  const [, , issuer, validity, subject, keyInfo] = fields;
  const [notBefore, notAfter] = children(expectTag(validity, TAG.sequence));
  const [keyAlgorithm, curve] = children(expectTag(children(expectTag(keyInfo, TAG.sequence))[0], TAG.sequence));
  return {
    der,
    signed: tbs!.whole,
    signatureAlgorithm: oidText(children(expectTag(algorithm, TAG.sequence))[0]),
    signature: bitStringBytes(signature),
    issuer: expectTag(issuer, TAG.sequence).whole,
    subject: expectTag(subject, TAG.sequence).whole,
    notBefore: timeOf(notBefore),
    notAfter: timeOf(notAfter),
    publicKey: keyInfo!.whole,
    keyAlgorithm: oidText(keyAlgorithm),
    curve: curve?.tag === TAG.oid ? oidText(curve) : undefined,
    ...readExtensions(fields.find(({ tag }) => tag === CONTEXT.extensions)),
  };
}

type Extensions = Pick<
  Certificate,
  "isAuthority" | "pathLengthMax" | "maySign" | "extendedUsages" | "dnsNames" | "ipAddresses" | "unhandled"
>;

function readExtensions(field: Der | undefined): Extensions {
  const found: { -readonly [Key in keyof Extensions]: Extensions[Key] } = {
    isAuthority: undefined,
    pathLengthMax: undefined,
    maySign: undefined,
    extendedUsages: undefined,
    dnsNames: [],
    ipAddresses: [],
    unhandled: [],
  };
  if (!field) return found;
  for (const extension of children(expectTag(children(field)[0], TAG.sequence))) {
    const [id, ...rest] = children(expectTag(extension, TAG.sequence));
    const isCritical = rest[0]?.tag === TAG.boolean && rest[0].content[0] !== 0;
    const value = derAt(expectTag(rest.at(-1), TAG.octetString).content, 0);
    const name = oidText(id);
    switch (name) {
      case EXTENSION.keyUsage:
        found.maySign = ((expectTag(value, TAG.bitString).content[1] ?? 0) & KEY_CERT_SIGN) !== 0;
        break;
      case EXTENSION.basicConstraints: {
        const [authority, length] = children(expectTag(value, TAG.sequence));
        found.isAuthority = authority?.tag === TAG.boolean && authority.content[0] !== 0;
        found.pathLengthMax =
          length?.tag === TAG.integer && length.content.length === 1 ? length.content[0] : undefined;
        break;
      }
      case EXTENSION.extendedKeyUsage:
        found.extendedUsages = children(expectTag(value, TAG.sequence)).map(oidText);
        break;
      case EXTENSION.subjectAltName: {
        const names = children(expectTag(value, TAG.sequence)).slice(0, SAN_NAMES_MAX);
        const of = (tag: number) => names.filter((each) => each.tag === tag).map(({ content }) => content);
        found.dnsNames = of(CONTEXT.dnsName).map((bytes) => new TextDecoder().decode(bytes));
        found.ipAddresses = of(CONTEXT.ipAddress);
        break;
      }
      case EXTENSION.nameConstraints:
        // Critical or not: to ignore a constraint would be to trust too much.
        found.unhandled = [...found.unhandled, name];
        break;
      default:
        if (isCritical) found.unhandled = [...found.unhandled, name];
    }
  }
  return found;
}

const PEM = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/g;
const CERTIFICATES_MAX = 1000;

/** The certificates of a PEM text; what is none is passed over, as Go's AppendCertsFromPEM does. */
export function parsePem(text: string): Certificate[] {
  const found: Certificate[] = [];
  for (const [, base64 = ""] of text.matchAll(PEM)) {
    if (found.length >= CERTIFICATES_MAX) break;
    try {
      const bytes = Uint8Array.from(atob(base64.replace(/\s/g, "")), (letter) => letter.charCodeAt(0));
      found.push(parseCertificate(bytes));
    } catch {
      // Other certificates of the bundle may be good.
    }
  }
  return found;
}
