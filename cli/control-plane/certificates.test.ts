import { X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { createServer, request } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { homeAt, makeHome } from "../home.ts";
import { ensureCertificates, isServerCertificateGood, makeAuthority, makeServerCertificate } from "./certificates.ts";

const NOW = new Date("2026-11-22T12:00:00Z");
const NAMES = ["127.0.0.1", "::1", "localhost", "kubernetes.default.svc"];
const later = (days: number): Date => new Date(NOW.getTime() + days * 86_400_000);

describe("a server certificate", () => {
  const authority = makeAuthority("coxswain", NOW);
  const server = makeServerCertificate(authority, NAMES, NOW);

  test("is signed by its authority for every name and address", () => {
    const certificate = new X509Certificate(server.certificate);
    expect(certificate.verify(new X509Certificate(authority.certificate).publicKey)).toBe(true);
    expect(certificate.ca).toBe(false);
    expect(new X509Certificate(authority.certificate).ca).toBe(true);
    expect([
      certificate.checkIP("127.0.0.1"),
      certificate.checkIP("::1"),
      certificate.checkHost("localhost"),
    ]).not.toContain(undefined);
    expect(certificate.checkHost("elsewhere")).toBeUndefined();
  });

  test("is good while it lasts for more than a month", () => {
    expect(isServerCertificateGood(server, authority, NAMES, NOW)).toBe(true);
    expect(isServerCertificateGood(server, authority, NAMES, later(334))).toBe(true);
    expect(isServerCertificateGood(server, authority, NAMES, later(336))).toBe(false);
  });

  test("is not good for a name that it lacks, from another authority, with another key, or unreadable", () => {
    expect(isServerCertificateGood(server, authority, [...NAMES, "172.31.200.1"], NOW)).toBe(false);
    expect(isServerCertificateGood(server, makeAuthority("coxswain", NOW), NAMES, NOW)).toBe(false);
    const other = makeServerCertificate(authority, NAMES, NOW);
    expect(isServerCertificateGood({ ...server, key: other.key }, authority, NAMES, NOW)).toBe(false);
    expect(isServerCertificateGood({ certificate: "", key: "" }, authority, NAMES, NOW)).toBe(false);
  });

  test("convinces a TLS client that trusts the authority alone", async () => {
    const now = new Date();
    const current = makeAuthority("coxswain", now);
    const pair = makeServerCertificate(current, NAMES, now);
    const listener = createServer({ cert: pair.certificate, key: pair.key }, (_, answer) => answer.end("hello"));
    await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
    const { port } = listener.address() as AddressInfo;
    const code = await new Promise((resolve, reject) => {
      request({ host: "127.0.0.1", port, ca: current.certificate, agent: false }, (answer) =>
        resolve(answer.resume().statusCode),
      )
        .on("error", reject)
        .end();
    });
    listener.close();
    expect(code).toBe(200);
  });
});

describe("the home's certificates", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "cox-certificates-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test("are kept from start to start; the server's is made anew when it is about to end or lacks a name", () => {
    const home = homeAt(folder);
    makeHome(home);
    const first = ensureCertificates(home, NAMES, NOW);
    expect(ensureCertificates(home, NAMES, later(1))).toEqual(first);
    const renewed = ensureCertificates(home, NAMES, later(340));
    expect(renewed.authority).toEqual(first.authority);
    expect(renewed.server).not.toEqual(first.server);
    expect(ensureCertificates(home, [...NAMES, "172.31.200.1"], later(341)).server).not.toEqual(renewed.server);
  });

  test("have keys that only their owner may read", () => {
    const home = homeAt(folder);
    makeHome(home);
    ensureCertificates(home, NAMES, NOW);
    for (const key of [home.caKey, home.serverKey]) expect(statSync(key).mode & 0o777).toBe(0o600);
  });
});
