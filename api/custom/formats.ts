import ipaddr from "ipaddr.js";
import type { JsonSchema } from "./definition.ts";

/** What each `format` of a string accepts (k8s.io/kube-openapi/pkg/validation/strfmt). Names are without dashes. */
const FORMATS: Record<string, (text: string) => boolean> = {
  bsonobjectid: (text) => /^[0-9a-fA-F]{24}$/.test(text),
  uri: isRequestUri,
  email: isEmail,
  hostname: isHostname,
  ipv4: (text) => text.includes(".") && (isSloppyIpv4(text) || isIpv6(text)),
  ipv6: isIpv6,
  cidr: isCidr,
  mac: isMac,
  uuid: (text) => /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i.test(text),
  uuid3: (text) => /^[0-9a-f]{8}-?[0-9a-f]{4}-?3[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i.test(text),
  uuid4: (text) => /^[0-9a-f]{8}-?[0-9a-f]{4}-?4[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i.test(text),
  uuid5: (text) => /^[0-9a-f]{8}-?[0-9a-f]{4}-?5[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i.test(text),
  isbn: (text) => isIsbn10(text) || isIsbn13(text),
  isbn10: isIsbn10,
  isbn13: isIsbn13,
  creditcard: isCreditCard,
  ssn: (text) => text.length === 11 && /^\d{3}[- ]?\d{2}[- ]?\d{4}$/.test(text),
  hexcolor: (text) => /^#?(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})$/.test(text),
  rgbcolor: isRgbColor,
  byte: (text) => text !== "" && text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text),
  password: () => true,
  date: isDate,
  duration: isDuration,
  datetime: isDateTime,
  k8sshortname: (text) => text.length <= 63 && /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/.test(text),
  k8slongname: (text) =>
    text.length <= 253 && /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/.test(text),
};

const NUMBER_FORMATS: Record<string, readonly string[] | undefined> = {
  integer: ["int32", "int64"],
  number: ["float", "double"],
};

const normalize = (format: string): string => format.replaceAll("-", "");

/** The format of a schema as far as it is heeded: those that upstream does not know for the type are passed over. */
export function heededFormat(schema: JsonSchema): string {
  const { format = "" } = schema;
  if (format === "") return "";
  // An int-or-string is of two types, and heeds what strings do.
  const type = schema["x-kubernetes-int-or-string"] ? "" : (schema.type ?? "");
  if (type === "" || type === "string") return Object.hasOwn(FORMATS, normalize(format)) ? format : "";
  return NUMBER_FORMATS[type]?.includes(format) ? format : "";
}

/** Whether a string is of a format; one that is not known accepts all. */
export function isOfFormat(format: string, text: string): boolean {
  const name = normalize(format);
  return Object.hasOwn(FORMATS, name) ? FORMATS[name]!(text) : true;
}

const DATE = /^(\d{4})-(\d{2})-(\d{2})$/;

function isDate(text: string): boolean {
  const [, year, month, day] = DATE.exec(text)?.map(Number) ?? [];
  if (year === undefined || month === undefined || day === undefined) return false;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

function isDateTime(text: string): boolean {
  const [date = "", time] = text.toLowerCase().split("t");
  if (time === undefined || !isDate(date)) return false;
  const [, hour, minute, second] = /^(\d{2}):(\d{2}):(\d{2})(?:.\d+)?(?:z|[+-]\d{2}:\d{2})$/.exec(time) ?? [];
  return hour !== undefined && hour <= "23" && minute! <= "59" && second! <= "59";
}

const GO_DURATION = /^[-+]?(?:0|(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|\u03bcs|ms|s|m|h))+)$/;
/** As Scala writes them: `2 days`. */
const SPOKEN_UNIT = /^(?:ns|nano.*|us|µs|micro.*|ms|milli.*|s|sec.*|m|min.*|h|hr|hour.*|d|day.*|w|wk|week.*)$/i;

function isDuration(text: string): boolean {
  if (GO_DURATION.test(text)) return true;
  let found = false;
  for (const [, factor, unit] of text.matchAll(/(\d+)\s*([A-Za-zµ]+)/g)) {
    if (Number(factor) >= 2 ** 63) return false;
    found ||= SPOKEN_UNIT.test(unit!);
  }
  return found;
}

const HOST_LENGTH_MAX = 255;
const HOSTNAME =
  /^(?:[a-zA-Z0-9\p{S}\p{L}](?:-?[a-zA-Z0-9\p{S}\p{L}]{0,62})?|(?:[a-zA-Z0-9\p{S}\p{L}](?:[a-zA-Z0-9\p{S}\p{L}-]{0,61}[a-zA-Z0-9\p{S}\p{L}])?\.)+[a-zA-Z\p{L}]{2,63})$/u;

function isHostname(text: string): boolean {
  if (text.length > HOST_LENGTH_MAX || !HOSTNAME.test(text)) return false;
  const encoder = new TextEncoder();
  return (
    encoder.encode(text).length <= HOST_LENGTH_MAX && text.split(".").every((part) => encoder.encode(part).length <= 63)
  );
}

const isSloppyIpv4 = (text: string): boolean =>
  /^\d{1,32}(?:\.\d{1,32}){3}$/.test(text) && text.split(".").every((part) => Number(part) <= 255);

function isIpv6(text: string): boolean {
  return text.includes(":") && !text.includes("%") && ipaddr.IPv6.isValid(text);
}

function isCidr(text: string): boolean {
  const slash = text.indexOf("/");
  if (slash < 0) return false;
  const [ip, bits] = [text.slice(0, slash), text.slice(slash + 1)];
  if (!/^\d{1,3}$/.test(bits)) return false;
  return isIpv6(ip) ? Number(bits) <= 128 : isSloppyIpv4(ip) && Number(bits) <= 32;
}

/** EUI-48, EUI-64, or 20 octets of InfiniBand; with colons, dashes or dots. */
function isMac(text: string): boolean {
  const octets = /^[0-9a-f]{2}(?:([:-])[0-9a-f]{2}(?:\1[0-9a-f]{2})*)$/i.test(text);
  if (octets) return [6, 8, 20].includes((text.length + 1) / 3);
  return /^[0-9a-f]{4}(?:\.[0-9a-f]{4})+$/i.test(text) && [3, 4, 10].includes((text.length + 1) / 5);
}

const SPACES_AND_DASHES = /[\s-]+/g;

function isIsbn10(text: string): boolean {
  const digits = text.replace(SPACES_AND_DASHES, "");
  if (!/^(?:[0-9]{9}X|[0-9]{10})$/.test(digits)) return false;
  let sum = 0;
  for (let i = 0; i < 10; i++) sum += (i + 1) * (digits[i] === "X" ? 10 : Number(digits[i]));
  return sum % 11 === 0;
}

function isIsbn13(text: string): boolean {
  const digits = text.replace(SPACES_AND_DASHES, "");
  if (!/^[0-9]{13}$/.test(digits)) return false;
  let sum = 0;
  for (let i = 0; i < 12; i++) sum += (i % 2 === 0 ? 1 : 3) * Number(digits[i]);
  return Number(digits[12]) === (10 - (sum % 10)) % 10;
}

const CARD =
  /^(?:4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|6(?:011|5[0-9][0-9])[0-9]{12}|3[47][0-9]{13}|3(?:0[0-5]|[68][0-9])[0-9]{11}|(?:2131|1800|35\d{3})\d{11})$/;

function isCreditCard(text: string): boolean {
  const digits = text.replace(/[^0-9]+/g, "");
  if (!CARD.test(digits)) return false;
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = Number(digits[digits.length - 1 - i]);
    const doubled = i % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

function isRgbColor(text: string): boolean {
  const parts = /^rgb\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)$/.exec(text)?.slice(1);
  return parts?.every((part) => Number(part) <= 255 && String(Number(part)) === part) ?? false;
}

/** RFC 5322, as far as net/mail reads it: `a@b`, `Name <a@b>`. */
function isEmail(text: string): boolean {
  const trimmed = text.trim();
  if (!trimmed.endsWith(">")) return isAddress(trimmed);
  const open = trimmed.lastIndexOf("<");
  if (open < 0 || !isAddress(trimmed.slice(open + 1, -1))) return false;
  const name = trimmed.slice(0, open).trim();
  return name === "" || /^"[^"\\]*"$/.test(name) || /^[^()<>[\]:;@\\,"]*$/.test(name);
}

const ATOM = "[a-zA-Z0-9!#$%&'*+/=?^_`{|}~\\-\\u0080-\\u{10ffff}]+";
const DOT_ATOM = new RegExp(`^${ATOM}(?:\\.${ATOM})*$`, "u");

function isAddress(text: string): boolean {
  const at = text.lastIndexOf("@");
  if (at <= 0) return false;
  const [local, domain] = [text.slice(0, at), text.slice(at + 1)];
  return (
    (DOT_ATOM.test(local) || /^"[^"\\]*"$/.test(local)) && (DOT_ATOM.test(domain) || /^\[[^\]\\]*\]$/.test(domain))
  );
}

const BAD_ESCAPE = /%(?![0-9a-fA-F]{2})/;

/** An absolute URI or an absolute path, as Go's url.ParseRequestURI accepts it. */
export function isRequestUri(text: string): boolean {
  if (text === "" || hasControl(text)) return false;
  if (text === "*") return true;
  const scheme = /^[a-zA-Z][a-zA-Z0-9+.-]*:/.exec(text)?.[0] ?? "";
  const [rest = ""] = text.slice(scheme.length).split("?", 1);
  if (!rest.startsWith("/")) return scheme !== "";
  if (scheme === "" || !rest.startsWith("//")) return !BAD_ESCAPE.test(rest);
  const [authority = "", ...path] = rest.slice(2).split("/");
  return isAuthority(authority) && !BAD_ESCAPE.test(path.join("/"));
}

function isAuthority(authority: string): boolean {
  const at = authority.lastIndexOf("@");
  if (at >= 0 && !/^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(authority.slice(0, at))) return false;
  const host = authority.slice(at + 1);
  if (host.startsWith("[")) return /^\[[^\]]*\](?::\d*)?$/.test(host);
  return /^[^\s"#/<>?@[\\\]^`{|}:%]*(?::\d*)?$/.test(host);
}

/** Go looks for bytes below the space, and for DEL. */
function hasControl(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || code === 0x7f) return true;
  }
  return false;
}
