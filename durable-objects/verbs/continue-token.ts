import { badRequest } from "../../api/status.ts";

/** Where the next page of a list begins, and the revision that all its pages are of. */
export interface ContinueToken {
  revision: number;
  /** The last name of the page before. */
  after: string;
}

/** Pages of no one revision: each is what is there when it is read. */
export const INCONSISTENT = -1;

/** base64url without padding, as upstream's. */
export const encodeContinue = ({ revision, after }: ContinueToken): string =>
  btoa(binary(JSON.stringify({ v: "meta.k8s.io/v1", rv: revision, start: `${after}\0` })))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");

/** UTF-8 as `btoa` wants it: one character a byte. */
const binary = (text: string): string => String.fromCharCode(...new TextEncoder().encode(text));

/** @throws ApiError BadRequest, for a token that was not made here. */
export function decodeContinue(text: string): ContinueToken {
  const { v, rv, start } = parse(text);
  if (v !== "meta.k8s.io/v1") throw refused(`server does not recognize this encoded version ${v}`);
  if (rv === 0) throw refused("incorrect encoded start resourceVersion (version meta.k8s.io/v1)");
  if (start === "") throw refused("encoded start key empty (version meta.k8s.io/v1)");
  const isRevision = Number.isSafeInteger(rv) && (rv as number) >= INCONSISTENT;
  if (!isRevision || typeof start !== "string" || !start.endsWith("\0")) throw refused(String(start));
  return { revision: rv as number, after: start.slice(0, -1) };
}

function parse(text: string): Record<string, unknown> {
  try {
    const bytes = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (byte) => byte.charCodeAt(0));
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // Falls through: the reason is of no use to who made the token up.
  }
  throw refused("it cannot be read");
}

/** In upstream's words (storage/continue.go). */
const refused = (why: string): Error => badRequest(`invalid continue token: continue key is not valid: ${why}`);
