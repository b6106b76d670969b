import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { makeAuthority, makeServerCertificate } from "../../cli/control-plane/certificates.ts";
import { parseCertificate, parsePem } from "./certificate.ts";

const now = new Date("2026-11-22T12:00:00Z");
const authority = makeAuthority("authority", now);
const server = makeServerCertificate(authority, ["a.test", "10.0.0.1"], now);

describe("a certificate", () => {
  test("says whom it is for, until when, and whether it may sign others", () => {
    const [leaf] = parsePem(server.certificate);
    expect(leaf).toMatchObject({
      dnsNames: ["a.test"],
      extendedUsages: ["1.3.6.1.5.5.7.3.1"],
      isAuthority: false,
      unhandled: [],
    });
    expect([...leaf!.ipAddresses[0]!]).toEqual([10, 0, 0, 1]);
    expect(leaf!.notBefore).toBeLessThanOrEqual(now.getTime());
    expect(leaf!.notAfter).toBeGreaterThan(now.getTime());
    const [root] = parsePem(authority.certificate);
    expect(root).toMatchObject({ isAuthority: true, maySign: true });
    expect(root!.subject).toEqual(leaf!.issuer);
  });

  test("may be one of several, between which there is anything", () => {
    const text = `# first\n${server.certificate}\nnonsense\n${authority.certificate}`;
    expect(parsePem(text)).toHaveLength(2);
    expect(parsePem("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----")).toEqual([]);
    expect(parsePem("")).toEqual([]);
  });
});

describe("what is no certificate", () => {
  const bytes = parsePem(server.certificate)[0]!.der;

  test("is refused with an Error, whatever it is", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (random) => {
        expect(() => parseCertificate(new Uint8Array(random))).toThrow(Error);
      }),
    );
  });

  test("as one with some of its bytes changed is read, or refused with an Error", () => {
    const index = fc.nat({ max: bytes.length - 1 });
    fc.assert(
      fc.property(fc.array(fc.tuple(index, fc.nat({ max: 255 })), { minLength: 1, maxLength: 5 }), (changes) => {
        const changed = bytes.slice();
        for (const [at, byte] of changes) changed[at] = byte;
        try {
          parseCertificate(changed);
        } catch (error) {
          expect((error as Error).message).toBe("x509: malformed certificate");
        }
      }),
    );
  });

  test("as one cut short is refused", () => {
    for (let length = 0; length < bytes.length; length += 7) {
      expect(() => parseCertificate(bytes.slice(0, length))).toThrow("x509: malformed certificate");
    }
  });
});
