import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer, type TlsOptions as ServerOptions } from "node:tls";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { makeAuthority, makeServerCertificate } from "../../cli/control-plane/certificates.ts";
import { dialFromNode } from "../../test/support/node-channel.ts";
import { parsePem } from "./certificate.ts";
import { connectTls, type TlsOptions } from "./tls-client.ts";

const now = new Date();
const DAY = 86_400_000;
const MUCH = 100_000;
const authority = makeAuthority("webhooks", now);
const pair = makeServerCertificate(authority, ["webhook.test", "*.wild.test", "127.0.0.1"], now);
const closing: (() => void)[] = [];

afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A TLS server that sends everything back in capitals, and says what it was sent by SNI. */
async function serve(options: ServerOptions = {}): Promise<{ port: number; names: (string | false | undefined)[] }> {
  const names: (string | false | undefined)[] = [];
  const server = createServer({ cert: pair.certificate, key: pair.key, ...options }, (socket) => {
    names.push(socket.servername || undefined);
    socket.on("error", () => undefined);
    socket.on("data", (data) =>
      socket.end(data.toString() === "much" ? "x".repeat(MUCH) : data.toString().toUpperCase()),
    );
  });
  server.on("tlsClientError", () => undefined);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => server.close());
  return { port: (server.address() as AddressInfo).port, names };
}

async function say(port: number, text: string, options: Partial<TlsOptions> = {}): Promise<string> {
  const trusted = parsePem(authority.certificate);
  const channel = await connectTls(await dialFromNode({ hostname: "127.0.0.1", port }), {
    serverName: "webhook.test",
    trusted,
    now: now.getTime(),
    ...options,
  });
  const writer = channel.writable.getWriter();
  await writer.write(new TextEncoder().encode(text));
  const heard = await new Response(channel.readable).text();
  await channel.close();
  return heard;
}

describe("a server that a named authority vouches for", () => {
  test("is spoken to, and hears the name that it is asked for", async () => {
    const { port, names } = await serve();
    expect(await say(port, "hello")).toBe("HELLO");
    expect(names).toEqual(["webhook.test"]);
  });

  test("may be reached by an address, which is in its certificate and not in the greeting", async () => {
    const { port, names } = await serve();
    expect(await say(port, "hello", { serverName: "127.0.0.1", serverIp: Uint8Array.of(127, 0, 0, 1) })).toBe("HELLO");
    expect(names).toEqual([undefined]);
  });

  test("a wildcard stands for one label", async () => {
    const { port } = await serve();
    expect(await say(port, "hello", { serverName: "a.wild.test" })).toBe("HELLO");
    await expect(say(port, "hello", { serverName: "a.b.wild.test" })).rejects.toThrow("not a.b.wild.test");
    await expect(say(port, "hello", { serverName: "wild.test" })).rejects.toThrow("not wild.test");
  });

  test.each(["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384"])("with %s", async (ciphers) => {
    const { port } = await serve({ ciphers });
    expect(await say(port, "hello")).toBe("HELLO");
  });

  test.each(["X25519", "P-256"])("agreeing on a key in %s", async (ecdhCurve) => {
    const { port } = await serve({ ecdhCurve });
    expect(await say(port, "hello")).toBe("HELLO");
  });

  test("may ask for a certificate, and gets none", async () => {
    const { port } = await serve({ requestCert: true, rejectUnauthorized: false });
    expect(await say(port, "hello")).toBe("HELLO");
  });

  test("hears more than one record can hold", async () => {
    const { port } = await serve();
    expect(await say(port, "much")).toHaveLength(MUCH);
  });

  test("vouched for as it is, without any authority", async () => {
    const { port } = await serve();
    expect(await say(port, "hello", { trusted: parsePem(pair.certificate) })).toBe("HELLO");
  });
});

test("a farewell that anybody on the way could have said does not end what is heard", async () => {
  const { port } = await serve();
  const inner = await dialFromNode({ hostname: "127.0.0.1", port });
  let isConnected = false;
  let hasCutIn = false;
  const readable = inner.readable.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        if (isConnected && !hasCutIn) controller.enqueue(Uint8Array.of(21, 3, 3, 0, 2, 1, 0));
        hasCutIn = isConnected;
        controller.enqueue(chunk);
      },
    }),
  );
  const channel = await connectTls(
    { ...inner, readable },
    { serverName: "webhook.test", trusted: parsePem(authority.certificate), now: now.getTime() },
  );
  isConnected = true;
  await channel.writable.getWriter().write(new TextEncoder().encode("much"));
  await expect(new Response(channel.readable).text()).rejects.toThrow("remote error: tls: alert(0)");
  await channel.close();
});

describe("a server is refused", () => {
  const refusal = (port: number, options: Partial<TlsOptions> = {}) =>
    say(port, "secret", options).then(
      (heard) => `heard ${heard}`,
      (error: Error) => error.message,
    );

  test("that nobody who is trusted vouches for", async () => {
    const { port, names } = await serve();
    const other = parsePem(makeAuthority("webhooks", now).certificate);
    const unknown = "tls: failed to verify certificate: x509: certificate signed by unknown authority";
    expect(await refusal(port, { trusted: other })).toBe(unknown);
    expect(await refusal(port, { trusted: [] })).toBe(unknown);
    expect(names).toEqual([]);
  });

  test("that has another name", async () => {
    const { port } = await serve();
    expect(await refusal(port, { serverName: "elsewhere.test" })).toBe(
      "tls: failed to verify certificate: x509: certificate is valid for webhook.test, *.wild.test, not elsewhere.test",
    );
    expect(await refusal(port, { serverName: "10.0.0.1", serverIp: Uint8Array.of(10, 0, 0, 1) })).toBe(
      "tls: failed to verify certificate: x509: certificate is valid for 127.0.0.1, not 10.0.0.1",
    );
  });

  test("whose time is over, or has not come", async () => {
    const { port } = await serve();
    expect(await refusal(port, { now: now.getTime() + 400 * DAY })).toContain(
      "certificate has expired or is not yet valid",
    );
    expect(await refusal(port, { now: now.getTime() - 400 * DAY })).toContain("is before");
  });

  test("that speaks TLS 1.2 and no newer", async () => {
    const { port } = await serve({ maxVersion: "TLSv1.2" });
    expect(await refusal(port)).toMatch(/protocol version not supported|unsupported protocol version/);
  });

  test("that is no TLS server", async () => {
    const { createServer: createPlain } = await import("node:net");
    const server = createPlain((socket) => {
      socket.on("error", () => undefined);
      socket.write("HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    closing.push(() => server.close());
    expect(await refusal((server.address() as AddressInfo).port)).toBe(
      "tls: first record does not look like a TLS handshake",
    );
  });

  test("that hangs up", async () => {
    const { createServer: createPlain } = await import("node:net");
    const server = createPlain((socket) => void socket.once("data", () => socket.end()));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    closing.push(() => server.close());
    expect(await refusal((server.address() as AddressInfo).port)).toBe("EOF");
  });
});

const OPENSSL = "openssl";
const hasOpenssl = spawnSync(OPENSSL, ["version"]).status === 0;
if (!hasOpenssl) console.warn("skipped: chains of certificates, since there is no openssl");

describe.skipIf(!hasOpenssl)("chains that openssl makes", () => {
  let folder = "";
  const file = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => execFileSync(OPENSSL, args, { cwd: folder, stdio: "pipe" });

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "coxswain-tls-"));
    return () => rmSync(folder, { recursive: true });
  });

  function authorityOf(name: string, issuer: string | undefined, extensions: string, key: string[]): void {
    writeFileSync(file(`${name}.ext`), extensions);
    openssl("req", "-new", "-nodes", "-subj", `/CN=${name}`, "-keyout", `${name}.key`, "-out", `${name}.csr`, ...key);
    const signer = issuer
      ? ["-CA", `${issuer}.pem`, "-CAkey", `${issuer}.key`, "-CAcreateserial"]
      : ["-key", `${name}.key`];
    openssl(
      "x509",
      "-req",
      "-in",
      `${name}.csr`,
      ...signer,
      "-days",
      "30",
      "-extfile",
      `${name}.ext`,
      "-out",
      `${name}.pem`,
    );
  }

  const CA = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign";
  const LEAF = "basicConstraints=CA:FALSE\nsubjectAltName=DNS:webhook.test";
  const RSA = ["-newkey", "rsa:2048"];
  const P384 = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"];
  const ED25519 = ["-newkey", "ed25519"];
  const read = (...names: string[]) => names.map((name) => readFileSync(file(name), "utf8")).join("\n");

  test.each([
    ["RSA", RSA],
    ["P-384", P384],
    ["Ed25519", ED25519],
  ])("of %s keys, with an intermediate that the server sends along", async (name, key) => {
    authorityOf(`${name}-root`, undefined, CA, key);
    authorityOf(`${name}-middle`, `${name}-root`, CA, key);
    authorityOf(`${name}-leaf`, `${name}-middle`, LEAF, key);
    const { port } = await serve({
      cert: read(`${name}-leaf.pem`, `${name}-middle.pem`),
      key: read(`${name}-leaf.key`),
    });
    const trusted = parsePem(read(`${name}-root.pem`));
    expect(await say(port, "hello", { trusted, now: Date.now() })).toBe("HELLO");
    const { port: alone } = await serve({ cert: read(`${name}-leaf.pem`), key: read(`${name}-leaf.key`) });
    await expect(say(alone, "hello", { trusted, now: Date.now() })).rejects.toThrow("unknown authority");
  });

  test.each([
    ["an issuer that is no authority", LEAF, LEAF, "not authorized to sign other certificates"],
    [
      "an authority that may not sign certificates",
      "basicConstraints=CA:TRUE\nkeyUsage=digitalSignature",
      LEAF,
      "not authorized",
    ],
    [
      "names that the authority is bound to",
      `${CA}\nnameConstraints=permitted;DNS:other.test`,
      LEAF,
      "unhandled critical extension",
    ],
    ["a certificate for clients", CA, `${LEAF}\nextendedKeyUsage=clientAuth`, "incompatible key usage"],
    [
      "a critical extension that nobody knows",
      CA,
      `${LEAF}\n1.2.3.4=critical,ASN1:NULL`,
      "unhandled critical extension",
    ],
    ["no names", CA, "basicConstraints=CA:FALSE", "is not valid for any names"],
  ])("refused: %s", async (_, ofAuthority, ofLeaf, why) => {
    authorityOf("bad-root", undefined, ofAuthority, P384);
    authorityOf("bad-leaf", "bad-root", ofLeaf, P384);
    const { port } = await serve({ cert: read("bad-leaf.pem"), key: read("bad-leaf.key") });
    const trusted = parsePem(read("bad-root.pem"));
    await expect(say(port, "hello", { trusted, now: Date.now() })).rejects.toThrow(why);
  });

  test("refused: more intermediates than the authority allows", async () => {
    authorityOf("short-root", undefined, "basicConstraints=critical,CA:TRUE,pathlen:0", P384);
    authorityOf("short-middle", "short-root", CA, P384);
    authorityOf("short-leaf", "short-middle", LEAF, P384);
    const { port } = await serve({ cert: read("short-leaf.pem", "short-middle.pem"), key: read("short-leaf.key") });
    const trusted = parsePem(read("short-root.pem"));
    await expect(say(port, "hello", { trusted, now: Date.now() })).rejects.toThrow("too many intermediates");
  });
});
