import ipaddr from "ipaddr.js";
import { type FieldError, fieldInvalid } from "./field-error.ts";
import type { FieldPath } from "./field-path.ts";

export type IpFamily = "IPv4" | "IPv6";

export interface Ip {
  family: IpFamily;
  /** RFC 5952 for IPv6. */
  canonical: string;
  bytes: readonly number[];
}

const FOUR_PARTS = /^(?:0|[1-9]\d{0,2})(?:\.(?:0|[1-9]\d{0,2})){3}$/;
const LEADING_ZEROS = /^\d{1,3}(?:\.\d{1,3}){3}$/;

/** Undefined where the text is not an address: no leading zeros, no zones, no IPv4 in IPv6. */
export function parseIp(text: string): Ip | undefined {
  if (FOUR_PARTS.test(text) && ipaddr.IPv4.isValidFourPartDecimal(text)) {
    return { family: "IPv4", canonical: text, bytes: ipaddr.IPv4.parse(text).toByteArray() };
  }
  if (!text.includes(":") || text.includes("%") || !ipaddr.IPv6.isValid(text)) return undefined;
  const address = ipaddr.IPv6.parse(text);
  if (address.isIPv4MappedAddress()) return undefined;
  return { family: "IPv6", canonical: address.toRFC5952String(), bytes: address.toByteArray() };
}

export const familyOf = (text: string): IpFamily | undefined => parseIp(text)?.family;

/** As upstream's IsValidIPForLegacyField: a strict address, in any spelling. */
export function checkLegacyIp(value: string, path: FieldPath, errors: FieldError[]): Ip | undefined {
  const ip = parseIp(value);
  if (ip) return ip;
  errors.push(fieldInvalid(path, value, refusal(value)));
  return undefined;
}

function refusal(value: string): string {
  if (LEADING_ZEROS.test(value) && value.split(".").every((part) => Number(part) <= 255)) {
    return "must not have leading 0s";
  }
  return value.includes(":") && ipaddr.IPv6.isValid(value) && !value.includes("%")
    ? "must not be an IPv4-mapped IPv6 address"
    : "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
}

/** As upstream's IsValidIP: in the canonical spelling. */
export function checkIp(value: string, path: FieldPath, errors: FieldError[]): Ip | undefined {
  const ip = checkLegacyIp(value, path, errors);
  if (ip && ip.canonical !== value) {
    errors.push(fieldInvalid(path, value, `must be in canonical form (${JSON.stringify(ip.canonical)})`));
  }
  return ip;
}

export interface Cidr {
  ip: Ip;
  prefix: number;
}

/** Undefined where the text is not a network: bits beyond the prefix are errors too. */
export function parseCidr(text: string): Cidr | undefined {
  const cidr = splitCidr(text);
  return cidr && hasHostBits(cidr) ? undefined : cidr;
}

function splitCidr(text: string): Cidr | undefined {
  const slash = text.indexOf("/");
  const ip = slash === -1 ? undefined : parseIp(text.slice(0, slash));
  const digits = text.slice(slash + 1);
  if (!ip || !/^(?:0|[1-9]\d{0,2})$/.test(digits) || Number(digits) > ip.bytes.length * 8) return undefined;
  return { ip, prefix: Number(digits) };
}

const hasHostBits = ({ ip, prefix }: Cidr): boolean =>
  ip.bytes.some((byte, i) => (byte & (0xff >> Math.min(8, Math.max(0, prefix - i * 8)))) !== 0);

/** As upstream's IsValidCIDRForLegacyField. */
export function checkCidr(value: string, path: FieldPath, errors: FieldError[]): Cidr | undefined {
  const cidr = splitCidr(value);
  if (!cidr) {
    errors.push(fieldInvalid(path, value, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"));
  } else if (hasHostBits(cidr)) {
    errors.push(fieldInvalid(path, value, "must not have bits set beyond the prefix length"));
  }
  return cidr;
}

/** As upstream's IsValidInterfaceAddress: an address and how long its network's prefix is, in the canonical spelling. */
export function checkInterfaceAddress(value: string, path: FieldPath, errors: FieldError[]): void {
  const address = splitCidr(value);
  if (!address) {
    const why = "must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)";
    errors.push(fieldInvalid(path, value, why));
    return;
  }
  const canonical = `${address.ip.canonical}/${address.prefix}`;
  if (value !== canonical)
    errors.push(fieldInvalid(path, value, `must be in canonical form (${JSON.stringify(canonical)})`));
}

/** Whether an address lies in a network. */
export function contains({ ip: network, prefix }: Cidr, ip: Ip): boolean {
  if (network.family !== ip.family) return false;
  return ip.bytes.every((byte, i) => {
    const bits = Math.min(8, Math.max(0, prefix - i * 8));
    return byte >> (8 - bits) === network.bytes[i]! >> (8 - bits);
  });
}

/** Addresses that no endpoint and no external IP may have. */
export function checkNonSpecialIp(value: string, path: FieldPath, errors: FieldError[]): void {
  const ip = parseIp(value);
  if (!ip) return;
  const range = (ip.family === "IPv4" ? ipaddr.IPv4 : ipaddr.IPv6).parse(value).range();
  const why: Record<string, string> = {
    unspecified: "may not be unspecified",
    loopback: "may not be in the loopback range (127.0.0.0/8, ::1/128)",
    linkLocal: "may not be in the link-local range (169.254.0.0/16, fe80::/10)",
  };
  const linkLocalMulticast =
    ip.family === "IPv4" ? value.startsWith("224.0.0.") : ip.bytes[0] === 0xff && (ip.bytes[1]! & 0xf) === 2;
  if (ip.bytes.every((byte) => byte === 0)) {
    errors.push(fieldInvalid(path, value, `may not be unspecified (${value})`));
  } else if (linkLocalMulticast) {
    errors.push(fieldInvalid(path, value, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"));
  } else if (why[range]) {
    errors.push(fieldInvalid(path, value, why[range]));
  }
}
