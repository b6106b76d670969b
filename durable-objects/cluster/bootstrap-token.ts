import type { KubeObject } from "../../api/object.ts";

const TOKEN = /^([a-z0-9]{6})\.([a-z0-9]{16})$/;
const TYPE = "bootstrap.kubernetes.io/token";

/** The Secret of kube-system that a bootstrap token is checked against; undefined for what is no token. */
export const tokenSecretName = (token: string): string | undefined => {
  const id = TOKEN.exec(token)?.[1];
  return id && `bootstrap-token-${id}`;
};

/** Whether the Secret vouches for the token (upstream's bootstrap token authenticator). `now`: milliseconds since 1970. */
export function acceptsToken(secret: KubeObject, token: string, now: number): boolean {
  const [, id = "", value = ""] = TOKEN.exec(token) ?? [];
  const field = (name: string): string => decode(secret["data"]?.[name]);
  if (secret["type"] !== TYPE || secret.metadata.deletionTimestamp) return false;
  if (!value || field("token-id") !== id || !isSame(field("token-secret"), value)) return false;
  if (field("usage-bootstrap-authentication") !== "true") return false;
  const expiration = field("expiration");
  // An expiration that cannot be read has passed.
  return expiration === "" || Date.parse(expiration) > now;
}

function decode(base64: unknown): string {
  try {
    return typeof base64 === "string" ? atob(base64) : "";
  } catch {
    return "";
  }
}

/** Takes as long wherever the two differ. */
function isSame(a: string, b: string): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < b.length; i++) difference |= a.charCodeAt(i % Math.max(a.length, 1)) ^ b.charCodeAt(i);
  return difference === 0;
}
