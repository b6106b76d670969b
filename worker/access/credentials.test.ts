import { base64url, SignJWT } from "jose";
import { describe, expect, test } from "vitest";
import { authenticate } from "./authenticate.ts";
import { Credentials } from "./credentials.ts";

const KEY = base64url.encode(new Uint8Array(32).fill(7));
const OTHER_KEY = base64url.encode(new Uint8Array(32).fill(8));
const NOW = Date.UTC(2026, 0, 1);

const credentials = new Credentials(KEY);

const token = (claims: object, { key = KEY, expiresAt = NOW + 60_000, issuer = "coxswain" } = {}) =>
  new SignJWT({ sub: "jane", cluster: "default", groups: ["devs"], ...claims })
    .setProtectedHeader({ alg: "HS256" })
    .setIssuer(issuer)
    .setExpirationTime(Math.floor(expiresAt / 1000))
    .sign(base64url.decode(key));

const headers = (authorization?: string) => new Headers(authorization === undefined ? {} : { authorization });
const ask = async (authorization: string | undefined, cluster = "default", now = NOW) =>
  await authenticate(headers(authorization), cluster, credentials, now);

describe("authenticate", () => {
  test("knows the user and the groups of a signed token", async () => {
    expect(await ask(`Bearer ${await token({})}`)).toEqual({ name: "jane", groups: ["devs", "system:authenticated"] });
  });

  test("is anonymous without a token", async () => {
    expect((await ask(undefined)).name).toBe("system:anonymous");
  });

  test("refuses a token of another cluster", async () => {
    await expect(ask(`Bearer ${await token({ cluster: "blue" })}`)).rejects.toMatchObject({ code: 401 });
    expect((await ask(`Bearer ${await token({ cluster: "blue" })}`, "blue")).name).toBe("jane");
  });

  test.each([
    ["signed with another key", token({}, { key: OTHER_KEY })],
    ["of another issuer", token({}, { issuer: "somebody" })],
    ["expired", token({}, { expiresAt: NOW - 1000 })],
    ["without a cluster", token({ cluster: undefined })],
    ["with groups that are none", token({ groups: "system:masters" })],
    ["that is no token", Promise.resolve("nonsense")],
  ])("refuses a token %s", async (_, made) => {
    await expect(ask(`Bearer ${await made}`)).rejects.toMatchObject({ code: 401 });
  });

  test("refuses other schemes", async () => {
    await expect(ask("Basic amFuZTpkb2U=")).rejects.toMatchObject({ code: 401 });
  });

  test("a token that was good is refused once it has expired", async () => {
    const bearer = `Bearer ${await token({})}`;
    await ask(bearer);
    await expect(ask(bearer, "default", NOW + 61_000)).rejects.toMatchObject({ code: 401 });
  });

  test("a node's credential names the node and opens one cluster", async () => {
    const bearer = `Bearer ${await credentials.issueForNode("default", "n1")}`;
    expect(await ask(bearer, "default", Date.now())).toEqual({
      name: "system:node:n1",
      groups: ["system:nodes", "system:authenticated"],
    });
    await expect(ask(bearer, "blue", Date.now())).rejects.toMatchObject({ code: 401 });
  });
});

test("a short signing key is refused", () => {
  expect(() => new Credentials(base64url.encode(new Uint8Array(16)))).toThrow("at least 32 bytes");
});
