import { equalBytes } from "./bytes.ts";
import type { Certificate } from "./certificate.ts";
import { isSignedBy } from "./signatures.ts";

/** A longer way to a trusted certificate is none. */
const CHAIN_MAX = 8;
/** Signatures that are looked at for one connection: who sends many certificates of one name does not cost more. */
const SIGNATURES_MAX = 64;
const SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
const ANY_USAGE = "2.5.29.37.0";

export interface Verification {
  /** What the server sent: its own certificate first. */
  readonly sent: readonly Certificate[];
  readonly trusted: readonly Certificate[];
  /** A DNS name, or an IP address as text. */
  readonly serverName: string;
  /** The address's bytes where `serverName` is one. */
  readonly serverIp: Uint8Array | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** @throws Error in the words of Go's crypto/x509 where the server is not shown to be who it should be (RFC 5280, RFC 6125). */
export async function verifyChain({ sent, trusted, serverName, serverIp, now }: Verification): Promise<void> {
  const [leaf, ...others] = sent;
  if (!leaf) throw new Error("tls: received empty certificates message");
  const ofLeaf = complaint(leaf, now, true);
  if (ofLeaf) throw new Error(`x509: ${ofLeaf}`);
  let signatures = 0;
  let found: string | undefined;
  const isTrusted = (each: Certificate) => trusted.some(({ der }) => equalBytes(der, each.der));

  const reaches = async (certificate: Certificate, below: readonly Certificate[]): Promise<boolean> => {
    if (isTrusted(certificate)) return true;
    if (below.length >= CHAIN_MAX) return false;
    for (const issuer of [...trusted, ...others]) {
      if (!equalBytes(issuer.subject, certificate.issuer) || below.includes(issuer) || issuer === certificate) continue;
      if (++signatures > SIGNATURES_MAX) return false;
      if (!(await isSignedBy(certificate, issuer))) continue;
      const authorityComplaint = complaint(issuer, now, false) ?? pathComplaint(issuer, below.length);
      if (authorityComplaint) found ??= authorityComplaint;
      else if (await reaches(issuer, [...below, certificate])) return true;
    }
    return false;
  };
  if (!(await reaches(leaf, []))) throw new Error(`x509: ${found ?? "certificate signed by unknown authority"}`);
  checkName(leaf, serverName, serverIp);
}

function complaint(certificate: Certificate, now: number, isLeaf: boolean): string | undefined {
  const { notBefore, notAfter, isAuthority, maySign, extendedUsages, unhandled } = certificate;
  const at = (time: number) => new Date(time).toISOString().replace(".000", "").replace(/\.\d+/, "");
  if (now < notBefore) {
    return `certificate has expired or is not yet valid: current time ${at(now)} is before ${at(notBefore)}`;
  }
  if (now > notAfter) {
    return `certificate has expired or is not yet valid: current time ${at(now)} is after ${at(notAfter)}`;
  }
  if (unhandled.length > 0) return "unhandled critical extension";
  if (extendedUsages && !extendedUsages.includes(SERVER_AUTH) && !extendedUsages.includes(ANY_USAGE)) {
    return "certificate specifies an incompatible key usage";
  }
  if (isLeaf) return undefined;
  if (isAuthority !== true || maySign === false) {
    return "certificate is not authorized to sign other certificates";
  }
  return undefined;
}

/** `below`: how many authorities there are between this one and the server's certificate. */
const pathComplaint = ({ pathLengthMax }: Certificate, below: number): string | undefined =>
  pathLengthMax !== undefined && below > pathLengthMax
    ? "too many intermediates for path length constraint"
    : undefined;

function checkName({ dnsNames, ipAddresses }: Certificate, name: string, ip: Uint8Array | undefined): void {
  if (ip) {
    if (ipAddresses.some((each) => equalBytes(each, ip))) return;
    if (ipAddresses.length === 0) {
      throw new Error(`x509: cannot validate certificate for ${name} because it doesn't contain any IP SANs`);
    }
    throw new Error(`x509: certificate is valid for ${ipAddresses.map(ipText).join(", ")}, not ${name}`);
  }
  if (dnsNames.some((pattern) => matchesHost(pattern, name))) return;
  if (dnsNames.length === 0) {
    throw new Error(`x509: certificate is not valid for any names, but wanted to match ${name}`);
  }
  throw new Error(`x509: certificate is valid for ${dnsNames.join(", ")}, not ${name}`);
}

/** A `*` stands for the whole first label and nothing else. */
function matchesHost(pattern: string, host: string): boolean {
  const [wanted, given] = [pattern, host].map((name) => name.toLowerCase().replace(/\.$/, "").split("."));
  if (!wanted || wanted.length !== given!.length || given!.includes("")) return false;
  return wanted.every((label, i) => label === given![i] || (i === 0 && label === "*" && wanted.length > 1));
}

const ipText = (bytes: Uint8Array): string =>
  bytes.length === 4
    ? bytes.join(".")
    : Array.from({ length: 8 }, (_, i) => (bytes[2 * i]! * 256 + bytes[2 * i + 1]!).toString(16)).join(":");
