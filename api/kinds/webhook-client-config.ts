import { type FieldError, fieldInvalid, fieldRequired } from "../field-error.ts";
import type { FieldPath } from "../field-path.ts";
import { dnsSubdomainComplaints, portComplaints } from "../names.ts";

/** Where a webhook is (admissionregistration WebhookClientConfig; a CRD's conversion has the same). */
export interface WebhookClientConfig {
  url?: string;
  service?: { namespace: string; name: string; path?: string; port?: number };
  /** PEM certificates in base64. Absent: those that the platform trusts. */
  caBundle?: string;
}

export const SERVICE_PORT = 443;
const FORM = "; desired format: https://host[/path]";

/** A URL as Go's net/url takes it apart. */
export interface GoUrl {
  scheme: string;
  user: string | undefined;
  host: string;
  path: string;
  query: string;
  fragment: string;
}

/** The authority, user and all; then the path. */
const AUTHORITY = /^\/\/([^/]*)(.*)$/s;

/** @throws Error with net/url's words. */
export function parseGoUrl(text: string): GoUrl {
  const refuse = (why: string) => new Error(`parse ${JSON.stringify(text)}: ${why}`);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  if (/[\u0000-\u001f\u007f]/.test(text)) throw refuse("net/url: invalid control character in URL");
  if (text.startsWith(":")) throw refuse("missing protocol scheme");
  const [, beforeFragment = "", fragment = ""] = /^([^#]*)#?(.*)$/s.exec(text)!;
  const badEscape = /%(?![0-9a-fA-F]{2}).{0,2}/.exec(text.replace(/\?.*$/s, ""));
  if (badEscape) throw refuse(`invalid URL escape ${JSON.stringify(badEscape[0])}`);
  const [, scheme = "", afterScheme = ""] = /^(?:([a-zA-Z][a-zA-Z0-9+.-]*):)?(.*)$/s.exec(beforeFragment)!;
  const [, rest = "", query = ""] = /^([^?]*)\??(.*)$/s.exec(afterScheme)!;
  const authority = AUTHORITY.exec(rest);
  if (!scheme && !authority && !rest.startsWith("/") && rest.split("/")[0]!.includes(":")) {
    throw refuse("first path segment in URL cannot contain colon");
  }
  const [full = "", path = ""] = authority ? authority.slice(1) : ["", rest];
  const at = full.lastIndexOf("@");
  const host = full.slice(at + 1);
  const port = /^(?:\[[^\]]*\]|[^:]*)(.*)$/s.exec(host)?.[1] ?? "";
  if (!/^(?::\d*)?$/.test(port)) throw refuse(`invalid port ${JSON.stringify(port)} after host`);
  if (/[\s<>"^`{}\\|]/.test(host)) throw refuse(`invalid character ${goQuoted(host)} in host name`);
  return { scheme: scheme.toLowerCase(), user: at < 0 ? undefined : full.slice(0, at), host, path, query, fragment };
}

const goQuoted = (host: string): string => JSON.stringify(/[\s<>"^`{}\\|]/.exec(host)![0]);

/** k8s.io/apiserver/pkg/util/webhook ValidateWebhookURL, where https is demanded. */
export function validateWebhookUrl(text: string, path: FieldPath, errors: FieldError[]): void {
  let url: GoUrl;
  try {
    url = parseGoUrl(text);
  } catch (error) {
    errors.push(fieldRequired(path, `url must be a valid URL: ${(error as Error).message}${FORM}`));
    return;
  }
  if (url.scheme !== "https") {
    errors.push(fieldInvalid(path, url.scheme, `'https' is the only allowed URL scheme${FORM}`));
  }
  if (url.host === "") errors.push(fieldInvalid(path, url.host, `host must be specified${FORM}`));
  if (url.user !== undefined) {
    errors.push(fieldInvalid(path, url.user, "user information is not permitted in the URL"));
  }
  if (url.fragment !== "") errors.push(fieldInvalid(path, url.fragment, "fragments are not permitted in the URL"));
  if (url.query !== "") errors.push(fieldInvalid(path, url.query, "query parameters are not permitted in the URL"));
}

/** k8s.io/apiserver/pkg/util/webhook ValidateWebhookService. */
export function validateWebhookService(
  { namespace, name, path: urlPath, port = SERVICE_PORT }: NonNullable<WebhookClientConfig["service"]>,
  path: FieldPath,
  errors: FieldError[],
): void {
  if (!name) errors.push(fieldRequired(path.child("name")));
  if (!namespace) errors.push(fieldRequired(path.child("namespace")));
  const ofPort = portComplaints(port);
  if (ofPort.length > 0) {
    errors.push(fieldInvalid(path.child("port"), port, `port is not valid: ${ofPort.join(", ")}`));
  }
  if (!urlPath || urlPath === "/") return;
  const at = path.child("path");
  const refuse = (why: string) => errors.push(fieldInvalid(at, urlPath, why));
  if (urlPath === "//") {
    refuse("segment[0] may not be empty");
    return;
  }
  if (!urlPath.startsWith("/")) refuse("must start with a '/'");
  const steps = urlPath.slice(1).replace(/\/$/, "").split("/");
  steps.forEach((step, i) => {
    if (step === "") refuse(`segment[${i}] may not be empty`);
    else for (const complaint of dnsSubdomainComplaints(step)) refuse(`segment[${i}]: ${complaint}`);
  });
}

/** Exactly one of both ways to name a webhook. */
export function validateClientConfig(config: WebhookClientConfig, path: FieldPath, errors: FieldError[]): void {
  const { url, service } = config;
  if ((url === undefined) === (service === undefined)) {
    errors.push(fieldRequired(path, "exactly one of url or service is required"));
  } else if (url !== undefined) validateWebhookUrl(url, path.child("url"), errors);
  else if (service) validateWebhookService(service, path.child("service"), errors);
}
