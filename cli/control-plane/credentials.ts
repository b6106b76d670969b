import { randomBytes } from "node:crypto";
import { base64url, SignJWT } from "jose";
import { type Home, readIfThere, writeWhole } from "../home.ts";

const SIGNING_KEY_BYTES = 32;
/** The admin's token is made anew at each start, so this only bounds how long a leaked one is good. */
const ADMIN_TOKEN_LIFETIME = "365d";

/** The key that signs the clusters' credentials, made at the first start. */
export function ensureSigningKey(home: Home): string {
  const there = readIfThere(home.signingKey);
  if (there) return there;
  const key = base64url.encode(randomBytes(SIGNING_KEY_BYTES));
  writeWhole(home.signingKey, key);
  return key;
}

/** A bearer token for the user `kubernetes-admin` of group `system:masters`, in one cluster. */
export async function makeAdminToken(signingKey: string, cluster: string): Promise<string> {
  return await new SignJWT({ groups: ["system:masters"], cluster })
    .setProtectedHeader({ alg: "HS256" })
    .setIssuer("coxswain")
    .setSubject("kubernetes-admin")
    .setIssuedAt()
    .setExpirationTime(ADMIN_TOKEN_LIFETIME)
    .sign(base64url.decode(signingKey));
}
