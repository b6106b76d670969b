import ipaddr from "ipaddr.js";
import { contains, type Ip, parseIp } from "../../ip.ts";
import { fail, noSuchOverload } from "../cel-error.ts";
import { type CelFunction, celFunction, member, plain } from "../function.ts";
import { BOOL, type CelType, CIDR, INT, IP, STRING } from "../types.ts";
import { type CelValue, Instance } from "../values.ts";

/** net.IP */
export class IpValue extends Instance {
  readonly type = IP;
  readonly ip: Ip;

  constructor(ip: Ip) {
    super();
    this.ip = ip;
  }

  /** In bytes. */
  get size(): number {
    return this.ip.bytes.length;
  }

  equals(other: CelValue): boolean {
    return other instanceof IpValue && other.ip.canonical === this.ip.canonical;
  }

  override toText(): string {
    return this.ip.canonical;
  }
}

/** net.CIDR: an address and how many of its bits are the network's. The bits behind them need not be zero. */
export class CidrValue extends Instance {
  readonly type = CIDR;
  readonly ip: Ip;
  readonly prefix: number;

  constructor(ip: Ip, prefix: number) {
    super();
    this.ip = ip;
    this.prefix = prefix;
  }

  /** In bytes of the prefix. */
  get size(): number {
    return Math.ceil(this.prefix / 8);
  }

  equals(other: CelValue): boolean {
    return other instanceof CidrValue && other.prefix === this.prefix && other.ip.canonical === this.ip.canonical;
  }

  override toText(): string {
    return `${this.ip.canonical}/${this.prefix}`;
  }

  masked(): CidrValue {
    const bytes = this.ip.bytes.map((byte, i) => byte & (0xff00 >> Math.min(8, Math.max(0, this.prefix - i * 8))));
    const address = ipaddr.fromByteArray(bytes);
    const canonical = address.kind() === "ipv4" ? address.toString() : (address as ipaddr.IPv6).toRFC5952String();
    return new CidrValue({ family: this.ip.family, canonical, bytes }, this.prefix);
  }

  contains(ip: Ip): boolean {
    return contains({ ip: this.masked().ip, prefix: this.prefix }, ip);
  }
}

/** @throws Failure with Kubernetes' sentence; what netip would say of the text is summed up. */
function ipOf(text: string): IpValue {
  const ip = parseIp(text);
  if (ip) return new IpValue(ip);
  const quoted = JSON.stringify(text);
  if (text.includes("%") && ipaddr.IPv6.isValid(text)) fail(`IP address ${quoted} with zone value is not allowed`);
  if (text.includes(":") && ipaddr.IPv6.isValid(text)) fail(`IPv4-mapped IPv6 address ${quoted} is not allowed`);
  return fail(
    `IP Address ${quoted} parse error during conversion from string: ParseAddr(${quoted}): ${whyNotIp(text)}`,
  );
}

/** In the words of Go's netip. */
function whyNotIp(text: string): string {
  const sign = [...text].find((character) => character === "." || character === ":" || character === "%");
  if (sign === undefined) return "unable to parse IP";
  if (sign !== ".") return "unable to parse IP";
  const fields = text.split(".");
  for (const field of fields) {
    if (field === "") return "IPv4 field must have at least one digit";
    if (!/^\d+$/.test(field)) return `unexpected character (at ${JSON.stringify(text.slice(text.search(/[^\d.]/)))})`;
    if (field.length > 1 && field.startsWith("0")) return "IPv4 field has octet with leading zero";
    if (Number(field) > 255) return "IPv4 field has value >255";
  }
  return fields.length < 4 ? "IPv4 address too short" : "IPv4 address too long";
}

function cidrOf(text: string): CidrValue | undefined {
  const slash = text.lastIndexOf("/");
  const ip = slash < 0 ? undefined : parseIp(text.slice(0, slash));
  const bits = text.slice(slash + 1);
  if (!ip || !/^(?:0|[1-9]\d{0,2})$/.test(bits) || Number(bits) > ip.bytes.length * 8) return undefined;
  return new CidrValue(ip, Number(bits));
}

function cidrOrFail(text: string): CidrValue {
  const why = "network address parse error during conversion from string: ";
  const quoted = JSON.stringify(text);
  return cidrOf(text) ?? fail(`${why}${why}netip.ParsePrefix(${quoted}): ${whyNotCidr(text)}`);
}

function whyNotCidr(text: string): string {
  const slash = text.lastIndexOf("/");
  if (slash < 0) return "no '/'";
  const [address, bits] = [text.slice(0, slash), text.slice(slash + 1)];
  if (!parseIp(address)) return `ParseAddr(${JSON.stringify(address)}): ${whyNotIp(address)}`;
  return /^(?:0|[1-9]\d{0,2})$/.test(bits)
    ? "prefix length out of range"
    : `bad bits after slash: ${JSON.stringify(bits)}`;
}

const range = (ip: Ip): string => ipaddr.fromByteArray([...ip.bytes]).range();
const isLinkLocalMulticast = ({ family, bytes }: Ip): boolean =>
  family === "IPv4"
    ? bytes[0] === 224 && bytes[1] === 0 && bytes[2] === 0
    : bytes[0] === 0xff && (bytes[1]! & 0xf) === 2;
const isMulticast = ({ family, bytes }: Ip): boolean => (family === "IPv4" ? bytes[0]! >> 4 === 14 : bytes[0] === 0xff);
const isLoopback = (ip: Ip): boolean => range(ip) === "loopback";
const isUnspecified = ({ bytes }: Ip): boolean => bytes.every((byte) => byte === 0);
const isBroadcast = ({ family, bytes }: Ip): boolean => family === "IPv4" && bytes.every((byte) => byte === 255);
const isLinkLocal = (ip: Ip): boolean => range(ip) === "linkLocal";
const isGlobalUnicast = (ip: Ip): boolean =>
  !isUnspecified(ip) && !isLoopback(ip) && !isMulticast(ip) && !isLinkLocal(ip) && !isBroadcast(ip);

const predicate = (name: string, id: string, holds: (ip: Ip) => boolean): CelFunction =>
  celFunction(name, [member(id, [IP], BOOL, ([value]) => holds((value as IpValue).ip))]);

const ofText = (name: string, id: string, result: CelType, call: (text: string) => CelValue): CelFunction =>
  celFunction(name, [plain(id, [STRING], result, ([text]) => call(text as string))]);

const containsCidr = (outer: CidrValue, inner: CidrValue): boolean =>
  outer.prefix <= inner.prefix && outer.contains(inner.ip);

/** Kubernetes' functions of addresses and networks. */
export const NETWORK_LIBRARY: readonly CelFunction[] = [
  ofText("ip", "string_to_ip", IP, ipOf),
  ofText("isIP", "is_ip", BOOL, (text) => parseIp(text) !== undefined),
  ofText("ip.isCanonical", "ip_is_canonical", BOOL, (text) => ipOf(text).toText() === text),
  celFunction("family", [
    member("ip_family", [IP], INT, ([value]) => ((value as IpValue).ip.family === "IPv4" ? 4n : 6n)),
  ]),
  predicate("isUnspecified", "ip_is_unspecified", isUnspecified),
  predicate("isLoopback", "ip_is_loopback", isLoopback),
  predicate("isLinkLocalMulticast", "ip_is_link_local_multicast", isLinkLocalMulticast),
  predicate("isLinkLocalUnicast", "ip_is_link_local_unicast", isLinkLocal),
  predicate("isGlobalUnicast", "ip_is_global_unicast", isGlobalUnicast),
  ofText("cidr", "string_to_cidr", CIDR, cidrOrFail),
  ofText("isCIDR", "is_cidr", BOOL, (text) => cidrOf(text) !== undefined),
  celFunction("containsIP", [
    member("cidr_contains_ip_string", [CIDR, STRING], BOOL, ([cidr, text]) =>
      (cidr as CidrValue).contains(parseIp(text as string) ?? noSuchOverload()),
    ),
    member("cidr_contains_ip_ip", [CIDR, IP], BOOL, ([cidr, ip]) => (cidr as CidrValue).contains((ip as IpValue).ip)),
  ]),
  celFunction("containsCIDR", [
    member("cidr_contains_cidr_string", [CIDR, STRING], BOOL, ([cidr, text]) =>
      containsCidr(cidr as CidrValue, cidrOf(text as string) ?? noSuchOverload()),
    ),
    member("cidr_contains_cidr", [CIDR, CIDR], BOOL, ([cidr, other]) =>
      containsCidr(cidr as CidrValue, other as CidrValue),
    ),
  ]),
  celFunction("ip", [member("cidr_ip", [CIDR], IP, ([cidr]) => new IpValue((cidr as CidrValue).ip))]),
  celFunction("prefixLength", [
    member("cidr_prefix_length", [CIDR], INT, ([cidr]) => BigInt((cidr as CidrValue).prefix)),
  ]),
  celFunction("masked", [member("cidr_masked", [CIDR], CIDR, ([cidr]) => (cidr as CidrValue).masked())]),
  celFunction("string", [
    plain("ip_to_string", [IP], STRING, ([ip]) => (ip as IpValue).toText()),
    plain("cidr_to_string", [CIDR], STRING, ([cidr]) => (cidr as CidrValue).toText()),
  ]),
];
