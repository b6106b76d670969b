import type { Bytes } from "./bytes.ts";
import type { Certificate } from "./certificate.ts";
import { children, derAt, expectTag, TAG } from "./der.ts";

interface Curve {
  readonly name: "P-256" | "P-384" | "P-521";
  readonly bytes: number;
}

const CURVES: Readonly<Record<string, Curve>> = {
  "1.2.840.10045.3.1.7": { name: "P-256", bytes: 32 },
  "1.3.132.0.34": { name: "P-384", bytes: 48 },
  "1.3.132.0.35": { name: "P-521", bytes: 66 },
};

type Hash = "SHA-256" | "SHA-384" | "SHA-512";
type Scheme =
  | { readonly kind: "rsa" | "ecdsa"; readonly hash: Hash }
  | { readonly kind: "pss"; readonly hash: Hash; readonly saltBytes: number }
  | { readonly kind: "ed25519" };

/** TLS's signature schemes (RFC 8446 section 4.2.3) in the order of preference. */
export const SIGNATURE_SCHEMES: ReadonlyMap<number, Scheme> = new Map<number, Scheme>([
  [0x0403, { kind: "ecdsa", hash: "SHA-256" }],
  [0x0804, { kind: "pss", hash: "SHA-256", saltBytes: 32 }],
  [0x0807, { kind: "ed25519" }],
  [0x0503, { kind: "ecdsa", hash: "SHA-384" }],
  [0x0805, { kind: "pss", hash: "SHA-384", saltBytes: 48 }],
  [0x0603, { kind: "ecdsa", hash: "SHA-512" }],
  [0x0806, { kind: "pss", hash: "SHA-512", saltBytes: 64 }],
]);

/** Certificates may also be signed with PKCS #1 (RFC 8446 section 4.2.3, `signature_algorithms_cert`). */
export const CERTIFICATE_SCHEMES: readonly number[] = [...SIGNATURE_SCHEMES.keys(), 0x0401, 0x0501, 0x0601];

/** The algorithms of certificates' signatures. SHA-1 and MD5 are not among them. */
const BY_OID: Readonly<Record<string, Scheme>> = {
  "1.2.840.113549.1.1.11": { kind: "rsa", hash: "SHA-256" },
  "1.2.840.113549.1.1.12": { kind: "rsa", hash: "SHA-384" },
  "1.2.840.113549.1.1.13": { kind: "rsa", hash: "SHA-512" },
  "1.2.840.10045.4.3.2": { kind: "ecdsa", hash: "SHA-256" },
  "1.2.840.10045.4.3.3": { kind: "ecdsa", hash: "SHA-384" },
  "1.2.840.10045.4.3.4": { kind: "ecdsa", hash: "SHA-512" },
  "1.3.101.112": { kind: "ed25519" },
};

const KEY = { rsa: "1.2.840.113549.1.1.1", ec: "1.2.840.10045.2.1", ed25519: "1.3.101.112" } as const;

type Key = Pick<Certificate, "publicKey" | "keyAlgorithm" | "curve">;

/** Whether the certificate's issuer is who has the key. Never rejects: what cannot be verified is not verified. */
export async function isSignedBy(certificate: Certificate, issuer: Key): Promise<boolean> {
  const scheme = BY_OID[certificate.signatureAlgorithm];
  if (!scheme) return false;
  return await verifies(scheme, issuer, certificate.signature, certificate.signed).catch(() => false);
}

/** A signature of the TLS handshake; with ECDSA the scheme also names the curve. */
export async function verifiesScheme(id: number, key: Key, signature: Bytes, data: Bytes): Promise<boolean> {
  const scheme = SIGNATURE_SCHEMES.get(id);
  if (!scheme) return false;
  if (scheme.kind === "ecdsa" && CURVE_HASHES[CURVES[key.curve ?? ""]?.name ?? ""] !== scheme.hash) return false;
  return await verifies(scheme, key, signature, data).catch(() => false);
}

const CURVE_HASHES: Readonly<Record<string, Hash>> = { "P-256": "SHA-256", "P-384": "SHA-384", "P-521": "SHA-512" };

async function verifies(scheme: Scheme, key: Key, signature: Bytes, data: Bytes): Promise<boolean> {
  const { subtle } = crypto;
  switch (scheme.kind) {
    case "ed25519": {
      if (key.keyAlgorithm !== KEY.ed25519) return false;
      const imported = await subtle.importKey("spki", key.publicKey, "Ed25519", false, ["verify"]);
      return await subtle.verify("Ed25519", imported, signature, data);
    }
    case "ecdsa": {
      const curve = key.keyAlgorithm === KEY.ec ? CURVES[key.curve ?? ""] : undefined;
      if (!curve) return false;
      const algorithm = { name: "ECDSA", namedCurve: curve.name };
      const imported = await subtle.importKey("spki", key.publicKey, algorithm, false, ["verify"]);
      return await subtle.verify({ name: "ECDSA", hash: scheme.hash }, imported, rawEcdsa(signature, curve), data);
    }
    default: {
      if (key.keyAlgorithm !== KEY.rsa) return false;
      const name = scheme.kind === "pss" ? "RSA-PSS" : "RSASSA-PKCS1-v1_5";
      const imported = await subtle.importKey("spki", key.publicKey, { name, hash: scheme.hash }, false, ["verify"]);
      const { modulusLength } = imported.algorithm as unknown as { modulusLength: number };
      if (modulusLength < RSA_BITS_MIN) return false;
      const parameters = scheme.kind === "pss" ? { name, saltLength: scheme.saltBytes } : name;
      return await subtle.verify(parameters, imported, signature, data);
    }
  }
}

const RSA_BITS_MIN = 2048;

/** WebCrypto wants both numbers at their full length, one after the other; certificates and TLS have them in DER. */
function rawEcdsa(signature: Bytes, { bytes }: Curve): Bytes {
  const raw = new Uint8Array(2 * bytes);
  const numbers = children(expectTag(derAt(signature, 0), TAG.sequence));
  if (numbers.length !== 2) throw new Error("x509: malformed signature");
  numbers.forEach((each, i) => {
    const { content } = expectTag(each, TAG.integer);
    const digits = content[0] === 0 ? content.subarray(1) : content;
    raw.set(digits, (i + 1) * bytes - digits.length);
  });
  return raw;
}
