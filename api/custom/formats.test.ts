import { expect, test } from "vitest";
import { heededFormat, isOfFormat } from "./formats.ts";

const CASES: Record<string, { accepted: string[]; refused: string[] }> = {
  bsonobjectid: { accepted: ["507f1f77bcf86cd799439011"], refused: ["507f1f77bcf86cd79943901"] },
  uri: {
    accepted: ["https://a.b/c?d#e", "/path", "mailto:x", "*", "http://[::1]:80/", "https://u:p@h/"],
    refused: ["", "a b", "example.com", "http://a b/", "http://h:port/", "/%zz", ":x", "/\u0001"],
  },
  email: {
    accepted: ["a@b", "Name <a.b@c.d>", '"x y"@z', "é@x.y"],
    refused: ["", "a", "@b", "a@", "a@b@", "<a", "a..b@c"],
  },
  hostname: {
    accepted: ["a", "example.com", "a-b", "xn--a.example", "1a.com"],
    refused: ["", "-a", "a..b", `${"a".repeat(70)}.com`, "a_b.com", "x.".repeat(200)],
  },
  ipv4: { accepted: ["1.2.3.4", "010.1.1.1"], refused: ["1.2.3", "256.1.1.1", "::1", "1.2.3.4.5"] },
  ipv6: { accepted: ["::1", "2001:db8::ffff", "::ffff:1.2.3.4"], refused: ["1.2.3.4", "fe80::1%eth0", ":::"] },
  cidr: { accepted: ["10.0.0.1/8", "::1/128"], refused: ["10.0.0.1", "10.0.0.0/33", "::/129", "x/8"] },
  mac: {
    accepted: ["00:00:5e:00:53:01", "02-00-5e-10-00-00-00-01", "0000.5e00.5301"],
    refused: ["00:00:5e:00:53", "00:00-5e:00:53:01", "0000.5e00.53", "zz:00:5e:00:53:01"],
  },
  uuid: { accepted: ["123E4567-e89b-12d3-a456-426614174000", "123e4567e89b12d3a456426614174000"], refused: ["123e"] },
  uuid3: { accepted: ["123e4567-e89b-32d3-a456-426614174000"], refused: ["123e4567-e89b-42d3-a456-426614174000"] },
  uuid4: { accepted: ["123e4567-e89b-42d3-a456-426614174000"], refused: ["123e4567-e89b-42d3-c456-426614174000"] },
  uuid5: { accepted: ["123e4567-e89b-52d3-a456-426614174000"], refused: ["123e4567-e89b-42d3-a456-426614174000"] },
  isbn: { accepted: ["0321751043", "978-0321751041"], refused: ["0321751044"] },
  isbn10: { accepted: ["080442957X"], refused: ["978-0321751041"] },
  isbn13: { accepted: ["978-0321751041"], refused: ["978-0321751042"] },
  creditcard: { accepted: ["4111 1111 1111 1111"], refused: ["4111 1111 1111 1112", "1"] },
  ssn: { accepted: ["123-45-6789"], refused: ["123456789", "123-45-678"] },
  hexcolor: { accepted: ["#FFF", "ffffff"], refused: ["#ffff"] },
  rgbcolor: { accepted: ["rgb(1, 20,255)"], refused: ["rgb(1,2,256)", "rgb(01,2,3)"] },
  byte: { accepted: ["YQ==", "YWJj"], refused: ["", "YQ=", "Y*=="] },
  password: { accepted: ["", "anything"], refused: [] },
  date: { accepted: ["2024-02-29"], refused: ["2023-02-29", "2024-1-1", "2024-13-01"] },
  duration: { accepted: ["1h30m", "-1.5s", "0", "22 ns", "2 days", "1 week"], refused: ["", "1", "x", "1 fortnight"] },
  "date-time": {
    accepted: ["2014-12-15T19:30:20.000Z", "2014-12-15t19:30:20+01:00"],
    refused: ["2014-12-15", "2014-12-15T24:00:00Z", "2014-02-30T00:00:00Z", "2014-12-15T19:30:20"],
  },
  "k8s-short-name": { accepted: ["a-b"], refused: ["A", "-a", "a.b", "a".repeat(64)] },
  "k8s-long-name": { accepted: ["a.b-c"], refused: ["a..b", "A.b", "a".repeat(254)] },
};

for (const [format, { accepted, refused }] of Object.entries(CASES)) {
  test(`the format ${format} accepts what Go's parsers accept`, () => {
    expect(accepted.filter((text) => !isOfFormat(format, text))).toEqual([]);
    expect(refused.filter((text) => isOfFormat(format, text))).toEqual([]);
  });
}

test("formats that a type does not know are passed over", () => {
  expect(heededFormat({ type: "string", format: "date-time" })).toBe("date-time");
  expect(heededFormat({ type: "string", format: "unheard-of" })).toBe("");
  expect(heededFormat({ type: "integer", format: "int32" })).toBe("int32");
  expect(heededFormat({ type: "integer", format: "date" })).toBe("");
  expect(heededFormat({ type: "object", format: "date" })).toBe("");
  expect(heededFormat({ "x-kubernetes-int-or-string": true, format: "int-or-string" })).toBe("");
});
