import type { User } from "../../api/object.ts";
import { ApiError } from "../../api/status.ts";
import type { Credentials } from "./credentials.ts";

export const ANONYMOUS: User = { name: "system:anonymous", groups: ["system:unauthenticated"] };

export const unauthorized = (): ApiError => new ApiError("Unauthorized", "Unauthorized");

/** The bearer token of a request, or undefined where it has none. */
export function bearerToken(headers: Headers): string | undefined {
  const match = /^Bearer +(\S+)$/i.exec(headers.get("authorization") ?? "");
  return match?.[1];
}

/**
 * Who asks for something of `cluster`. A token of another cluster is as unknown here as a forged one: 401, before
 * anything of the cluster is touched. Without a token the user is `system:anonymous`.
 */
export async function authenticate(
  headers: Headers,
  cluster: string,
  credentials: Credentials,
  now: number,
): Promise<User> {
  const token = bearerToken(headers);
  if (token === undefined) {
    if (headers.has("authorization")) throw unauthorized();
    return ANONYMOUS;
  }
  const credential = credentials.known(token, now) ?? (await credentials.verify(token, now));
  if (credential?.cluster !== cluster) throw unauthorized();
  return credential.user;
}

/** 403 for a path that is no resource; the words of kube-apiserver's authorization filter. */
export const forbiddenPath = (user: User, method: string, path: string): ApiError =>
  new ApiError(
    "Forbidden",
    `forbidden: User ${JSON.stringify(user.name)} cannot ${method.toLowerCase()} path ${JSON.stringify(path)}`,
    {},
  );
