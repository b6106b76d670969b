import { parseIp } from "../../ip.ts";
import { fail } from "../cel-error.ts";
import { type CelFunction, celFunction, member, plain } from "../function.ts";
import { BOOL, listOf, mapOf, STRING, URL_TYPE } from "../types.ts";
import { type CelValue, Instance, ListValue, MapValue } from "../values.ts";

interface UrlParts {
  readonly scheme: string;
  readonly host: string;
  readonly path: string;
  readonly query: string;
}

/** kubernetes.URL: as Go's net/url sees one. The platform's URL class normalizes what Go leaves alone. */
class UrlValue extends Instance {
  readonly type = URL_TYPE;
  readonly text: string;
  readonly parts: UrlParts;

  constructor(text: string, parts: UrlParts) {
    super();
    this.text = text;
    this.parts = parts;
  }

  equals(other: CelValue): boolean {
    return other instanceof UrlValue && other.text === this.text;
  }

  /** Without brackets and port. */
  get hostname(): string {
    const { host } = this.parts;
    const bracket = host.indexOf("]");
    return host.startsWith("[") && bracket > 0 ? host.slice(1, bracket) : host.replace(/:\d*$/, "");
  }

  get port(): string {
    return /:(\d*)$/.exec(this.parts.host)?.[1] ?? "";
  }
}

const SCHEME = /^([a-zA-Z][a-zA-Z0-9+.-]*):/;
const USER_INFO = /^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/;
const PORT = /^(?::\d*)?$/;
/** What Go refuses in a host. */
const HOST_ILLEGAL = /[\s#/<>?@[\\\]^`{|}"]/;

/** What is wrong with a text as a request's URI, in the words of Go's url.ParseRequestURI; or its parts. */
function parseUrl(text: string, isRequest: boolean): UrlParts | string {
  if (hasControl(text)) return "net/url: invalid control character in URL";
  if (text === "") return isRequest ? "empty url" : { scheme: "", host: "", path: "", query: "" };
  if (text === "*") return { scheme: "", host: "", path: "*", query: "" };
  if (text.startsWith(":")) return "missing protocol scheme";
  const found = SCHEME.exec(text);
  const scheme = (found?.[1] ?? "").toLowerCase();
  const afterScheme = text.slice(found?.[0].length ?? 0);
  const mark = afterScheme.indexOf("?");
  const rest = mark < 0 ? afterScheme : afterScheme.slice(0, mark);
  const query = mark < 0 ? "" : afterScheme.slice(mark + 1);
  if (!rest.startsWith("/")) return scheme === "" ? "invalid URI for request" : { scheme, host: "", path: "", query };
  if (scheme === "" || !rest.startsWith("//")) return withPath(scheme, "", rest, query);
  const slash = rest.indexOf("/", 2);
  const authority = slash < 0 ? rest.slice(2) : rest.slice(2, slash);
  const at = authority.lastIndexOf("@");
  const host = authority.slice(at + 1);
  const why = whyNotHost(scheme, host);
  if (why) return why;
  if (at >= 0 && !USER_INFO.test(authority.slice(0, at))) return "net/url: invalid userinfo";
  return withPath(scheme, decodeHost(host), slash < 0 ? "" : rest.slice(slash), query);
}

function withPath(scheme: string, host: string, path: string, query: string): UrlParts | string {
  return badEscape(path) ?? { scheme, host, path, query };
}

const badEscape = (text: string): string | undefined => {
  const [found] = /%(?![0-9a-fA-F]{2}).{0,2}/s.exec(text) ?? [];
  return found === undefined ? undefined : `invalid URL escape ${JSON.stringify(found)}`;
};

function whyNotHost(scheme: string, host: string): string | undefined {
  const bracket = host.lastIndexOf("[");
  if (bracket > 0) return "invalid IP-literal";
  if (bracket === 0) {
    const close = host.lastIndexOf("]");
    if (close < 0) return "missing ']' in host";
    const port = host.slice(close + 1);
    if (!PORT.test(port)) return `invalid port ${JSON.stringify(port)} after host`;
    const address = host.slice(1, close).replace(/%25.*$/, "");
    if (!address.includes(":")) {
      return parseIp(address)
        ? "invalid IP-literal"
        : `invalid host: ParseAddr(${JSON.stringify(address)}): unable to parse IP`;
    }
    return undefined;
  }
  const strict = scheme === "http" || scheme === "https";
  const colon = strict ? host.indexOf(":") : host.lastIndexOf(":");
  const port = colon < 0 ? "" : host.slice(colon);
  if (!PORT.test(port)) return `invalid port ${JSON.stringify(port)} after host`;
  const [illegal] = HOST_ILLEGAL.exec(host) ?? [];
  if (illegal !== undefined) return `invalid character ${JSON.stringify(illegal)} in host name`;
  const [escaped] = /%(?![89a-fA-F][0-9a-fA-F]).{0,2}/s.exec(host) ?? [];
  return escaped === undefined ? undefined : `invalid URL escape ${JSON.stringify(escaped)}`;
}

const decodeHost = (host: string): string => {
  try {
    return decodeURIComponent(host);
  } catch {
    return host;
  }
};

function hasControl(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || code === 0x7f) return true;
  }
  return false;
}

/** Why a text is no URI, as the error of Go's url.ParseRequestURI says it. */
export function requestUriError(text: string): string | undefined {
  const why = parseUrl(text, true);
  return typeof why === "string" ? `parse ${JSON.stringify(text)}: ${why}` : undefined;
}

function urlOf(text: string): UrlValue {
  const refused = requestUriError(text);
  if (refused !== undefined) fail(`URL parse error during conversion from string: ${refused}`);
  // Only what is a request's URI with its fragment is parsed again without it, as Go's url.Parse does.
  const hash = text.indexOf("#");
  const parts = parseUrl(hash < 0 ? text : text.slice(0, hash), false);
  return typeof parts === "string"
    ? fail(`URL parse error during conversion from string: parse ${JSON.stringify(text)}: ${parts}`)
    : new UrlValue(text, parts);
}

/** What Go leaves as it is in a path; the rest it escapes. */
const escapePath = (path: string): string =>
  path.replace(/[^A-Za-z0-9\-._~!$&'()*+,;=:@/%[\]]/gu, (character) =>
    Array.from(
      new TextEncoder().encode(character),
      (byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`,
    ).join(""),
  );

const queryDecode = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return undefined;
  }
};

function queryOf(query: string): MapValue {
  const lists = new Map<string, string[]>();
  for (const pair of query.split("&")) {
    if (pair === "" || pair.includes(";")) continue;
    const equals = pair.indexOf("=");
    const key = queryDecode(equals < 0 ? pair : pair.slice(0, equals));
    const value = equals < 0 ? "" : queryDecode(pair.slice(equals + 1));
    if (key === undefined || value === undefined) continue;
    lists.set(key, [...(lists.get(key) ?? []), value]);
  }
  const map = new MapValue();
  for (const [key, values] of lists) map.set(key, new ListValue(values));
  return map;
}

const part = (name: string, id: string, call: (url: UrlValue) => string): CelFunction =>
  celFunction(name, [member(id, [URL_TYPE], STRING, ([url]) => call(url as UrlValue))]);

/** Kubernetes' functions of URLs. */
export const URLS_LIBRARY: readonly CelFunction[] = [
  celFunction("url", [plain("string_to_url", [STRING], URL_TYPE, ([text]) => urlOf(text as string))]),
  celFunction("isURL", [
    plain("is_url_string", [STRING], BOOL, ([text]) => requestUriError(text as string) === undefined),
  ]),
  part("getScheme", "url_get_scheme", (url) => url.parts.scheme),
  part("getHost", "url_get_host", (url) => url.parts.host),
  part("getHostname", "url_get_hostname", (url) => url.hostname),
  part("getPort", "url_get_port", (url) => url.port),
  part("getEscapedPath", "url_get_escaped_path", (url) => escapePath(url.parts.path)),
  celFunction("getQuery", [
    member("url_get_query", [URL_TYPE], mapOf(STRING, listOf(STRING)), ([url]) =>
      queryOf((url as UrlValue).parts.query),
    ),
  ]),
];
