import { base64url, errors, jwtVerify, SignJWT } from "jose";
import type { User } from "../../api/object.ts";

const ISSUER = "coxswain";
const ALGORITHM = "HS256";
const CACHED_CREDENTIALS_MAX = 4096;
/** Named by `jti`, so that a later revocation list has something to name. */
const NODE_CREDENTIAL_LIFETIME = "365d";

/** Who a bearer token says its holder is, and of which cluster. */
export interface Credential {
  cluster: string;
  user: User;
  /** Milliseconds since 1970; Infinity where it does not expire. */
  expiresAt: number;
}

/**
 * Credentials are JWTs signed with the worker's own key, so that a request is authenticated without asking any object:
 * `sub` is the user, `groups` the groups, `cluster` the one cluster the token opens.
 */
export class Credentials {
  readonly #key: Uint8Array;
  /** Verified tokens: a signature costs more than everything else the worker does for a small read. */
  readonly #verified = new Map<string, Credential>();

  constructor(signingKey: string) {
    this.#key = base64url.decode(signingKey);
    if (this.#key.length < 32) throw new Error("SIGNING_KEY must be the base64url of at least 32 bytes");
  }

  /** The credential behind a token that was verified before and is still good. */
  known(token: string, now: number): Credential | undefined {
    const credential = this.#verified.get(token);
    return credential && credential.expiresAt > now ? credential : undefined;
  }

  /** The credential behind a token, or undefined where it is forged, expired or not ours. */
  async verify(token: string, now: number): Promise<Credential | undefined> {
    const credential = await this.#read(token, now);
    if (!credential) {
      this.#verified.delete(token);
      return undefined;
    }
    if (this.#verified.size >= CACHED_CREDENTIALS_MAX) this.#verified.delete(this.#verified.keys().next().value!);
    this.#verified.set(token, credential);
    return credential;
  }

  async #read(token: string, now: number): Promise<Credential | undefined> {
    try {
      const { payload } = await jwtVerify(token, this.#key, {
        issuer: ISSUER,
        algorithms: [ALGORITHM],
        requiredClaims: ["sub", "cluster"],
        currentDate: new Date(now),
      });
      const { sub, cluster, groups, exp } = payload;
      if (typeof sub !== "string" || typeof cluster !== "string" || !isListOfStrings(groups ?? [])) return undefined;
      return {
        cluster,
        user: { name: sub, groups: [...((groups as string[] | undefined) ?? []), "system:authenticated"] },
        expiresAt: exp === undefined ? Number.POSITIVE_INFINITY : exp * 1000,
      };
    } catch (error) {
      if (error instanceof errors.JOSEError) return undefined;
      throw error;
    }
  }

  /** The credential of a node: it may do what the node authorizer lets `system:node:<name>` do, in one cluster. */
  async issueForNode(cluster: string, nodeName: string): Promise<string> {
    return await new SignJWT({ cluster, groups: ["system:nodes"] })
      .setProtectedHeader({ alg: ALGORITHM })
      .setIssuer(ISSUER)
      .setSubject(`system:node:${nodeName}`)
      .setJti(crypto.randomUUID())
      .setIssuedAt()
      .setExpirationTime(NODE_CREDENTIAL_LIFETIME)
      .sign(this.#key);
  }
}

const isListOfStrings = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((item) => typeof item === "string");
