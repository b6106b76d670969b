import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { base64url, jwtVerify } from "jose";
import { expect, test } from "vitest";
import { homeAt, makeHome } from "../home.ts";
import { ensureSigningKey, makeAdminToken } from "./credentials.ts";

test("the signing key is made once, for its owner alone, and signs the admin's token for one cluster", async () => {
  const folder = mkdtempSync(join(tmpdir(), "cox-credentials-"));
  try {
    const home = homeAt(folder);
    makeHome(home);
    const key = ensureSigningKey(home);
    expect(ensureSigningKey(home)).toBe(key);
    expect(base64url.decode(key)).toHaveLength(32);
    expect(statSync(home.signingKey).mode & 0o777).toBe(0o600);

    const { payload } = await jwtVerify(await makeAdminToken(key, "default"), base64url.decode(key), {
      issuer: "coxswain",
    });
    expect(payload).toMatchObject({ sub: "kubernetes-admin", groups: ["system:masters"], cluster: "default" });
    await expect(jwtVerify(await makeAdminToken(key, "default"), new Uint8Array(32))).rejects.toThrow("signature");
  } finally {
    rmSync(folder, { recursive: true });
  }
});
