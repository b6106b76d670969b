import {
  createHash,
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate,
} from "node:crypto";
import { isIP } from "node:net";
import ipaddr from "ipaddr.js";
import { type Home, readIfThere, writeWhole } from "../home.ts";
import * as der from "./der.ts";

const CA_YEARS = 10;
const SERVER_DAYS = 365;
/** A server certificate that ends sooner is made anew at the next start. */
const RENEW_DAYS = 30;
const DAY_MILLISECONDS = 86_400_000;
/** Clocks of other machines may run behind. */
const CLOCK_SKEW_MILLISECONDS = 300_000;
const SERIAL_BYTES = 16;

const OID = {
  commonName: "2.5.4.3",
  ecdsaWithSha256: "1.2.840.10045.4.3.2",
  subjectKeyIdentifier: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAltName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  authorityKeyIdentifier: "2.5.29.35",
  extendedKeyUsage: "2.5.29.37",
  serverAuth: "1.3.6.1.5.5.7.3.1",
} as const;

/** A certificate and its private key, as PEM. */
export interface KeyPair {
  certificate: string;
  key: string;
}

interface CertificateRequest {
  commonName: string;
  notAfter: Date;
  /** Host names and IP addresses; a certificate without is a CA. */
  names?: readonly string[];
}

/** A certificate authority of its own, for one cluster. */
export function makeAuthority(commonName: string, now: Date): KeyPair {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const notAfter = new Date(now.getTime() + CA_YEARS * 365 * DAY_MILLISECONDS);
  const certificate = issue({ commonName, notAfter }, publicKey, commonName, publicKey, privateKey, now);
  return { certificate, key: pem(privateKey) };
}

/** A server's certificate for the names and addresses, signed by the authority. */
export function makeServerCertificate(authority: KeyPair, names: readonly string[], now: Date): KeyPair {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const issuer = new X509Certificate(authority.certificate);
  const notAfter = new Date(Math.min(now.getTime() + SERVER_DAYS * DAY_MILLISECONDS, Date.parse(issuer.validTo)));
  const certificate = issue(
    { commonName: "kube-apiserver", notAfter, names },
    publicKey,
    issuer.subject.replace(/^CN=/, ""),
    issuer.publicKey,
    createPrivateKey(authority.key),
    now,
  );
  return { certificate, key: pem(privateKey) };
}

/** Whether a server certificate is the authority's, has all the names, and lasts long enough. */
export function isServerCertificateGood(
  server: KeyPair,
  authority: KeyPair,
  names: readonly string[],
  now: Date,
): boolean {
  try {
    const certificate = new X509Certificate(server.certificate);
    return (
      certificate.verify(new X509Certificate(authority.certificate).publicKey) &&
      certificate.checkPrivateKey(createPrivateKey(server.key)) &&
      Date.parse(certificate.validTo) - now.getTime() > RENEW_DAYS * DAY_MILLISECONDS &&
      names.every((name) => (isIP(name) ? certificate.checkIP(name) : certificate.checkHost(name)) !== undefined)
    );
  } catch {
    return false; // Unreadable is as bad as expired: it is made anew.
  }
}

/** Reads the home's certificates, and makes what is missing, foreign or soon to end. */
export function ensureCertificates(
  home: Home,
  names: readonly string[],
  now: Date,
): { authority: KeyPair; server: KeyPair } {
  let authority = readPair(home.caCertificate, home.caKey);
  if (!authority) {
    authority = makeAuthority("coxswain", now);
    writePair(home.caCertificate, home.caKey, authority);
  }
  let server = readPair(home.serverCertificate, home.serverKey);
  if (!server || !isServerCertificateGood(server, authority, names, now)) {
    server = makeServerCertificate(authority, names, now);
    writePair(home.serverCertificate, home.serverKey, server);
  }
  return { authority, server };
}

function readPair(certificatePath: string, keyPath: string): KeyPair | undefined {
  const certificate = readIfThere(certificatePath);
  const key = readIfThere(keyPath);
  return certificate && key ? { certificate, key } : undefined;
}

function writePair(certificatePath: string, keyPath: string, pair: KeyPair): void {
  writeWhole(keyPath, pair.key);
  writeWhole(certificatePath, pair.certificate, 0o644);
}

/** Version 3 of RFC 5280, section 4.1. */
function issue(
  request: CertificateRequest,
  subjectKey: KeyObject,
  issuerName: string,
  issuerKey: KeyObject,
  signingKey: KeyObject,
  now: Date,
): string {
  const algorithm = der.sequence(der.objectIdentifier(OID.ecdsaWithSha256));
  const toBeSigned = der.sequence(
    der.explicit(0, der.integer(Uint8Array.of(2))),
    der.integer(randomBytes(SERIAL_BYTES)),
    algorithm,
    distinguishedName(issuerName),
    der.sequence(der.time(new Date(now.getTime() - CLOCK_SKEW_MILLISECONDS)), der.time(request.notAfter)),
    distinguishedName(request.commonName),
    subjectKey.export({ type: "spki", format: "der" }),
    der.explicit(3, der.sequence(...extensions(request, subjectKey, issuerKey))),
  );
  const signature = sign("sha256", toBeSigned, signingKey);
  const certificate = Buffer.from(der.sequence(toBeSigned, algorithm, der.bitString(signature)));
  const lines = certificate.toString("base64").match(/.{1,64}/g)!;
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

const distinguishedName = (commonName: string): Uint8Array =>
  der.sequence(der.set(der.sequence(der.objectIdentifier(OID.commonName), der.utf8String(commonName))));

const extension = (id: string, critical: boolean, value: Uint8Array): Uint8Array =>
  der.sequence(der.objectIdentifier(id), ...(critical ? [der.boolean(true)] : []), der.octetString(value));

/** RFC 5280, 4.2.1.2: the hash of the key's bits (which end the subjectPublicKeyInfo of an uncompressed P-256 point). */
const keyIdentifier = (key: KeyObject): Uint8Array =>
  createHash("sha1")
    .update(key.export({ type: "spki", format: "der" }).subarray(-65))
    .digest();

function extensions(request: CertificateRequest, subjectKey: KeyObject, issuerKey: KeyObject): Uint8Array[] {
  const identifiers = [
    extension(OID.subjectKeyIdentifier, false, der.octetString(keyIdentifier(subjectKey))),
    extension(OID.authorityKeyIdentifier, false, der.sequence(der.implicit(0, keyIdentifier(issuerKey)))),
  ];
  if (!request.names) {
    return [
      extension(OID.basicConstraints, true, der.sequence(der.boolean(true))),
      extension(OID.keyUsage, true, der.bitString(Uint8Array.of(0b0000_0110), 1)), // keyCertSign, cRLSign
      ...identifiers,
    ];
  }
  const names = request.names.map((name) =>
    isIP(name)
      ? der.implicit(7, Uint8Array.from(ipaddr.parse(name).toByteArray()))
      : der.implicit(2, Buffer.from(name, "ascii")),
  );
  return [
    extension(OID.basicConstraints, true, der.sequence()),
    extension(OID.keyUsage, true, der.bitString(Uint8Array.of(0b1000_0000), 7)), // digitalSignature
    extension(OID.extendedKeyUsage, false, der.sequence(der.objectIdentifier(OID.serverAuth))),
    ...identifiers,
    extension(OID.subjectAltName, false, der.sequence(...names)),
  ];
}

const pem = (key: KeyObject): string => key.export({ type: "pkcs8", format: "pem" }).toString();
