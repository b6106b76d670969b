import { expect, test } from "vitest";
import { CERTIFICATE_REQUEST as REQUEST } from "../../test/support/certificate-request.ts";
import { certificateRequestComplaint } from "./certificate-request.ts";

const PEM = atob(REQUEST);
const DER = [...atob(PEM.replace(/-----[^-]+-----/g, "").replace(/\s/g, ""))].map((character) =>
  character.charCodeAt(0),
);

const pem = (der: readonly number[], type = "CERTIFICATE REQUEST"): string =>
  btoa(`-----BEGIN ${type}-----\n${btoa(String.fromCharCode(...der))}\n-----END ${type}-----\n`);
const NO_REQUEST = "PEM block type must be CERTIFICATE REQUEST";

test("a request is one in PEM", () => {
  expect(certificateRequestComplaint(REQUEST)).toBeUndefined();
  expect(certificateRequestComplaint(btoa(`what comes before is left out\n${PEM}`))).toBeUndefined();
});

test.each<[what: string, request: string, complaint: string]>([
  ["nothing", "", NO_REQUEST],
  ["text", btoa("hello"), NO_REQUEST],
  ["no base64", "-", NO_REQUEST],
  ["a certificate", pem(DER, "CERTIFICATE"), NO_REQUEST],
  ["half of one", pem(DER.slice(0, 100)), "asn1: syntax error: data truncated"],
  ["more than one", pem([...DER, 0]), "asn1: syntax error: trailing data"],
  ["another structure", pem([0x30, 0x03, 0x02, 0x01, 0x00]), "asn1: structure error: tags don't match"],
  ["an endless one", pem([0x30, 0x80]), "asn1: syntax error: indefinite length found (not DER)"],
  [
    "one of a length that cannot be",
    pem([0x30, 0x88, 1, 1, 1, 1, 1, 1, 1, 1]),
    "asn1: structure error: length too large",
  ],
])("%s is no request", (_, request, complaint) => {
  expect(certificateRequestComplaint(request)).toBe(complaint);
});
